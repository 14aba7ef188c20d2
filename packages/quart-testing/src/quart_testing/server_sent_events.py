"""Server-sent events, parsed as the HTML standard says (9.2.6).

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

Bytes in, events out; nothing here waits.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ("EventStreamParser", "ServerSentEvent")

#: Digits of a reconnection time; more are no time anybody waits for.
MAX_RETRY_DIGITS: Final = 15


@dataclass(frozen=True)
class ServerSentEvent:
    """An event as a browser's `EventSource` gets it.

    Attributes:
        data: The text, lines joined with a newline.
        event: The type, ``message`` where the stream names none.
        id: The last event id so far, which the browser sends when it reconnects.
        retry: The reconnection time so far in milliseconds, None if none was sent.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


class EventStreamParser:
    """Turns the bytes of a stream into events.

    Attributes:
        last_event_id: The id that a reconnecting client would send.
        retry: The reconnection time in milliseconds, None if none was sent.
    """

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._is_begun = False
        self._ends_in_return = False
        self._data: list[str] = []
        self._type = ""
        self._id: str | None = None

    def feed(self, data: bytes) -> Iterator[ServerSentEvent]:
        """Take bytes and yield the events that are complete with them."""
        for line in self._lines(self._decoder.decode(data)):
            event = self._take_line(line)
            if event is not None:
                yield event

    def _lines(self, text: str) -> Iterator[str]:
        """Yield complete lines; they end in CRLF, LF or CR."""
        if text and not self._is_begun:
            self._is_begun = True
            text = text.removeprefix("\ufeff")
        if self._ends_in_return and text:
            # The CR ended its line already; an LF after it belongs to it.
            text = text.removeprefix("\n")
            self._ends_in_return = False
        if not text:
            return
        self._ends_in_return = text.endswith("\r")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        *lines, self._text = (self._text + text).split("\n")
        yield from lines

    def _take_line(self, line: str) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        # A line that begins with a colon is a comment: its field has no name.
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._type = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and _is_number(value):
            self.retry = int(value)
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        if self._id is not None:
            self.last_event_id = self._id
        lines, self._data = self._data, []
        kind, self._type = self._type, ""
        data = "\n".join(lines)
        # A block without any field "data" is no event; one empty field is one.
        if not lines:
            return None
        return ServerSentEvent(data, kind or "message", self.last_event_id, self.retry)


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= MAX_RETRY_DIGITS
