"""The common views in Starlette; run in an environment of its own."""

import asyncio
import contextlib
import hashlib
import os

from starlette.applications import Starlette
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    StreamingResponse,
)
from starlette.routing import Route, WebSocketRoute

release = asyncio.Event()


@contextlib.asynccontextmanager
async def lifespan(app):
    print("started", flush=True)
    yield {"made_by": "lifespan"}
    print("stopped", flush=True)


async def hello(request):
    return JSONResponse(
        {
            "name": request.query_params["name"],
            "method": request.method,
            "scheme": request.url.scheme,
        }
    )


async def form(request):
    async with request.form() as data:
        file = data.get("file")
        size = len(await file.read()) if file is not None else None
        return JSONResponse({"name": data["name"], "size": size})


async def digest(request):
    total = hashlib.sha256()
    async for chunk in request.stream():
        total.update(chunk)
    return PlainTextResponse(total.hexdigest())


async def stream(request):
    async def generate():
        yield "first\n"
        await release.wait()
        yield "last\n"

    return StreamingResponse(generate(), media_type="text/plain")


async def endless(request):
    async def generate():
        try:
            while True:
                yield "tick\n"
                await asyncio.sleep(0.01)
        finally:
            print("closed", flush=True)

    return StreamingResponse(generate(), media_type="text/plain")


async def let_go(request):
    release.set()
    return PlainTextResponse("", 204)


async def cookies(request):
    answer = PlainTextResponse("set")
    answer.set_cookie("a", "1")
    answer.set_cookie("b", "2")
    return answer


async def file(request):
    return FileResponse(os.environ["APP_FILE"])


async def state(request):
    return PlainTextResponse(request.state.made_by)


async def fail(request):
    raise ValueError("of the view")


async def echo(websocket):
    await websocket.accept(websocket.headers.get("sec-websocket-protocol"))
    async for text in websocket.iter_text():
        if text == "end":
            await websocket.close(4001, "told to")
            return
        await websocket.send_text(f"echo {text}")


async def refuse(websocket):
    await websocket.close()


app = Starlette(
    routes=[
        Route("/hello", hello, methods=["GET", "DELETE"]),
        Route("/form", form, methods=["POST"]),
        Route("/digest", digest, methods=["POST"]),
        Route("/stream", stream),
        Route("/endless", endless),
        Route("/release", let_go, methods=["POST"]),
        Route("/cookies", cookies),
        Route("/file", file),
        Route("/state", state),
        Route("/fail", fail),
        WebSocketRoute("/echo", echo),
        WebSocketRoute("/refuse", refuse),
    ],
    lifespan=lifespan,
)
