"""Response: body, bodies, conditional requests and ranges."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
from quart import Quart, Response, request
from quart.wrappers.response import DataBody, FileBody, IOBody, IterableBody
from werkzeug.datastructures import Headers

CONTENT = b"0123456789"


async def _chunks() -> AsyncIterator[bytes]:
    yield CONTENT[:5]
    yield CONTENT[5:]


def test_text_and_bytes_set_the_length() -> None:
    assert Response("ü").headers["Content-Length"] == "2"
    assert Response(b"abc").headers["Content-Length"] == "3"
    assert Response().headers["Content-Length"] == "0"
    assert Response("x").headers["Content-Type"] == "text/html; charset=utf-8"


def test_arguments() -> None:
    response = Response("x", 404, {"X-A": "1"}, "text/plain")
    assert response.status == "404 NOT FOUND"
    assert response.content_type == "text/plain; charset=utf-8"
    assert Response("x", "418 Own").status == "418 Own"
    assert Response("x", HTTPStatus.CREATED).status_code == 201
    assert Response("x", content_type="a/b").content_type == "a/b"
    assert Response("x", direct_passthrough=True).direct_passthrough is True
    assert Response("x", headers=Headers([("A", "1"), ("A", "2")])).headers.getlist(
        "A"
    ) == ["1", "2"]


async def test_iterables_are_streamed() -> None:
    for body in ([b"a", "b"], iter(["ab"]), (c for c in "ab")):
        response = Response(body)
        assert isinstance(response.response, IterableBody)
        assert await response.get_data() == b"ab"
    assert await Response(_chunks()).get_data() == CONTENT


async def test_data_text_and_json_are_awaited() -> None:
    response = Response('{"a": 1}', mimetype="application/json")
    assert await response.get_data(as_text=True) == '{"a": 1}'
    assert await response.data == b'{"a": 1}'
    assert await response.json == {"a": 1}
    assert await response.get_json() == {"a": 1}
    assert await Response("{}").get_json() is None
    assert await Response("{}").get_json(force=True) == {}


async def test_silent_is_not_inverted() -> None:
    response = Response("{", mimetype="application/json")
    assert await response.get_json(silent=True) is None
    with pytest.raises(json.JSONDecodeError):
        await response.get_json(silent=False)


async def test_set_data_updates_the_length() -> None:
    response = Response("x")
    response.set_data("four")
    assert response.headers["Content-Length"] == "4"
    response.data = b"ab"
    assert response.headers["Content-Length"] == "2"
    assert await response.get_data() == b"ab"


async def test_timeout_ends_the_sending_without_a_final_event() -> None:
    app, closed = Quart("responses"), []

    @app.get("/")
    async def view() -> Response:
        async def body() -> AsyncIterator[str]:
            try:
                yield "first"
                await asyncio.Event().wait()
            finally:
                closed.append(True)

        response = Response(body())
        assert response.timeout is ...
        response.timeout = 0.02
        return response

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not sent:
            return {"type": "http.request"}
        return await asyncio.Event().wait()  # type: ignore[func-returns-value]

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await asyncio.wait_for(app(scope, receive, send), 10)
    assert sent[-1] == {
        "type": "http.response.body",
        "body": b"first",
        "more_body": True,
    }
    assert closed == [True]


def test_body_classes() -> None:
    assert Response.data_body_class is DataBody
    assert Response.iterable_body_class is IterableBody
    assert Response.file_body_class is FileBody
    assert Response.io_body_class is IOBody


async def test_bodies_are_context_managers_that_iterate() -> None:
    body = DataBody(CONTENT)
    assert await body.make_conditional(2, 5) == 10
    async with body as opened:
        assert b"".join([chunk async for chunk in opened]) == b"234"
    async with IterableBody(_chunks()) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == CONTENT


async def test_etag_freeze_and_sequence() -> None:
    response = Response(_chunks())
    await response.add_etag()
    tag = response.headers["ETag"]
    await response.add_etag()
    assert response.headers["ETag"] == tag
    await response.add_etag(overwrite=True, weak=True)
    assert response.headers["ETag"] == f"W/{tag}"
    frozen = Response(_chunks())
    await frozen.freeze()
    assert frozen.headers["Content-Length"] == "10"
    assert "ETag" in frozen.headers
    assert [chunk async for chunk in Response("ab").iter_encode()] == [b"ab"]


async def test_implicit_sequence_conversion_can_be_off() -> None:
    class Streaming(Response):
        implicit_sequence_conversion = False

    with pytest.raises(RuntimeError, match="make_sequence"):
        await Streaming(_chunks()).get_data()


def test_cookies() -> None:
    response = Response()
    response.set_cookie("a", "1", max_age=5, secure=True, partitioned=True)
    response.delete_cookie("b")
    first, second = response.headers.getlist("Set-Cookie")
    assert "Partitioned" in first
    assert "Max-Age=5" in first
    assert "Max-Age=0" in second


async def test_names_are_lower_cased_and_values_utf_8() -> None:
    app, sent = Quart("responses"), []

    @app.get("/")
    async def view() -> tuple[str, dict[str, str]]:
        return "", {"X-Upper": "ü"}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(
        {"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send
    )
    assert (b"x-upper", "ü".encode()) in sent[0]["headers"]


# Conditional requests


async def _conditional(
    headers: dict[str, str], method: str = "GET", streamed: bool = False
) -> Response:
    app = Quart("responses")

    @app.route("/", methods=["GET", "POST"])
    async def view() -> Response:
        response = Response(_chunks() if streamed else CONTENT)
        response.set_etag("tag")
        response.last_modified = 1_700_000_000
        await response.make_conditional(
            request._get_current_object(), accept_ranges=True, complete_length=10
        )
        return response

    return await app.test_client().open("/", method=method, headers=headers)


LAST_MODIFIED = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"tag"'},
        {"If-None-Match": '"other", W/"tag"'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": LAST_MODIFIED},
    ],
)
async def test_unchanged_is_a_304(headers: dict[str, str], method: str) -> None:
    response = await _conditional(headers, method)
    assert response.status_code == 304
    assert await response.get_data() == b""
    assert "Content-Length" not in response.headers


async def test_failed_if_match_is_a_412() -> None:
    response = await _conditional({"If-Match": '"other"'})
    assert (response.status_code, await response.get_data()) == (412, CONTENT)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("asked", "content_range", "expected"),
    [
        ("bytes=0-3", "bytes 0-3/10", b"0123"),
        ("bytes=3-", "bytes 3-9/10", b"3456789"),
        ("bytes=8-20", "bytes 8-9/10", b"89"),
        ("bytes=-3", "bytes 7-9/10", b"789"),
        ("bytes=-30", "bytes 0-9/10", CONTENT),
    ],
)
async def test_range_is_a_206(
    asked: str, content_range: str, expected: bytes, streamed: bool
) -> None:
    response = await _conditional({"Range": asked}, streamed=streamed)
    assert response.status_code == 206
    assert response.headers["Content-Range"] == content_range
    assert response.headers["Accept-Ranges"] == "bytes"
    assert await response.get_data() == expected
    assert response.headers["Content-Length"] == str(len(expected))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=20-30", "bytes=-0"])
async def test_range_beyond_the_end_is_a_416(asked: str) -> None:
    response = await _conditional({"Range": asked})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */10"


async def test_several_ranges_are_a_multipart() -> None:
    response = await _conditional({"Range": "bytes=0-1,5-6"})
    assert response.status_code == 206
    assert response.mimetype == "multipart/byteranges"
    data = await response.get_data()
    assert b"bytes 0-1/10" in data
    assert b"bytes 5-6/10" in data


@pytest.mark.parametrize(
    ("if_range", "status"),
    [('"tag"', 206), ('"other"', 200), ('W/"tag"', 200), (LAST_MODIFIED, 206)],
)
async def test_if_range(if_range: str, status: int) -> None:
    response = await _conditional({"Range": "bytes=0-1", "If-Range": if_range})
    assert response.status_code == status


async def test_unreadable_range_is_a_416() -> None:
    response = await _conditional({"Range": "rubbish"})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */10"


async def test_range_of_another_unit_is_ignored() -> None:
    # RFC 9110, 14.2.
    response = await _conditional({"Range": "items=0-1"})
    assert (response.status_code, await response.get_data()) == (200, CONTENT)


async def test_post_is_untouched() -> None:
    response = await _conditional({"Range": "bytes=0-1", "If-None-Match": "*"}, "POST")
    assert (response.status_code, await response.get_data()) == (200, CONTENT)
