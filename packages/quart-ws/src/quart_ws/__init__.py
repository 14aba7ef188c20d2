"""WebSockets for Quart.

The names below are loaded when they are used: a program without rooms has none in
memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .asgi import ASGIWebsocketConnection
    from .blocking import BlockingWebsocket
    from .brokers import Broker, LocalBroker
    from .buffer import Buffer
    from .disconnects import Closure, WebsocketDisconnectedError
    from .rooms import Member, Room
    from .websocket import Websocket

__version__ = "1.0.0"

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

_MODULES: Final = {
    "ASGIWebsocketConnection": "asgi",
    "BlockingWebsocket": "blocking",
    "Broker": "brokers",
    "Buffer": "buffer",
    "Closure": "disconnects",
    "LocalBroker": "brokers",
    "Member": "rooms",
    "Room": "rooms",
    "Websocket": "websocket",
    "WebsocketDisconnectedError": "disconnects",
}


# Any: a class, or a type.
def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
