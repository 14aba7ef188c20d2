"""SIGTERM with open event streams and WebSockets, and no user code for it (F-19)."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest
from peer_process import HOST, WAIT_SECONDS, PeerProcess, WebsocketClient

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

APP = """
import asyncio
from quart import Quart, websocket

app = Quart(__name__)

@app.get("/pushing")
async def pushing():
    async def generate():
        try:
            while True:
                yield "data: x\\n\\n"
                await asyncio.sleep(0.01)
        finally:
            print("closed pushing")
    return generate(), {"Content-Type": "text/event-stream"}

@app.get("/waiting")
async def waiting():
    async def generate():
        try:
            yield "data: x\\n\\n"
            await asyncio.Event().wait()
        finally:
            print("closed waiting")
    return generate(), {"Content-Type": "text/event-stream"}

@app.websocket("/pushing")
async def pushing_websocket():
    while True:
        await websocket.send("x")
        await asyncio.sleep(0.01)

@app.websocket("/waiting")
async def waiting_websocket():
    while True:
        await websocket.receive()

@app.after_serving
async def stop():
    print("stopped")
"""


def read_stream(sock: socket.socket) -> bytes:
    data = b""
    while part := sock.recv(65_536):
        data += part
    return data


@pytest.mark.parametrize("workers", ["1", "2"])
def test_f_19_sigterm_tells_all_and_ends_within_5_s(
    tmp_path: Path, workers: str
) -> None:
    (tmp_path / "app.py").write_text(APP)
    command = [
        sys.executable, "-m", "quart_server", "app:app", "--workers", workers,
        "--bind", f"{HOST}:{{port}}",
    ]  # fmt: skip
    paths = ["/pushing", "/waiting"]
    with PeerProcess(command, tmp_path) as server:
        streams = []
        for path in paths:
            sock = socket.create_connection((HOST, server.port), WAIT_SECONDS)
            sock.sendall(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
            assert sock.recv(12) == b"HTTP/1.1 200"
            streams.append(sock)
        websockets = [WebsocketClient(server.port, path) for path in paths]
        start = time.monotonic()
        server.process.terminate()
        for websocket in websockets:
            with websocket:
                assert websocket.closing_code() == 1012
        for sock in streams:
            with sock:
                assert read_stream(sock).endswith(b"\r\n0\r\n\r\n")
        assert server.process.wait(WAIT_SECONDS) == 0
        assert time.monotonic() - start < 5
    assert "closed pushing" in server.output
    assert "closed waiting" in server.output
    assert server.output.count("stopped\n") == int(workers)
