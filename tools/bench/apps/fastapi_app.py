"""FastAPI: with its own request models where it has them."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import Body, FastAPI, File, Form, Request, UploadFile, WebSocket
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from fastapi.websockets import WebSocketDisconnect
from jinja2 import DictLoader, Environment
from shared import (
    CHUNK,
    CHUNKS,
    EVENT_SECONDS,
    FILES,
    HELLO,
    LARGE_FILE,
    ROUTES,
    ROWS,
    TEMPLATE,
)

app = FastAPI()
templates = Jinja2Templates(
    env=Environment(loader=DictLoader({"page.html": TEMPLATE}), autoescape=True)
)


@app.get("/", response_class=PlainTextResponse)
async def index():
    return HELLO


@app.get("/json")
async def json():
    return {"message": HELLO}


async def item(number: int, q: str):
    return PlainTextResponse(f"{number} {q}")


for each in range(ROUTES):
    app.get(f"/api/v1/resource{each}/{{number}}")(item)


@app.post("/echo")
async def echo(value: Annotated[Any, Body()]):
    return value


@app.post("/form")
async def form(name: Annotated[str, Form()], email: Annotated[str, Form()]):
    return {"name": name, "email": email}


@app.post("/multipart")
async def multipart(name: Annotated[str, Form()], file: Annotated[UploadFile, File()]):
    return {"size": len(await file.read()), "name": name}


@app.get("/template")
async def template(request: Request):
    context = {"title": "Items", "rows": ROWS}
    return templates.TemplateResponse(request, "page.html", context)


@app.get("/download")
async def download():
    return FileResponse(FILES / LARGE_FILE)


@app.get("/stream")
async def stream():
    async def chunks():
        for _ in range(CHUNKS):
            yield CHUNK

    return StreamingResponse(chunks(), media_type="application/octet-stream")


@app.post("/upload")
async def upload(request: Request):
    size = 0
    async for data in request.stream():
        size += len(data)
    return PlainTextResponse(str(size))


@app.get("/events")
async def events():
    async def each():
        number = 0
        while True:
            yield b"data: %d\n\n" % number
            number += 1
            await asyncio.sleep(EVENT_SECONDS)

    return StreamingResponse(each(), media_type="text/event-stream")


@app.websocket("/ws")
async def ws(websocket: WebSocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnect:
        return


app.mount("/static", StaticFiles(directory=FILES))
