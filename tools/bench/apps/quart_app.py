"""Quart: ours and upstream's run the same file."""

from __future__ import annotations

import asyncio

from jinja2 import DictLoader
from quart import Quart, render_template, request, send_file, session, websocket
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

app = Quart(__name__, static_folder=str(FILES), static_url_path="/static")
app.secret_key = SECRET
app.jinja_loader = DictLoader({"page.html": TEMPLATE})
app.config["MAX_CONTENT_LENGTH"] = None
app.config["RESPONSE_TIMEOUT"] = None


@app.get("/")
async def index():
    return HELLO, {"Content-Type": "text/plain; charset=utf-8"}


@app.get("/json")
async def json():
    return {"message": HELLO}


async def item(number: int):
    return f"{number} {request.args['q']}"


for each in range(ROUTES):
    app.add_url_rule(f"/api/v1/resource{each}/<int:number>", f"item{each}", item)


@app.post("/echo")
async def echo():
    return await request.get_json()


@app.post("/form")
async def form():
    fields = await request.form
    return {"name": fields["name"], "email": fields["email"]}


@app.post("/multipart")
async def multipart():
    upload = (await request.files)["file"]
    return {"size": len(upload.read()), "name": (await request.form)["name"]}


@app.get("/template")
async def template():
    return await render_template("page.html", title="Items", rows=ROWS)


@app.get("/session")
async def count():
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


@app.get("/download")
async def download():
    return await send_file(FILES / LARGE_FILE)


@app.get("/stream")
async def stream():
    async def chunks():
        for _ in range(CHUNKS):
            yield CHUNK

    return chunks(), {"Content-Type": "application/octet-stream"}


@app.post("/upload")
async def upload():
    size = 0
    async for data in request.body:
        size += len(data)
    return str(size)


@app.get("/events")
async def events():
    async def each():
        number = 0
        while True:
            yield b"data: %d\n\n" % number
            number += 1
            await asyncio.sleep(EVENT_SECONDS)

    return each(), {"Content-Type": "text/event-stream"}


@app.websocket("/ws")
async def ws():
    while True:
        await websocket.send(await websocket.receive())


if HAS_HOOKS:

    @app.before_request
    async def before():
        request.began = True

    @app.after_request
    async def after(response):
        response.headers["X-Bench"] = "1"
        return response

    @app.teardown_request
    async def teardown(error):
        pass

    @app.errorhandler(404)
    async def not_found(error):
        return {"error": "not found"}, 404
