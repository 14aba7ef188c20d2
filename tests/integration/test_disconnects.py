"""Thousands of clients that leave at any moment, and what must not be left of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import socket
import struct
import tempfile
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from integration_server import serving, until
from quart import (
    Quart,
    Response,
    current_app,
    g,
    request,
    request_ctx,
    stream_with_context,
)

CLIENTS = 10_000
AT_ONCE = 40
SEED = 20_817


class Ledger:
    """What has begun and what has ended, by the number of the request."""

    def __init__(self) -> None:
        self.begun: Counter[tuple[str, int]] = Counter()
        self.ended: Counter[tuple[str, int]] = Counter()
        self.contexts: weakref.WeakSet[Any] = weakref.WeakSet()
        self.requests = 0

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        key = (name, g.number)
        self.begun[key] += 1
        try:
            yield
        finally:
            self.ended[key] += 1


def make_app(folder: Path) -> Quart:  # noqa: C901 - one view after the other
    ledger = Ledger()
    (folder / "large.bin").write_bytes(bytes(2_000_000))
    app = Quart("app", static_folder=str(folder), static_url_path="/static")
    app.extensions["ledger"] = ledger
    app.config["MAX_CONTENT_LENGTH"] = None

    @app.before_request
    async def count() -> None:
        g.number = ledger.requests
        ledger.requests += 1
        key = ("request", g.number)
        ledger.begun[key] += 1
        ledger.contexts.add(request_ctx._get_current_object())

    @app.teardown_request
    async def end(error: BaseException | None) -> None:
        # A client that leaves meanwhile must not keep it from ending.
        await asyncio.sleep(0)
        ledger.ended["request", g.number] += 1

    @app.get("/wait")
    async def wait() -> str:
        key = ("slow end", g.number)
        ledger.begun[key] += 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ledger.ended[key] += 1
        return ""

    @app.get("/quick")
    async def quick() -> str:
        with ledger.step("view"):
            return "x" * 1000

    @app.get("/sync")
    def sync() -> str:
        with ledger.step("view"):
            return "x" * 1000

    @app.post("/data")
    async def data() -> str:
        key = ("slow end", g.number)
        ledger.begun[key] += 1
        try:
            return str(len(await request.get_data()))
        finally:
            await asyncio.sleep(0)
            ledger.ended[key] += 1

    @app.post("/iterate")
    async def iterate() -> str:
        total = 0
        with ledger.step("view"):
            async for chunk in request.body:
                total += len(chunk)
        return str(total)

    @app.post("/files")
    async def files() -> str:
        with ledger.step("view"):
            file = (await request.files)["file"]
            await asyncio.sleep(0)
            return str(len(file.read()))

    @app.get("/stream")
    async def stream() -> Response:
        @stream_with_context
        async def generate() -> AsyncIterator[bytes]:
            with ledger.step("generator"):
                for _ in range(50):
                    yield b"x" * 20_000
                    await asyncio.sleep(0)

        response = Response(generate())
        key = ("close callback", g.number)
        ledger.begun[key] += 1

        async def closed() -> None:
            await asyncio.sleep(0)
            ledger.ended[key] += 1

        response.call_on_close(closed)
        return response

    @app.get("/sync-stream")
    def sync_stream() -> Iterator[bytes]:
        number = g.number

        def generate() -> Iterator[bytes]:
            ledger.begun["sync generator", number] += 1
            try:
                for _ in range(8):
                    yield b"x" * 40_000
            finally:
                ledger.ended["sync generator", number] += 1

        return generate()

    return app


PART = (
    b"--b\r\nContent-Disposition: form-data; name=file; filename=f.bin\r\n"
    b"Content-Type: application/octet-stream\r\n\r\n"
)
BODY = PART + b"y" * 700_000 + b"\r\n--b--\r\n"


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def _post(path: str, framing: str, kind: str = "a/b") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    return f"{head}{framing}\r\n\r\n".encode()


def _chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
MULTIPART = "multipart/form-data; boundary=b"
# What a client sends at most before it leaves, and how likely it is chosen.
KINDS: list[tuple[bytes, int]] = [
    (_get("/wait"), 8),
    (_get("/quick"), 8),
    (_get("/quick") * 5, 4),
    (_get("/sync"), 4),
    (_get("/stream"), 12),
    (_get("/sync-stream"), 6),
    (_get("/static/large.bin"), 6),
    (_get("/unknown"), 2),
    (_post("/data", LENGTH) + BODY[:-1], 3),
    (_post("/iterate", CHUNKED) + _chunked(BODY), 3),
    (_post("/files", LENGTH, MULTIPART) + BODY, 3),
    (_post("/files", CHUNKED, MULTIPART) + _chunked(BODY), 3),
]


async def _visit(port: int, rng: random.Random) -> None:
    """Send a part of a request, take a part of the answer, and be gone."""
    loop = asyncio.get_running_loop()
    (whole,) = rng.choices([k for k, _ in KINDS], [weight for _, weight in KINDS])
    # Every fourth leaves within the head.
    head = whole.index(b"\r\n\r\n") + 4
    within_head = rng.random() < 0.25
    size = rng.randrange(head) if within_head else rng.randint(head, len(whole))
    data = whole[:size]
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await loop.sock_connect(sock, ("127.0.0.1", port))
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(loop.sock_sendall(sock, data), 20)
            for _ in range(rng.choice((0, 0, 1, 2, 5, 20))):
                await asyncio.sleep(0)
            if not within_head and size == len(whole) and b"/wait" not in data:
                for _ in range(rng.randrange(4)):
                    received = await asyncio.wait_for(loop.sock_recv(sock, 30_000), 20)
                    if len(received) < 30_000:
                        break


def _descriptors() -> set[str]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.add(f"{name}: {os.readlink(f'/proc/self/fd/{name}')}")
    return found


async def _left(condition: Callable[[], bool]) -> bool:
    try:
        await until(condition, 10)
    except AssertionError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_10_000_clients_that_leave_at_random_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    temporary, static = tmp_path / "temporary", tmp_path / "static"
    temporary.mkdir()
    static.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    caplog.set_level(logging.WARNING)
    app = make_app(static)
    ledger: Ledger = app.extensions["ledger"]
    rng = random.Random(SEED)
    async with serving(app) as served:
        # What is made once, such as the threads' own descriptors, is no leak.
        for _ in range(50):
            await _visit(served.port, rng)
        tasks, before = asyncio.all_tasks(), _descriptors()
        limit = asyncio.Semaphore(AT_ONCE)

        async def visit() -> None:
            async with limit:
                await _visit(served.port, rng)

        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(visit())
        await _left(lambda: asyncio.all_tasks() <= tasks)
        assert asyncio.all_tasks() <= tasks
        await _left(lambda: ledger.begun == ledger.ended)
        assert ledger.begun - ledger.ended == Counter()
        assert set(ledger.ended.values()) == {1}
        # A thread may still be about the last step of an upload.
        gc.collect()
        await _left(lambda: not list(ledger.contexts))
        assert list(ledger.contexts) == []
        await _left(lambda: _descriptors() <= before)
        assert _descriptors() <= before
        assert list(temporary.iterdir()) == []
        assert ledger.requests > CLIENTS / 2
        # It still serves.
        async with served.client() as client:
            assert (await client.get("/quick")).status == 200
    assert not app.background_tasks
    assert [record.getMessage() for record in caplog.records] == []
    assert not current_app
