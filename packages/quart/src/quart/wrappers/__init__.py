"""Requests, responses and websockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from quart_core.wrappers import (
    BaseRequestWebsocket,
    Body,
    ClientDisconnectedError,
    Request,
    Response,
)

if TYPE_CHECKING:
    from quart_ws.websocket import Websocket

__all__ = (
    "BaseRequestWebsocket",
    "Body",
    "ClientDisconnectedError",
    "Request",
    "Response",
    "Websocket",
)


def __getattr__(name: str) -> Any:
    if name == "Websocket":
        # Where nobody asks for it, quart-ws is not imported.
        from quart_ws.websocket import Websocket

        return Websocket
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
