"""What ``quart dev`` prints: a line for each request, and exceptions below it."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import click
from quart_core.debug import format_error
from quart_core.user_code import printable

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("DevConsole", "request_line")

MAX_PATH_CHARACTERS: Final = 200
"""Characters shown of a path."""

_STATUS_COLOURS: Final = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}
_LEFT: Final = 0
_SWITCHED: Final = 101

# Any: ASGI's messages and scopes.
_Message = dict[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_failures: ContextVar[list[str] | None] = ContextVar("quart_cli_failures", default=None)


class DevConsole(logging.Filter):
    """An ASGI app around the application, which prints what it does.

    As a filter of the application's logger it takes over the exceptions of requests,
    to print them below their line.

    Args:
        app: The application.
    """

    def __init__(self, app: Quart) -> None:
        super().__init__()
        self._app = app
        app.logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep back the exception of a request that is being served."""
        failures = _failures.get()
        error = record.exc_info[1] if record.exc_info else None
        if failures is None or error is None or record.levelno < logging.ERROR:
            return True
        if not str(record.msg).startswith("Exception on "):
            return True
        failures.append(format_error(error))
        return False

    async def __call__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        """Serve a request or WebSocket and print its line."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, send)
        failures: list[str] = []
        token = _failures.set(failures)
        try:
            await self._app(scope, receive, exchange.send)
        finally:
            _failures.reset(token)
            click.echo(exchange.line())
            for text in failures:
                click.echo(text)
            sys.stdout.flush()


class _Exchange:
    """A request or WebSocket, watched on its way out."""

    def __init__(self, scope: Any, send: _Send) -> None:
        self._scope = scope
        self._send = send
        self._status = _LEFT
        self._size = 0
        self._began = time.perf_counter()

    async def send(self, message: _Message) -> None:
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

    def line(self) -> str:
        seconds = time.perf_counter() - self._began
        method = self._scope.get("method", "WS")
        path = self._scope["path"]
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
