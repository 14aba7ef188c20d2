"""What happens on an HTTP/2 connection, for whoever drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import ProtocolError
    from .http2_engine import Stream
    from .http2_errors import ErrorCodes
    from .request import RequestHead

__all__ = [
    "BodyReceived",
    "Event",
    "GoingAway",
    "PingAcknowledged",
    "RequestReceived",
    "StreamReset",
]


class RequestReceived:
    """A request has come.

    Attributes:
        stream: Its stream.
        head: Its head.
        protocol: The `:protocol` of extended CONNECT, empty for none.
        refusal: How the server answers it by itself, None where an app does.
    """

    __slots__ = ("head", "protocol", "refusal", "stream")

    def __init__(
        self,
        stream: Stream,
        head: RequestHead,
        protocol: bytes,
        refusal: ProtocolError | None,
    ) -> None:
        self.stream = stream
        self.head = head
        self.protocol = protocol
        self.refusal = refusal


class BodyReceived:
    """A piece of a request's body has come.

    Attributes:
        stream: Its stream.
        data: The piece, empty when only the end came. Whoever has consumed it gives
            its size back (`HTTP2Connection.credit`).
        ended: Whether it was the last one.
    """

    __slots__ = ("data", "ended", "stream")

    def __init__(self, stream: Stream, data: bytes, *, ended: bool) -> None:
        self.stream = stream
        self.data = data
        self.ended = ended


class StreamReset:
    """A stream has been reset, by the client or because of what the client sent.

    Attributes:
        stream: The stream; it is over.
        code: The error code.
        by_client: Whether the client did it.
    """

    __slots__ = ("by_client", "code", "stream")

    def __init__(self, stream: Stream, code: ErrorCodes, *, by_client: bool) -> None:
        self.stream = stream
        self.code = code
        self.by_client = by_client


class GoingAway:
    """The client makes no more requests; those it has made are finished."""

    __slots__ = ()


class PingAcknowledged:
    """The client has answered our PING, and read all that was sent before it."""

    __slots__ = ()


Event = RequestReceived | BodyReceived | StreamReset | GoingAway | PingAcknowledged
