"""A client that floods a handler that does not read, over a real socket."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc

import pytest
from integration_server import WAIT_SECONDS, serving
from quart import Quart, websocket
from quart_ws import WebsocketDisconnectedError
from ws_sockets import Socket, close_frame, frame

MIB = 1024 * 1024
# Far more than what the system holds between two sockets of this machine.
FLOOD = 64 * MIB
# No progress for so long means that the sender is paused; a busy machine is slow.
PAUSED_SECONDS = 0.5


class Sleeper:
    """A handler that sleeps until it is woken, then reads what has come."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.woken = asyncio.Event()
        self.ended = asyncio.Event()
        self.sizes: list[int] = []
        self.closure: object = None
        self.app = Quart("app")
        self.app.add_websocket("/", "sleep", self.sleep)

    async def sleep(self) -> None:
        await websocket.accept()
        self.begun.set()
        try:
            await self.woken.wait()
            async for message in websocket:
                self.sizes.append(len(message))
        except WebsocketDisconnectedError as error:
            self.closure = error.code, error.closed_by
            raise
        finally:
            self.ended.set()


async def flood(client: Socket, message: bytes) -> int:
    """Send until nothing more is taken; return how many bytes were."""
    sent, view = 0, memoryview(message)
    loop = asyncio.get_running_loop()
    stopped_at = loop.time()
    while sent < FLOOD and loop.time() - stopped_at < PAUSED_SECONDS:
        try:
            taken = client.sock.send(view[sent % len(view) :])
        except BlockingIOError:
            await asyncio.sleep(0.01)
            continue
        sent += taken
        stopped_at = loop.time()
        await asyncio.sleep(0)
    return sent


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", [200, 4_000, 60_000, 500_000, 900_000])
async def test_f_36_flooding_a_sleeping_handler_takes_less_than_two_mebibytes(
    size: int,
) -> None:
    sleeper = Sleeper()
    message = frame(b"x" * size)
    async with serving(sleeper.app) as served:
        # What is imported and made once is not of this socket.
        with await Socket.open(served.port) as first:
            await first.send(close_frame())
            await asyncio.wait_for(sleeper.ended.wait(), WAIT_SECONDS)
        sleeper.begun.clear()
        sleeper.ended.clear()
        with await Socket.open(served.port) as client:
            await asyncio.wait_for(sleeper.begun.wait(), WAIT_SECONDS)
            gc.collect()
            tracemalloc.start()
            try:
                sent = await flood(client, message)
                gc.collect()
                held, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert sent < FLOOD
            assert sleeper.sizes == []
            # Once it reads it gets everything, and the sender goes on.
            sleeper.woken.set()
            rest = -sent % len(message)
            await client.send(message[len(message) - rest :] + close_frame())
            await asyncio.wait_for(sleeper.ended.wait(), WAIT_SECONDS)
    assert held < 2 * MIB
    assert sleeper.sizes == [size] * ((sent + rest) // len(message))
    assert sleeper.closure == (1000, "client")


async def test_a_handler_that_wants_them_gets_all_messages_of_a_client_that_left() -> (
    None
):
    sleeper = Sleeper()
    async with serving(sleeper.app) as served:
        with await Socket.open(served.port) as client:
            await asyncio.wait_for(sleeper.begun.wait(), WAIT_SECONDS)
            messages = b"".join(frame(b"x" * size) for size in range(100))
            await client.send(messages + close_frame(4000))
        sleeper.woken.set()
        await asyncio.wait_for(sleeper.ended.wait(), WAIT_SECONDS)
    assert sleeper.sizes == list(range(100))
    assert sleeper.closure == (4000, "client")


async def test_also_if_it_left_without_a_close() -> None:
    sleeper = Sleeper()
    async with serving(sleeper.app) as served:
        with await Socket.open(served.port) as client:
            await asyncio.wait_for(sleeper.begun.wait(), WAIT_SECONDS)
            await client.send(b"".join(frame(b"x" * size) for size in range(100)))
        sleeper.woken.set()
        await asyncio.wait_for(sleeper.ended.wait(), WAIT_SECONDS)
    assert sleeper.sizes == list(range(100))
    assert sleeper.closure == (1006, "client")


async def test_also_if_the_client_is_that_of_the_tests() -> None:
    sleeper = Sleeper()
    async with sleeper.app.test_client().websocket("/") as connection:
        await asyncio.wait_for(sleeper.begun.wait(), WAIT_SECONDS)
        for size in range(100):
            await connection.send(b"x" * size)
        await connection.close(4000)
        sleeper.woken.set()
    assert sleeper.sizes == list(range(100))
    assert sleeper.closure == (4000, "client")


async def test_a_handler_that_is_busy_between_messages_gets_all_of_them() -> None:
    got: list[str] = []
    ended = asyncio.Event()
    app = Quart("app")

    @app.websocket("/")
    async def work() -> None:
        try:
            async for message in websocket:
                await asyncio.sleep(0.002)
                got.append(message)
        finally:
            ended.set()

    async with serving(app) as served:
        with await Socket.open(served.port) as client:
            numbers = [str(number) for number in range(100)]
            messages = b"".join(frame(number.encode()) for number in numbers)
            await client.send(messages + close_frame())
        await asyncio.wait_for(ended.wait(), WAIT_SECONDS)
    assert got == numbers
