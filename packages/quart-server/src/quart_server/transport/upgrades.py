"""The two places where HTTP/1 gives a connection to another protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart_server.protocols.request import RequestHead

    from .connection import Connection

__all__ = ["switch_to_http2", "switch_to_websocket"]


def switch_to_http2(connection: Connection, unread: bytes) -> bool:
    """Let HTTP/2 have a connection that began with its preface.

    Returns:
        Whether it took over; otherwise the request is answered with 505.
    """
    del connection, unread
    return False


def switch_to_websocket(connection: Connection, head: RequestHead) -> bool:
    """Let WebSocket have a connection whose client asks for it.

    Returns:
        Whether it took over; otherwise the request is an ordinary one
        (RFC 9110, 7.8: a server may ignore Upgrade).
    """
    del connection, head
    return False
