"""What ``quart dev`` prints: a line for each request, and exceptions below it."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from quart_core.debug.kept import KeptError, keep_error
from quart_core.debug.terminal import format_error

from .dev_pages import ERROR_PATH
from .error_store import ErrorStore
from .exchange import Exchange

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("DevConsole",)

# Any: ASGI's messages and scopes.
_Message = dict[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]

_current: ContextVar[Exchange | None] = ContextVar("quart_cli_exchange", default=None)


class DevConsole(logging.Filter):
    """An ASGI app around the application, which prints what it does.

    As a filter of the application's logger it takes over the exceptions of requests,
    to print them below their line and to keep them.

    Args:
        app: The application.
        url: Where it is served.
        target: The application as ``--app`` takes it.
        store: Keeps exceptions.
    """

    def __init__(
        self,
        app: Quart,
        *,
        url: str = "",
        target: str = "app",
        store: ErrorStore | None = None,
    ) -> None:
        super().__init__()
        self._app = app
        # Any: the scope is whatever the server has made it.
        self._serve: Callable[..., Awaitable[None]] = app
        self._url = url
        self._target = target
        self._store = store
        app.logger.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep back the exception of a request that is being served."""
        exchange = _current.get()
        error = record.exc_info[1] if record.exc_info else None
        if exchange is None or error is None or record.levelno < logging.ERROR:
            return True
        if not str(record.msg).startswith("Exception on "):
            return True
        exchange.failures.append(self._keep(exchange, error))
        return False

    async def __call__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        """Serve a request or WebSocket and print its line."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send)
        token = _current.set(exchange)
        try:
            await self._serve(exchange.scope, exchange.receive, exchange.send)
        finally:
            _current.reset(token)
            click.echo(exchange.line())
            for text in exchange.failures:
                click.echo(text)
            sys.stdout.flush()

    def _keep(self, exchange: Exchange, error: BaseException) -> str:
        """Keep an exception if that is possible; return what is printed of it."""
        if self._store is None:
            return format_error(error)
        try:
            number = self._store.reserve()
            kept = self._describe(exchange, error, number)
            self._store.write(number, _entry(exchange, kept, self._target))
        except OSError as problem:
            exchange.development.error_path = exchange.development.test_command = ""
            return f"{format_error(error)}\n    not kept: {problem}"
        link = f"    {self._url}{exchange.development.error_path}"
        command = exchange.development.test_command
        return f"{kept.text}\n{link}{f'     test: {command}' if command else ''}"

    def _describe(
        self, exchange: Exchange, error: BaseException, number: int
    ) -> KeptError:
        development = exchange.development
        development.error_path = f"{ERROR_PATH}{number}"
        if exchange.scope["type"] == "http":
            development.test_command = f"quart error {number} --pytest"
        return keep_error(
            self._app,
            exchange.scope,
            error,
            development=development,
            body=exchange.body(),
        )


# Any: JSON.
def _entry(exchange: Exchange, kept: KeptError, target: str) -> dict[str, Any]:
    request = kept.request
    url = urlsplit(request.url)
    return {
        "app": target,
        "time": time.strftime("%Y-%m-%d %H:%M:%S"),
        "kind": exchange.scope["type"],
        "method": request.method if exchange.scope["type"] == "http" else "WS",
        "path": request.path,
        "target": f"{url.path}?{url.query}" if url.query else url.path,
        "headers": [list(pair) for pair in request.headers],
        "has_body": request.has_body,
        "body": kept.body,
        "summary": kept.summary,
        "place": kept.place,
        "text": kept.text,
        "page": kept.page,
        "nonce": kept.nonce,
    }
