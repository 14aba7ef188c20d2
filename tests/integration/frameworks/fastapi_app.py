"""The common views in FastAPI; run in an environment of its own."""

import asyncio
import contextlib
import hashlib
import os
from typing import Annotated

from fastapi import FastAPI, File, Form, Request, Response, WebSocket
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse

release = asyncio.Event()


@contextlib.asynccontextmanager
async def lifespan(app):
    print("started", flush=True)
    yield {"made_by": "lifespan"}
    print("stopped", flush=True)


app = FastAPI(lifespan=lifespan)


@app.get("/hello")
@app.delete("/hello")
def hello(name: str, request: Request):  # in FastAPI's thread pool
    return {"name": name, "method": request.method, "scheme": request.url.scheme}


@app.post("/form")
async def form(
    name: Annotated[str, Form()], file: Annotated[bytes | None, File()] = None
):
    return {"name": name, "size": None if file is None else len(file)}


@app.post("/digest", response_class=PlainTextResponse)
async def digest(request: Request):
    total = hashlib.sha256()
    async for chunk in request.stream():
        total.update(chunk)
    return total.hexdigest()


@app.get("/stream")
async def stream():
    async def generate():
        yield "first\n"
        await release.wait()
        yield "last\n"

    return StreamingResponse(generate(), media_type="text/plain")


@app.get("/endless")
async def endless():
    async def generate():
        try:
            while True:
                yield "tick\n"
                await asyncio.sleep(0.01)
        finally:
            print("closed", flush=True)

    return StreamingResponse(generate(), media_type="text/plain")


@app.post("/release", status_code=204)
async def let_go():
    release.set()


@app.get("/cookies")
async def cookies(response: Response):
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return "set"


@app.get("/file")
async def file():
    return FileResponse(os.environ["APP_FILE"])


@app.get("/state", response_class=PlainTextResponse)
async def state(request: Request):
    return request.state.made_by


@app.get("/fail")
async def fail():
    raise ValueError("of the view")


@app.websocket("/echo")
async def echo(websocket: WebSocket):
    await websocket.accept(websocket.headers.get("sec-websocket-protocol"))
    async for text in websocket.iter_text():
        if text == "end":
            await websocket.close(4001, "told to")
            return
        await websocket.send_text(f"echo {text}")


@app.websocket("/refuse")
async def refuse(websocket: WebSocket):
    await websocket.close()
