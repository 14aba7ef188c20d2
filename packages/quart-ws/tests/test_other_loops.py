"""Connections of subclasses that serve without asyncio, as quart-trio's does."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any

import pytest
from quart_core import Quart, abort, websocket
from quart_ws.asgi import ASGIWebsocketConnection

SCOPE: dict[str, Any] = {
    "type": "websocket",
    "path": "/",
    "query_string": b"",
    "headers": [],
    "extensions": {"websocket.http.response": {}},
}


class Connection(ASGIWebsocketConnection):
    """A connection without the buffer and the tasks of ours."""

    def __init__(self, app: Quart, scope: Any) -> None:
        self.app = app
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        made = self.app.websocket_class(
            self.scope["path"],
            self.scope["query_string"],
            "ws",
            {},
            "",
            "1.1",
            [],
            receive,
            partial(self.send_data, send),
            partial(self.accept_connection, send),
            partial(self.close_connection, send),
            self.scope,
        )
        await self.handle_websocket(made, send)


def make_app() -> Quart:
    app = Quart(__name__)
    app.asgi_websocket_class = Connection
    return app


def run_without_a_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits: whatever asks for asyncio's loop fails here."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def messages_of(app: Quart, *data: str) -> list[dict[str, Any]]:
    """Return what the application sends to a client that sends this."""
    sent: list[dict[str, Any]] = []
    waiting = list(data)

    async def receive() -> str:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    run_without_a_loop(app(SCOPE, receive, send))  # type: ignore[arg-type]
    return sent


def test_a_handler_reads_sends_and_ends() -> None:
    app = make_app()

    @app.websocket("/")
    async def echo() -> None:
        for _ in range(40):
            await websocket.send("ping")
        await websocket.send(await websocket.receive())

    accept, *pings, echoed, close = messages_of(app, "hello")
    assert accept["type"] == "websocket.accept"
    assert [ping["text"] for ping in pings] == ["ping"] * 40
    assert echoed["text"] == "hello"
    assert close == {"type": "websocket.close", "code": 1000}


def test_a_handler_closes() -> None:
    app = make_app()
    refused = []

    @app.websocket("/")
    async def leaves() -> None:
        await websocket.accept()
        await websocket.close(4000, "enough")
        try:
            await websocket.send("more")
        except RuntimeError as error:
            refused.append(str(error))

    assert messages_of(app)[-1] == {"type": "websocket.close", "code": 4000}
    assert refused == ["The websocket was closed, so nothing can be sent."]


def test_a_websocket_is_rejected_with_a_response() -> None:
    app = make_app()

    @app.websocket("/")
    async def refused() -> None:
        abort(401)

    start, body = messages_of(app)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert b"Unauthorized" in body["body"]
