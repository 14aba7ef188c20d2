"""The gate: delimits heads and holds them to our limits, before any parser sees them.

The verdict depends on the bytes alone, never on how they were cut into segments: what
counts is the first byte at which a rule is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.grammar import CONTROLS

if TYPE_CHECKING:
    from quart_server.protocols.limits import HTTP1Limits

__all__ = ["HeadScanner", "split_head"]


class HeadScanner:
    """Follows a head that arrives in pieces, looking at each byte once."""

    __slots__ = ("_count", "_limits", "_line_start", "position")

    def __init__(self, limits: HTTP1Limits, *, has_request_line: bool = True) -> None:
        self._limits = limits
        self.position = 0
        self._line_start = 0
        self._count = 0 if has_request_line else 1

    def scan(self, head: bytes | bytearray) -> int | None:
        """Look at what has arrived since the last call.

        Args:
            head: All bytes from the first byte of the request line on.

        Returns:
            The length of the head with its empty line, None while it is incomplete.

        Raises:
            ProtocolError: A line ends without CR, or a limit is exceeded.
        """
        while True:
            newline = head.find(b"\n", self.position)
            if newline < 0:
                self._check_line(len(head) - (head[-1:] == b"\r"))
                self.position = len(head)
                return None
            carriage_return = newline - 1
            is_bare = carriage_return < 0 or head[carriage_return] != 0x0D
            self._check_line(newline if is_bare else carriage_return)
            if is_bare:
                raise ProtocolError("a line end without CR")
            if carriage_return == self._line_start:
                return newline + 1
            self._line_start = self.position = newline + 1
            self._count += 1

    def _check_line(self, end: int) -> None:
        """Check the limits over the head up to `end`, a place within a line."""
        limits = self._limits
        length = end - self._line_start
        if self._count == 0:
            if length > limits.request_line:
                raise ProtocolError("a request line over the limit", 414)
            return
        if length > limits.field:
            raise ProtocolError("a header field over the limit", 431)
        if end > limits.head:
            raise ProtocolError("a head over the limit", 431)
        if self._count > limits.fields and length:
            raise ProtocolError("more header fields than the limit", 431)


def split_head(block: bytes) -> list[bytes]:
    """Return the lines of a complete head.

    Raises:
        ProtocolError: It has a bare CR, a control character or a folded line.
    """
    lines = block.split(b"\r\n")
    if block.count(b"\r") != len(lines) - 1 or block.count(b"\n") != len(lines) - 1:
        raise ProtocolError("a CR or LF on its own")
    if len(block.translate(None, CONTROLS)) != len(block):
        raise ProtocolError("a control character")
    for line in lines:
        # RFC 9112, 5.2: folded lines are refused.
        if line[:1] in {b" ", b"\t"}:
            raise ProtocolError("a folded line")
    return lines
