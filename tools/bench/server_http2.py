"""HTTP/2 requests per second of processor time: our server beside Hypercorn.

    python tools/bench/server_http2.py [--rounds 3] [--requests 20000]
        [--hypercorn /path/to/an/environment/with/hypercorn/bin/python]

Needs h2load (nghttp2-client), and trustme for TLS. Servers run one at a time, pinned to
one core, h2load to another; rounds alternate between servers so that a busy machine
harms all alike, and medians are compared. 32 streams at once on each connection.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import trustme

APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/large":
        await send(START_LARGE)
        await send(LARGE)
        return
    if scope["method"] == "POST":
        while (await receive())["more_body"]:
            pass
    await send(START)
    await send(BODY)

START = {"type": "http.response.start", "status": 200, "headers": [
    (b"content-type", b"text/plain"), (b"content-length", b"13")]}
BODY = {"type": "http.response.body", "body": b"Hello, World!"}
START_LARGE = {"type": "http.response.start", "status": 200, "headers": []}
LARGE = {"type": "http.response.body", "body": b"x" * 1024 * 1024}
"""

OURS = """
from app import app
from quart_server import Config, run
run(app, Config(
    bind=("127.0.0.1:{port}",), loop="{loop}", http="auto", access_log=False,
    certfile={certfile!r}, keyfile={keyfile!r},
))
"""

HYPERCORN = """
import asyncio
from hypercorn.asyncio import serve
from hypercorn.config import Config
from app import app
config = Config()
config.bind = ["127.0.0.1:{port}"]
config.keep_alive_max_requests = 10**9
config.certfile, config.keyfile = {certfile!r}, {keyfile!r}
if {uvloop}:
    import uvloop
    uvloop.install()
asyncio.run(serve(app, config))
"""

BROWSER = [
    "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/1",
    "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language: en-US,en;q=0.5",
    "accept-encoding: gzip, deflate, br",
    "cookie: session=eyJhIjoxfQ.abcdefghijklmnop",
    "upgrade-insecure-requests: 1",
    "sec-fetch-dest: document",
    "sec-fetch-mode: navigate",
    "sec-fetch-site: none",
    "sec-fetch-user: ?1",
]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A server process on the first core."""

    def __init__(self, python: str, script: str, folder: Path) -> None:
        self.port = free_port()
        self.process = subprocess.Popen(
            [
                "taskset",
                "-c",
                "0",
                python,
                "-c",
                script.replace("{port}", str(self.port)),
            ],
            cwd=folder,
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

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def h2load(server: Server, count: int, scheme: str, *options: str, path="/") -> float:
    """Return requests per processor second of the server."""
    command = ["taskset", "-c", "1", "h2load", f"-n{count}", "-c4", "-m32", *options]
    before = server.cpu_seconds()
    output = subprocess.run(
        [*command, f"{scheme}://127.0.0.1:{server.port}{path}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    used = server.cpu_seconds() - before
    done = int(re.search(r"status codes: (\d+) 2xx", output)[1])
    if done < count:
        raise SystemExit(output)
    return done / max(used, 0.01)


def speeds(
    server: Server, count: int, scheme: str, urls: Path, body: Path
) -> dict[str, float]:
    fields = [part for line in BROWSER for part in ("-H", line)]
    h2load(server, count // 10, scheme)
    return {
        "plain GET": h2load(server, count, scheme),
        "browser's GET": h2load(server, count, scheme, *fields),
        "POST of 1 KB": h2load(server, count // 2, scheme, "-d", str(body)),
        "1 MB responses": h2load(server, 200, scheme, path="/large"),
    }


def make_certificate(folder: Path) -> None:
    certificate = trustme.CA().issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(folder / "cert.pem"), append=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--hypercorn", metavar="PYTHON")
    arguments = parser.parse_args()
    if shutil.which("h2load") is None:
        raise SystemExit("h2load is not installed")
    servers = {
        "ours, asyncio": (sys.executable, OURS.replace("{loop}", "asyncio")),
        "ours, uvloop": (sys.executable, OURS.replace("{loop}", "auto")),
    }
    if arguments.hypercorn:
        script = HYPERCORN.replace("{uvloop}", "False")
        servers["hypercorn, asyncio"] = (arguments.hypercorn, script)
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(APP)
        (folder / "body").write_bytes(b"x" * 1024)
        make_certificate(folder)
        for _ in range(arguments.rounds):
            for scheme in ("http", "https"):
                files = ("cert.pem", "key.pem") if scheme == "https" else (None, None)
                for server_name, (python, script) in servers.items():
                    filled = script.replace("{certfile!r}", repr(files[0]))
                    filled = filled.replace("{keyfile!r}", repr(files[1]))
                    server = Server(python, filled, folder)
                    count = arguments.requests
                    if "hypercorn" in server_name:
                        count //= 4
                    try:
                        cases = speeds(server, count, scheme, folder, folder / "body")
                    finally:
                        server.stop()
                    for case, value in cases.items():
                        own = found.setdefault(f"{case}, {scheme}", {})
                        own.setdefault(server_name, []).append(value)
    for case, values in found.items():
        print(case)
        for server_name, results in values.items():
            print(f"  {server_name:20} {statistics.median(results):10,.0f} per CPU s")


if __name__ == "__main__":
    main()
