"""BlackSheep."""

from __future__ import annotations

import asyncio

from blacksheep import (
    Application,
    Content,
    Request,
    Response,
    StreamedContent,
    WebSocket,
    WebSocketDisconnectError,
    get,
    json,
    post,
    text,
    ws,
)
from jinja2 import Environment
from shared import (
    CHUNK,
    CHUNKS,
    EVENT_SECONDS,
    FILES,
    HAS_HOOKS,
    HELLO,
    ROUTES,
    ROWS,
    SECRET,
    TEMPLATE,
)

app = Application()
app.use_sessions(SECRET)
app.serve_files(FILES, root_path="static")
page = Environment(autoescape=True).from_string(TEMPLATE)


@get("/")
async def index():
    return text(HELLO)


@get("/json")
async def message():
    return json({"message": HELLO})


async def item(number: int, q: str):
    return text(f"{number} {q}")


for each in range(ROUTES):
    app.router.add_get(f"/api/v1/resource{each}/{{int:number}}", item)


@post("/echo")
async def echo(request: Request):
    return json(await request.json())


@post("/form")
async def form(request: Request):
    fields = await request.form()
    return json({"name": fields["name"], "email": fields["email"]})


@get("/template")
async def template():
    html = page.render(title="Items", rows=ROWS).encode()
    return Response(200, content=Content(b"text/html; charset=utf-8", html))


@get("/session")
async def count(request: Request):
    request.session["count"] = request.session.get("count", 0) + 1
    return text(str(request.session["count"]))


@get("/stream")
async def stream():
    async def chunks():
        for _ in range(CHUNKS):
            yield CHUNK

    return Response(200, content=StreamedContent(b"application/octet-stream", chunks))


@post("/upload")
async def upload(request: Request):
    size = 0
    async for data in request.stream():
        size += len(data)
    return text(str(size))


@get("/events")
async def events():
    async def each():
        number = 0
        while True:
            yield b"data: %d\n\n" % number
            number += 1
            await asyncio.sleep(EVENT_SECONDS)

    return Response(200, content=StreamedContent(b"text/event-stream", each))


@ws("/ws")
async def socket(websocket: WebSocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnectError:
        return


if HAS_HOOKS:

    async def hooks(request, handler):
        request.began = True
        response = await handler(request)
        response.add_header(b"X-Bench", b"1")
        return response

    app.middlewares.append(hooks)

    @app.exception_handler(404)
    async def not_found(self, request, error):
        return json({"error": "not found"}, 404)
