"""Memory for each idle connection: our server beside Uvicorn and Hypercorn.

    python tools/bench/memory.py [--connections 10000] [--websockets 5000]

One worker each, one after the other, from the environments of `tools/peers.py`. Each
connection makes one request, each WebSocket echoes one message, and then waits. What
counts is how much more of the processes is resident than before the first one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import peers

APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [
            (b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"Hello"})
"""

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)
# "Hello", masked with zeros.
HELLO = b"\x81\x85\x00\x00\x00\x00Hello"

OURS = [
    "quart_server", "app:app", "--bind", "127.0.0.1:{port}", "--no-access-log",
    "--keep-alive-timeout", "600", "--websocket-ping-interval", "600",
]  # fmt: skip
UVICORN = [
    "uvicorn", "app:app", "--port", "{port}", "--no-access-log",
    "--timeout-keep-alive", "600", "--ws-ping-interval", "600",
]  # fmt: skip
HYPERCORN = [
    "hypercorn", "app:app", "--bind", "127.0.0.1:{port}", "--keep-alive", "600",
]  # fmt: skip

# Name: environment, command.
SERVERS = {
    "ours, no extras": ("starlette", [*OURS, "--loop", "asyncio", "--http", "h11"]),
    "ours [fast]": ("uvicorn", [*OURS, "--loop", "uvloop"]),
    "uvicorn, httptools, uvloop": ("uvicorn", UVICORN),
    "uvicorn, wsproto": ("uvicorn", [*UVICORN, "--ws", "wsproto"]),
    "uvicorn, h11, asyncio": (
        "uvicorn",
        [*UVICORN, "--http", "h11", "--loop", "asyncio"],
    ),
    "hypercorn": ("hypercorn", HYPERCORN),
}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that come from it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family(int(child))


def resident(pid: int) -> int:
    """Return the bytes that a server's processes have in memory."""
    pages = sum(
        int(Path(f"/proc/{member}/statm").read_text().split()[1])
        for member in family(pid)
    )
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def started(name: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Start a server; give its process id and its port."""
    environment, command = SERVERS[name]
    port = free_port()
    python = str(peers.environment(environment))
    process = subprocess.Popen(
        [python, "-m", *(part.format(port=port) for part in command)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            for member in list(family(process.pid)):
                os.kill(member, signal.SIGKILL)
            process.wait(10)


def wait_for(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("the server did not start")


def open_http(port: int, number: int) -> socket.socket:
    sock = connect(port, number)
    sock.sendall(GET)
    read_until(sock, b"\r\n\r\nHello")
    return sock


def open_websocket(port: int, number: int) -> socket.socket:
    sock = connect(port, number)
    sock.sendall(UPGRADE)
    read_until(sock, b"\r\n\r\n")
    sock.sendall(HELLO)
    if not sock.recv(100):
        raise SystemExit("no echo")
    return sock


def connect(port: int, number: int) -> socket.socket:
    # Two addresses, so that no port range is too small.
    source = f"127.0.0.{1 + number % 2}"
    return socket.create_connection(("127.0.0.1", port), 20, (source, 0))


def read_until(sock: socket.socket, mark: bytes) -> None:
    data = b""
    while mark not in data:
        part = sock.recv(4096)
        if not part:
            raise SystemExit(f"closed after {data!r}")
        data += part


def measure(name: str, folder: Path, opener, count: int) -> float:
    """Return bytes for each idle connection."""
    with started(name, folder) as (pid, port):
        # What is loaded and allocated once; ours imports a moment after its start.
        warm = [opener(port, number) for number in range(20)]
        time.sleep(3)
        before = resident(pid)
        sockets = [opener(port, number) for number in range(count)]
        time.sleep(1)
        found = (resident(pid) - before) / count
        # All of them are still there.
        for sock in (sockets[0], sockets[-1]):
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                if not sock.recv(1):
                    raise SystemExit(f"{name} closed an idle connection")
        for sock in [*warm, *sockets]:
            sock.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--websockets", type=int, default=5_000)
    arguments = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"Python {sys.version.split()[0]}; KiB for each idle connection")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(APP, encoding="utf-8")
        print(f"{'':28} {'HTTP':>8} {'WebSocket':>10}")
        for server in SERVERS:
            http = measure(server, folder, open_http, arguments.connections)
            websocket = measure(server, folder, open_websocket, arguments.websockets)
            print(
                f"{server:28} {http / 1024:8.2f} {websocket / 1024:10.2f}", flush=True
            )


if __name__ == "__main__":
    main()
