"""Our server and applications behind real sockets, and a client that speaks bytes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import uvicorn
from quart_server.server import serve

WAIT_SECONDS = 20.0
HOST = "127.0.0.1"


@dataclass
class Answer:
    """One response as it came over the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n == name.lower()), None)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class TruncatedError(Exception):
    """The connection ended before the response did."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"ended after {len(answer.body)} bytes of body")
        self.answer = answer


@dataclass
class Client:
    """One connection; every wait is bounded."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: int = field(default=0)

    async def send(self, data: bytes) -> None:
        # What is written to a transport that closes goes nowhere without a word.
        if self.writer.transport.is_closing():
            raise ConnectionResetError("the server has closed")
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), WAIT_SECONDS)
        self.sent += len(data)

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        return await self.answer(method)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.request("GET", path, headers=headers)

    async def head(self) -> Answer:
        """Read the head of a response."""
        raw = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_SECONDS)
        first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        pairs = [line.split(":", 1) for line in lines]
        headers = [(name.lower(), value.strip()) for name, value in pairs]
        return Answer(int(first.split()[1]), headers)

    async def answer(self, method: str = "GET") -> Answer:
        """Read a whole response.

        Raises:
            TruncatedError: It was not whole.
        """
        answer = await self.head()
        if method == "HEAD" or answer.status in {100, 204, 304}:
            return answer
        async with asyncio.timeout(WAIT_SECONDS):
            await self._read_body(answer)
        return answer

    async def _read_body(self, answer: Answer) -> None:
        length = answer.header("content-length")
        try:
            if length is not None:
                answer.body = await self.reader.readexactly(int(length))
            elif answer.header("transfer-encoding") == "chunked":
                async for chunk in self.chunks():
                    answer.body += chunk
            else:
                answer.body = await self.reader.read()
        except asyncio.IncompleteReadError as error:
            if length is not None:
                answer.body = error.partial
            raise TruncatedError(answer) from error
        except ConnectionError as error:
            raise TruncatedError(answer) from error

    async def chunks(self) -> AsyncIterator[bytes]:
        """Read the chunks of a body as they come."""
        while True:
            line = await asyncio.wait_for(self.reader.readline(), WAIT_SECONDS)
            if not line.endswith(b"\r\n"):
                raise asyncio.IncompleteReadError(line, None)
            size = int(line, 16)
            chunk = await asyncio.wait_for(
                self.reader.readexactly(size + 2), WAIT_SECONDS
            )
            if size == 0:
                return
            yield chunk[:-2]

    async def at_end(self) -> bool:
        """Wait for the server to close."""
        try:
            rest = await asyncio.wait_for(self.reader.read(1), WAIT_SECONDS)
        except ConnectionError:
            return True
        return rest == b""

    def abort(self) -> None:
        """Leave at once, with a reset.

        A client that has only ended its side may still wait for its answer.
        """
        sock = self.writer.get_extra_info("socket")
        if sock.fileno() >= 0:
            linger = struct.pack("ii", 1, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(self.writer.wait_closed(), WAIT_SECONDS)


@dataclass
class Served:
    """An application that is being served in this process."""

    port: int

    async def connect(self) -> Client:
        return Client(*await asyncio.open_connection(HOST, self.port))

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = await self.connect()
        try:
            yield client
        finally:
            await client.close()


@contextlib.asynccontextmanager
async def serving(app: Any, **settings: Any) -> AsyncIterator[Served]:
    """Serve an application on a free port of this process until the end."""
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    end = asyncio.Event()
    task = asyncio.create_task(
        serve(
            app,
            bind=(f"{HOST}:0",),
            shutdown_trigger=end.wait,
            ready=lambda listeners: ready.set_result(
                listeners[0].sock.getsockname()[1]
            ),
            **settings,
        )
    )
    try:
        await asyncio.wait({ready, task}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            await task
        yield Served(ready.result())
    finally:
        end.set()
        await asyncio.wait_for(task, WAIT_SECONDS)


@contextlib.contextmanager
def listening_socket() -> Iterator[socket.socket]:
    """Give a bound socket to hand to another process as a file descriptor."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        sock.listen(128)
        yield sock


class ServerProcess:
    """A program that serves on a socket it inherits: what it prints and how it ends.

    Args:
        program: Its source or its file; it finds the socket's number in the variable
            SOCKET_FD.
        sock: The socket.
    """

    def __init__(self, program: str | Path, sock: socket.socket) -> None:
        self.port: int = sock.getsockname()[1]
        command = [sys.executable]
        command += [str(program)] if isinstance(program, Path) else ["-c", program]
        self.process = subprocess.Popen(
            command,
            env={
                **os.environ,
                "SOCKET_FD": str(sock.fileno()),
                "PYTHONUNBUFFERED": "1",
            },
            pass_fds=(sock.fileno(),),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        # What a test has read of its output, and the rest.
        self.printed: list[str] = []
        self.output = ""

    def peak_memory(self) -> int:
        """Give the most memory that it has had in use, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def reset_peak(self) -> None:
        """Let the peak begin anew with what is in use now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for its end and keep what it printed."""
        self.output, _ = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.output, _ = self.process.communicate(timeout=WAIT_SECONDS)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Connect; what is not accepted yet waits in the backlog."""
        client = Client(*await asyncio.open_connection(HOST, self.port))
        try:
            yield client
        finally:
            await client.close()


async def until(condition: Any, seconds: float = WAIT_SECONDS) -> None:
    """Give others their turns until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{condition} did not come true in {seconds} s")
        await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def serving_by_uvicorn(app: Any) -> AsyncIterator[Served]:
    """Serve an application with Uvicorn instead, in this process."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="on", log_config=None, ws="none")
        )
        task = asyncio.create_task(server.serve([sock]))
        try:
            await until(lambda: server.started or task.done())
            yield Served(sock.getsockname()[1])
        finally:
            server.should_exit = True
            await asyncio.wait_for(task, WAIT_SECONDS)
