"""A websocket echo of core and quart-ws, on the server named; run by tools/isolate.py.

python websocket_echo.py uvicorn|quart-server
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager

from quart_core import Quart, websocket
from raw_websocket import HOST, SECONDS, RawWebsocket

app = Quart(__name__)
records: list[str] = []


@app.websocket("/echo")
async def echo() -> None:
    async for message in websocket:
        if message == "end":
            await websocket.close(4001, "bye")
        else:
            await websocket.send(f"echo {message}")


class Server(threading.Thread):
    """Serves the application until the end of a ``with`` block."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.port = 0
        self.ready = threading.Event()
        self.stop: Callable[[], object] = lambda: None

    def run(self) -> None:
        try:
            asyncio.run(self.serve())
        finally:
            self.ready.set()

    async def serve(self) -> None:
        if self.name == "uvicorn":
            await self.serve_with_uvicorn()
        else:
            await self.serve_with_ours()

    async def serve_with_uvicorn(self) -> None:
        import uvicorn

        server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=0, log_config=None))

        def stop() -> None:
            server.should_exit = True

        self.stop = stop
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        if server.started:
            self.port = server.servers[0].sockets[0].getsockname()[1]
            self.ready.set()
        await serving

    async def serve_with_ours(self) -> None:
        from quart_server.server import serve

        loop, end = asyncio.get_running_loop(), asyncio.Event()

        def ready(listeners: list) -> None:
            self.port = listeners[0].sock.getsockname()[1]
            self.ready.set()

        self.stop = lambda: loop.call_soon_threadsafe(end.set)
        await serve(app, bind=(f"{HOST}:0",), shutdown_trigger=end.wait, ready=ready)

    def __enter__(self) -> int:
        self.start()
        self.ready.wait(SECONDS)
        if not self.port:
            raise SystemExit(f"{self.name} did not start")
        return self.port

    def __exit__(self, *args: object) -> None:
        self.stop()
        self.join(SECONDS)
        if self.is_alive():
            raise SystemExit(f"{self.name} did not stop")


@contextmanager
def nothing_logged():
    """Stop the program if something goes wrong that only the log tells of."""
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: records.append(record.getMessage())
    logging.getLogger().addHandler(handler)
    yield
    if records:
        raise SystemExit(f"it was logged: {records}")


def talk(port: int) -> None:
    with RawWebsocket(port, "/echo") as client:
        client.send("one")
        client.send("two")
        answers = [client.receive(), client.receive()]
        client.send("end")
        code = client.closing_code()
    if (answers, code) != (["echo one", "echo two"], 4001):
        raise SystemExit(f"wrong answers: {answers}, closed with {code}")
    # One that leaves without a word is no failure either.
    with RawWebsocket(port, "/echo") as client:
        client.send("one")
        client.receive()


def main(name: str) -> None:
    with nothing_logged(), Server(name) as port:
        talk(port)
    print(f"core and quart-ws: a websocket answers on {name}")


if __name__ == "__main__":
    main(sys.argv[1])
