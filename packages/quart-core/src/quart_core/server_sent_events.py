"""Server-sent events, written as the HTML standard says (9.2.5 and 9.2.6).

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

An event is a block of lines, ended by an empty one; `EventStreamResponse` sends them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from .json import dumps as default_dumps

__all__ = ("ServerSentEvent",)

# Any: whatever JSON can hold, with the ellipsis for "not given", as None is null.
_NO_JSON: Final[Any] = ...


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    r"""An event for a browser's `EventSource`.

    ::

        ServerSentEvent("5 new messages")
        ServerSentEvent(json={"new": 5}, event="messages", id=17)

    Args:
        data: Text. CRLF, CR and LF all arrive as a newline, and nothing else does.
        json: A value to send as JSON text, in place of `data`.
        event: The type that listeners are added for; the browser's is ``message``.
        id: What a browser that reconnects sends as Last-Event-ID; an empty one makes
            it forget the last. A number is sent as its digits.
        retry: Milliseconds that the browser is to wait before it reconnects.
        comment: Text that the browser skips.

    Raises:
        ValueError: A value would break the stream, or the browser would drop the event.
        TypeError: A value is of the wrong type.
    """

    data: str | None = None
    json: Any = field(default=_NO_JSON, kw_only=True)  # whatever JSON can hold
    event: str | None = field(default=None, kw_only=True)
    id: str | int | None = field(default=None, kw_only=True)
    retry: int | None = field(default=None, kw_only=True)
    comment: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        _check_text("data", self.data, "; give values as json=")
        _check_text("comment", self.comment)
        _check_line("event", self.event)
        _check_id(self.id)
        check_retry(self.retry)
        if self.data is not None and self.json is not _NO_JSON:
            raise ValueError("An event has data or json, not both.")
        if self._has_data():
            return
        if self.event is not None:
            raise ValueError(
                f"The event {self.event!r} has no data, so browsers would drop it: "
                "give it data, be it empty."
            )
        if self.id is None and self.retry is None and self.comment is None:
            raise ValueError(
                "The event is empty: give it data, json, id, retry or comment."
            )

    # Any: JSON holds values of any type.
    def encode(self, dumps: Callable[[Any], str] = default_dumps) -> bytes:
        """Return the event as it is sent.

        Args:
            dumps: Writes `json`; by default as the current app does.

        Raises:
            TypeError: The value cannot be written as JSON.
        """
        lines: list[str] = []
        if self.comment is not None:
            lines += [f": {line}" for line in _lines(self.comment)]
        if self.event is not None:
            lines.append(f"event: {self.event}")
        if self.id is not None:
            lines.append(f"id: {self.id}")
        if self.retry is not None:
            lines.append(f"retry: {self.retry}")
        if self._has_data():
            text = dumps(self.json) if self.data is None else self.data
            lines += [f"data: {line}" for line in _lines(text)]
        return ("\n".join(lines) + "\n\n").encode()

    def _has_data(self) -> bool:
        return self.data is not None or self.json is not _NO_JSON


def _lines(text: str) -> list[str]:
    """Split text where the standard does; str.splitlines knows more ends of lines."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _check_text(name: str, value: object, advice: str = "") -> None:
    if value is not None and not isinstance(value, str):
        raise TypeError(
            f"{name} of a server-sent event is text, not {value!r} of type "
            f"{type(value).__name__}{advice}"
        )


def _check_line(name: str, value: str | None) -> None:
    _check_text(name, value)
    if value is not None and ("\n" in value or "\r" in value):
        raise ValueError(
            f"{name} of a server-sent event is a single line, not {value!r}"
        )


def _check_id(value: object) -> None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return
    if not isinstance(value, str):
        raise TypeError(
            f"id of a server-sent event is text or a number, not {value!r} of type "
            f"{type(value).__name__}"
        )
    _check_line("id", value)
    if "\0" in value:
        raise ValueError(
            f"id of a server-sent event has no NUL, or browsers would ignore it; got "
            f"{value!r}"
        )


def check_retry(value: object) -> None:
    """Check a reconnection time.

    Raises:
        TypeError: It is no whole number.
        ValueError: It is negative.
    """
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"retry is a whole number of milliseconds, not {value!r}")
    if value < 0:
        raise ValueError(f"retry is a number of milliseconds from 0, not {value!r}")
