"""Requests, responses and websockets."""

from quart_core.wrappers import (
    BaseRequestWebsocket,
    Body,
    ClientDisconnectedError,
    Request,
    Response,
)
from quart_ws.websocket import Websocket

__all__ = (
    "BaseRequestWebsocket",
    "Body",
    "ClientDisconnectedError",
    "Request",
    "Response",
    "Websocket",
)
