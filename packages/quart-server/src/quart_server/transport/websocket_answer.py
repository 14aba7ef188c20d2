"""What an app may say in ASGI messages of WebSockets, checked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from .exchange import UnexpectedMessageError

if TYPE_CHECKING:
    from quart_server.asgi import Message
    from quart_server.protocols.websocket_handshake import Handshake

    from .websocket_carrier import Field

__all__ = ["accept_fields", "close_arguments", "denial_status", "message_data"]

_log = logging.getLogger("quart_server.error")

# What only the server may put into its answer.
_OWN_FIELDS: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
        b"transfer-encoding",
        b"upgrade",
    }
)


def accept_fields(message: Message, handshake: Handshake) -> list[Field]:
    """Return the header fields that `websocket.accept` asks for.

    Raises:
        UnexpectedMessageError: One of them is the server's affair, or the subprotocol
            was not offered (RFC 6455, 4.2.2).
    """
    fields = _check_fields(message.get("headers") or ())
    subprotocol = message.get("subprotocol")
    if subprotocol is None:
        return fields
    if subprotocol not in handshake.subprotocols:
        raise UnexpectedMessageError(
            f"The app chose the subprotocol {subprotocol!r}, expected one of those "
            f"the client offers: {handshake.subprotocols!r}"
        )
    fields.append((b"sec-websocket-protocol", subprotocol.encode("ascii")))
    return fields


# Any: headers are whatever iterable of pairs the app sent; the encoder checks them.
def _check_fields(headers: Any) -> list[Field]:
    fields: list[Field] = [(name, value) for name, value in headers]
    for name, _ in fields:
        if name.lower() in _OWN_FIELDS:
            raise UnexpectedMessageError(
                f"The app set the header field {name!r} in websocket.accept, expected "
                "the server to do that; a subprotocol goes into 'subprotocol'"
            )
    return fields


def denial_status(message: Message, http_version: str) -> int:
    """Return the status with which `websocket.http.response.start` denies.

    Over HTTP/1.1 every final status denies (RFC 6455, 4.1: only 101 accepts). Over
    HTTP/2 a 2xx would accept (RFC 8441, 5), so that 403 goes out in its place.

    Raises:
        UnexpectedMessageError: It is no final status.
    """
    status = message["status"]
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise UnexpectedMessageError(
            f"websocket.http.response.start has status {status!r}, expected a number "
            "from 200 to 999; websocket.accept accepts"
        )
    if http_version == "2" and status < 300:
        _log.warning(
            "A WebSocket was denied with status %d, which over HTTP/2 would accept it; "
            "403 was sent, expected a status from 300",
            status,
        )
        return 403
    return int(status)


def message_data(message: Message) -> str | bytes:
    """Return what `websocket.send` sends.

    Raises:
        UnexpectedMessageError: Neither a text nor bytes.
    """
    data = message.get("bytes")
    if data is None:
        text = message.get("text")
        if isinstance(text, str):
            return text
    elif isinstance(data, bytes):
        return data
    elif isinstance(data, bytearray | memoryview):
        return bytes(data)
    raise UnexpectedMessageError(
        "The app sent 'websocket.send' with neither a str in 'text' nor bytes in "
        "'bytes', expected one of them"
    )


def close_arguments(message: Message) -> tuple[int, str]:
    """Return code and reason of `websocket.close`."""
    code: int | None = message.get("code", 1000)
    return (1000 if code is None else code), message.get("reason") or ""
