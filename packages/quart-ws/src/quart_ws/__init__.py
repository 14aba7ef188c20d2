"""WebSockets for Quart."""

from .asgi import ASGIWebsocketConnection
from .buffer import Buffer
from .disconnects import Closure, WebsocketDisconnectedError
from .websocket import Websocket

__version__ = "1.0.0"

__all__ = (
    "ASGIWebsocketConnection",
    "Buffer",
    "Closure",
    "Websocket",
    "WebsocketDisconnectedError",
)
