"""Attacks on a running server, and what its other clients notice of them.

    python tools/bench/server_threats.py                      # all of them
    python tools/bench/server_threats.py floods slowloris     # or some
    python tools/bench/server_threats.py resets --resets 1000000

floods      HTTP/2: rapid reset, MadeYouReset, CONTINUATION, PING, SETTINGS and empty
            frames (F-34): seconds to GOAWAY, live handlers, processor seconds of the
            server for one attack, and p99 of another client around a second one
slowloris   2,000 heads that drip a byte a second (F-08): p99 of another client
bytes       every known header field with every byte from 0x80 (H1-18): 100,000 tries
resets      connections reset at random points (H1-19), 1,000,000 with patience

Needs our server in the environment. It runs on one core, attackers and the other client
on the second; as root the server and the other client come before whatever else runs.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import resource
import select
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

APP = """
import json

LIVE = {"now": 0, "most": 0}

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
            await send({"type": "websocket.send", "text": message["text"] or ""})
    elif scope["path"] == "/live":
        body = json.dumps(LIVE).encode()
        LIVE["most"] = LIVE["now"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
    else:
        LIVE["now"] += 1
        LIVE["most"] = max(LIVE["most"], LIVE["now"])
        try:
            while scope["http_version"] == "2":
                if (await receive())["type"] == "http.disconnect":
                    return
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"hello"})
        finally:
            LIVE["now"] -= 1
"""

GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
SLOW_CLIENTS = 2000
# Connections at once: one by one they would wait for their turns on a busy machine.
BATCH = 250


class Server:
    """Our server on the first core."""

    def __init__(self, folder: Path, loop: str) -> None:
        (folder / "app.py").write_text(APP, encoding="utf-8")
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
        self.log = folder / "output.txt"
        command = [
            "nice", "-n", "-15", "taskset", "-c", "0",
            sys.executable, "-m", "quart_server", "app:app", "--no-access-log",
            "--bind", f"127.0.0.1:{self.port}", "--loop", loop,
        ]  # fmt: skip
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(command, cwd=folder, stderr=output)
        for _ in range(200):
            try:
                self.connect().close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit("the server did not start")

    def connect(self, number: int = 0) -> socket.socket:
        # Several addresses, so that no port range is too small.
        source = f"127.0.0.{1 + number % 8}"
        return socket.create_connection(("127.0.0.1", self.port), 20, (source, 0))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def live(self) -> dict[str, int]:
        with self.connect() as sock:
            sock.sendall(GET % b"/live")
            sock.shutdown(socket.SHUT_WR)
            data = b"".join(iter(lambda: sock.recv(65536), b""))
        return json.loads(data.rpartition(b"\r\n\r\n")[2].split(b"\r\n")[-1])

    def failures(self) -> list[str]:
        """Return the lines of the log that tell of something that escaped."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "ERROR" in line or "Traceback" in line]

    def check(self) -> None:
        if self.process.poll() is not None:
            raise SystemExit(f"the server has ended: {self.log.read_text()}")
        if self.failures():
            raise SystemExit("\n".join(self.failures()[:20]))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(15)


# The other client


def latencies(port: int, end: Callable[[], bool]) -> list[float]:
    """Make a request every two milliseconds; return their milliseconds."""
    found = []
    with socket.create_connection(("127.0.0.1", port), 30) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not end():
            start = time.perf_counter()
            sock.sendall(GET % b"/")
            data = b""
            while not data.endswith((b"hello", b"0\r\n\r\n")):
                part = sock.recv(4096)
                if not part:
                    raise SystemExit("the other client's connection was closed")
                data += part
            found.append((time.perf_counter() - start) * 1000)
            time.sleep(0.002)
    return found


