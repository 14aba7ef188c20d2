"""How a websocket ended, and the one exception that tells a handler so."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from quart_core.wrappers.base import ClientDisconnectedError

__all__ = (
    "ClosedBy",
    "Closure",
    "WebsocketDisconnectedError",
    "without_disconnects",
)

#: Who ended a websocket: its client, this application, or the server at its shutdown.
ClosedBy = Literal["client", "application", "server"]


class Closure(NamedTuple):
    """The end of a websocket.

    Attributes:
        code: The close code (RFC 6455, 7.4.1): 1005 where the client gave none, 1006
            where the connection broke without a close.
        reason: The text that came with the code.
        closed_by: Who ended it.
    """

    code: int
    reason: str
    closed_by: ClosedBy


class WebsocketDisconnectedError(ClientDisconnectedError):
    """The websocket has ended: nothing more can be received or sent.

    Raised by `receive`, after every message that had arrived was given out, and by
    `send`. It is a cancellation (`asyncio.CancelledError`), as there is nobody left to
    serve: `except Exception` does not catch it, nothing is logged, no error handler
    sees it, and a handler that lets it pass has ended properly.

    Attributes:
        code: The close code (RFC 6455, 7.4.1).
        reason: The text that came with the code.
        closed_by: Who ended it: `client`, `application` or `server`.
    """

    def __init__(
        self, code: int = 1006, reason: str = "", closed_by: ClosedBy = "client"
    ) -> None:
        super().__init__(code, reason, closed_by)
        self.code = code
        self.reason = reason
        self.closed_by = closed_by

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"the websocket was closed by the {self.closed_by}: {self.code}{reason}"


# Any: groups hold exceptions of all types.
def without_disconnects(group: BaseExceptionGroup[Any]) -> BaseException:
    """Return what a group of exceptions is about, the client's leaving apart.

    Before Python 3.12 an `asyncio.TaskGroup` wraps the exception of its block unless
    it is exactly a CancelledError, later it raises a cancellation as it is.

    Returns:
        The group without the ends of websockets; where nothing else is in it, one of
        these; where none is in it, the group.
    """
    ends, others = group.split(WebsocketDisconnectedError)
    if ends is None:
        return group
    return _first_leaf(ends) if others is None else others


def _first_leaf(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
