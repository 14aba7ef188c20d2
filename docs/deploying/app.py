"""What the samples of this folder serve: a page, health, events, an echo, an upload."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from quart import EventStreamResponse, Quart, ServerSentEvent, request, websocket

app = Quart(__name__)
app.config["DATABASE"] = None
app.config.from_prefixed_env()  # QUART_DATABASE, QUART_SECRET_KEY


@app.while_serving
async def database() -> AsyncIterator[None]:
    """Have a pool of connections where a database is configured."""
    if app.config["DATABASE"] is None:
        yield
        return
    async with asyncpg.create_pool(app.config["DATABASE"], max_size=10) as pool:
        app.extensions["pool"] = pool
        yield


@app.get("/")
async def index() -> dict[str, Any]:
    """Say who asked, and how: what a proxy in front must pass on."""
    return {
        "client": request.remote_addr,
        "url": request.url,
        "http": request.http_version,
    }


@app.get("/health/live")
async def live() -> str:
    """Answer as long as the event loop runs."""
    return "live\n"


@app.get("/health/ready")
async def ready() -> tuple[str, int]:
    """Answer 503 while the database does not."""
    if app.config["DATABASE"] is None:
        return "ready\n", 200
    try:
        async with asyncio.timeout(1):
            await app.extensions["pool"].fetchval("SELECT 1")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return "no database\n", 503
    return "ready\n", 200


@app.get("/events")
async def events() -> EventStreamResponse:
    """Send an event each tenth of a second."""

    async def numbers() -> AsyncIterator[ServerSentEvent]:
        for number in range(1, 1000):
            yield ServerSentEvent(json={"number": number}, id=number)
            await asyncio.sleep(0.1)

    return EventStreamResponse(numbers())


@app.put("/upload")
async def upload() -> dict[str, Any]:
    """Take a large body as it comes."""
    request.max_content_length = 1024**3
    digest = hashlib.sha256()
    size = 0
    async for chunk in request.body:
        digest.update(chunk)
        size += len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


@app.websocket("/echo")
async def echo() -> None:
    """Send back what comes."""
    async for message in websocket:
        await websocket.send(message)
