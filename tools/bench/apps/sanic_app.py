"""Sanic, on its own server."""

from __future__ import annotations

import asyncio
import sys

from jinja2 import Environment
from sanic import Sanic
from sanic.exceptions import NotFound
from sanic.response import file_stream, html, json, text
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

app = Sanic("bench")
app.config.REQUEST_MAX_SIZE = 1_000_000_000
app.static("/static", FILES)
page = Environment(autoescape=True).from_string(TEMPLATE)


@app.get("/")
async def index(request):
    return text(HELLO)


@app.get("/json")
async def message(request):
    return json({"message": HELLO})


async def item(request, number: int):
    return text(f"{number} {request.args.get('q')}")


for each in range(ROUTES):
    app.add_route(item, f"/api/v1/resource{each}/<number:int>", name=f"item{each}")


@app.post("/echo")
async def echo(request):
    return json(request.json)


@app.post("/form")
async def form(request):
    return json({name: request.form.get(name) for name in ("name", "email")})


@app.post("/multipart")
async def multipart(request):
    size = len(request.files.get("file").body)
    return json({"size": size, "name": request.form.get("name")})


@app.get("/template")
async def template(request):
    return html(page.render(title="Items", rows=ROWS))


@app.get("/download")
async def download(request):
    return await file_stream(FILES / LARGE_FILE)


@app.get("/stream")
async def stream(request):
    response = await request.respond(content_type="application/octet-stream")
    for _ in range(CHUNKS):
        await response.send(CHUNK)
    await response.eof()


@app.post("/upload", stream=True)
async def upload(request):
    size = 0
    while (data := await request.stream.read()) is not None:
        size += len(data)
    return text(str(size))


@app.get("/events")
async def events(request):
    response = await request.respond(content_type="text/event-stream")
    number = 0
    while True:
        await response.send(b"data: %d\n\n" % number)
        number += 1
        await asyncio.sleep(EVENT_SECONDS)


@app.websocket("/ws")
async def ws(request, socket):
    async for data in socket:
        await socket.send(data)


if HAS_HOOKS:

    @app.on_request
    async def before(request):
        request.ctx.began = True

    @app.on_response
    async def after(request, response):
        response.headers["X-Bench"] = "1"

    @app.exception(NotFound)
    async def not_found(request, error):
        return json({"error": "not found"}, 404)


if __name__ == "__main__":
    app.run(
        "127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False, motd=False
    )
