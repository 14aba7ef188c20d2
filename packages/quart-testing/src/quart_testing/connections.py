"""The test's end of a connection (API of ``quart.testing.connections``)."""

from __future__ import annotations

from .connection_errors import (
    HTTPDisconnectError,
    WebsocketDisconnectError,
    WebsocketResponseError,
)
from .http_connection import TestHTTPConnection
from .websocket_connection import TestWebsocketConnection

__all__ = (
    "HTTPDisconnectError",
    "TestHTTPConnection",
    "TestWebsocketConnection",
    "WebsocketDisconnectError",
    "WebsocketResponseError",
)
