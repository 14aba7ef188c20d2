"""make_conditional: the rows of the table "Conditional request"."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quart_core.wrappers.response import FileBody, IOBody, Response
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestedRangeNotSatisfiable

DATA = b"abcdef"
LONG_AGO = "Sat, 01 Jan 2000 00:00:00 GMT"


async def conditional(
    response: Response,
    method: str = "GET",
    accept_ranges: bool | str = True,
    complete_length: int | None = None,
    **headers: str,
) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request: Any = SimpleNamespace(method=method, headers=Headers(named))
    return await response.make_conditional(request, accept_ranges, complete_length)


async def stream(*items: bytes) -> AsyncIterator[bytes]:
    for item in items:
        yield item


def with_etag(body: Any = DATA) -> Response:
    return Response(body, headers={"ETag": '"x"', "Last-Modified": LONG_AGO})


def parts_of(content_type: str, body: bytes) -> list[tuple[dict[str, str], bytes]]:
    """Read a multipart message, by the book and nothing but the book."""
    kind, _, boundary = content_type.partition("; boundary=")
    assert kind == "multipart/byteranges"
    delimiter = b"--" + boundary.encode()
    before, *pieces, after = (b"\r\n" + body).split(b"\r\n" + delimiter)
    assert (before, after) == (b"", b"--\r\n")
    parts = []
    for piece in pieces:
        assert piece.startswith(b"\r\n")
        head, _, content = piece[2:].partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        parts.append((dict(lines), content))
    return parts


# If-None-Match / If-Modified-Since match, GET or HEAD


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "header", [{"If_None_Match": '"x"'}, {"If_Modified_Since": LONG_AGO}]
)
async def test_a_client_that_has_it_gets_304_empty_without_content_length(
    method: str, header: dict[str, str]
) -> None:
    response = await conditional(with_etag(), method, **header)
    assert response.status_code == 304
    assert await response.get_data() == b""
    assert list(response.headers) == [("ETag", '"x"'), ("Last-Modified", LONG_AGO)]


async def test_the_stream_of_a_304_is_closed_with_the_response() -> None:
    closed = []

    class Source:
        def __aiter__(self) -> Source:
            return self

        async def __anext__(self) -> bytes:
            return b"x"

        async def aclose(self) -> None:
            closed.append(1)

    response = await conditional(with_etag(Source()), If_None_Match='"x"')
    await response._close_body()
    assert closed == [1]


async def test_a_precondition_goes_before_a_range() -> None:
    response = await conditional(with_etag(), If_None_Match='"x"', Range="bytes=0-1")
    assert response.status_code == 304


# If-Match fails


async def test_a_failed_if_match_gets_412_and_keeps_the_body() -> None:
    response = await conditional(with_etag(), If_Match='"y"')
    assert response.status_code == 412
    assert await response.get_data() == DATA


# bytes=0-3, bytes=3-, end beyond size; bytes=-3


@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=0-3", b"abcd", "bytes 0-3/6"),
        ("bytes=3-", b"def", "bytes 3-5/6"),
        ("bytes=2-90", b"cdef", "bytes 2-5/6"),
        ("bytes=-3", b"def", "bytes 3-5/6"),
        ("bytes=-90", b"abcdef", "bytes 0-5/6"),
        ("bytes=0-1,1-2", b"abc", "bytes 0-2/6"),
        ("bytes=0-1,99-", b"ab", "bytes 0-1/6"),
    ],
)
async def test_one_range_gets_206(
    header: str, expected: bytes, content_range: str
) -> None:
    response = await conditional(Response(DATA), Range=header)
    assert response.status == "206 PARTIAL CONTENT"
    assert response.headers["Content-Range"] == content_range
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Length"] == str(len(expected))
    assert await response.get_data() == expected


# start beyond end, unreadable header; start beyond size


@pytest.mark.parametrize("header", ["bytes=4-3", "bytes=a", "garbage", "bytes=6-"])
async def test_what_cannot_be_given_gets_416_with_the_size(header: str) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        await conditional(Response(DATA), Range=header)
    assert caught.value.code == 416
    assert ("Content-Range", "bytes */6") in caught.value.get_headers()


# several ranges


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "f"
    made.write_bytes(DATA)
    return made


@pytest.mark.parametrize("kind", ["data", "file", "content", "memory", "file object"])
async def test_several_ranges_get_one_multipart(kind: str, path: Path) -> None:
    body: Any = DATA
    if kind in {"file", "content"}:
        body = FileBody(path, buffer_size=2)
        body.content = DATA if kind == "content" else None
    elif kind == "memory":
        body = IOBody(io.BytesIO(DATA))
    elif kind == "file object":
        body = IOBody(path.open("rb"))
    response = Response(body, mimetype="text/plain")
    await conditional(response, Range="bytes=4-5,0-1")
    assert response.status_code == 206
    assert "Content-Range" not in response.headers
    assert response.headers["Accept-Ranges"] == "bytes"
    expected_length = int(response.headers["Content-Length"])
    assert response.calculate_content_length() == expected_length
    content_type = response.headers["Content-Type"]
    sent = await response.get_data()
    await response._close_body()
    assert len(sent) == expected_length
    described = {"Content-Type": "text/plain; charset=utf-8"}
    assert parts_of(content_type, sent) == [
        ({**described, "Content-Range": "bytes 4-5/6"}, b"ef"),
        ({**described, "Content-Range": "bytes 0-1/6"}, b"ab"),
    ]


async def test_st_05_more_than_ten_parts_get_416() -> None:
    header = "bytes=" + ",".join(f"{number}-{number}" for number in range(0, 44, 4))
    with pytest.raises(RequestedRangeNotSatisfiable):
        await conditional(Response(b"x" * 100), Range=header)


async def test_st_17_a_part_header_cannot_hold_another_line() -> None:
    response = Response(DATA)
    response.headers._list[0] = ("Content-Type", "a/b\r\nX: y")
    with pytest.raises(ValueError, match="Content-Type"):
        await conditional(response, Range="bytes=0-0,2-2")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=64), draw=st.data())
async def test_any_ranges_of_any_body_are_slices_of_it(
    data: bytes, draw: st.DataObject, path: Path
) -> None:
    position = st.integers(0, len(data) - 1)
    spans = draw.draw(
        st.lists(st.tuples(position, position).map(sorted), min_size=1, max_size=5)
    )
    header = "bytes=" + ",".join(f"{first}-{last}" for first, last in spans)
    path.write_bytes(data)
    response = await conditional(Response(FileBody(path, buffer_size=7)), Range=header)
    covered = set()
    content_type = response.headers["Content-Type"]
    content_range = response.headers.get("Content-Range")
    sent = await response.get_data()
    if content_range is not None:
        parts = [({"Content-Range": content_range}, sent)]
    else:
        parts = parts_of(content_type, sent)
    for described, content in parts:
        span = described["Content-Range"].removeprefix("bytes ").partition("/")[0]
        first, last = (int(number) for number in span.split("-"))
        assert content == data[first : last + 1]
        covered |= set(range(first, last + 1))
    assert covered == {n for first, last in spans for n in range(first, last + 1)}


# other units; If-Range does not match


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "lines=0-3"},
        {"Range": "bytes=0-3", "If_Range": '"y"'},
        {"Range": "bytes=0-3", "If_Range": 'W/"x"'},
        {"Range": "bytes=0-3", "If_Range": "Sun, 02 Jan 2000 00:00:00 GMT"},
    ],
)
async def test_a_range_that_does_not_apply_is_ignored(headers: dict[str, str]) -> None:
    response = await conditional(with_etag(), **headers)
    assert response.status_code == 200
    assert await response.get_data() == DATA


@pytest.mark.parametrize("if_range", ['"x"', LONG_AGO])
async def test_if_range_that_matches_gets_206(if_range: str) -> None:
    response = await conditional(with_etag(), Range="bytes=0-3", If_Range=if_range)
    assert response.status_code == 206


# POST; a plain 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_left_alone(method: str) -> None:
    response = with_etag()
    await conditional(response, method, Range="bytes=0-3", If_None_Match='"x"')
    assert response.status_code == 200
    assert await response.get_data() == DATA


async def test_a_plain_200_is_untouched_and_carries_no_accept_ranges() -> None:
    response = Response(DATA)
    before = list(response.headers)
    assert await conditional(response) is response
    assert list(response.headers) == before


async def test_ranges_are_for_get_alone() -> None:
    response = await conditional(Response(DATA), "HEAD", Range="bytes=0-3")
    assert response.status_code == 200


@pytest.mark.parametrize("accept_ranges", [False, "none", "lines"])
async def test_ranges_are_given_only_where_they_are_accepted(
    accept_ranges: bool | str,
) -> None:
    response = Response(DATA)
    await conditional(response, accept_ranges=accept_ranges, Range="bytes=0-3")
    assert response.status_code == 200


async def test_accepting_bytes_is_accepting_ranges() -> None:
    response = Response(DATA)
    await conditional(response, accept_ranges="bytes", Range="bytes=0-3")
    assert response.status_code == 206


@pytest.mark.parametrize("status", [201, 404, 500])
async def test_only_a_200_is_divided(status: int) -> None:
    response = Response(DATA, status)
    await conditional(response, Range="bytes=0-3")
    assert response.status_code == status


async def test_an_error_stays_an_error() -> None:
    response = Response(DATA, 404, headers={"ETag": '"x"'})
    await conditional(response, If_None_Match='"x"')
    assert response.status_code == 404


async def test_an_empty_body_is_sent_whole() -> None:
    response = await conditional(Response(b""), Range="bytes=0-3")
    assert response.status_code == 200


# complete_length


async def test_a_range_of_a_stream_needs_its_length() -> None:
    response = Response(stream(b"abc", b"def"))
    await conditional(response, Range="bytes=1-3")
    assert response.status_code == 200


async def test_a_range_of_a_stream_is_cut_out_of_it() -> None:
    response = Response(stream(b"abc", b"def"))
    await conditional(response, complete_length=6, Range="bytes=1-3")
    assert response.status_code == 206
    assert response.headers["Content-Length"] == "3"
    assert response.headers["Content-Range"] == "bytes 1-3/6"
    assert await response.get_data() == b"bcd"


async def test_several_ranges_of_a_stream_are_answered_with_all_of_it() -> None:
    response = Response(stream(b"abc", b"def"))
    await conditional(response, complete_length=6, Range="bytes=0-1,3-4")
    assert response.status_code == 200
    assert await response.get_data() == DATA


async def test_giving_the_length_accepts_ranges_as_in_quart() -> None:
    response = Response(DATA)
    await conditional(response, "GET", False, len(DATA), Range="bytes=0-3")
    assert response.status_code == 206
    with pytest.raises(RequestedRangeNotSatisfiable):
        await conditional(Response(DATA), "GET", False, len(DATA), Range="lines=0-3")
    response = Response(DATA)
    await conditional(response, "HEAD", False, len(DATA), Range="bytes=0-3")
    assert response.status_code == 200
