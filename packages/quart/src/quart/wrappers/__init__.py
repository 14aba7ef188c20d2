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

from quart._submodules import lazy_submodules

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


_submodule = lazy_submodules(__name__, "base", "request", "response", "websocket")


def __getattr__(name: str) -> Any:  # a class or a module
    if name == "Websocket":
        # Where nobody asks for it, quart-ws is not imported.
        from quart_ws.websocket import Websocket

        return Websocket
    return _submodule(name)
