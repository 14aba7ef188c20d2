"""Bodies in chunks, strictly (RFC 9112, 7.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .errors import ProtocolError
from .grammar import is_field_value, is_token
from .readers.gate import HeadScanner, split_head

if TYPE_CHECKING:
    from .limits import HTTP1Limits

__all__ = ["FORBIDDEN_TRAILERS", "ChunkedDecoder"]

# 16 hexadecimal digits are 2**64 bytes, more than any body.
_PLAIN_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})\r\n")
_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_QUOTED: Final = (
    rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
)
_EXTENDED_SIZE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,16})((?:;" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|" + _QUOTED +
    rb"))?)*)\r\n"
)  # fmt: skip
_MAX_SIZE_DIGITS: Final = 16

# RFC 9110, 6.5.1: framing, routing, authentication, content and control fields.
FORBIDDEN_TRAILERS: Final = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"forwarded",
        b"host",
        b"keep-alive",
        b"max-forwards",
        b"pragma",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"range",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"www-authenticate",
    }
)

_SIZE, _DATA, _DATA_END, _TRAILERS, _DONE = range(5)


class ChunkedDecoder:
    """Takes a chunked body apart.

    Attributes:
        done: Whether the last chunk and the trailers have been read.
        trailers: The trailer fields. The app never sees them among its headers.
    """

    __slots__ = (
        "_body_size",
        "_extensions",
        "_limits",
        "_overhead",
        "_remaining",
        "_scanner",
        "_state",
        "trailers",
    )

    def __init__(self, limits: HTTP1Limits) -> None:
        self._limits = limits
        self._state = _SIZE
        self._remaining = 0
        self._extensions = 0
        self._overhead = 0
        self._body_size = 0
        self._scanner: HeadScanner | None = None
        self.trailers: list[tuple[bytes, bytes]] = []

    @property
    def done(self) -> bool:
        """Whether the body is complete."""
        return self._state == _DONE

    def decode(self, data: bytes | bytearray, position: int) -> tuple[bytes, int]:
        """Return the body bytes from `position` on, and the position after them.

        Raises:
            ProtocolError: The chunks are malformed or over a limit.
        """
        parts: list[bytes | bytearray] = []
        end = len(data)
        while position < end and self._state != _DONE:
            if self._state == _DATA:
                stop = min(position + self._remaining, end)
                parts.append(data[position:stop])
                self._remaining -= stop - position
                position = stop
                if not self._remaining:
                    self._state = _DATA_END
                continue
            before = position
            if self._state == _SIZE:
                position = self._read_size(data, position)
            elif self._state == _DATA_END:
                position = self._read_data_end(data, position)
            else:
                position = self._read_trailers(data, position)
            if position == before:
                break
        if len(parts) == 1:
            return bytes(parts[0]), position
        return b"".join(parts), position

    def _read_size(self, data: bytes | bytearray, position: int) -> int:
        match = _PLAIN_SIZE.match(data, position)
        if match is None:
            match = self._match_extended(data, position)
            if match is None:
                return position
        size = int(match[1], 16)
        self._body_size += size
        self._overhead += match.end() - position + 2
        if self._overhead > self._limits.chunk_overhead + self._body_size:
            raise ProtocolError("too many tiny chunks")
        self._remaining = size
        self._state = _DATA if size else _TRAILERS
        return match.end()

    def _match_extended(
        self, data: bytes | bytearray, position: int
    ) -> re.Match[bytes] | None:
        """Match a size line with extensions, None while it is incomplete."""
        room = self._limits.chunk_extensions - self._extensions
        longest = _MAX_SIZE_DIGITS + room
        newline = data.find(b"\n", position, position + longest + 2)
        if newline < 0:
            if len(data) - position >= longest + 2:
                raise ProtocolError("chunk extensions over the limit")
            return None
        match = _EXTENDED_SIZE.fullmatch(data, position, newline + 1)
        if match is None:
            raise ProtocolError("a malformed chunk size")
        self._extensions += len(match[2])
        if self._extensions > self._limits.chunk_extensions:
            raise ProtocolError("chunk extensions over the limit")
        return match

    def _read_data_end(self, data: bytes | bytearray, position: int) -> int:
        mark = data[position : position + 2]
        if mark == b"\r\n":
            self._state = _SIZE
            return position + 2
        if mark != b"\r":
            raise ProtocolError("a chunk that is longer than its size says")
        return position

    def _read_trailers(self, data: bytes | bytearray, position: int) -> int:
        if self._scanner is None:
            self._scanner = HeadScanner(self._limits, has_request_line=False)
        rest = data[position:] if position else data
        length = self._scanner.scan(rest)
        if length is None:
            return position
        if length > 2:
            lines = split_head(bytes(rest[: length - 4]))
            self.trailers = [_read_trailer(line) for line in lines]
        self._state = _DONE
        return position + length


def _read_trailer(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    name, value = name.lower(), value.strip(b" \t")
    if not colon or not is_token(name) or not is_field_value(value):
        raise ProtocolError("a malformed trailer field")
    if name in FORBIDDEN_TRAILERS:
        raise ProtocolError("a trailer field that must not be one")
    return name, value
