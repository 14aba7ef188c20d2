"""Preconditions of RFC 9110, 13."""

from __future__ import annotations

import pytest
from quart_core.conditional import evaluate, range_applies
from werkzeug.datastructures import Headers

BEFORE = "Sat, 01 Jan 2000 00:00:00 GMT"
THEN = "Sun, 02 Jan 2000 00:00:00 GMT"
AFTER = "Mon, 03 Jan 2000 00:00:00 GMT"


@pytest.mark.parametrize(
    ("request_headers", "etag", "expected"),
    [
        ({}, '"x"', None),
        ({"If-None-Match": '"x"'}, '"x"', 304),
        ({"If-None-Match": 'W/"x"'}, '"x"', 304),
        ({"If-None-Match": '"x"'}, 'W/"x"', 304),
        ({"If-None-Match": '"a", "x"'}, '"x"', 304),
        ({"If-None-Match": '"y"'}, '"x"', None),
        ({"If-None-Match": "*"}, '"x"', 304),
        ({"If-None-Match": '"x"'}, None, None),
        ({"If-Modified-Since": THEN}, None, 304),
        ({"If-Modified-Since": AFTER}, None, 304),
        ({"If-Modified-Since": BEFORE}, None, None),
        ({"If-Modified-Since": "yesterday"}, None, None),
        # The tag has precedence over the date.
        ({"If-None-Match": '"y"', "If-Modified-Since": THEN}, '"x"', None),
        ({"If-Match": '"x"'}, '"x"', None),
        ({"If-Match": '"y"'}, '"x"', 412),
        ({"If-Match": "*"}, '"x"', None),
        ({"If-Match": 'W/"x"'}, '"x"', 412),
        ({"If-Match": '"x"'}, 'W/"x"', 412),
        ({"If-Match": '"y"'}, None, None),
        ({"If-Unmodified-Since": BEFORE}, None, 412),
        ({"If-Unmodified-Since": THEN}, None, None),
        ({"If-Match": '"x"', "If-Unmodified-Since": BEFORE}, '"x"', None),
        ({"If-Match": '"y"', "If-None-Match": '"x"'}, '"x"', 412),
    ],
)
def test_preconditions(
    request_headers: dict[str, str], etag: str | None, expected: int | None
) -> None:
    response = Headers({"Last-Modified": THEN})
    if etag is not None:
        response["ETag"] = etag
    assert evaluate(Headers(request_headers), response) == expected


@pytest.mark.parametrize(
    ("if_range", "etag", "expected"),
    [
        (None, None, True),
        ('"x"', '"x"', True),
        ('"y"', '"x"', False),
        ('W/"x"', '"x"', False),
        ('"x"', 'W/"x"', False),
        ('"x"', None, False),
        (THEN, None, True),
        (AFTER, None, False),
        (BEFORE, None, False),
        ("nonsense", '"x"', False),
    ],
)
def test_if_range(if_range: str | None, etag: str | None, expected: bool) -> None:
    request = Headers() if if_range is None else Headers({"If-Range": if_range})
    response = Headers({"Last-Modified": THEN})
    if etag is not None:
        response["ETag"] = etag
    assert range_applies(request, response) is expected
