"""The reference: frames read by wsproto, with inflation that is bounded.

It is made for the first frame that the strict reader does not take and forgotten when
no message is in progress, so that an idle socket has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.events import Ping as PingEvent
from wsproto.events import Pong as PongEvent
from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason, RsvBits

from .websocket_deflate import InflateError
from .websocket_events import Closed, Failed, Ping, Pong

if TYPE_CHECKING:
    from wsproto.events import Event as WsprotoEvent
    from wsproto.frame_protocol import FrameDecoder, FrameProtocol, Opcode

    from .websocket_deflate import Inflater
    from .websocket_events import Event

__all__ = ["FAILURES", "ReferenceReader"]

# wsproto's own texts quote what was received.
FAILURES: Final = {
    1002: "protocol error",
    1007: "invalid data",
    1009: "message too big",
}

_CONTINUATION: Final = 0
_CONTROL_BIT: Final = 0x8


class ReferenceReader:
    """Reads the frames of a client.

    Attributes:
        in_message: Whether a message has begun and not ended.
        size: Bytes held of that message, inflated.
    """

    __slots__ = ("_connection", "_is_text", "_message", "in_message")

    def __init__(self, inflater: Inflater | None) -> None:
        extensions: list[Extension] = [] if inflater is None else [_Deflate(inflater)]
        self._connection = Connection(ConnectionType.SERVER, extensions)
        self._message = bytearray()
        self._is_text = False
        self.in_message = False

    @property
    def size(self) -> int:
        """Bytes held of the message in progress."""
        return len(self._message)

    def begin_message(self) -> None:
        """Note that the header of a first frame is about to be read."""
        self.in_message = True

    def feed(self, data: bytes) -> Event | None:
        """Read bytes of one frame, or a part of one.

        Args:
            data: Bytes that do not reach into the next frame.

        Returns:
            What they complete, None where it goes on.
        """
        connection = self._connection
        connection.receive_data(data)
        for event in connection.events():
            result = self._read(event)
            if result is not None:
                return result
        return None

    def _read(self, event: WsprotoEvent) -> Event | None:
        if isinstance(event, TextMessage):
            self._is_text = True
            # wsproto has checked the UTF-8; as bytes it takes the space it had.
            self._message += event.data.encode()
        elif isinstance(event, BytesMessage):
            self._message += event.data
        elif isinstance(event, PingEvent):
            return Ping(bytes(event.payload))
        elif isinstance(event, PongEvent):
            return Pong(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            return self._read_end(event)
        else:
            return None
        return self._finish_message() if event.message_finished else None

    def _finish_message(self) -> str | bytes:
        message, self._message = self._message, bytearray()
        is_text, self._is_text = self._is_text, False
        self.in_message = False
        return message.decode() if is_text else bytes(message)

    def _read_end(self, event: CloseConnection) -> Event:
        code = int(event.code)
        if self._connection.state is ConnectionState.REMOTE_CLOSING:
            return Closed(code, event.reason or "")
        return Failed(code, FAILURES[code])


class _Deflate(Extension):
    """permessage-deflate for wsproto, with our inflater.

    wsproto's own inflates without bound, and forgets that a message is compressed when
    a control frame comes between its fragments.
    """

    name = "permessage-deflate"

    def __init__(self, inflater: Inflater) -> None:
        self._inflater = inflater
        self._is_compressed = False
        self._is_data = False

    def enabled(self) -> bool:
        return True

    def offer(self) -> bool:
        return False  # clients offer, this is a server

    def frame_inbound_header(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002  # wsproto's signature
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,  # noqa: ARG002
    ) -> CloseReason | RsvBits:
        self._is_data = not opcode & _CONTROL_BIT
        if not self._is_data or opcode == _CONTINUATION:
            # RFC 7692, 6.1: the bit stands on the first frame of a message only.
            return RsvBits(rsv1=False, rsv2=False, rsv3=False)
        self._is_compressed = rsv.rsv1
        return RsvBits(rsv1=True, rsv2=False, rsv3=False)

    def frame_inbound_payload_data(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002
        data: bytes,
    ) -> bytes | CloseReason:
        if not self._is_data or not self._is_compressed:
            return data
        return self._inflate(data, last=False)

    def frame_inbound_complete(
        self,
        proto: FrameDecoder | FrameProtocol,  # noqa: ARG002
        fin: bool,
    ) -> bytes | CloseReason | None:
        if not self._is_data or not self._is_compressed or not fin:
            return None
        return self._inflate(b"", last=True)

    def _inflate(self, data: bytes, *, last: bool) -> bytes | CloseReason:
        try:
            return self._inflater.inflate(data, last=last)
        except InflateError as error:
            return CloseReason(error.code)