class OtherClient:
    """Measures in a process of its own, with priority over the attackers."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, __file__, "--other-client", str(port)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        time.sleep(0.5)

    def end(self) -> list[float]:
        output, _ = self.process.communicate(b"end\n", timeout=60)
        if self.process.returncode:
            raise SystemExit("the other client was not served")
        return json.loads(output)


def measure_until_told(port: int) -> None:
    with contextlib.suppress(PermissionError):
        os.nice(-15)
    told = threading.Event()
    threading.Thread(
        target=lambda: (sys.stdin.readline(), told.set()), daemon=True
    ).start()
    print(json.dumps(latencies(port, told.is_set)))


def summary(found: list[float]) -> tuple[float, float]:
    """Return median and 99th percentile."""
    return statistics.median(found), statistics.quantiles(found, n=100)[98]


@contextlib.contextmanager
def compared(port: int, what: str, seconds: float) -> Iterator[None]:
    """Print what the other client notices, beside the same time without attack."""
    before = []
    client = OtherClient(port)
    time.sleep(seconds)
    before = summary(client.end())
    client = OtherClient(port)
    try:
        yield
    finally:
        during = summary(client.end())
    print(
        f"  {what:14} others: p50 {before[0]:.2f} -> {during[0]:.2f} ms, "
        f"p99 {before[1]:.2f} -> {during[1]:.2f} ms (x{during[1] / before[1]:.2f})"
    )


# HTTP/2 floods


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">LBL", len(payload) << 8 | kind, flags, stream) + payload


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
# GET http://localhost/, from the static table; POST instead
HEAD = b"\x82\x86\x84\x41\x09localhost"
POST = b"\x83" + HEAD[1:]


def rapid_reset() -> Iterator[bytes]:
    for stream in itertools.count(1, 2):
        yield frame(1, 5, stream, HEAD) + frame(3, 0, stream, b"\0\0\0\x08")


def made_you_reset() -> Iterator[bytes]:
    for stream in itertools.count(1, 2):
        yield frame(1, 4, stream, POST) + frame(8, 0, stream, b"\0\0\0\0")


def continuation() -> Iterator[bytes]:
    yield frame(1, 1, 1, HEAD)
    while True:
        yield frame(9, 0, 1, b"\x40\x01a\x01b")


def repeated(data: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: itertools.repeat(data)


def empty_frames() -> Iterator[bytes]:
    yield frame(1, 4, 1, POST)
    while True:
        yield frame(0, 0, 1)


FLOODS = {
    "rapid reset": rapid_reset,
    "MadeYouReset": made_you_reset,
    "CONTINUATION": continuation,
    "PING": repeated(frame(6, 0, 0, b"12345678")),
    "SETTINGS": repeated(frame(4, 0, 0)),
    "empty DATA": empty_frames,
}


def flood(server: Server, frames: Iterator[bytes], seconds: float = 10.0) -> float:
    """Attack on one connection; return the seconds to GOAWAY."""
    with server.connect() as sock:
        sock.sendall(PREFACE)
        sock.setblocking(False)
        received, waiting = b"", b""
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            if len(waiting) < 65536:
                waiting += b"".join(itertools.islice(frames, 500))
            readable, writable, _ = select.select([sock], [sock], [], 1)
            try:
                if readable:
                    part = sock.recv(65536)
                    received += part
                    if not part or has_goaway(received):
                        break
                if writable:
                    waiting = waiting[sock.send(waiting) :]
            except ConnectionError:
                break
        if not has_goaway(received):
            raise SystemExit("no GOAWAY")
        return time.monotonic() - start


def has_goaway(data: bytes) -> bool:
    at = 0
    while at + 9 <= len(data):
        if data[at + 3] == 7:
            return True
        at += 9 + int.from_bytes(data[at : at + 3], "big")
    return False


def run_floods(server: Server, arguments: argparse.Namespace) -> None:
    print("HTTP/2 floods (F-34)")
    resident = server.resident()
    for name, make in FLOODS.items():
        server.live()
        before = server.cpu_seconds()
        seconds = flood(server, make())
        time.sleep(0.2)
        used, live = server.cpu_seconds() - before, server.live()
        print(
            f"  {name:14} GOAWAY after {seconds:.3f} s, {used:.2f} CPU s, "
            f"{live['most']} live handlers, {live['now']} left"
        )
        if seconds > 1 or used > 1 or live["most"] > 100 or live["now"] > 1:
            raise SystemExit("more than F-34 allows")
        with compared(server.port, name, arguments.seconds):
            time.sleep(arguments.seconds / 2)
            flood(server, make())
            time.sleep(arguments.seconds / 2)
        server.check()
    print(f"  memory: {(server.resident() - resident) / 1024:.0f} KiB more than before")


# Slow heads


def run_slowloris(server: Server, arguments: argparse.Namespace) -> None:
    print(f"{SLOW_CLIENTS} slow heads (F-08)")
    sockets: list[socket.socket] = []
    with compared(server.port, "slowloris", arguments.seconds):
        start = time.monotonic()
        for number in range(SLOW_CLIENTS):
            sock = server.connect(number)
            sock.sendall(b"GET / HTTP")
            sockets.append(sock)
        opened = time.monotonic()
        while time.monotonic() < start + 9:
            for sock in sockets:
                sock.send(b"x")
            time.sleep(1)
        ends = []
        for sock in sockets:
            sock.settimeout(20)
            if not sock.recv(100).startswith(b"HTTP/1.1 408"):
                raise SystemExit("no 408")
            ends.append(time.monotonic())
    first, last = ends[0] - start, ends[-1] - opened
    print(f"  408 {first:.1f} s after the first opened, {last:.1f} s after the last")
    for sock in sockets:
        sock.close()
    server.check()


# Bytes in header fields


FIELDS = (
    b"Accept", b"Accept-Encoding", b"Connection", b"Content-Length", b"Content-Type",
    b"Cookie", b"Expect", b"Forwarded", b"Host", b"If-Range", b"Keep-Alive", b"Origin",
    b"Priority", b"Range", b"Sec-WebSocket-Extensions", b"Sec-WebSocket-Key",
    b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Version", b"TE", b"Trailer",
    b"Transfer-Encoding", b"Upgrade", b"User-Agent", b"X-Forwarded-For", b"X-Other",
)  # fmt: skip


def byte_cases() -> Iterator[bytes]:
    """Yield requests, plain ones and handshakes, with a byte in each place in turn."""
    while True:
        for field, byte in itertools.product(FIELDS, range(0x80, 0x100)):
            char = bytes((byte,))
            for line in (
                b"%b: %b" % (field, char),
                b"%b: a%bb, c" % (field, char),
                b"%b%b: a" % (field, char),
            ):
                for base in (GET % b"/", UPGRADE):
                    yield base[:-2] + line + b"\r\n\r\n"


def run_bytes(server: Server, arguments: argparse.Namespace) -> None:
    verdicts: dict[bytes, int] = {}
    cases = itertools.islice(byte_cases(), arguments.tries)
    while batch := list(itertools.islice(cases, BATCH)):
        for sock in opened(server, batch):
            status = sock.recv(4096)[9:12]
            verdicts[status] = verdicts.get(status, 0) + 1
            sock.close()
    server.check()
    told = ", ".join(f"{k.decode()}: {v}" for k, v in sorted(verdicts.items()))
    print(
        f"{sum(verdicts.values())} heads with a byte from 0x80 (H1-18): {told}; "
        "the same process, nothing escaped"
    )


def opened(server: Server, batch: list[bytes]) -> list[socket.socket]:
    """Return connections on which these bytes have been sent; closing resets them."""
    sockets = [server.connect(number) for number in range(len(batch))]
    for sock, data in zip(sockets, batch, strict=True):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        sock.send(data)
    return sockets


# Resets


def reset_cases() -> list[bytes]:
    chunked = b"Host: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    length = b"Host: a\r\nContent-Length: 5\r\n\r\nhello"
    return [
        (GET % b"/") * 3,
        b"POST / HTTP/1.1\r\n" + length,
        b"POST / HTTP/1.1\r\n" + chunked,
        UPGRADE + b"\x81\x85\0\0\0\0Hello" * 2 + b"\x88\x80\0\0\0\0",
        PREFACE + frame(4, 1, 0) + frame(1, 5, 1, HEAD) + frame(1, 4, 3, POST),
        b"nonsense\r\n\r\n",
    ]


def run_resets(server: Server, arguments: argparse.Namespace) -> None:
    cases, rng = reset_cases(), random.Random(1)
    server.live()  # it has all the descriptors of its own by now
    descriptors, start, done = server.descriptors(), time.monotonic(), 0
    while done < arguments.resets:
        batch = [rng.choice(cases) for _ in range(BATCH)]
        sockets = opened(server, [d[: rng.randrange(len(d) + 1)] for d in batch])
        for sock in sockets:
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                if rng.random() < 0.3:
                    sock.recv(rng.choice((1, 1000)))
            sock.close()
        done += BATCH
        if done % (BATCH * 200) == 0:
            server.check()
            print(
                f"  {done} in {time.monotonic() - start:.0f} s, "
                f"{server.resident() >> 10} KiB",
                flush=True,
            )
    time.sleep(2)
    server.check()
    live, left = server.live(), server.descriptors() - descriptors
    print(f"{done} connections reset (H1-19): {live}, {left} descriptors left")
    if live["now"] > 0 or left > 0:
        raise SystemExit("something is left of them")


ATTACKS = {
    "floods": run_floods,
    "slowloris": run_slowloris,
    "bytes": run_bytes,
    "resets": run_resets,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--tries", type=int, default=100_000)
    parser.add_argument("--resets", type=int, default=20_000)
    parser.add_argument("--loop", default="asyncio")
    parser.add_argument("--other-client", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.other_client:
        measure_until_told(arguments.other_client)
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {1})
    for name in arguments.attacks or ATTACKS:
        with tempfile.TemporaryDirectory() as folder:
            server = Server(Path(folder), arguments.loop)
            try:
                ATTACKS[name](server, arguments)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
