"""What websockets offer beyond Quart's own names, see :mod:`quart_ws`."""

from quart_ws import (
    ASGIWebsocketConnection,
    BlockingWebsocket,
    Broker,
    Buffer,
    Closure,
    LocalBroker,
    Member,
    Room,
    Websocket,
    WebsocketDisconnectedError,
)

__all__ = (
    "ASGIWebsocketConnection",
    "BlockingWebsocket",
    "Broker",
    "Buffer",
    "Closure",
    "LocalBroker",
    "Member",
    "Room",
    "Websocket",
    "WebsocketDisconnectedError",
)
