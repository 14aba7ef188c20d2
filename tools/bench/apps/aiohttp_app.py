"""aiohttp, on its own server, with uvloop."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import WSMsgType, web
from jinja2 import Environment
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
    TEMPLATE,
)

page = Environment(autoescape=True).from_string(TEMPLATE)


async def index(request):
    return web.Response(text=HELLO)


async def json(request):
    return web.json_response({"message": HELLO})


async def item(request):
    number = int(request.match_info["number"])
    return web.Response(text=f"{number} {request.query['q']}")


async def echo(request):
    return web.json_response(await request.json())


async def form(request):
    fields = await request.post()
    return web.json_response({"name": fields["name"], "email": fields["email"]})


async def multipart(request):
    fields = await request.post()
    data = fields["file"].file.read()
    return web.json_response({"size": len(data), "name": fields["name"]})


async def template(request):
    html = page.render(title="Items", rows=ROWS)
    return web.Response(text=html, content_type="text/html")


async def download(request):
    return web.FileResponse(FILES / LARGE_FILE)


async def stream(request):
    response = web.StreamResponse()
    response.content_type = "application/octet-stream"
    await response.prepare(request)
    for _ in range(CHUNKS):
        await response.write(CHUNK)
    await response.write_eof()
    return response


async def upload(request):
    size = 0
    async for data in request.content.iter_any():
        size += len(data)
    return web.Response(text=str(size))


async def events(request):
    response = web.StreamResponse()
    response.content_type = "text/event-stream"
    await response.prepare(request)
    number = 0
    while True:
        await response.write(b"data: %d\n\n" % number)
        number += 1
        await asyncio.sleep(EVENT_SECONDS)


async def ws(request):
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket


@web.middleware
async def hooks(request, handler):
    request["began"] = True
    try:
        response = await handler(request)
    except web.HTTPNotFound:
        response = web.json_response({"error": "not found"}, status=404)
    response.headers["X-Bench"] = "1"
    return response


def make_app():
    app = web.Application(
        middlewares=[hooks] if HAS_HOOKS else [], client_max_size=10**9
    )
    app.add_routes(
        [
            web.get("/", index),
            web.get("/json", json),
            *[
                web.get(f"/api/v1/resource{each}/{{number:\\d+}}", item)
                for each in range(ROUTES)
            ],
            web.post("/echo", echo),
            web.post("/form", form),
            web.post("/multipart", multipart),
            web.get("/template", template),
            web.get("/download", download),
            web.get("/stream", stream),
            web.post("/upload", upload),
            web.get("/events", events),
            web.get("/ws", ws),
            web.static("/static", FILES),
        ]
    )
    return app


if __name__ == "__main__":
    uvloop.install()
    web.run_app(
        make_app(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None
    )
