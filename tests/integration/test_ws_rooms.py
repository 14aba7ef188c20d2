"""A room of 200 clients on the real server, one of which takes nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from socket import SO_SNDBUF, SOL_SOCKET

import pytest
from integration_server import HOST, ServerProcess, listening_socket, until
from ws_sockets import Socket, frame

PROGRAM = """
import os
from quart import Quart, websocket
from quart_ws import Room

app = Quart("app")
room = Room(policy=os.environ["POLICY"])

@app.websocket("/")
async def member():
    async with room.join():
        async for message in websocket:
            await room.broadcast(message)

@app.get("/")
async def state():
    return {
        "open": sum(member.websocket.closure is None for member in room.members),
        "dropped": sum(member.dropped for member in room.members),
    }

app.run(f"fd://{os.environ['SOCKET_FD']}", use_reloader=False)
"""
OTHERS = 199
MESSAGES = 50
SIZE = 1_024
# What the system holds for a client is small, for one that takes nothing to be stuck
# after few messages.
BUFFER = 4_096
# Between two messages; more than it takes to send one to all.
PAUSE_SECONDS = 0.025
# Below this, what differs is the machine's other work and not the room's. One that
# waits for the client that is stuck waits for five.
FLOOR_SECONDS = 2.0
TRIES = 3

# A message as it comes, with its head of 4 bytes.
WHOLE = SIZE + 4


class Listener(asyncio.Protocol):
    """A client that notes which messages it hears, and when."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.times: list[float] = []
        self._data = b""

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        data = self._data + data
        end = len(data) - len(data) % WHOLE
        for at in range(0, end, WHOLE):
            self.numbers.append(int(data[at + 4 : at + WHOLE]))
            self.times.append(now)
        self._data = data[end:]


class Crowd:
    """The clients that take what they are sent; one of them speaks."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.transports: list[asyncio.WriteTransport] = []
        self.said: list[float] = []

    async def join(self, port: int) -> None:
        sock = (await Socket.open(port)).sock
        loop = asyncio.get_running_loop()
        transport, listener = await loop.create_connection(Listener, sock=sock)
        self.listeners.append(listener)
        self.transports.append(transport)

    async def say(self, count: int, pause_seconds: float = PAUSE_SECONDS) -> float:
        """Say so many messages; give the 99th percentile of the delays in seconds."""
        first = len(self.said)
        for number in range(first, first + count):
            self.said.append(time.perf_counter())
            self.transports[0].write(frame(b"%*d" % (SIZE, number)))
            await asyncio.sleep(pause_seconds)
        await until(lambda: all(len(each.numbers) == len(self.said) for each in self))
        delays = sorted(
            at - self.said[number]
            for each in self
            for number, at in enumerate(each.times[first:], first)
        )
        return delays[len(delays) * 99 // 100]

    def __iter__(self) -> Iterator[Listener]:
        return iter(self.listeners)


@asynccontextmanager
async def crowd(port: int) -> AsyncIterator[Crowd]:
    made = Crowd()
    async with AsyncExitStack() as stack:
        for _ in range(OTHERS):
            await made.join(port)
            stack.callback(made.transports[-1].abort)
        yield made


async def state_of(port: int) -> dict[str, int]:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    found: dict[str, int] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("policy", ["drop_oldest", "close"])
async def test_199_clients_hear_everything_in_time_while_one_takes_nothing(
    policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICY", policy)
    with listening_socket() as sock:
        sock.setsockopt(SOL_SOCKET, SO_SNDBUF, BUFFER)
        with ServerProcess(PROGRAM, sock) as server:
            async with crowd(server.port) as others:
                await others.say(10)
                usual = await others.say(MESSAGES)
                limit = max(3 * usual, FLOOR_SECONDS)
                assert await state_of(server.port) == {"open": 199, "dropped": 0}
                with await Socket.open(server.port, receive_buffer=BUFFER):
                    state = await fill(others, server.port)
                    tries = [await others.say(MESSAGES)]
                    # What else a busy machine does may come at the wrong moment.
                    while min(tries) >= limit and len(tries) < TRIES:
                        tries.append(await others.say(MESSAGES))
                    at_end = await state_of(server.port)
    delayed = min(tries)
    print(f"p99 {usual * 1000:.1f} ms, with one stuck {delayed * 1000:.1f} ms")
    for each in others:
        assert each.numbers == list(range(len(others.said)))
    assert delayed < limit
    if policy == "close":
        assert at_end == {"open": 199, "dropped": 0}
    else:
        assert at_end["open"] == 200
        assert at_end["dropped"] == state["dropped"] + len(tries) * MESSAGES


async def fill(others: Crowd, port: int) -> dict[str, int]:
    """Say something until the client that takes nothing is too slow for the room."""
    for _ in range(20):
        await others.say(30, PAUSE_SECONDS / 5)
        state = await state_of(port)
        if state["dropped"] or state["open"] < 200:
            return state
    raise AssertionError("the client that takes nothing is not stuck")
