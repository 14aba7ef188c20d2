"""WebSocket frames as bytes: headers and close codes (RFC 6455, 5.2 and 7.4)."""

from __future__ import annotations

import struct
from typing import Final

__all__ = [
    "BINARY",
    "CLOSE",
    "FIN",
    "PING",
    "PONG",
    "RSV1",
    "TEXT",
    "CloseCodeError",
    "close_payload",
    "encode_frame",
    "header_size",
    "is_close_code",
    "payload_size",
    "read_close",
]

# RFC 6455, 11.8
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

FIN: Final = 0x80
RSV1: Final = 0x40

# Codes that may stand in a close frame: RFC 6455, 7.4.1 and the IANA registry (1012 to
# 1014); then those of libraries and applications (7.4.2).
_STANDARD_CODES: Final = frozenset(
    {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}
)
_PRIVATE_CODES: Final = range(3000, 5000)

_MAX_CONTROL_PAYLOAD: Final = 125

_pack_header = struct.Struct(">BBH").pack
_pack_long_header = struct.Struct(">BBQ").pack

# A frame's first byte and its length: nearly all frames are short.
_SHORT_HEADERS: Final = {
    first: tuple(bytes((first, size)) for size in range(126))
    for first in (0x81, 0x82, 0xC1, 0xC2, 0x88, 0x89, 0x8A)
}


class CloseCodeError(ValueError):
    """A close code or reason that must not go on the wire."""


def is_close_code(code: int) -> bool:
    """Return whether a code may stand in a close frame."""
    return code in _STANDARD_CODES or code in _PRIVATE_CODES


def encode_frame(first: int, payload: bytes) -> bytes:
    """Return an unmasked frame.

    Args:
        first: The first byte: FIN, RSV bits and opcode.
        payload: The payload, compressed where RSV1 says so.
    """
    size = len(payload)
    if size < 126:
        return _SHORT_HEADERS[first][size] + payload
    if size < 0x10000:
        return _pack_header(first, 126, size) + payload
    return _pack_long_header(first, 127, size) + payload


def close_payload(code: int | None, reason: str) -> bytes:
    """Return the payload of a close frame; a long reason is cut between characters.

    Raises:
        CloseCodeError: The code must not go on the wire.
    """
    if code is None:
        return b""
    if not is_close_code(code):
        raise CloseCodeError(
            f"Close code {code!r}, expected 1000 to 1003, 1007 to 1014 or 3000 to 4999"
        )
    text = reason.encode()[: _MAX_CONTROL_PAYLOAD - 2]
    return code.to_bytes(2, "big") + text.decode(errors="ignore").encode()


def read_close(payload: bytes) -> tuple[int, str] | None:
    """Return code and reason of a close frame, None where they are not valid."""
    if not payload:
        return 1005, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not is_close_code(code):
        return None
    try:
        return code, payload[2:].decode()
    except UnicodeDecodeError:
        return None


def header_size(second: int) -> int:
    """Return the size of a header by its second byte, with the mask where it is set."""
    size = second & 0x7F
    masked = 4 if second & 0x80 else 0
    if size < 126:
        return 2 + masked
    return (4 if size == 126 else 10) + masked


def payload_size(header: bytes) -> int:
    """Return the size of the payload that a whole header announces."""
    size = header[1] & 0x7F
    if size < 126:
        return size
    return int.from_bytes(header[2 : 4 if size == 126 else 10], "big")
