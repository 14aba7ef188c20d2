"""WebSocket echoes per second of processor time: our server beside Uvicorn.

    python tools/bench/server_websocket.py [--rounds 5] [--seconds 2] [--idle 5000]

Needs Uvicorn, websockets and uvloop in the same environment (that of `tools/peers.py
uvicorn`). All servers run pinned to one core, the client to another, and take turns: in
each round each of them has each case once, so that a busy machine harms all alike. What
is compared are medians, and the median of the ratios to Uvicorn's best in each round.
With `--idle`, memory for each idle socket and the time of a broadcast to all of them
are measured instead.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import os
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    if scope["path"] == "/idle":
        SENDERS.append(send)
        await receive()
        SENDERS.remove(send)
        return
    if scope["path"] == "/broadcast":
        await receive()
        message = {"type": "websocket.send", "bytes": b"x" * 1024}
        for sender in SENDERS:
            await sender(message)
        await send({"type": "websocket.send", "text": "done"})
        await receive()
        return
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})

SENDERS = []
"""

OURS = """
from app import app
from quart_server import Config, run
run(app, Config(bind=("127.0.0.1:{port}",), loop="{loop}", access_log=False,
    log_level="warning"))
"""


def ours(port: int, loop: str) -> list[str]:
    return [sys.executable, "-c", OURS.format(port=port, loop=loop)]


def uvicorn(port: int, implementation: str) -> list[str]:
    return [
        sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--loop",
        "uvloop", "--ws", implementation, "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


SERVERS = {
    "ours, no extras (asyncio)": (ours, "asyncio"),
    "ours [fast] (uvloop)": (ours, "uvloop"),
    "uvicorn, default, uvloop": (uvicorn, "auto"),
    "uvicorn, wsproto, uvloop": (uvicorn, "wsproto"),
}

CASES = [(1, 32), (100, 32), (1, 4096), (100, 4096)]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A server process on the first core."""

    def __init__(self, name: str, folder: Path) -> None:
        make, detail = SERVERS[name]
        self.port = free_port()
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", *make(self.port, detail)], cwd=folder
        )
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit("the server did not start")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def connect(port: int, path: str = "/") -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    if b" 101 " not in head:
        raise SystemExit(head.decode())
    return sock


def frame(payload: bytes) -> bytes:
    mask = os.urandom(4)
    size = len(payload)
    head = (
        bytes((0x81, 0x80 | size))
        if size < 126
        else b"\x81\xfe%b" % size.to_bytes(2, "big")
    )
    masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
    return head + mask + masked


def echoes(server: Server, connections: int, size: int, seconds: float) -> float:
    """Return messages per processor second of the server."""
    message = frame(b"x" * size)
    expected = size + (2 if size < 126 else 4)
    sockets = {}
    poll = select.epoll()
    for _ in range(connections):
        sock = connect(server.port)
        sock.setblocking(False)
        sockets[sock.fileno()] = [sock, 0]
        poll.register(sock.fileno(), select.EPOLLIN)
    for sock, _ in sockets.values():
        sock.send(message)
    count, before = 0, server.cpu_seconds()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for number, _ in poll.poll(1):
            entry = sockets[number]
            entry[1] += len(entry[0].recv(65536))
            if entry[1] == expected:
                entry[1] = 0
                entry[0].send(message)
                count += 1
    used = server.cpu_seconds() - before
    for sock, _ in sockets.values():
        sock.close()
    return count / max(used, 0.01)


def compare(folder: Path, rounds: int, seconds: float) -> None:
    results: dict[tuple[str, int, int], list[float]] = {}
    with contextlib.ExitStack() as stack:
        servers = {name: Server(name, folder) for name in SERVERS}
        for server in servers.values():
            stack.callback(server.stop)
            echoes(server, 1, 32, 0.2)
        for _ in range(rounds):
            for connections, size in CASES:
                for name, server in servers.items():
                    rate = echoes(server, connections, size, seconds)
                    results.setdefault((name, connections, size), []).append(rate)
    for connections, size in CASES:
        print(f"\n{connections} connections, {size} bytes")
        report({name: results[name, connections, size] for name in SERVERS})


def report(found: dict[str, list[float]]) -> None:
    """Print the medians, and those of the ratios to Uvicorn's best in each round."""
    theirs = [rates for name, rates in found.items() if name.startswith("uvicorn")]
    best = [max(rates) for rates in zip(*theirs, strict=True)]
    for name, rates in found.items():
        ratios = sorted(own / other for own, other in zip(rates, best, strict=True))
        print(
            f"  {name:<28} {statistics.median(rates):>9,.0f} /s"
            f"  x{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def idle(folder: Path, count: int) -> None:
    print(f"{count} idle sockets")
    for name in SERVERS:
        server = Server(name, folder)
        try:
            connect(server.port, "/idle").close()
            time.sleep(0.5)
            before = server.resident()
            sockets = [connect(server.port, "/idle") for _ in range(count)]
            time.sleep(1)
            size = (server.resident() - before) / count / 1024
            sender = connect(server.port, "/broadcast")
            start = time.monotonic()
            sender.sendall(frame(b"go"))
            sender.recv(100)
            used = time.monotonic() - start
            print(f"  {name:<28} {size:6.1f} KiB each, broadcast {used:.2f} s")
            for sock in sockets:
                sock.close()
        finally:
            server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--idle", type=int)
    options = parser.parse_args()
    os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(APP)
        if options.idle:
            idle(folder, options.idle)
        else:
            compare(folder, options.rounds, options.seconds)


if __name__ == "__main__":
    main()
