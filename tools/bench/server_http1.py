"""Requests per second of processor time: our HTTP/1 server beside Uvicorn.

    python tools/bench/server_http1.py [--rounds 5] [--seconds 3] [--memory 2000]

Needs wrk, and Uvicorn with httptools and uvloop in the same environment (that of
`tools/peers.py uvicorn`). All servers run pinned to one core, wrk to another, and take
turns: in each round each of them has each case once, so that a busy machine harms all
alike. What is compared are medians, and the median of the ratios within the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
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

APP = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send(CHUNK)
        await send({"type": "http.response.body"})
        return
    await send(START)
    await send(BODY)

CHUNK = {"type": "http.response.body", "body": b"x" * 64, "more_body": True}
START = {"type": "http.response.start", "status": 200, "headers": [
    (b"content-type", b"text/plain"), (b"content-length", b"13")]}
BODY = {"type": "http.response.body", "body": b"Hello, World!"}
"""

OURS = """
from app import app
from quart_server import Config, run
settings = dict(loop="{loop}", http="{http}", access_log=False)
run(app, Config(bind=("127.0.0.1:{port}",), log_level="warning", **settings))
"""

BROWSER = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/1",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Cookie: session=eyJhIjoxfQ.abcdefghijklmnop",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: none",
    "Sec-Fetch-User: ?1",
]

PIPELINE = """
init = function(args)
  local one = wrk.format("GET", "/")
  batch = string.rep(one, 16)
end
request = function() return batch end
"""


def ours(loop: str, http: str, port: int) -> list[str]:
    return [sys.executable, "-c", OURS.format(port=port, loop=loop, http=http)]


def uvicorn(loop: str, http: str, port: int) -> list[str]:
    return [
        sys.executable, "-m", "uvicorn", "app:app", "--port", str(port), "--loop", loop,
        "--http", http, "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip


SERVERS = {
    "ours, no extras (asyncio)": (ours, "asyncio", "h11"),
    "ours [fast] (uvloop)": (ours, "uvloop", "auto"),
    "ours, httptools (uvloop)": (ours, "uvloop", "httptools"),
    "uvicorn, httptools, uvloop": (uvicorn, "uvloop", "httptools"),
}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Server:
    """A server process on the first core."""

    def __init__(self, name: str, folder: Path) -> None:
        make, loop, http = SERVERS[name]
        self.port = free_port()
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", *make(loop, http, self.port)], cwd=folder
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


def wrk(server: Server, seconds: int, *options: str, path: str = "/") -> float:
    """Return requests per processor second of the server."""
    command = ["taskset", "-c", "1", "wrk", "-t1", "-c64", f"-d{seconds}s", *options]
    url = f"http://127.0.0.1:{server.port}{path}"
    before = server.cpu_seconds()
    output = subprocess.run(
        [*command, url], capture_output=True, text=True, check=True
    ).stdout
    used = server.cpu_seconds() - before
    if "Non-2xx" in output:
        raise SystemExit(output)
    return int(re.search(r"(\d+) requests in", output)[1]) / max(used, 0.01)


def cases(script: Path) -> dict[str, tuple[str, list[str]]]:
    """Return path and options of wrk for each case."""
    headers = [part for line in BROWSER for part in ("-H", line)]
    return {
        "1 header": ("/", []),
        "11 headers": ("/", headers),
        "pipelined by 16": ("/", ["-s", str(script)]),
        "1000 chunks": ("/stream", []),
    }


def compare(
    folder: Path, script: Path, rounds: int, seconds: int
) -> dict[str, dict[str, list[float]]]:
    """Return requests per processor second of each server, case and round."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in SERVERS}
    with contextlib.ExitStack() as stack:
        servers = {name: Server(name, folder) for name in SERVERS}
        for server in servers.values():
            stack.callback(server.stop)
            wrk(server, 1)
        for _ in range(rounds):
            for case, (path, options) in cases(script).items():
                for name, server in servers.items():
                    rate = wrk(server, seconds, *options, path=path)
                    found[name].setdefault(case, []).append(rate)
    return found


def idle_memory(server: Server, count: int) -> float:
    """Return bytes for each idle connection that has made a request."""
    wrk(server, 1)
    time.sleep(2)  # ours imports a moment after its start
    before = server.resident()
    sockets = []
    for _ in range(count):
        sock = socket.create_connection(("127.0.0.1", server.port), 5)
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sock.recv(4096)
        sockets.append(sock)
    after = server.resident()
    for sock in sockets:
        sock.close()
    return (after - before) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--memory", type=int, default=2000, metavar="CONNECTIONS")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(APP)
        script = folder / "pipeline.lua"
        script.write_text(PIPELINE)
        found = compare(folder, script, arguments.rounds, arguments.seconds)
        for server_name in SERVERS:
            server = Server(server_name, folder)
            try:
                memory = idle_memory(server, arguments.memory)
                found[server_name]["idle bytes"] = [memory]
            finally:
                server.stop()
    report(found)


def report(found: dict[str, dict[str, list[float]]]) -> None:
    base = found["uvicorn, httptools, uvloop"]
    print(f"Python {sys.version.split()[0]}; per processor second, median of rounds")
    for name, cases in found.items():
        print(name)
        for case, values in cases.items():
            median = statistics.median(values)
            pairs = zip(values, base[case], strict=True)
            ratios = sorted(own / other for own, other in pairs)
            print(
                f"  {case:16} {median:10.0f}   {statistics.median(ratios):5.2f} "
                f"of Uvicorn ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            )


if __name__ == "__main__":
    main()
