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

# Up to here any ratio is fine: a message sent twice is a reference of a few bytes.
_RATIO_FLOOR: Final = 64 * 1024


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
        if last:
            data += _TAIL
        try:
            inflated = self._inflate(data)
        except zlib.error:
            raise InflateError(1007, "a message that does not inflate") from None
        if last:
            self._end_message()
        return inflated

    def _inflate(self, data: bytes) -> bytes:
        if self._ended:
            self._take_rest(data)
            return b""
        if self._decompressor is None:
            self._decompressor = zlib.decompressobj(-self._agreed.client_bits)
        allowed = max(_RATIO_FLOOR, self._max_ratio * self._wire_size)
        room = min(allowed, self._max_size) - self._size
        inflated = self._decompressor.decompress(data, room + 1)
        if len(inflated) > room:
            raise InflateError(1009, "a message that inflates too far")
        self._size += len(inflated)
        if self._decompressor.eof:
            self._ended = True
            self._take_rest(self._decompressor.unused_data)
        return inflated

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
