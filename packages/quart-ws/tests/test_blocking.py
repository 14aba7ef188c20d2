"""Blocking websockets: handlers that are plain functions."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import Any

import pytest
from quart_core import Quart, g, websocket
from quart_ws import BlockingWebsocket, Websocket, WebsocketDisconnectedError
from werkzeug.datastructures import Headers
from ws_driver import Client, visit

LIMIT = 5.0


def make_app(handler: Any) -> Quart:
    app = Quart(__name__)
    app.add_websocket("/", "handler", handler)
    return app


async def test_a_plain_function_receives_and_sends() -> None:
    threads = []

    def handler() -> None:
        threads.append(threading.current_thread() is threading.main_thread())
        socket = BlockingWebsocket()
        socket.accept({"X-Name": "value"})
        socket.send(socket.receive())
        socket.send_json(socket.receive_json())
        socket.close(4000, "done")

    client = Client(make_app(handler))
    client.binary(b"bytes")
    client.text('{"a": 1}')
    await client.end()
    assert threads == [False]
    assert client.data == [b"bytes", '{"a": 1}']
    assert client.messages[0]["headers"] == [(b"x-name", b"value")]
    assert client.close_code == 4000


async def test_iterating_ends_with_the_websocket() -> None:
    got: list[Any] = []
    ended = threading.Event()

    def handler() -> None:
        g.value = "of this websocket"
        try:
            for message in BlockingWebsocket():
                got.append((message, g.value))  # noqa: PERF401 - up to the end
        except WebsocketDisconnectedError as error:
            got.append((error.code, error.reason, error.closed_by))
            raise
        finally:
            ended.set()

    client = Client(make_app(handler))
    client.text("a", "b")
    client.leave(4001, "bye")
    await client.end()
    loop = asyncio.get_running_loop()
    assert await loop.run_in_executor(None, ended.wait, LIMIT)
    assert got == [
        ("a", "of this websocket"),
        ("b", "of this websocket"),
        (4001, "bye", "client"),
    ]


async def test_an_exception_in_the_event_loop_reaches_the_thread() -> None:
    caught = []

    def handler() -> None:
        socket = BlockingWebsocket()
        with pytest.raises(TypeError, match="use send_json"):
            socket.send({"a": 1})  # type: ignore[arg-type]
        caught.append("caught")

    client = await visit(make_app(handler))
    assert caught == ["caught"]
    assert client.close_code == 1000


async def test_a_timeout_error_of_the_coroutine_is_passed_on() -> None:
    class Late(Websocket):
        async def receive(self) -> Any:
            raise TimeoutError("of the application")

    def handler() -> None:
        with pytest.raises(TimeoutError, match="of the application"):
            BlockingWebsocket().receive()

    app = make_app(handler)
    app.websocket_class = Late
    client = await visit(app)
    assert client.types == []


async def test_what_arrives_as_the_wait_for_it_ends_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class LateFuture(concurrent.futures.Future[Any]):
        def result(self, timeout: float | None = None) -> Any:
            data = super().result(LIMIT)
            if timeout is not None:
                raise TimeoutError
            return data

    def start(coroutine: Any, loop: Any) -> Any:
        future = LateFuture()
        inner = asyncio.ensure_future
        loop.call_soon_threadsafe(
            lambda: inner(coroutine).add_done_callback(
                lambda task: future.set_result(task.result())
            )
        )
        return future

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", start)
    got = []

    def handler() -> None:
        got.append(BlockingWebsocket().receive())

    client = Client(make_app(handler))
    client.text("a")
    await client.end()
    assert got == ["a"]


async def test_in_a_coroutine_it_is_refused() -> None:
    async def handler() -> None:
        await websocket.accept()
        with pytest.raises(RuntimeError, match="await the methods"):
            BlockingWebsocket()

    client = await visit(make_app(handler))
    assert client.close_code == 1000


def test_a_websocket_that_is_not_served_is_refused() -> None:
    async def call(*args: Any) -> None: ...

    scope: Any = {"type": "websocket"}
    socket = Websocket(
        "/", b"", "ws", Headers(), "", "1.1", [], call, call, call, scope
    )
    with pytest.raises(RuntimeError, match="not being served"):
        BlockingWebsocket(socket)


def test_a_loop_that_has_ended_ends_the_websocket() -> None:
    kept: list[BlockingWebsocket] = []

    def handler() -> None:
        socket = BlockingWebsocket()
        socket.accept()
        kept.append(socket)

    asyncio.run(visit(make_app(handler)))
    with pytest.raises(WebsocketDisconnectedError) as caught:
        kept[0].receive()
    assert caught.value.closed_by == "server"
