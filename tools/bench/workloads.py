"""What is asked of each stack, and by which load generator, on the second core."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import select
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

from apps import shared
from stacks import Server

LOAD_CORE = "1"
CONNECTIONS = 64
FILM_CONNECTIONS = 20
EVENT_CLIENTS = 500
UPLOAD_BYTES = 200_000_000
MESSAGE_BYTES = 4096
TIMEOUT_SECONDS = 60.0

# What a load returns: how many units were served.
Load = Callable[[Server, int, Path], int]


@dataclass(frozen=True)
class Workload:
    """One thing that is measured.

    Attributes:
        name: How the report calls it.
        unit: What is counted.
        load: Puts the load on a server for some seconds.
        check: What a single request has to answer before anything is measured.
        tls: Whether over TLS.
        http2: Whether the stack has to speak HTTP/2.
        app: Which of the framework's apps: the common one, or that with a database.
        variables: Environment variables for the app.
    """

    name: str
    unit: str
    load: Load
    check: Callable[[Server], None] | None = None
    tls: bool = False
    http2: bool = False
    app: str = "app"
    variables: Mapping[str, str] = field(default_factory=dict)


# wrk


def wrk(path: str, script: str = "", connections: int = CONNECTIONS) -> Load:
    """Return a load of plain requests, or those of a Lua script."""

    def load(server: Server, seconds: int, folder: Path) -> int:
        options: list[str] = []
        if script:
            file = folder / f"{abs(hash(script))}.lua"
            file.write_text(script, encoding="utf-8")
            options = ["-s", str(file)]
        output = _run(
            "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *options,
            f"http://127.0.0.1:{server.port}{path}",
        )  # fmt: skip
        found = re.search(r"(\d+) requests in", output)
        if found is None or ("Non-2xx" in output and "404" not in path):
            raise RuntimeError(output)
        return int(found[1])

    return load


def _run(*command: str) -> str:
    return subprocess.run(
        ["taskset", "-c", LOAD_CORE, *command],
        capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS,
    ).stdout  # fmt: skip


def _post(content_type: str, body: str) -> str:
    return (
        'wrk.method = "POST"\n'
        f"wrk.body = {_lua(body)}\n"
        f'wrk.headers["Content-Type"] = {_lua(content_type)}\n'
    )


def _lua(text: str) -> str:
    # The escapes of JSON that Lua knows too are all that these texts need.
    return json.dumps(text)


PIPELINE = """
init = function(args)
  batch = string.rep(wrk.format("GET", "/"), 16)
