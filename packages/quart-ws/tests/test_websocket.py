"""The websocket object: constructor forms, signals, replacing its class."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from quart_core import Quart, websocket
from quart_core.signals import websocket_received, websocket_sent
from quart_ws import Buffer, Closure, Websocket
from werkzeug.datastructures import Headers
from ws_driver import Client, talk, visit

FIRST = ("/path", b"q=1", "ws", Headers({"Host": "h"}), "", "1.1", ["chat"])
SCOPE: Any = {"type": "websocket", "path": "/path", "headers": []}


class Calls:
    """The callables that a connection passes."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    async def receive(self) -> str:
        return "received"

    async def send(self, data: Any) -> None:
        self.log.append(("send", data))

    async def accept(self, headers: Any, subprotocol: Any) -> None:
        self.log.append(("accept", headers, subprotocol))

    async def close(self, code: int, reason: str) -> None:
        self.log.append(("close", code, reason))


async def use(socket: Websocket, calls: Calls, received: Any) -> None:
    assert (socket.method, socket.path, socket.args["q"]) == ("GET", "/path", "1")
    assert socket.requested_subprotocols == ["chat"]
    assert socket.scope is SCOPE
    assert await socket.receive() == received
    await socket.send("data")
    await socket.close(4000)
    assert calls.log == [
        ("accept", None, None),
        ("send", "data"),
        ("close", 4000, ""),
    ]


async def test_the_constructor_of_quart_0_22() -> None:
    calls = Calls()
    socket = Websocket(
        *FIRST, calls.receive, calls.send, calls.accept, calls.close, SCOPE
    )
    await use(socket, calls, "received")


async def test_the_constructor_of_quart_0_23_reads_from_the_buffer() -> None:
    calls = Calls()
    socket = Websocket(*FIRST, calls.send, calls.accept, calls.close, SCOPE)
    await socket.buffer.put("buffered")
    await use(socket, calls, "buffered")


async def test_both_constructors_take_keywords() -> None:
    for keywords in ({}, {"receive": Calls().receive}):
        calls = Calls()
        socket = Websocket(
            *FIRST,
            send=calls.send,
            accept=calls.accept,
            close=calls.close,
            scope=SCOPE,
            **keywords,
        )
        await socket.buffer.put("buffered")
        await use(socket, calls, "received" if keywords else "buffered")


def test_a_constructor_with_too_little_says_what_it_needs() -> None:
    with pytest.raises(TypeError, match="needs path, query_string"):
        Websocket(*FIRST)


async def test_the_class_of_the_buffer_can_be_replaced() -> None:
    class Shouting(Buffer):
        async def get(self) -> str | bytes:
            data = await super().get()
            return data.upper()

    class Own(Websocket):
        buffer_class = Shouting

    app = Quart(__name__)
    app.websocket_class = Own
    got = []

    @app.websocket("/")
    async def handler() -> None:
        got.append(await websocket.receive())

    client = Client(app)
    client.text("text")
    await client.end()
    assert got == ["TEXT"]


async def test_the_class_of_websockets_can_be_replaced_by_a_subclass() -> None:
    class Own(Websocket):
        async def receive(self) -> str:
            data: str = await super().receive()
            return f"own {data}"

        async def accept(self, headers: Any = None, subprotocol: Any = None) -> None:
            await super().accept({"X-Own": "1"}, subprotocol)

    class App(Quart):
        websocket_class = Own

    app = App(__name__)

    @app.websocket("/")
    async def handler() -> None:
        async for message in websocket:
            await websocket.send(message)

    client = await talk(app, "/", "text")
    assert client.data == ["own text"]
    assert client.messages[0]["headers"] == [(b"x-own", b"1")]


def test_the_class_of_websockets_is_ours_by_default() -> None:
    assert Quart.websocket_class is Websocket
    assert Quart(__name__).websocket_class is Websocket


async def test_closure_is_none_as_long_as_the_websocket_is_open() -> None:
    seen: list[Any] = []
    app = Quart(__name__)

    @app.websocket("/")
    async def handler() -> None:
        seen.append(websocket.closure)
        await websocket.accept()
        seen.append(websocket.closure)
        await websocket.close(4000, "done")
        seen.append(websocket.closure)

    await visit(app)
    assert seen == [None, None, Closure(4000, "done", "application")]


# Signals


@pytest.mark.parametrize("synchronous", [False, True])
async def test_each_message_is_the_sender_of_a_signal(synchronous: bool) -> None:
    log: list[Any] = []

    def note(name: str) -> Any:
        def receiver(message: Any, **keywords: Any) -> None:
            log.append((name, message, keywords))

        async def async_receiver(message: Any, **keywords: Any) -> None:
            receiver(message, **keywords)

        return receiver if synchronous else async_receiver

    received, sent = note("received"), note("sent")
    app = Quart(__name__)

    @app.websocket("/")
    async def handler() -> None:
        await websocket.send(b"out " + await websocket.receive())

    with (
        websocket_received.connected_to(received),
        websocket_sent.connected_to(sent),
    ):
        client = Client(app)
        client.binary(b"in")
        await client.end()
    assert client.data == [b"out in"]
    assert log == [("received", b"in", {}), ("sent", b"out in", {})]


async def test_a_receiver_that_fails_fails_the_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Quart(__name__)

    @app.websocket("/")
    async def handler() -> None:
        await websocket.send("one")

    async def fails(message: Any) -> None:
        await asyncio.sleep(0)
        raise ValueError("in the receiver")

    with websocket_sent.connected_to(fails):
        client = await visit(app)
    assert client.close_code == 1011
    assert len(caplog.records) == 1
