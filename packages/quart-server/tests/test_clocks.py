"""The clocks of every stage as slow clients see them, on sockets (F-07 to F-16)."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import select
import socket
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from quart_server import Config

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
ENDLESS = b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n"

# The clock looks four times a second.
TOLERANCE = 0.5


async def app(scope, receive, send):
    if scope["path"] == "/endless":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with contextlib.suppress(OSError):
            while True:
                part = b"x" * 65_536
                await send(
                    {"type": "http.response.body", "body": part, "more_body": True}
                )
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x"})


class Slow:
    """A client that takes its time, on a plain socket."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setblocking(False)
        self.answer = b""

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self, mark: bytes) -> None:
        loop = asyncio.get_running_loop()
        while mark not in self.answer:
            data = await loop.sock_recv(self.sock, 4096)
            if not data:
                raise EOFError(self.answer)
            self.answer += data

    async def closed(self, since: float) -> float:
        """Read to the end; return the seconds until then."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while data := await loop.sock_recv(self.sock, 4096):
                self.answer += data
        return loop.time() - since

    async def cut(self, since: float) -> float:
        """Wait for a reset without reading; return the seconds until then."""
        poll = select.poll()
        poll.register(self.sock, 0)
        while not poll.poll(0):
            await asyncio.sleep(0.02)
        return asyncio.get_running_loop().time() - since

    @contextlib.asynccontextmanager
    async def dripping(
        self, data: bytes, pause: float, size: int = 1
    ) -> AsyncIterator[None]:
        """Send byte by byte, or in pieces, beside what else is done."""

        async def drip() -> None:
            with contextlib.suppress(OSError):
                for start in range(0, len(data), size):
                    await self.send(data[start : start + size])
                    await asyncio.sleep(pause)

        task = asyncio.create_task(drip())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def close(self) -> None:
        self.sock.close()


async def silent(client: Slow, start: float, pause: float) -> float:
    return await client.closed(start)


async def header_drip(client: Slow, start: float, pause: float) -> float:
    async with client.dripping(GET[:-4] + b"\r\nA: " + b"b" * 5000, pause):
        elapsed = await client.closed(start)
    assert client.answer.startswith(b"HTTP/1.1 408 ")
    return elapsed


async def silent_body(client: Slow, start: float, pause: float) -> float:
    await client.send(POST + b"x" * 1000)
    elapsed = await client.closed(start)
    assert client.answer.startswith(b"HTTP/1.1 408 ")
    return elapsed


async def body_drip(client: Slow, start: float, pause: float) -> float:
    await client.send(POST)
    async with client.dripping(b"x" * 5000, pause):
        elapsed = await client.closed(start)
    assert client.answer.startswith(b"HTTP/1.1 408 ")
    return elapsed


async def idle(client: Slow, start: float, pause: float) -> float:
    await client.send(GET)
    await client.read(b"\r\n\r\nx")
    return await client.closed(start)


async def idle_with_empty_lines(client: Slow, start: float, pause: float) -> float:
    await client.send(GET)
    await client.read(b"\r\n\r\nx")
    async with client.dripping(b"\r\n" * 3, pause, 2):
        return await client.closed(start)


async def slow_reader(client: Slow, start: float, pause: float) -> float:
    await client.send(ENDLESS)
    return await client.cut(start)


Case = Callable[[Slow, float, float], Awaitable[float]]


async def check(worker: Any, config: Config, pause: float) -> None:
    """Run all clients at once and compare when they were closed."""
    body_drip_ends = config.body_grace + config.body_timeout
    cases: dict[Case, float] = {
        silent: config.first_byte_timeout,
        header_drip: config.header_timeout,
        silent_body: config.body_timeout,
        body_drip: body_drip_ends,
        idle: config.keep_alive_timeout,
        idle_with_empty_lines: config.keep_alive_timeout,
        slow_reader: config.write_timeout,
    }
    clients = [Slow(worker.port) for _ in cases]
    start = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(max(cases.values()) + 5):
            elapsed = await asyncio.gather(
                *(
                    case(client, start, pause)
                    for case, client in zip(cases, clients, strict=True)
                )
            )
    finally:
        for client in clients:
            client.close()
    found = dict(zip((case.__name__ for case in cases), elapsed, strict=True))
    expected = {case.__name__: seconds for case, seconds in cases.items()}
    assert found == pytest.approx(expected, abs=TOLERANCE)
    await worker.settled(lambda: not worker.context.exchanges)


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_f_07_to_f_16_slow_clients_are_closed_at_the_stated_times(
    start_worker,
) -> None:
    worker = await start_worker(app, lifespan="off")
    config = Config()
    assert (config.first_byte_timeout, config.header_timeout) == (10, 10)
    assert (config.body_timeout, config.body_grace) == (20, 10)
    assert (config.keep_alive_timeout, config.write_timeout) == (5, 30)
    await check(worker, config, 1.0)


async def test_f_07_to_f_16_slow_clients_are_closed_at_the_times_set(
    start_worker,
) -> None:
    settings = {
        "first_byte_timeout": 1.0,
        "header_timeout": 1.25,
        "body_timeout": 1.0,
        "body_grace": 0.75,
        "keep_alive_timeout": 0.75,
        "write_timeout": 1.5,
    }
    worker = await start_worker(app, lifespan="off", **settings)
    await check(worker, Config(**settings), 0.1)


# Slowloris: F-08


@contextlib.contextmanager
def many_descriptors(count: int):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        pytest.skip(f"{count} descriptors are needed, {hard} allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def latencies(worker, count: int) -> list[float]:
    """Make requests one after the other on one connection, count their seconds."""
    client = await worker.connect()
    found = []
    for _ in range(count):
        start = time.perf_counter()
        await client.send(GET)
        status, _, body = await client.response()
        found.append(time.perf_counter() - start)
        assert (status, body) == (200, b"x")
    return found


async def test_f_08_2000_slowloris_clients_leave_others_unaffected(
    start_worker,
) -> None:
    with many_descriptors(5000):
        worker = await start_worker(app, lifespan="off", header_timeout=2.0)
        before = await latencies(worker, 300)
        slow = [Slow(worker.port) for _ in range(2000)]
        try:
            for client in slow:
                client.sock.send(GET[:5])
            await worker.settled(lambda: len(worker.context.connections) > 2000)
            during = await latencies(worker, 300)
            # All of them are told, at their time.
            start = asyncio.get_running_loop().time()
            async with asyncio.timeout(10):
                await asyncio.gather(*(client.closed(start) for client in slow))
        finally:
            for client in slow:
                client.close()
        assert all(client.answer.startswith(b"HTTP/1.1 408 ") for client in slow)
        assert len(await latencies(worker, 10)) == 10
        # `tools/bench/server_threats.py` measures p99; this is for busy machines.
        assert statistics.median(during) < 5 * statistics.median(before) + 0.01
