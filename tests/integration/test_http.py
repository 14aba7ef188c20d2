"""One application over real sockets, behind our server and behind Uvicorn."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from integration_app import FILE, make_app
from integration_server import Client, Served, serving, serving_by_uvicorn

Serving = Callable[[Any], AbstractAsyncContextManager[Served]]


@pytest.fixture(params=[serving, serving_by_uvicorn], ids=["ours", "uvicorn"])
async def served(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Served]:
    async with request.param(make_app(tmp_path)) as served:
        yield served


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Client]:
    async with served.client() as client:
        yield client


async def test_many_requests_on_one_connection_each_with_a_context_of_its_own(
    client: Client,
) -> None:
    for number in range(20):
        answer = await client.get(f"/?name={number}")
        assert answer.text == f"hello {number}"
        assert (await client.get(f"/sync/{number}")).json["number"] == number


async def test_pipelined_requests_are_answered_in_order(client: Client) -> None:
    requests = [
        f"GET /sync/{number} HTTP/1.1\r\nHost: localhost\r\n\r\n" for number in range(8)
    ]
    await client.send("".join(requests).encode())
    numbers = [(await client.answer()).json["number"] for _ in range(8)]
    assert numbers == list(range(8))


@pytest.mark.parametrize(
    "path", ["/", "/stream", "/sync-stream", "/static/large.bin", "/empty", "/count"]
)
async def test_head_has_the_headers_of_get_and_no_body(
    client: Client, path: str
) -> None:
    got = await client.get(path)
    headed = await client.request("HEAD", path)
    volatile = {"date", "transfer-encoding", "set-cookie", "expires"}
    assert headed.status == got.status
    assert {pair for pair in headed.headers if pair[0] not in volatile} == {
        pair for pair in got.headers if pair[0] not in volatile
    }
    # A body would be taken for the head of this one.
    assert (await client.get("/?name=again")).text == "hello again"


async def test_streams_arrive_whole(client: Client) -> None:
    assert (await client.get("/stream")).text == "/stream 0\n/stream 1\n/stream 2\n"
    assert (await client.get("/sync-stream")).text == "0\n1\n2\n3\n4\n"


async def test_body_with_a_length_and_in_chunks(client: Client) -> None:
    body = os.urandom(700_000)
    assert (await client.request("POST", "/echo", body)).body == body
    await client.send(
        b"POST /digest HTTP/1.1\r\nHost: localhost\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    for start in range(0, len(body), 1000):
        piece = body[start : start + 1000]
        await client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
    await client.send(b"0\r\n\r\n")
    assert (await client.answer()).text == hashlib.sha256(body).hexdigest()


async def test_extensions_and_trailers_of_chunks_are_no_part_of_the_body(
    client: Client,
) -> None:
    await client.send(
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        b"\r\n3;x=y\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n"
    )
    assert (await client.answer()).body == b"abc"
    assert (await client.get("/")).text == "hello you"


async def test_expecting_client_is_told_to_go_on_only_where_the_body_is_read(
    client: Client,
) -> None:
    head = "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
    expecting = head + "Expect: 100-continue\r\n\r\n"
    await client.send(expecting.format("/echo").encode())
    assert (await client.head()).status == 100
    await client.send(b"abc")
    assert (await client.answer()).body == b"abc"
    await client.send(expecting.format("/refuse").encode())
    assert (await client.answer()).status == 403


async def test_small_unread_body_does_not_harm_the_next_request(
    client: Client,
) -> None:
    assert (await client.request("POST", "/ignore", b"x" * 500)).text == "not read"
    assert (await client.get("/")).text == "hello you"


async def test_upload_in_bytewise_pieces(client: Client) -> None:
    body = (
        b"--b\r\nContent-Disposition: form-data; name=a; filename=x.bin\r\n\r\n"
        b"\r\n--b-\r\n--bc\r\n--b--\r\n"
    )
    await client.send(
        b"POST /files HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    for position in range(len(body)):
        await client.send(body[position : position + 1])
    assert (await client.answer()).json == {"a": ["x.bin", len("\r\n--b-\r\n--bc")]}


async def test_session_cookie_goes_forth_and_back(client: Client) -> None:
    first = await client.get("/count")
    cookie = (first.header("set-cookie") or "").partition(";")[0]
    second = await client.get("/count", Cookie=cookie)
    assert (first.text, second.text) == ("1", "2")
    assert second.header("vary") == "Cookie"


async def test_failing_view_is_a_500_and_the_connection_goes_on(
    client: Client,
) -> None:
    failed = await client.get("/fail")
    assert failed.status == 500
    assert b"of the view" not in failed.body
    assert (await client.get("/")).text == "hello you"


async def test_failing_stream_is_not_taken_for_a_whole_one(client: Client) -> None:
    await client.send(b"GET /fail-in-stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await client.head()).status == 200
    chunks = []
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        async for chunk in client.chunks():
            chunks.append(chunk)  # noqa: PERF401 - kept when the next one fails
    assert chunks == [b"begun\n"]


async def test_body_shorter_than_announced_ends_the_connection(
    client: Client,
) -> None:
    await client.send(
        b"GET /short HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    async with asyncio.timeout(10):
        data = await client.reader.read()
    # Our server refuses to send it, Uvicorn closes after what there is.
    assert b"HTTP/1.1 500" in data or data.endswith(b"\r\n\r\nabc")


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "expected"),
    [
        (None, 200, None, FILE),
        ("bytes=0-0", 206, "bytes 0-0/1048576", FILE[:1]),
        ("bytes=1000-", 206, "bytes 1000-1048575/1048576", FILE[1000:]),
        ("bytes=-70000", 206, "bytes 978576-1048575/1048576", FILE[-70000:]),
        ("bytes=5-2000000", 206, "bytes 5-1048575/1048576", FILE[5:]),
        ("bytes=1048576-", 416, "bytes */1048576", None),
    ],
    ids=["whole", "first", "from", "suffix", "beyond the end", "none"],
)
async def test_static_file_and_its_ranges(
    client: Client,
    asked: str | None,
    status: int,
    content_range: str | None,
    expected: bytes | None,
) -> None:
    headers = {} if asked is None else {"Range": asked}
    answer = await client.request("GET", "/static/large.bin", headers=headers)
    assert answer.status == status
    assert answer.header("content-range") == content_range
    if expected is not None:
        assert answer.body == expected
        assert answer.header("content-length") == str(len(expected))


async def test_several_ranges_of_a_static_file(client: Client) -> None:
    answer = await client.get("/static/large.bin", Range="bytes=0-9,500000-500009,-10")
    assert answer.status == 206
    kind, _, boundary = (answer.header("content-type") or "").partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = answer.body.split(b"--" + boundary.encode())
    bodies = [part.partition(b"\r\n\r\n")[2][:-2] for part in parts[1:-1]]
    assert bodies == [FILE[:10], FILE[500000:500010], FILE[-10:]]
    assert parts[-1] == b"--\r\n"


async def test_unchanged_static_file_is_not_sent_again(client: Client) -> None:
    first = await client.get("/static/large.bin")
    tag = first.header("etag") or ""
    again = await client.request(
        "GET", "/static/large.bin", headers={"If-None-Match": tag}
    )
    assert again.status == 304
    assert again.header("content-length") is None
    assert (await client.get("/")).text == "hello you"


async def test_http_1_0_client_gets_a_stream_until_the_end_of_the_connection(
    tmp_path: Path,
) -> None:
    async with serving(make_app(tmp_path)) as served, served.client() as client:
        await client.send(b"GET /stream HTTP/1.0\r\n\r\n")
        data = await asyncio.wait_for(client.reader.read(), 10)
    assert data.endswith(b"\r\n\r\n/stream 0\n/stream 1\n/stream 2\n")
