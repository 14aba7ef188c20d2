"""Priorities of responses (RFC 9218), and whose turn it is to send.

A stream's turn comes by its pass: what it has sent so far, times a weight that doubles
with each step of urgency. The stream with the smallest pass sends next. The urgent ones
get most of the connection, and none gets nothing: no stream starves.
"""

from __future__ import annotations

import heapq
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .http2_engine import Stream

__all__ = ["DEFAULT_PRIORITY", "Priority", "Turns", "read_priority"]

# Urgency, and whether the client can use parts of the response.
Priority = tuple[int, bool]

# RFC 9218, 4.1. Without a word about it, responses take turns: one endless download
# must not hold back a page.
DEFAULT_PRIORITY: Final[Priority] = (3, True)

# RFC 8941, 3.2, as far as the two members need it.
_MEMBER: Final = re.compile(rb"[ \t]*(u|i)(?:=([^,;]*))?(?:;[^,]*)?[ \t]*")

# What one turn may send. Responses that are of no use in part get longer turns.
_TURN: Final = 16 * 1024
_LONG_TURN: Final = 64 * 1024


def read_priority(value: bytes) -> Priority:
    """Return the priority that a field value or a PRIORITY_UPDATE gives.

    What is malformed is ignored (RFC 9218, 5).
    """
    urgency, incremental = DEFAULT_PRIORITY[0], False
    for member in value[:256].split(b","):
        match = _MEMBER.fullmatch(member)
        if match is None:
            continue
        name, text = match[1], match[2]
        if name == b"u":
            if text is not None and len(text) == 1 and text in b"01234567":
                urgency = int(text)
        elif text in {None, b"?1"}:
            incremental = True
        elif text == b"?0":
            incremental = False
    return urgency, incremental


class Turns:
    """The streams that have something to send and a window to send it in."""

    __slots__ = ("_heap", "_pass")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Stream]] = []
        self._pass = 0

    def __bool__(self) -> bool:
        return bool(self._heap)

    def add(self, stream: Stream) -> None:
        """Let a stream wait for its turn; once is enough."""
        if not stream.is_in_turn:
            stream.is_in_turn = True
            # Who comes late has no claim to the turns before.
            stream.turn_pass = max(stream.turn_pass, self._pass)
            heapq.heappush(self._heap, (stream.turn_pass, stream.stream_id, stream))

    def next(self) -> Stream:
        """Return the stream whose turn it is; it has left the line."""
        self._pass, _, stream = heapq.heappop(self._heap)
        stream.is_in_turn = False
        return stream

    def charge(self, stream: Stream, size: int) -> None:
        """Note what a stream has sent in its turn."""
        stream.turn_pass = self._pass + (max(size, 1) << stream.urgency)


def turn_size(stream: Stream) -> int:
    """Return how many bytes a stream may send in one turn."""
    return _TURN if stream.incremental else _LONG_TURN
