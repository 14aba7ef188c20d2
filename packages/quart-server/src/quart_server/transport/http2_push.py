"""Server push: responses before their requests (RFC 9113, 8.4; ASGI's extension).

The app sends `http.response.push` with the path, and the fields that the request would
have. The client is promised the response, and the app is run for a GET of that path.
A client that takes no pushes, or no more of them, is simply not promised anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quart_server.protocols.grammar import VISIBLE_BYTES
from quart_server.protocols.http1_response import InvalidFieldError
from quart_server.protocols.http2_request import MalformedError, read_request

from .exchange import UnexpectedMessageError

if TYPE_CHECKING:
    from quart_server.asgi import Message
    from quart_server.protocols.http2_engine import Stream
    from quart_server.protocols.request import RequestHead

    from .http2 import HTTP2Transport
    from .http2_exchange import HTTP2Exchange

__all__ = ["push_request"]

# What belongs to the request that is answered, or to bodies that a push has not.
_NOT_PUSHED: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)


def push_request(
    connection: HTTP2Transport, exchange: HTTP2Exchange, message: Message
) -> tuple[Stream, RequestHead] | None:
    """Promise what an app wants pushed; return the stream and the request to answer.

    Raises:
        UnexpectedMessageError: The path is no path.
        InvalidFieldError: A field must not go on the wire.
    """
    path = _read_path(message)
    fields = [
        (b":method", b"GET"),
        (b":scheme", connection.scheme.encode("ascii")),
        (b":authority", _authority(exchange)),
        (b":path", path),
        *_read_fields(connection, message),
    ]
    if exchange.pushes >= connection.limits.pushes or not exchange.stream.may_send:
        return None
    try:
        request = read_request(fields, connection.limits)
    except MalformedError as error:
        raise InvalidFieldError(f"http.response.push has {error}") from None
    if request.refusal is not None:
        raise InvalidFieldError(f"http.response.push has {request.refusal}")
    stream = connection.sender.push(exchange.stream, fields)
    if stream is None:
        return None
    exchange.pushes += 1
    connection.flush_soon()
    return stream, request.make_head(ended=True)


def _read_path(message: Message) -> bytes:
    path = message.get("path")
    data = b""
    if isinstance(path, str) and path.isascii():
        data = path.encode("ascii")
    if data[:1] != b"/" or data.translate(None, VISIBLE_BYTES) or b"#" in data:
        raise UnexpectedMessageError(
            f"http.response.push has the path {path!r}, expected one that begins with "
            "'/' and has percent-encoding for everything but ASCII"
        )
    return data


def _read_fields(
    connection: HTTP2Transport, message: Message
) -> list[tuple[bytes, bytes]]:
    fields = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
    connection.sender.check_trailers(fields)
    lower = ((name.lower(), value.strip(b" \t")) for name, value in fields)
    return [field for field in lower if field[0] not in _NOT_PUSHED]


def _authority(exchange: HTTP2Exchange) -> bytes:
    for name, value in exchange.head.headers:
        if name == b"host":
            return value
    return b""
