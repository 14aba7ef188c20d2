"""One WebSocket, server side, without I/O (RFC 6455 and 7692).

See README.md in this folder for its events and states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .websocket_deflate import Deflater, InflateError, Inflater
from .websocket_events import Closed, Failed, Ping, Pong
from .websocket_frames import (
    BINARY,
    CLOSE,
    FIN,
    PING,
    PONG,
    RSV1,
    TEXT,
    close_payload,
    encode_frame,
    header_size,
    payload_size,
    read_close,
)
from .websocket_masks import unmask
from .websocket_reader import FAILURES, ReferenceReader

if TYPE_CHECKING:
    from .websocket_events import Event
    from .websocket_extensions import Deflate
    from .websocket_limits import WebsocketLimits

__all__ = ["WebsocketConnection"]

# The first bytes of frames that the strict reader takes.
_PLAIN_TEXT: Final = FIN | TEXT
_PLAIN_BINARY: Final = FIN | BINARY
_DEFLATED_TEXT: Final = FIN | RSV1 | TEXT
_DEFLATED_BINARY: Final = FIN | RSV1 | BINARY
_PLAIN_CLOSE: Final = FIN | CLOSE
_PLAIN_PING: Final = FIN | PING
_PLAIN_PONG: Final = FIN | PONG

# Compressing less than this costs more than it saves.
_DEFLATE_FROM: Final = 64

# Bytes a compressed message may have beyond its inflated size: headers of blocks.
_DEFLATE_OVERHEAD: Final = 1024

_MASKED: Final = 0x80
_CONTINUATION: Final = 0
_CONTROL_BIT: Final = 0x8


class WebsocketConnection:
    """Reads the frames of one client and encodes those of the server.

    Attributes:
        ended: Whether `Closed` or `Failed` has been returned.
        unread: Empty when all that was received has been read.
    """

    __slots__ = (
        "_deflated",
        "_deflater",
        "_fragments",
        "_inflater",
        "_left",
        "_limits",
        "_position",
        "_reader",
        "_wire_size",
        "ended",
        "unread",
    )

    def __init__(self, limits: WebsocketLimits, deflate: Deflate | None = None) -> None:
        self._limits = limits
        self._inflater = None if deflate is None else Inflater(deflate, limits)
        self._deflater = None if deflate is None else Deflater(deflate)
        self.unread: bytes | bytearray = b""
        self._position = 0
        # Bytes of the current frame that the reference reader has not had yet.
        self._left = 0
        self._reader: ReferenceReader | None = None
        self._fragments = 0
        self._wire_size = 0
        self._deflated = False
        self.ended = False

    # Reading

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the client; they are dropped after the end."""
        if self.ended:
            return
        if not self.unread:
            self.unread = data
            return
        if not isinstance(self.unread, bytearray):
            self.unread = bytearray(memoryview(self.unread)[self._position :])
            self._position = 0
        self.unread += data

    @property
    def buffered(self) -> int:
        """Bytes received and not yet read."""
        return len(self.unread) - self._position

    @property
    def partial_size(self) -> int:
        """Bytes held of a message that is not complete."""
        return 0 if self._reader is None else self._reader.size

    def next_event(self) -> Event | None:
        """Return what comes next, None when more bytes are needed."""
        buffer = self.unread
        if not buffer or self.ended:
            return None
        if not self._left:
            start = self._position
            if len(buffer) - start >= 6:
                event = self._read_plain(buffer, start)
                if event is not None:
                    return event
        return self._read_by_reference()

    # Writing

    def encode_message(self, data: str | bytes) -> bytes:
        """Return a message as one frame, compressed where that was agreed on.

        Raises:
            UnicodeEncodeError: A text with half of a surrogate pair.
        """
        if isinstance(data, str):
            payload, first = data.encode(), _PLAIN_TEXT
        else:
            payload, first = data, _PLAIN_BINARY
        if self._deflater is not None and len(payload) >= _DEFLATE_FROM:
            return encode_frame(first | RSV1, self._deflater.deflate(payload))
        return encode_frame(first, payload)

    def encode_ping(self, payload: bytes = b"") -> bytes:
        """Return a ping with up to 125 bytes of payload."""
        return encode_frame(_PLAIN_PING, payload)

    def encode_pong(self, payload: bytes) -> bytes:
        """Return the answer to a ping."""
        return encode_frame(_PLAIN_PONG, payload)

    def encode_close(self, code: int | None, reason: str = "") -> bytes:
        """Return a close frame; no data may follow it (RFC 6455, 5.5.1).

        Args:
            code: The close code, None for a frame without one.
            reason: Cut where it is longer than 123 bytes.

        Raises:
            CloseCodeError: The code must not go on the wire.
        """
        return encode_frame(_PLAIN_CLOSE, close_payload(code, reason))

    # The strict reader: whole frames, one per message, and control frames

    def _read_plain(self, buffer: bytes | bytearray, start: int) -> Event | None:
        """Return the next frame if it is plain and whole; None leaves it unread."""
        first = buffer[start]
        size = buffer[start + 1] - _MASKED
        if size < 0:
            return None
        at = start + 6
        if size >= 126:
            if size == 127 or len(buffer) < start + 8:
                return None
            size = buffer[start + 2] << 8 | buffer[start + 3]
            if size < 126:
                return None
            at = start + 8
        end = at + size
        if end > len(buffer):
            return None
        if _PLAIN_CLOSE <= first <= _PLAIN_PONG:
            event = self._read_control(buffer, first, at, end)
        elif self._reader is None:
            event = self._read_message(buffer, first, at, end)
        else:
            return None
        if event is None or self.ended:
            return event
        if end == len(buffer):
            self.unread = b""
            self._position = 0
        else:
            self._position = end
        return event

    def _read_message(
        self, buffer: bytes | bytearray, first: int, at: int, end: int
    ) -> Event | None:
        limits = self._limits
        size = end - at
        if size > limits.frame or size > limits.message:
            return None
        if first == _PLAIN_TEXT:
            payload = unmask(buffer[at:end], buffer[at - 4 : at])
            try:
                return payload.decode()
            except UnicodeDecodeError:
                return None  # the reference says how that ends
        if first == _PLAIN_BINARY:
            return unmask(buffer[at:end], buffer[at - 4 : at])
        inflater = self._inflater
        if inflater is None or first not in {_DEFLATED_TEXT, _DEFLATED_BINARY}:
            return None
        # The window has moved with this: there is no way back to the reference.
        payload = unmask(buffer[at:end], buffer[at - 4 : at])
        try:
            payload = inflater.inflate(payload, last=True)
            return payload.decode() if first == _DEFLATED_TEXT else payload
        except InflateError as error:
            return self._fail(error.code)
        except UnicodeDecodeError:
            return self._fail(1007)

    def _read_control(
        self, buffer: bytes | bytearray, first: int, at: int, end: int
    ) -> Event | None:
        if end - at > 125:
            return None
        payload = unmask(buffer[at:end], buffer[at - 4 : at])
        if first == _PLAIN_PING:
            return Ping(payload)
        if first == _PLAIN_PONG:
            return Pong(payload)
        content = read_close(payload)
        if content is None:
            return None
        self._end()
        return Closed(*content)

    # The reference: everything else, one frame after the other

    def _read_by_reference(self) -> Event | None:
        while True:
            if not self._left:
                event = self._begin_frame()
                if event is not None or not self._left:
                    return event
            start = self._position
            end = min(start + self._left, len(self.unread))
            if end == start:
                return None
            event = self._feed(start, end)
            if event is not None:
                return event
            # Control frames inside a message may be plain ones again.
            if not self._left and len(self.unread) - self._position >= 6:
                event = self._read_plain(self.unread, self._position)
                if event is not None:
                    return event

    def _begin_frame(self) -> Event | None:
        """Delimit the next frame and hold its header against the limits."""
        buffer, start = self.unread, self._position
        if len(buffer) - start < 2:
            return None
        size = header_size(buffer[start + 1])
        if len(buffer) - start < size:
            return None
        header = bytes(buffer[start : start + size])
        payload = payload_size(header)
        is_data = not header[0] & _CONTROL_BIT
        if is_data and self._exceeds(header[0], payload):
            return self._fail(1009)
        if _is_plain_control(header) and len(buffer) - start < size + payload:
            return None  # the strict reader wants it whole
        self._left = size + payload
        if self._reader is None:
            self._reader = ReferenceReader(self._inflater)
        if is_data:
            self._reader.begin_message()
        return None

    def _exceeds(self, first: int, size: int) -> bool:
        """Return whether a frame of data breaks a limit; count it."""
        limits = self._limits
        if first & 0xF != _CONTINUATION:
            self._fragments = self._wire_size = 0
            self._deflated = bool(first & RSV1)
        self._fragments += 1
        self._wire_size += size
        most = limits.message
        if self._deflated:
            # Blocks without content cost bytes and inflate to nothing.
            most += (most >> 3) + _DEFLATE_OVERHEAD
        return (
            size > limits.frame
            or self._wire_size > most
            or self._fragments > limits.fragments
        )

    def _feed(self, start: int, end: int) -> Event | None:
        """Give bytes of one frame to the reference."""
        reader = self._reader
        if reader is None:
            return None
        self._left -= end - start
        event = reader.feed(bytes(self.unread[start:end]))
        self._consume(end)
        if isinstance(event, (Closed, Failed)):
            self._end()
        elif not self._left and not reader.in_message:
            self._reader = None
        return event

    def _consume(self, position: int) -> None:
        if position >= len(self.unread):
            self.unread = b""
            self._position = 0
        else:
            self._position = position

    def _fail(self, code: int) -> Failed:
        self._end()
        return Failed(code, FAILURES[code])

    def _end(self) -> None:
        """Drop what has been received and all that was needed to read it."""
        self.ended = True
        self.unread = b""
        self._position = 0
        self._left = 0
        self._reader = None
        self._inflater = None


def _is_plain_control(header: bytes) -> bool:
    return (
        _PLAIN_CLOSE <= header[0] <= _PLAIN_PONG
        and _MASKED <= header[1] <= _MASKED + 125
    )
