"""Deflation of messages, and inflation that cannot be made to fill the memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .websocket_extensions import Deflate
    from .websocket_limits import WebsocketLimits

__all__ = ["Deflater", "InflateError", "Inflater"]

# RFC 7692, 7.2.1: senders leave it away, receivers add it.
_TAIL: Final = b"\x00\x00\xff\xff"

# Half of zlib's memory for its tables; messages are short.
_MEMORY_LEVEL: Final = 5

# Bytes that are inflated, or come out of it, at a time.
_STEP: Final = 32 * 1024

# Up to here any ratio is fine: a message sent twice is a reference of a few bytes.
_RATIO_FLOOR: Final = 128 * 1024


class InflateError(Exception):
    """A message that does not inflate (1007) or inflates too far (1009)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Deflater:
    """Compresses what the server sends."""

    __slots__ = ("_agreed", "_compressor")

    def __init__(self, agreed: Deflate) -> None:
        self._agreed = agreed
        self._compressor: zlib._Compress | None = None

    def deflate(self, data: bytes) -> bytes:
        """Return the payload of one whole message that is not empty."""
        compressor = self._compressor
        if compressor is None:
            compressor = zlib.compressobj(
                wbits=-self._agreed.server_bits, memLevel=_MEMORY_LEVEL
            )
        payload = compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)
        self._compressor = compressor if self._agreed.server_takeover else None
        return payload[:-4]


class Inflater:
    """Inflates what the client sends, message after message."""

    __slots__ = (
        "_agreed",
        "_decompressor",
        "_ended",
        "_max_ratio",
        "_max_size",
        "_rest",
        "_size",
        "_wire_size",
    )

    def __init__(self, agreed: Deflate, limits: WebsocketLimits) -> None:
        self._agreed = agreed
        self._max_size = limits.message
        self._max_ratio = limits.inflate_ratio
        self._decompressor: zlib._Decompress | None = None
        self._size = 0
        self._wire_size = 0
        self._ended = False
        self._rest = b""

    def inflate(self, data: bytes, *, last: bool) -> bytes:
        """Return what a piece of a message inflates to.

        Args:
            data: Payload as received.
            last: Whether the message ends with it.

        Raises:
            InflateError: The message is malformed or over a limit.
        """
        self._wire_size += len(data)
        try:
            inflated = self._inflate(data, _TAIL if last else b"")
        except zlib.error:
            raise InflateError(1007, "a message that does not inflate") from None
        if last:
            self._end_message()
        return inflated

    def _inflate(self, data: bytes, tail: bytes) -> bytes:
        """Inflate in steps, so that a bomb is noticed before it has the memory."""
        allowed = min(self._max_ratio * self._wire_size, self._max_size)
        room = max(allowed, min(_RATIO_FLOOR, self._max_size)) - self._size
        if len(data) < _STEP:
            pieces = self._inflate_step(data + tail, room)
        else:
            view = memoryview(data)
            pieces = []
            for start in range(0, len(data), _STEP):
                step = self._inflate_step(view[start : start + _STEP], room)
                room -= sum(map(len, step))
                pieces += step
            pieces += self._inflate_step(tail, room)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _inflate_step(self, data: bytes | memoryview, room: int) -> list[bytes]:
        """Return what a short piece inflates to, itself in short pieces."""
        if self._ended:
            self._take_rest(bytes(data))
            return []
        decompressor = self._decompressor
        if decompressor is None:
            decompressor = zlib.decompressobj(-self._agreed.client_bits)
            self._decompressor = decompressor
        pieces: list[bytes] = []
        while True:
            piece = decompressor.decompress(data, _STEP)
            room -= len(piece)
            if room < 0:
                raise InflateError(1009, "a message that inflates too far")
            self._size += len(piece)
            pieces.append(piece)
            data = decompressor.unconsumed_tail
            # A full piece may have left output behind, even with all input read.
            if not data and len(piece) < _STEP:
                break
        if decompressor.eof:
            self._ended = True
            self._take_rest(decompressor.unused_data)
        return pieces

    def _take_rest(self, data: bytes) -> None:
        """Hold what follows a final block: at most an empty one (RFC 7692, 7.2.3.5)."""
        self._rest += data
        if len(self._rest) > 1 + len(_TAIL):
            raise InflateError(1007, "a message that goes on after its end")

    def _end_message(self) -> None:
        if self._ended and self._rest not in {_TAIL, b"\x00" + _TAIL}:
            raise InflateError(1007, "a message that goes on after its end")
        if self._ended or not self._agreed.client_takeover:
            self._decompressor = None
        self._size = 0
        self._wire_size = 0
        self._ended = False
        self._rest = b""
