"""A JSON API of core alone, served by Uvicorn; run by tools/isolate.py.

A websocket is refused there, which is no failure of the application's.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
import urllib.request

import uvicorn
from quart_core import Quart, request
from quart_core.missing import MissingPackageError
from raw_websocket import RawWebsocket

app = Quart(__name__)


@app.post("/double")
async def double() -> dict[str, int]:
    body = await request.get_json()
    return {"doubled": body["number"] * 2}


def main() -> None:
    try:
        app.websocket("/ws")
    except MissingPackageError as error:
        message = str(error)
    else:
        raise SystemExit("app.websocket() works although quart-ws is not installed")
    if "pip install quart-ws" not in message:
        raise SystemExit(f"the message does not say what to install: {message}")

    logged: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = logged.append
    app.logger.addHandler(handler)
    logging.getLogger("uvicorn.error").addHandler(handler)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    statuses: list[int] = []
    try:
        call = urllib.request.Request(
            f"http://127.0.0.1:{port}/double",
            data=json.dumps({"number": 21}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(call, timeout=10) as response:
            answer = json.load(response)
        for _ in range(2):
            with RawWebsocket(port, "/ws") as websocket:
                statuses.append(websocket.status)
    finally:
        server.should_exit = True
        thread.join(timeout=10)
    if answer != {"doubled": 42}:
        raise SystemExit(f"wrong answer: {answer}")
    messages = [record.getMessage() for record in logged]
    if statuses != [403, 403] or len(messages) != 1 or logged[0].exc_info:
        raise SystemExit(f"websockets were answered with {statuses}: {messages}")
    if "pip install quart-ws" not in messages[0]:
        raise SystemExit(f"the log does not say what to install: {messages}")
    print("core-only install: a JSON API answers under Uvicorn, a websocket is refused")


if __name__ == "__main__":
    main()
