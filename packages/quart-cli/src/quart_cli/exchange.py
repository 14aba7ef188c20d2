"""A request or WebSocket as the development server sees it: its line, its body."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import click
from quart_core.debug.development import (
    DEVELOPMENT_EXTENSION,
    Development,
    development_of,
)
from quart_core.debug.kept import MAX_BODY_BYTES
from quart_core.user_code import printable

__all__ = ("Exchange", "request_line")

MAX_PATH_CHARACTERS: Final = 200
"""Characters shown of a path."""

_STATUS_COLOURS: Final = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}
_LEFT: Final = 0
_SWITCHED: Final = 101

# Any: ASGI's messages and scopes.
_Message = dict[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class Exchange:
    """A request or WebSocket, watched on its way in and out.

    Attributes:
        scope: Its ASGI scope, with what the debug page is told.
        development: What that is.
        failures: Texts of its exceptions.
    """

    def __init__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        self.development = development_of(scope) or Development()
        extensions = {
            **(scope.get("extensions") or {}),
            DEVELOPMENT_EXTENSION: self.development,
        }
        self.scope = {**scope, "extensions": extensions}
        self.failures: list[str] = []
        self._receive = receive
        self._send = send
        self._status = _LEFT
        self._size = 0
        self._body: list[bytes] | None = []
        self._body_size = 0
        self._began = time.perf_counter()

    async def receive(self) -> _Message:
        """Receive a message; a short body is remembered."""
        message = await self._receive()
        if message["type"] == "http.request" and self._body is not None:
            part = bytes(message.get("body", b""))
            self._body_size += len(part)
            self._body.append(part)
            if self._body_size > MAX_BODY_BYTES:
                self._body = None
        return message

    async def send(self, message: _Message) -> None:
        """Send a message on."""
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self._status = message["status"]
        elif kind == "http.response.body":
            self._size += len(message.get("body", b""))
        elif kind == "websocket.accept":
            self._status = _SWITCHED
        elif kind == "websocket.close" and self._status == _LEFT:
            self._status = 403
        await self._send(message)

    def body(self) -> bytes | None:
        """Return as much of the body as was received, None if it is long."""
        return None if self._body is None else b"".join(self._body)

    def line(self) -> str:
        """Return the line that is printed of it."""
        seconds = time.perf_counter() - self._began
        method = self.scope.get("method", "WS")
        path = self.scope["path"]
        return request_line(self._status, method, path, seconds, self._size)


def request_line(status: int, method: str, path: str, seconds: float, size: int) -> str:
    """Return the line of a request, coloured by its status.

    Args:
        status: Its status, 0 if the client left before there was one.
        method: Its method, ``WS`` for a WebSocket.
        path: Its path.
        seconds: How long it took.
        size: How many bytes the body had.
    """
    # A line stays a line, whatever a client puts into its path.
    shown = printable(path[:MAX_PATH_CHARACTERS])
    shown = shown.replace("\n", "\\n").replace("\t", "\\t")
    colour = _STATUS_COLOURS.get(status // 100)
    code = click.style(str(status) if status else "  -", fg=colour)
    line = (
        f"{time.strftime('%H:%M:%S')}  {code}  {method:<4} {shown:<10} "
        f"{seconds * 1000:6.1f} ms"
    )
    return f"{line} {size:>4} B" if size else line
