"""Starlette."""

from __future__ import annotations

import asyncio

from jinja2 import DictLoader, Environment
from shared import (
    CHUNK,
    CHUNKS,
    EVENT_SECONDS,
    FILES,
    HAS_HOOKS,
    HELLO,
    LARGE_FILE,
    ROUTES,
    ROWS,
    SECRET,
    TEMPLATE,
)
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    StreamingResponse,
)
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocketDisconnect

templates = Jinja2Templates(
    env=Environment(loader=DictLoader({"page.html": TEMPLATE}), autoescape=True)
)


async def index(request):
    return PlainTextResponse(HELLO)


async def json(request):
    return JSONResponse({"message": HELLO})


async def item(request):
    number = request.path_params["number"]
    return PlainTextResponse(f"{number} {request.query_params['q']}")


async def echo(request):
    return JSONResponse(await request.json())


async def form(request):
    fields = await request.form()
    return JSONResponse({"name": fields["name"], "email": fields["email"]})


async def multipart(request):
    async with request.form() as fields:
        data = await fields["file"].read()
        return JSONResponse({"size": len(data), "name": fields["name"]})


async def template(request):
    context = {"title": "Items", "rows": ROWS}
    return templates.TemplateResponse(request, "page.html", context)


async def count(request):
    request.session["count"] = request.session.get("count", 0) + 1
    return PlainTextResponse(str(request.session["count"]))


async def download(request):
    return FileResponse(FILES / LARGE_FILE)


async def stream(request):
    async def chunks():
        for _ in range(CHUNKS):
            yield CHUNK

    return StreamingResponse(chunks(), media_type="application/octet-stream")


async def upload(request):
    size = 0
    async for data in request.stream():
        size += len(data)
    return PlainTextResponse(str(size))


async def events(request):
    async def each():
        number = 0
        while True:
            yield b"data: %d\n\n" % number
            number += 1
            await asyncio.sleep(EVENT_SECONDS)

    return StreamingResponse(each(), media_type="text/event-stream")


async def ws(websocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        return


class Hooks:
    """A field on each response, as pure ASGI: its fastest way."""

    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        async def with_field(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-bench", b"1")]
            await send(message)

        scope.setdefault("state", {})["began"] = True
        await self.inner(scope, receive, with_field)


async def not_found(request, error):
    return JSONResponse({"error": "not found"}, 404)


sessions = [Middleware(SessionMiddleware, secret_key=SECRET)]
app = Starlette(
    routes=[
        Route("/", index),
        Route("/json", json),
        *[
            Route(f"/api/v1/resource{each}/{{number:int}}", item)
            for each in range(ROUTES)
        ],
        Route("/echo", echo, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
        Route("/multipart", multipart, methods=["POST"]),
        Route("/template", template),
        Route("/session", count, middleware=sessions),
        Route("/download", download),
        Route("/stream", stream),
        Route("/upload", upload, methods=["POST"]),
        Route("/events", events),
        WebSocketRoute("/ws", ws),
        Mount("/static", StaticFiles(directory=FILES)),
    ],
    middleware=[Middleware(Hooks)] if HAS_HOOKS else [],
    exception_handlers={404: not_found} if HAS_HOOKS else {},
)
