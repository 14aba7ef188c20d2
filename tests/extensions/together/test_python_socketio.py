"""python-socketio: its server around an application, its client on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import socketio
from quart import Quart

SECONDS = 20


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[str]:
    app = Quart(__name__)
    # Often, as a polling client waits for the next ping before it leaves.
    server = socketio.AsyncServer(async_mode="asgi", ping_interval=1)

    @server.event
    async def shout(sid: str, text: str) -> str:
        await server.emit("heard", text.upper(), to=sid)
        return "done"

    @app.get("/")
    async def index() -> str:
        return "the application"

    app.asgi_app = socketio.ASGIApp(server, app.asgi_app)
    port, stop = free_port(), asyncio.Event()
    task = asyncio.create_task(
        app.run_task("127.0.0.1", port, shutdown_trigger=stop.wait)
    )
    try:
        async with asyncio.timeout(SECONDS):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        async with asyncio.timeout(SECONDS):
            await task


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_events_go_there_and_back(transport: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    client = socketio.AsyncClient()
    client.on("heard", heard.put)
    async with served() as url:
        await client.connect(url, transports=[transport])
        async with asyncio.timeout(SECONDS):
            assert await client.call("shout", "hello") == "done"
            assert await heard.get() == "HELLO"
            await client.disconnect()


async def test_other_paths_are_the_applications() -> None:
    async with served() as url:
        _, _, port = url.rpartition(":")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            answer = await reader.read()
        writer.close()
    assert answer.endswith(b"the application")
