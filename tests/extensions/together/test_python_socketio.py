"""python-socketio: its server around an application, its client on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import httpx
import socketio
from quart import Quart

SECONDS = 20


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def make_app() -> tuple[Quart, socketio.AsyncServer]:
    app = Quart(__name__)
    server = socketio.AsyncServer(async_mode="asgi")

    @server.event
    async def shout(sid: str, text: str) -> str:
        await server.emit("heard", text.upper(), to=sid)
        return "done"

    @app.get("/")
    async def index() -> str:
        return "the application"

    app.asgi_app = socketio.ASGIApp(server, app.asgi_app)
    return app, server


@contextlib.asynccontextmanager
async def served(app: Quart) -> AsyncIterator[str]:
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


async def test_events_go_there_and_back_on_a_websocket() -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    app, _ = make_app()
    async with served(app) as url, socketio.AsyncSimpleClient() as client:
        await client.connect(url, transports=["websocket"])
        client.client.on("heard", heard.put)
        async with asyncio.timeout(SECONDS):
            assert await client.call("shout", "hello") == "done"
            assert await heard.get() == "HELLO"


async def test_events_go_there_and_back_by_polling() -> None:
    """By hand, as the client waits for a ping of the server before it leaves."""
    app, server = make_app()
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        query = {"EIO": "4", "transport": "polling"}
        opened = await client.get("/socket.io/", params=query)
        query["sid"] = json.loads(opened.text[1:])["sid"]
        await client.post("/socket.io/", params=query, content="40")
        assert (await client.get("/socket.io/", params=query)).text.startswith("40")
        await client.post("/socket.io/", params=query, content='420["shout","hello"]')
        packets = ""
        async with asyncio.timeout(SECONDS):
            while '430["done"]' not in packets:
                packets += (await client.get("/socket.io/", params=query)).text
        assert '42["heard","HELLO"]' in packets
    await server.shutdown()


async def test_other_paths_are_the_applications() -> None:
    app, _ = make_app()
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/")).text == "the application"
