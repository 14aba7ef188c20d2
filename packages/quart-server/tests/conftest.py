"""A worker on a free port of the loopback, for tests that need sockets."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from quart_server import Config
from quart_server.binds import Listener, bind_all
from quart_server.context import WorkerContext
from quart_server.tls import make_ssl_context

# Workers import this on a thread when they have served for a moment; tests that measure
# memory must not see it.
from quart_server.transport import http2_websocket, websocket  # noqa: F401
from quart_server.worker import serve_listeners

TIMEOUT = 10.0


@dataclasses.dataclass
class Client:
    """A raw client: bytes out, bytes in, every wait bounded."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(TIMEOUT):
            await self.writer.drain()

    async def until(self, mark: bytes) -> bytes:
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.readuntil(mark)

    async def exactly(self, count: int) -> bytes:
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        async with asyncio.timeout(TIMEOUT):
            return await self.reader.read()

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        """Read one response with a length, in chunks, or without a body."""
        head = await self.until(b"\r\n\r\n")
        status_line, *lines = head[:-4].decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        status = int(status_line.split(" ")[1])
        if headers.get("transfer-encoding") == "chunked":
            return status, headers, await self._chunks()
        if 100 <= status < 200 or status in {204, 304}:
            return status, headers, b""
        return status, headers, await self.exactly(int(headers["content-length"]))

    async def _chunks(self) -> bytes:
        body = b""
        while True:
            size = int((await self.until(b"\r\n"))[:-2], 16)
            body += (await self.exactly(size + 2))[:-2]
            if not size:
                return body

    def end(self) -> None:
        self.writer.write_eof()

    def abort(self) -> None:
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            async with asyncio.timeout(TIMEOUT):
                await self.writer.wait_closed()


@dataclasses.dataclass
class Worker:
    """A running worker."""

    context: WorkerContext
    listener: Listener
    shutdown: asyncio.Event
    force: asyncio.Event
    task: asyncio.Task[int]
    clients: list[Client]
    port: int

    async def connect(self, **settings: Any) -> Client:
        async with asyncio.timeout(TIMEOUT):
            client = Client(
                *await asyncio.open_connection("127.0.0.1", self.port, **settings)
            )
        self.clients.append(client)
        return client

    async def talk(self, data: bytes) -> bytes:
        """Send bytes on a new connection and return all that comes until it closes."""
        client = await self.connect()
        await client.send(data)
        return await client.rest()

    async def stop(self) -> int:
        self.shutdown.set()
        async with asyncio.timeout(TIMEOUT):
            return await self.task

    async def settled(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(TIMEOUT):
            while not condition():
                await asyncio.sleep(0.005)


@pytest.fixture
async def start_worker() -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts a worker for an app and settings."""
    workers: list[Worker] = []

    async def start(app: Any, **settings: Any) -> Worker:
        settings = {"bind": ("127.0.0.1:0",), "graceful_timeout": 5.0, **settings}
        config = Config(**settings)
        listeners = bind_all(config)
        shutdown, force = asyncio.Event(), asyncio.Event()
        ready: asyncio.Future[WorkerContext] = asyncio.Future()
        task = asyncio.create_task(
            serve_listeners(
                app,
                config,
                listeners,
                shutdown_event=shutdown,
                force_event=force,
                ssl_context=make_ssl_context(config) if config.ssl_enabled else None,
                ready=ready.set_result,
            )
        )
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        port = listeners[0].sock.getsockname()[1]
        worker = Worker(ready.result(), listeners[0], shutdown, force, task, [], port)
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        for client in worker.clients:
            await client.close()
        worker.force.set()
        worker.shutdown.set()
        if not worker.task.done():
            async with asyncio.timeout(TIMEOUT):
                await worker.task


@pytest.fixture(autouse=True)
def fresh_loggers() -> Iterator[None]:
    """Let the server's loggers be as nobody has set them up, whatever ran before."""
    before = {}
    for name in ("quart_server.error", "quart_server.access"):
        logger = logging.getLogger(name)
        state = logger.handlers[:], logger.filters[:], logger.level, logger.propagate
        before[logger] = state
        logger.handlers.clear()
        logger.filters.clear()
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
    yield
    for logger, (handlers, filters, level, propagate) in before.items():
        logger.handlers[:], logger.filters[:] = handlers, filters
        logger.setLevel(level)
        logger.propagate = propagate
