"""Preconditions: does a client's copy, or its wish to see no other, decide the answer?

RFC 9110, 13: the order of evaluation, strong and weak comparison, dates.
"""

from __future__ import annotations

from typing import Final, Protocol

from werkzeug.http import parse_date, parse_etags, unquote_etag

__all__ = ("NOT_MODIFIED", "PRECONDITION_FAILED", "evaluate", "range_applies")

NOT_MODIFIED: Final = 304
PRECONDITION_FAILED: Final = 412


class HeaderLookup(Protocol):
    """What is asked of request and response headers."""

    def get(self, key: str, /) -> str | None:
        """Give the value of a header, or None."""


def evaluate(request: HeaderLookup, response: HeaderLookup) -> int | None:
    """Apply the preconditions of a GET or HEAD request (RFC 9110, 13.2.2).

    A condition about a validator that the response does not have is ignored.

    Returns:
        304, 412, or None if the response is to be sent as it is.
    """
    if not _may_proceed(request, response):
        return PRECONDITION_FAILED
    if _client_has_it(request, response):
        return NOT_MODIFIED
    return None


def range_applies(request: HeaderLookup, response: HeaderLookup) -> bool:
    """Tell whether If-Range allows to answer with a part (RFC 9110, 13.1.5)."""
    value = request.get("If-Range")
    if value is None:
        return True
    value = value.strip()
    if value.startswith(('"', "W/")):
        # Strong comparison: a weak tag, on either side, matches nothing.
        etag = response.get("ETag")
        return etag is not None and not _is_weak(etag) and value == etag.strip()
    # The date must be the very one the client was told, a later one will not do.
    date = parse_date(value)
    return date is not None and date == parse_date(response.get("Last-Modified"))


def _may_proceed(request: HeaderLookup, response: HeaderLookup) -> bool:
    if_match = request.get("If-Match")
    if if_match is not None:
        etag = response.get("ETag")
        if if_match.strip() == "*" or etag is None:
            return True
        return not _is_weak(etag) and parse_etags(if_match).is_strong(_opaque(etag))
    if_unmodified_since = request.get("If-Unmodified-Since")
    return if_unmodified_since is None or not _is_later(response, if_unmodified_since)


def _client_has_it(request: HeaderLookup, response: HeaderLookup) -> bool:
    if_none_match = request.get("If-None-Match")
    if if_none_match is not None:
        # It takes precedence over the date, even if it says nothing of use.
        if if_none_match.strip() == "*":
            return True
        etag = response.get("ETag")
        if etag is None:
            return False
        return parse_etags(if_none_match).contains_weak(_opaque(etag))
    if_modified_since = request.get("If-Modified-Since")
    return if_modified_since is not None and _is_no_later(response, if_modified_since)


def _is_later(response: HeaderLookup, date: str) -> bool:
    modified = parse_date(response.get("Last-Modified"))
    asked = parse_date(date)
    return modified is not None and asked is not None and modified > asked


def _is_no_later(response: HeaderLookup, date: str) -> bool:
    modified = parse_date(response.get("Last-Modified"))
    asked = parse_date(date)
    return modified is not None and asked is not None and modified <= asked


def _opaque(etag: str) -> str:
    return unquote_etag(etag)[0]


def _is_weak(etag: str) -> bool:
    return etag.startswith(("W/", "w/"))
