"""How a websocket ended, and the one exception that tells a handler so."""

from __future__ import annotations

from typing import Literal, NamedTuple

from quart_core.wrappers.base import ClientDisconnectedError

__all__ = ("ClosedBy", "Closure", "WebsocketDisconnectedError")

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
