"""Test client table: websockets, with the handlers of quart-ws."""

from __future__ import annotations

import asyncio
import logging

import pytest
from quart_core import Quart, abort, session, websocket
from quart_testing import (
    StillWaitingError,
    SyncClient,
    WebsocketDisconnectError,
    WebsocketResponseError,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"

    @app.websocket("/echo")
    async def echo() -> None:
        while True:
            data = await websocket.receive()
            if data == "close":
                await websocket.close(3001, "bye")
                return
            if data == "raise":
                raise KeyError("of the handler")
            await websocket.send(data)

    @app.websocket("/reject")
    async def reject() -> None:
        abort(401)

    return app


async def test_messages_come_back(app: Quart) -> None:
    async with app.test_client().websocket("/echo") as connection:
        for message in ("text", b"bytes", "", b""):
            await connection.send(message)
            assert await connection.receive() == message
        await connection.send_json({"a": 1})
        assert await connection.receive_json() == {"a": 1}
        assert connection.accepted


async def test_the_server_closing_is_an_error_at_receive(app: Quart) -> None:
    async with app.test_client().websocket("/echo") as connection:
        await connection.send("close")
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()

    assert (caught.value.code, caught.value.reason) == (3001, "bye")


@pytest.mark.parametrize(("path", "status"), [("/reject", 401), ("/nowhere", 404)])
async def test_a_rejection_is_an_error_at_receive_or_on_leaving(
    app: Quart, path: str, status: int
) -> None:
    client = app.test_client()

    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket(path) as connection:
            await connection.receive()
    assert caught.value.response.status_code == status
    with pytest.raises(WebsocketResponseError):
        async with client.websocket(path):
            pass


async def test_an_exception_closes_with_1011(
    app: Quart, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, app.logger.name)

    async with app.test_client().websocket("/echo") as connection:
        await connection.send("raise")
        with pytest.raises(WebsocketDisconnectError, match="1011"):
            await connection.receive()


async def test_an_exception_reaches_the_test_where_it_propagates(app: Quart) -> None:
    app.testing = True

    with pytest.raises(KeyError, match="of the handler"):
        async with app.test_client().websocket("/echo") as connection:
            await connection.send("raise")
            await connection.receive()


async def test_leaving_ends_a_handler_that_waits(app: Quart) -> None:
    ended = asyncio.Event()

    @app.websocket("/wait")
    async def wait() -> None:
        await websocket.accept()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with app.test_client(check_leaks=True).websocket("/wait"):
        pass

    assert ended.is_set()


async def test_a_handler_that_is_silent_is_named(app: Quart) -> None:
    @app.websocket("/silent")
    async def silent() -> None:
        await websocket.accept()
        await asyncio.Event().wait()  # here

    with pytest.raises(StillWaitingError, match="# here"):
        async with app.test_client().websocket("/silent", timeout=0.05) as connection:
            await connection.receive()


async def test_the_session_of_the_client_is_seen(app: Quart) -> None:
    @app.websocket("/who")
    async def who() -> None:
        await websocket.send(session["user"])

    client = app.test_client()
    async with client.session_transaction() as changed:
        changed["user"] = "me"

    async with client.websocket("/who") as connection:
        assert await connection.receive() == "me"


def test_plain_tests_use_websockets_too(app: Quart) -> None:
    with SyncClient(app).websocket("/echo") as connection:
        connection.send("text")
        assert connection.receive() == "text"