end
request = function() return batch end
"""
RECORD = {
    "name": "A film",
    "tags": [f"tag{number}" for number in range(20)],
    "text": "x" * 700,
    "rating": 4.5,
    "nested": {"a": [1, 2, 3], "b": None, "c": True},
}
ECHO = json.dumps(RECORD)
FORM = "name=Ada+Lovelace&email=ada%40example.com&about=" + "word+" * 40
BOUNDARY = "----------------------------bench"
MULTIPART = "".join(
    f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{data}\r\n"
    for disposition, data in (
        ('name="name"', "Ada Lovelace"),
        ('name="file"; filename="data.txt"', "0123456789" * 1000),
    )
) + (f"--{BOUNDARY}--\r\n")
MULTIPART_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
FORM_TYPE = "application/x-www-form-urlencoded"


# HTTP/2


def h2load(path: str = "/", *, tls: bool) -> Load:
    """Return a load of 10 connections with 32 streams each."""

    def load(server: Server, seconds: int, folder: Path) -> int:
        scheme = "https" if tls else "http"
        output = _run(
            "h2load", "-t1", "-c10", "-m32", f"-D{seconds}",
            f"{scheme}://127.0.0.1:{server.port}{path}",
        )  # fmt: skip
        found = re.search(r"(\d+) succeeded", output)
        if found is None or int(found[1]) == 0:
            raise RuntimeError(output)
        return int(found[1])

    return load


# WebSocket


def _connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        head += byte
        if not byte:
            raise RuntimeError(head.decode())
    if b" 101 " not in head:
        raise RuntimeError(head.decode())
    return sock


def _frame(payload: bytes) -> bytes:
    mask = os.urandom(4)
    head = b"\x81\xfe" + len(payload).to_bytes(2, "big")
    return head + mask + bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))


def websocket(connections: int) -> Load:
    """Return a load of messages of 4 KB, one under way on each connection."""

    def load(server: Server, seconds: int, folder: Path) -> int:
        message = _frame(b"x" * MESSAGE_BYTES)
        expected = MESSAGE_BYTES + 4
        waiting = {}
        poll = select.epoll()
        for _ in range(connections):
            sock = _connect(server.port)
            sock.setblocking(False)
            waiting[sock.fileno()] = [sock, 0]
            poll.register(sock.fileno(), select.EPOLLIN)
        for sock, _ in waiting.values():
            sock.send(message)
        count, end = 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for number, _ in poll.poll(1):
                entry = waiting[number]
                entry[1] += len(entry[0].recv(65536))
                if entry[1] == expected:
                    entry[1] = 0
                    entry[0].send(message)
                    count += 1
        for sock, _ in waiting.values():
            sock.close()
        return count

    return load


# Streams


def events(server: Server, seconds: int, folder: Path) -> int:
    """Read events as 500 clients; return how many came."""

    async def client(end: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        count = 0
        try:
            async with asyncio.timeout(end - asyncio.get_running_loop().time()):
                while data := await reader.read(65536):
                    count += data.count(b"data: ")
        except TimeoutError:
            pass
        writer.close()
        return count

    async def main() -> int:
        end = asyncio.get_running_loop().time() + seconds
        return sum(await asyncio.gather(*[client(end) for _ in range(EVENT_CLIENTS)]))

    return asyncio.run(main())


def upload(server: Server, seconds: int, folder: Path) -> int:
    """Send 200 MB; return how many megabytes."""
    data = bytes(1_000_000)
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_SECONDS) as sock:
        sock.sendall(
            b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            b"Content-Type: application/octet-stream\r\n"
            b"Content-Length: %d\r\n\r\n" % UPLOAD_BYTES
        )
        for _ in range(UPLOAD_BYTES // len(data)):
            sock.sendall(data)
        answer = b""
        while part := sock.recv(65536):
            answer += part
    if (
        not answer.startswith(b"HTTP/1.1 200")
        or str(UPLOAD_BYTES).encode() not in answer
    ):
        raise RuntimeError(answer.decode())
    return UPLOAD_BYTES // 1_000_000


# Checks


def answers(
    path: str,
    wanted: bytes,
    body: str | None = None,
    content_type: str = "",
    status: int = 200,
) -> Callable[[Server], None]:
    """Return a check that a request is answered with what it should be."""

    def check(server: Server) -> None:
        request = Request(f"http://127.0.0.1:{server.port}{path}")
        if body is not None:
            request.data = body.encode()
            request.add_header("Content-Type", content_type)
        try:
            with urlopen(request, timeout=20) as response:
                found, text = response.status, response.read()
        except OSError as error:
            found = getattr(error, "code", 0)
            text = error.read() if hasattr(error, "read") else repr(error).encode()
        # Separators of JSON differ.
        if found != status or wanted not in text.replace(b": ", b":"):
            raise RuntimeError(f"{path} answers {found} {text[:200]!r}")

    return check


ROUTES = 300
LAST = f"/api/v1/resource{ROUTES - 1}/42?q=abc"
REVIEW = json.dumps({"film_id": 995, "rating": 4})
WORKLOADS = [
    Workload("plaintext", "requests", wrk("/"), answers("/", b"Hello, World!")),
    Workload("json", "requests", wrk("/json"), answers("/json", b'"Hello, World!"}')),
    Workload(
        "route",
        "requests",
        wrk(LAST),
        answers(LAST, b"42 abc"),
        variables={"BENCH_ROUTES": str(ROUTES)},
    ),
    Workload(
        "echo",
        "requests",
        wrk("/echo", _post("application/json", ECHO)),
        answers("/echo", b'"rating":4.5', ECHO, "application/json"),
    ),
    Workload(
        "form",
        "requests",
        wrk("/form", _post(FORM_TYPE, FORM)),
        answers("/form", b"ada@example.com", FORM, FORM_TYPE),
    ),
    Workload(
        "multipart",
        "requests",
        wrk("/multipart", _post(MULTIPART_TYPE, MULTIPART)),
        answers("/multipart", b"10000", MULTIPART, MULTIPART_TYPE),
    ),
    Workload(
        "template", "requests", wrk("/template"), answers("/template", b"item &lt;49")
    ),
    Workload("session", "requests", wrk("/session"), answers("/session", b"1")),
    Workload(
        "static",
        "requests",
        wrk(f"/static/{shared.SMALL_FILE}"),
        answers(f"/static/{shared.SMALL_FILE}", b"0" * 100),
    ),
    Workload(
        "download",
        "downloads of 50 MB",
        wrk("/download", connections=2),
        answers("/download", b"0" * 100),
    ),
    Workload(
        "stream",
        "streams of 1,000 chunks",
        wrk("/stream", connections=8),
        answers("/stream", b"x" * 1000),
    ),
    Workload("upload", "MB", upload),
    Workload("pipelined", "requests", wrk("/", PIPELINE)),
    Workload(
        "hooks",
        "requests",
        wrk("/no/such/404"),
        answers("/no/such/404", b'"not found"}', status=404),
        variables={"BENCH_HOOKS": "1"},
    ),
    Workload("websocket-1", "messages", websocket(1)),
    Workload("websocket-100", "messages", websocket(100)),
    Workload("sse", "events", events),
    Workload("h2c", "requests", h2load(tls=False), http2=True),
    Workload("h2-tls", "requests", h2load(tls=True), http2=True, tls=True),
    Workload(
        "film",
        "requests",
        wrk("/films/995/", connections=FILM_CONNECTIONS),
        answers("/films/995/", b'"title":"Film 995"'),
        app="films",
    ),
    Workload(
        "films",
        "requests",
        wrk("/films/", connections=FILM_CONNECTIONS),
        answers("/films/", b'"title":"Film 1000"'),
        app="films",
    ),
    Workload(
        "review",
        "requests",
        wrk("/reviews/", _post("application/json", REVIEW), FILM_CONNECTIONS),
        answers("/reviews/", b'"id":', REVIEW, "application/json", 201),
        app="films",
    ),
]
