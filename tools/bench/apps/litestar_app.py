"""Litestar."""

from __future__ import annotations

import asyncio
from typing import Any

from jinja2 import Environment
from litestar import Litestar, MediaType, Request, WebSocket, get, post, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from litestar.static_files import create_static_files_router
from shared import (
    CHUNK,
    CHUNKS,
    EVENT_SECONDS,
    FILES,
    HELLO,
    ROUTES,
    ROWS,
    TEMPLATE,
)

page = Environment(autoescape=True).from_string(TEMPLATE)


@get("/", media_type=MediaType.TEXT)
async def index() -> str:
    return HELLO


@get("/json")
async def json() -> dict[str, str]:
    return {"message": HELLO}


def make_item(each: int) -> HTTPRouteHandler:
    @get(f"/api/v1/resource{each}/{{number:int}}", media_type=MediaType.TEXT)
    async def item(number: int, q: str) -> str:
        return f"{number} {q}"

    return item


@post("/echo", status_code=200)
async def echo(request: Request) -> Any:
    return await request.json()


@post("/form", status_code=200)
async def form(request: Request) -> dict[str, str]:
    fields = await request.form()
    return {"name": fields["name"], "email": fields["email"]}


@post("/multipart", status_code=200)
async def multipart(request: Request) -> dict[str, Any]:
    fields = await request.form()
    data = await fields["file"].read()
    return {"size": len(data), "name": fields["name"]}


@get("/template", media_type=MediaType.HTML)
async def template() -> str:
    return page.render(title="Items", rows=ROWS)


@get("/stream")
async def stream() -> Stream:
    async def chunks():
        for _ in range(CHUNKS):
            yield CHUNK

    return Stream(chunks(), media_type="application/octet-stream")


@post("/upload", status_code=200, media_type=MediaType.TEXT, request_max_body_size=None)
async def upload(request: Request) -> str:
    size = 0
    async for data in request.stream():
        size += len(data)
    return str(size)


@get("/events")
async def events() -> Stream:
    async def each():
        number = 0
        while True:
            yield b"data: %d\n\n" % number
            number += 1
            await asyncio.sleep(EVENT_SECONDS)

    return Stream(each(), media_type="text/event-stream")


@websocket("/ws")
async def ws(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        return


app = Litestar(
    [
        index,
        json,
        *[make_item(each) for each in range(ROUTES)],
        echo,
        form,
        multipart,
        template,
        stream,
        upload,
        events,
        ws,
        create_static_files_router("/static", [FILES]),
    ],
    openapi_config=None,
)
