"""Uploads that are larger than memory should be, and larger than is allowed."""

from __future__ import annotations

import asyncio

import pytest
from integration_server import Client, ServerProcess, listening_socket, serving
from quart import Quart, request

MIB = 1024 * 1024
UPLOAD = 300 * MIB
PIECE = bytes(MIB)
LIMIT = 16 * MIB

PROGRAM = """
import asyncio, os
from quart import Quart, request

app = Quart("app")

@app.get("/")
async def index():
    return "warm"

@app.post("/")
async def upload():
    request.max_content_length = None
    await asyncio.sleep(0.5)
    total = 0
    async for chunk in request.body:
        total += len(chunk)
    return str(total)

app.run(f"fd://{os.environ['SOCKET_FD']}", use_reloader=False)
"""


async def _send_chunked(client: Client, size: int, piece: bytes) -> None:
    chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
    for _ in range(size // len(piece)):
        await client.send(chunk)
    await client.send(b"0\r\n\r\n")


@pytest.mark.slow
@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_300_mb_upload_to_a_handler_that_waits_takes_no_memory(
    framing: str,
) -> None:
    with listening_socket() as sock, ServerProcess(PROGRAM, sock) as server:
        async with server.client() as client:
            assert (await client.get("/")).text == "warm"
            server.reset_peak()
            before = server.peak_memory()
            head = "POST / HTTP/1.1\r\nHost: localhost\r\n"
            if framing == "length":
                await client.send(f"{head}Content-Length: {UPLOAD}\r\n\r\n".encode())
                for _ in range(UPLOAD // MIB):
                    await client.send(PIECE)
            else:
                await client.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
                await _send_chunked(client, UPLOAD, PIECE)
            assert (await client.answer()).text == str(UPLOAD)
            growth = server.peak_memory() - before
    assert growth < 16 * MIB


def make_limited_app(taken: list[int]) -> Quart:
    """Make an app that reads in all ways, and counts what it takes of the server."""
    app = Quart(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LIMIT
    app.config["MAX_FORM_MEMORY_SIZE"] = None

    @app.post("/data")
    async def data() -> str:
        return str(len(await request.get_data()))

    @app.post("/form")
    async def form() -> str:
        return str(len(await request.form))

    @app.post("/files")
    async def files() -> str:
        return str(len(await request.files))

    @app.post("/iterate")
    async def iterate() -> str:
        total = 0
        async for chunk in request.body:
            total += len(chunk)
        return str(total)

    @app.post("/late")
    async def late() -> str:
        await asyncio.sleep(0.3)
        return str(len(await request.data))

    @app.post("/json")
    async def json() -> str:
        return str(await request.get_json())

    inner = app.asgi_app

    async def counting(scope, receive, send):  # type: ignore[no-untyped-def]
        async def counted():  # type: ignore[no-untyped-def]
            message = await receive()
            taken.append(len(message.get("body", b"")))
            return message

        await inner(scope, counted, send)

    app.asgi_app = counting  # type: ignore[method-assign]
    return app


MULTIPART = b"--b\r\nContent-Disposition: form-data; name=a%s\r\n\r\n"
# Path, content type and how the body begins.
READINGS = [
    ("/data", "application/octet-stream", b""),
    ("/late", "application/octet-stream", b""),
    ("/iterate", "application/octet-stream", b""),
    ("/json", "application/json", b'"'),
    ("/form", "application/x-www-form-urlencoded", b"a="),
    ("/form", "multipart/form-data; boundary=b", MULTIPART % b""),
    ("/form", "multipart/form-data; boundary=b", MULTIPART % b"; filename=f"),
    ("/files", "multipart/form-data; boundary=b", MULTIPART % b"; filename=f"),
    ("/files", "multipart/form-data; boundary=b", MULTIPART % b""),
]


async def _pour(client: Client, start: bytes, framing: str) -> int:
    """Send up to 400 MB; give how much went out before the server had enough."""
    piece = bytes(256 * 1024)
    try:
        if framing == "chunked":
            await client.send(b"%x\r\n%s\r\n" % (len(start), start) if start else b"")
            await _send_chunked(client, 400 * MIB, piece)
        else:
            await client.send(start)
            while client.sent < 400 * MIB:
                await client.send(piece)
    except ConnectionError:
        pass
    return client.sent


@pytest.mark.parametrize(("path", "kind", "start"), READINGS)
async def test_400_mb_in_chunks_over_a_16_mb_limit_are_refused_while_they_come(
    path: str, kind: str, start: bytes
) -> None:
    taken: list[int] = []
    async with serving(make_limited_app(taken)) as served, served.client() as client:
        await client.send(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        pouring = asyncio.create_task(_pour(client, start, "chunked"))
        answer = await client.answer()
        sent = await pouring
    assert answer.status == 413
    assert sum(taken) <= LIMIT + 64 * 1024
    # Beside it: what lies in the buffers of both kernels and of this client, and what
    # the server reads while it closes.
    assert sent < LIMIT + 12 * MIB


@pytest.mark.parametrize(("path", "kind", "start"), READINGS)
async def test_announced_400_mb_are_refused_unread(
    path: str, kind: str, start: bytes
) -> None:
    taken: list[int] = []
    async with serving(make_limited_app(taken)) as served, served.client() as client:
        await client.send(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {400 * MIB}\r\n\r\n".encode()
        )
        pouring = asyncio.create_task(_pour(client, start, "length"))
        answer = await client.answer()
        sent = await pouring
    assert answer.status == 413
    assert sum(taken) <= 64 * 1024 + 64 * 1024
    assert sent < 12 * MIB


async def test_client_that_expects_the_refusal_sends_nothing() -> None:
    taken: list[int] = []
    async with serving(make_limited_app(taken)) as served, served.client() as client:
        await client.send(
            f"POST /data HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            f"Content-Length: {400 * MIB}\r\n\r\n".encode()
        )
        assert (await client.answer()).status == 413
    assert sum(taken) == 0
