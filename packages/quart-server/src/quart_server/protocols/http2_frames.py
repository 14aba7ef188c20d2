"""Frames on the wire: lengths checked before anything is held (RFC 9113, 4).

hyperframe makes and reads the frames; here they are only delimited. The two frames
that nearly everything consists of, HEADERS and DATA without padding or priority, are
packed by hand: their payload is the whole of them.
"""

from __future__ import annotations

import struct
from typing import Final

from .http2_errors import ConnectionFailed, ErrorCodes

__all__ = [
    "ACK",
    "CONTINUATION",
    "DATA",
    "END_HEADERS",
    "END_STREAM",
    "GOAWAY",
    "HEADERS",
    "PADDED",
    "PING",
    "PREFACE",
    "PRIORITY",
    "PRIORITY_FLAG",
    "PRIORITY_UPDATE",
    "PUSH_PROMISE",
    "RST_STREAM",
    "SETTINGS",
    "WINDOW_UPDATE",
    "FrameReader",
    "RawFrame",
    "pack_block",
    "pack_data",
]

DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9
PRIORITY_UPDATE: Final = 0x10  # RFC 9218, 7.1

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY_FLAG: Final = 0x20

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_HEADER: Final = struct.Struct(">LBL")
_HEADER_SIZE: Final = 9

# Frames that have one length only. That of PRIORITY is the affair of its stream.
_FIXED: Final = {RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}

# Kind, flags, stream, payload.
RawFrame = tuple[int, int, int, bytes]


class FrameReader:
    """Delimits frames, whatever the segments they come in.

    A frame that is too long is refused by its header, before its payload is held.
    """

    __slots__ = ("_data", "_limit", "_needed", "_offset", "_partial", "_preface")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = b""
        self._offset = 0
        self._partial = bytearray()
        self._needed = _HEADER_SIZE
        self._preface = PREFACE

    def receive_data(self, data: bytes) -> None:
        """Take bytes.

        Raises:
            ConnectionFailed: They do not begin with the preface of HTTP/2.
        """
        if self._preface:
            data = self._take_preface(data)
        if self._partial:
            self._partial += data
            if len(self._partial) < self._needed:
                self._data = b""
                self._offset = 0
                return
            data = bytes(self._partial)
            self._partial.clear()
        self._data = data
        self._offset = 0

    def next_frame(self) -> RawFrame | None:
        """Return the next frame, None when more bytes are needed.

        Raises:
            ConnectionFailed: It has a length that it must not have.
        """
        data, offset = self._data, self._offset
        available = len(data) - offset
        if available < _HEADER_SIZE:
            if available:
                self._keep(_HEADER_SIZE)
            self._data = b""
            self._offset = 0
            return None
        word, flags, stream_id = _HEADER.unpack_from(data, offset)
        kind, length = word & 0xFF, word >> 8
        size = length + _HEADER_SIZE
        if length > self._limit or kind in _FIXED:
            self._check_length(kind, length)
        if available < size:
            if available:
                self._keep(size)
            return None
        end = offset + size
        self._offset = end
        # RFC 9113, 4.1: the reserved bit is ignored.
        return kind, flags, stream_id & 0x7FFFFFFF, data[offset + _HEADER_SIZE : end]

    @property
    def has_preface(self) -> bool:
        """Whether the whole preface has come."""
        return not self._preface

    @property
    def is_partial(self) -> bool:
        """Whether a frame is incomplete."""
        return bool(self._partial)

    @property
    def partial_kind(self) -> int | None:
        """The kind of the frame that is incomplete, -1 when not known, else None."""
        if not self._partial:
            return None
        return self._partial[3] if len(self._partial) > 3 else -1

    @property
    def partial_stream(self) -> int:
        """The stream of the frame that is incomplete, 0 when not known."""
        if len(self._partial) < _HEADER_SIZE:
            return 0
        return int.from_bytes(self._partial[5:9]) & 0x7FFFFFFF

    def close(self) -> None:
        """Drop what has been received."""
        self._data = b""
        self._offset = 0
        self._partial.clear()

    def _take_preface(self, data: bytes) -> bytes:
        part = data[: len(self._preface)]
        if not self._preface.startswith(part):
            raise ConnectionFailed(
                ErrorCodes.PROTOCOL_ERROR, "no HTTP/2 connection preface"
            )
        self._preface = self._preface[len(part) :]
        return data[len(part) :]

    def _keep(self, needed: int) -> None:
        """Hold an incomplete frame."""
        self._partial += memoryview(self._data)[self._offset :]
        self._needed = needed
        self._data = b""
        self._offset = 0

    def _check_length(self, kind: int, length: int) -> None:
        if length > self._limit or _FIXED.get(kind, length) != length:
            raise ConnectionFailed(
                ErrorCodes.FRAME_SIZE_ERROR, f"a frame {kind} of {length} bytes"
            )


def pack_block(stream_id: int, flags: int, block: bytes, limit: int) -> bytes:
    """Return HEADERS with a header block, continued in frames of at most `limit`."""
    size = len(block)
    if size <= limit:
        return _HEADER.pack(size << 8 | HEADERS, flags | END_HEADERS, stream_id) + block
    parts = [_HEADER.pack(limit << 8 | HEADERS, flags, stream_id), block[:limit]]
    parts += pack_continuations(stream_id, block[limit:], limit)
    return b"".join(parts)


def pack_continuations(stream_id: int, block: bytes, limit: int) -> list[bytes]:
    """Return the rest of a header block in CONTINUATION frames."""
    parts: list[bytes] = []
    while block:
        piece, block = block[:limit], block[limit:]
        flags = 0 if block else END_HEADERS
        word = len(piece) << 8 | CONTINUATION
        parts += (_HEADER.pack(word, flags, stream_id), piece)
    return parts


def pack_data(stream_id: int, size: int, *, end: bool) -> bytes:
    """Return the header of a DATA frame; its payload follows."""
    return _HEADER.pack(size << 8, 1 if end else 0, stream_id)
