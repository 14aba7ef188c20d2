"""The places where a connection is given to another protocol than HTTP/1."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING

from quart_server.protocols.grammar import list_tokens

if TYPE_CHECKING:
    from types import ModuleType

    from quart_server.context import WorkerContext
    from quart_server.protocols.http2_engine import Stream
    from quart_server.protocols.request import RequestHead

    from .http1 import HTTP1Transport
    from .http2 import HTTP2Transport
    from .http2_websocket import HTTP2WebsocketCarrier
    from .websocket import WebsocketTransport

__all__ = [
    "carry_websocket",
    "load_http2",
    "load_websockets",
    "make_http2",
    "switch_to_http2",
    "switch_to_websocket",
]


def switch_to_http2(connection: HTTP1Transport, unread: bytes) -> bool:
    """Let HTTP/2 have a connection that began with its preface.

    Returns:
        Whether it took over; otherwise the request is answered with 505.
    """
    context = connection.context
    if not context.config.http2:
        return False
    successor = make_http2(context)
    connection.hand_over(successor)
    # A PROXY header may have told other addresses than those of the socket.
    successor.client, successor.server = connection.client, connection.server
    successor.data_received(unread)
    return True


def make_http2(context: WorkerContext) -> HTTP2Transport:
    """Return the protocol of a new HTTP/2 connection."""
    transport: HTTP2Transport = _load("http2").HTTP2Transport(context)
    return transport


def load_http2() -> None:
    """Import HTTP/2 before a client asks: importing takes longer than a request may."""
    _load("http2")


def load_websockets() -> None:
    """Import WebSockets before a client asks, on a thread: the loop must not wait.

    A daemon, so that a worker which ends at once does not wait for it.
    """
    names = ["websocket"]
    if f"{__package__}.http2" in sys.modules:
        names.append("http2_websocket")
    if any(f"{__package__}.{name}" not in sys.modules for name in names):
        threading.Thread(target=_load_all, args=(names,), daemon=True).start()


def carry_websocket(
    connection: HTTP2Transport, stream: Stream, head: RequestHead
) -> HTTP2WebsocketCarrier:
    """Return what carries the WebSocket of an extended CONNECT.

    Raises:
        ProtocolError: The request must not become a WebSocket.
    """
    module = _load("http2_websocket")
    handshake = module.check_handshake(connection, head)
    carrier: HTTP2WebsocketCarrier = module.HTTP2WebsocketCarrier(
        connection, stream, head, handshake
    )
    return carrier


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
    handshake = module.check_handshake(connection, head)
    successor: WebsocketTransport = module.WebsocketTransport(
        connection.context, head, handshake
    )
    connection.hand_over(successor, connection.take_unread())
    return True


def _load_all(names: list[str]) -> None:
    for name in names:
        _load(name)


def _load(name: str) -> ModuleType:
    """Import a protocol, at the latest when its first client comes."""
    return importlib.import_module(f"{__package__}.{name}")
