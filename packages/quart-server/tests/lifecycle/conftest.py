"""Real servers on loopback, and a client that counts everything it loses."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

START_SECONDS = 30
STEP_SECONDS = 20

APP = """
import asyncio, os, signal, time

GENERATION = open("generation").read() if os.path.exists("generation") else "1"

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                with open("shutdowns", "a") as file:
                    file.write(f"{os.getpid()}\\n")
                return
    path = scope["path"]
    if path.startswith("/sleep/"):
        await asyncio.sleep(float(path.removeprefix("/sleep/")))
    elif path.startswith("/block/"):
        time.sleep(float(path.removeprefix("/block/")))
    body = f"{os.getpid()} {GENERATION}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
"""


class Server:
    """A server process, started by its command."""

    def __init__(self, folder, *arguments, prefix=()):
        self.folder = folder
        self.lines = []
        self.process = subprocess.Popen(
            [
                *prefix,
                sys.executable,
                "-m",
                "quart_server",
                "app_module:app",
                "--bind",
                "127.0.0.1:0",
                "--no-access-log",
                *arguments,
            ],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line)

    @property
    def log(self):
        return "".join(self.lines)

    @property
    def pid(self):
        return self.process.pid

    def until(self, condition, what, seconds=STEP_SECONDS):
        """Wait, bounded, until a condition holds; return its value."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.01)
        pytest.fail(f"no {what} within {seconds} s; the server said:\n{self.log}")

    def until_serving(self):
        match = self.until(
            lambda: re.search(r"Serving on (\S+?)[ ,]", self.log),
            "start",
            START_SECONDS,
        )
        self.url = match[1]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def until_log(self, text, count=1):
        self.until(lambda: self.log.count(text) >= count, f"{text!r} (x{count})")

    async def said(self, text, count=1):
        """Wait for a text in the log while other tasks run."""
        await asyncio.to_thread(self.until_log, text, count)

    async def ended(self, seconds=STEP_SECONDS):
        """Return the exit code once the server has ended, while other tasks run."""
        return await asyncio.to_thread(self.wait, seconds)

    def workers(self):
        """Return the process ids of the server's children."""
        path = f"/proc/{self.pid}/task/{self.pid}/children"
        with open(path) as file:
            return [int(pid) for pid in file.read().split()]

    def send(self, number, pid=None):
        os.kill(pid or self.pid, number)

    def wait(self, seconds=STEP_SECONDS):
        """Return the exit code once the server has ended."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {seconds} s; it said:\n{self.log}")
        self._reader.join(5)
        return code

    def end(self):
        children = self.workers() if self.process.poll() is None else []
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in children:
            # Workers of a killed supervisor end by themselves; this is for those
            # whose test has failed.
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._reader.join(5)
        self.process.stderr.close()


class Client:
    """One keep-alive connection; reconnects only where the server said so."""

    def __init__(self, port, ssl=None):
        self.port = port
        self.ssl = ssl
        self.reader = self.writer = None
        self.done = 0
        self.answers = set()

    async def get(self, path="/"):
        """Return a response's body; raise if it does not arrive completely."""
        if self.writer is None or self.reader.at_eof():
            await self.close()
            self.reader, self.writer = await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=self.ssl
            )
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        length = int(re.search(rb"content-length: (\d+)", head)[1])
        body = (await self.reader.readexactly(length)).decode()
        if b"connection: close" in head:
            await self.close()
        self.done += 1
        self.answers.add(body)
        return body

    async def close(self):
        if self.writer is not None:
            self.writer.close()
            # It may have been reset: what counts is whether a response was lost.
            with contextlib.suppress(OSError):
                await self.writer.wait_closed()
            self.writer = None


class Load:
    """Clients that ask without pause until the context ends; `lost` says what broke."""

    def __init__(self, port, clients=8, path="/", pause=0.005, ssl=None):
        self.clients = [Client(port, ssl) for _ in range(clients)]
        self.path = path
        self.pause = pause
        self.lost = []
        self._is_over = False

    @property
    def done(self):
        return sum(client.done for client in self.clients)

    @property
    def answers(self):
        return set().union(*(client.answers for client in self.clients))

    async def __aenter__(self):
        self._tasks = [asyncio.create_task(self._ask(item)) for item in self.clients]
        return self

    async def __aexit__(self, *_):
        self._is_over = True
        async with asyncio.timeout(STEP_SECONDS):
            await asyncio.gather(*self._tasks)

    async def _ask(self, client):
        while not self._is_over:
            try:
                await client.get(self.path)
            except (OSError, EOFError, AssertionError) as error:
                self.lost.append(repr(error))
                await client.close()
            await asyncio.sleep(self.pause)
        await client.close()

    async def until(self, condition, what):
        async with asyncio.timeout(STEP_SECONDS):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture
def start(tmp_path):
    """Start servers of an app in a folder of its own."""
    servers = []

    def start_server(*arguments, app=APP, wait=True, prefix=()):
        (tmp_path / "app_module.py").write_text(app)
        server = Server(tmp_path, *arguments, prefix=prefix)
        servers.append(server)
        return server.until_serving() if wait else server

    yield start_server
    for server in servers:
        server.end()


@pytest.fixture
async def client():
    """Make clients, closed in the end."""
    made = []

    def make(port, **arguments):
        made.append(Client(port, **arguments))
        return made[-1]

    yield make
    for item in made:
        await item.close()


@pytest.fixture
def load():
    return Load
