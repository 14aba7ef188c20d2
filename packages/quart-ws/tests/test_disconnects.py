"""How a websocket ended."""

from __future__ import annotations

import asyncio

from quart_core import ClientDisconnectedError
from quart_ws import Closure, WebsocketDisconnectedError


def test_the_error_is_a_cancellation_with_code_reason_and_who_closed() -> None:
    error = WebsocketDisconnectedError(*Closure(4001, "bored", "client"))
    assert isinstance(error, asyncio.CancelledError)
    assert isinstance(error, ClientDisconnectedError)
    assert not isinstance(error, Exception)
    assert (error.code, error.reason, error.closed_by) == (4001, "bored", "client")
    assert str(error) == "the websocket was closed by the client: 4001 (bored)"


def test_without_anything_known_the_client_has_vanished() -> None:
    error = WebsocketDisconnectedError()
    assert (error.code, error.reason, error.closed_by) == (1006, "", "client")
    assert str(error) == "the websocket was closed by the client: 1006"
