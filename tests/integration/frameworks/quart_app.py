"""The common views in Quart, for servers that are not ours."""

import asyncio
import hashlib
import os

from quart import Quart, request, send_file, websocket

app = Quart("app")
release = asyncio.Event()
made_by = []


@app.before_serving
async def start():
    made_by.append("lifespan")
    print("started", flush=True)


@app.after_serving
async def stop():
    print("stopped", flush=True)


@app.route("/hello", methods=["GET", "DELETE"])
def hello():  # in the thread pool
    return {
        "name": request.args["name"],
        "method": request.method,
        "scheme": request.scheme,
    }


@app.post("/form")
async def form():
    file = (await request.files).get("file")
    size = None if file is None else len(file.read())
    return {"name": (await request.form)["name"], "size": size}


@app.post("/digest")
async def digest():
    total = hashlib.sha256()
    async for chunk in request.body:
        total.update(chunk)
    return total.hexdigest()


@app.get("/stream")
async def stream():
    async def generate():
        yield "first\n"
        await release.wait()
        yield "last\n"

    return generate()


@app.get("/endless")
async def endless():
    async def generate():
        try:
            while True:
                yield "tick\n"
                await asyncio.sleep(0.01)
        finally:
            print("closed", flush=True)

    return generate()


@app.post("/release")
async def let_go():
    release.set()
    return "", 204


@app.post("/limited")
async def limited():
    request.max_content_length = 1000
    return str(len(await request.get_data()))


@app.get("/file")
async def file():
    return await send_file(os.environ["APP_FILE"], conditional=True)


@app.get("/state")
async def state():
    return " ".join(made_by)


@app.get("/fail")
async def fail():
    raise ValueError("of the view")


@app.websocket("/echo")
async def echo():
    await websocket.accept(subprotocol=(websocket.requested_subprotocols or [None])[0])
    while True:
        message = await websocket.receive()
        if message == "end":
            await websocket.close(4001, "told to")
            return
        if isinstance(message, bytes):
            await websocket.send(message[::-1])
        else:
            await websocket.send(f"echo {message}")


@app.websocket("/refuse")
async def refuse():
    return "not here", 403


@app.websocket("/fail")
async def fail_websocket():
    await websocket.accept()
    raise ValueError("of the websocket")
