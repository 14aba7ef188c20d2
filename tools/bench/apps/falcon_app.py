"""Falcon's ASGI side; it has no sessions and no template engine."""

from __future__ import annotations

import asyncio

import falcon
import falcon.asgi
from falcon.asgi import SSEvent
from shared import (
    CHUNK,
    CHUNKS,
    EVENT_SECONDS,
    FILES,
    HAS_HOOKS,
    HELLO,
    LARGE_FILE,
    ROUTES,
)


class Index:
    async def on_get(self, request, response):
        response.content_type = "text/plain; charset=utf-8"
        response.text = HELLO


class JSON:
    async def on_get(self, request, response):
        response.media = {"message": HELLO}


class Item:
    async def on_get(self, request, response, number):
        response.content_type = "text/plain; charset=utf-8"
        response.text = f"{number} {request.get_param('q')}"


class Echo:
    async def on_post(self, request, response):
        response.media = await request.get_media()


class Form:
    async def on_post(self, request, response):
        fields = await request.get_media()
        response.media = {"name": fields["name"], "email": fields["email"]}


class Multipart:
    async def on_post(self, request, response):
        found = {}
        async for part in await request.get_media():
            data = await part.stream.read()
            if part.name == "file":
                found["size"] = len(data)
            else:
                found[part.name] = data.decode()
        response.media = found


class Stream:
    async def on_get(self, request, response):
        async def chunks():
            for _ in range(CHUNKS):
                yield CHUNK

        response.content_type = "application/octet-stream"
        response.stream = chunks()


class Upload:
    async def on_post(self, request, response):
        size = 0
        async for data in request.stream:
            size += len(data)
        response.text = str(size)


class Events:
    async def on_get(self, request, response):
        async def each():
            number = 0
            while True:
                yield SSEvent(text=str(number))
                number += 1
                await asyncio.sleep(EVENT_SECONDS)

        response.sse = each()


class Download:
    async def on_get(self, request, response):
        path = FILES / LARGE_FILE
        response.set_stream(_FileStream(path.open("rb")), path.stat().st_size)


class _FileStream:
    def __init__(self, file):
        self.file = file

    async def read(self, size=-1):
        return await asyncio.to_thread(self.file.read, size)

    async def close(self):
        self.file.close()


class Socket:
    async def on_websocket(self, request, ws):
        await ws.accept()
        try:
            while True:
                await ws.send_text(await ws.receive_text())
        except falcon.WebSocketDisconnected:
            return


class Hooks:
    async def process_request(self, request, response):
        request.context.began = True

    async def process_response(self, request, response, resource, succeeded):
        response.set_header("X-Bench", "1")


async def not_found(request, response, error, params):
    response.status = 404
    response.media = {"error": "not found"}


app = falcon.asgi.App(middleware=[Hooks()] if HAS_HOOKS else [])
app.add_route("/", Index())
app.add_route("/json", JSON())
for each in range(ROUTES):
    app.add_route(f"/api/v1/resource{each}/{{number:int}}", Item())
app.add_route("/echo", Echo())
app.add_route("/form", Form())
app.add_route("/multipart", Multipart())
app.add_route("/stream", Stream())
app.add_route("/upload", Upload())
app.add_route("/events", Events())
app.add_route("/download", Download())
app.add_route("/ws", Socket())
app.add_static_route("/static", str(FILES.resolve()))
if HAS_HOOKS:
    app.add_error_handler(falcon.HTTPNotFound, not_found)
