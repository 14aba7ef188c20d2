"""The two places where HTTP/1 gives a connection to another protocol."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from quart_server.protocols.grammar import list_tokens

if TYPE_CHECKING:
    from types import ModuleType

    from quart_server.protocols.request import RequestHead

    from .http1 import HTTP1Transport
    from .websocket import WebsocketTransport

__all__ = ["switch_to_http2", "switch_to_websocket"]


def switch_to_http2(connection: HTTP1Transport, unread: bytes) -> bool:
    """Let HTTP/2 have a connection that began with its preface.

    Returns:
        Whether it took over; otherwise the request is answered with 505.
    """
    del connection, unread
    return False


def switch_to_websocket(connection: HTTP1Transport, head: RequestHead) -> bool:
    """Let WebSocket have a connection whose client asks for it.

    Returns:
        Whether it took over; otherwise the request is an ordinary one
        (RFC 9110, 7.8: a server may ignore Upgrade).

    Raises:
        ProtocolError: The client asks for it in a way that is refused.
    """
    if head.method != "GET" or b"websocket" not in list_tokens(head.upgrade):
        return False
    module = _load("websocket")
    handshake = module.check_handshake(connection.context, head)
    successor: WebsocketTransport = module.WebsocketTransport(
        connection.context, head, handshake
    )
    connection.hand_over(successor, connection.take_unread())
    return True


def _load(name: str) -> ModuleType:
    """Import a protocol when its first client comes; many servers never see one."""
    return importlib.import_module(f"{__package__}.{name}")
