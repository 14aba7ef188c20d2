"""Reloading the page in the browser when the application is reloaded.

A small script is added to whole HTML pages. It holds a WebSocket to this process, which
sends what it is; when it ends, the script connects anew and waits, as every client
does, until the next process answers. That is another one, so the page is loaded anew.

A response is touched only where nothing else can change by it: a page that a browser
navigated to, whole, in one piece, not encoded, without a checksum, allowed by its own
Content-Security-Policy.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import click
from quart_core.debug.development import DEVELOPMENT_EXTENSION, Development
from quart_core.user_code import printable
from werkzeug.http import parse_options_header

from .content_policy import script_attributes

__all__ = ("SCRIPT_PATH", "BrowserReload")

SCRIPT_PATH: Final = "/_quart/reload.js"
SOCKET_PATH: Final = "/_quart/reload"

_SCRIPT: Final = Path(__file__).with_name("browser_reload.js")
_ASCII_LIKE: Final = ("utf-8", "us-ascii", "iso-8859-", "windows-125")
_UNTOUCHED: Final = frozenset(
    b"content-encoding content-range content-md5 digest trailer content-digest "
    b"repr-digest signature transfer-encoding".split()
)
_PAGES: Final = (b"<!doctype html", b"<html")
_BEGINNING: Final = 1_000
"""Bytes of a document in which its type must stand."""

# Any: ASGI's messages and scopes.
_Message = dict[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class BrowserReload:
    """An ASGI app around another, whose pages it makes reload.

    Args:
        app: The ASGI app.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app
        self._run = secrets.token_hex(8)
        self._has_told = False

    async def __call__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        """Answer the script, or let the app answer."""
        if scope["type"] == "websocket" and scope["path"] == SOCKET_PATH:
            await self._hold(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == SCRIPT_PATH:
            await _send_script(scope, send)
        elif scope["type"] == "http" and _is_navigation(scope):
            page = _Page(send, self._tag)
            await self._app(_connecting(scope), receive, page.send)
        else:
            await self._app(scope, receive, send)

    async def _hold(self, scope: Any, receive: _Receive, send: _Send) -> None:
        """Tell a page which process this is, and keep the connection."""
        await receive()
        if not _is_own_page(scope):
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": self._run})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    def _tag(self, policies: list[str]) -> bytes:
        attributes = script_attributes(policies)
        if attributes is not None:
            source = f"{SCRIPT_PATH}?{self._run}"
            return f'<script src="{source}"{attributes} async></script>\n'.encode()
        if not self._has_told:
            self._has_told = True
            click.echo(
                printable(
                    "The browser does not reload by itself: the page's Content-"
                    "Security-Policy needs 'self' in script-src and connect-src"
                )
            )
        return b""


class _Page:
    """A response on its way out, kept back until it is known to be a whole page."""

    def __init__(self, send: _Send, tag: Callable[[list[str]], bytes]) -> None:
        self._send = send
        self._tag = tag
        self._start: _Message | None = None

    async def send(self, message: _Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if message["type"] == "http.response.body":
                start, message = self._with_script(start, message)
            await self._send(start)
        await self._send(message)

    def _with_script(
        self, start: _Message, message: _Message
    ) -> tuple[_Message, _Message]:
        body = bytes(message.get("body", b""))
        head = body[:_BEGINNING].lower()
        if message.get("more_body") or not any(mark in head for mark in _PAGES):
            return start, message
        headers = [(name.lower(), value) for name, value in start["headers"]]
        tag = self._tag([v.decode("latin-1") for n, v in headers if n == _POLICY])
        if not tag:
            return start, message
        length = str(len(body) + len(tag)).encode()
        headers = [
            (name, length if name == b"content-length" else value)
            for name, value in headers
        ]
        # After the end of the document is a place that every parser knows.
        return {**start, "headers": headers}, {**message, "body": body + tag}


_POLICY: Final = b"content-security-policy"


def _header(scope: Any, name: bytes) -> str | None:
    return next((v.decode("latin-1") for n, v in scope["headers"] if n == name), None)


def _is_navigation(scope: Any) -> bool:
    """Return whether a browser wants a page of its own, no part for a script."""
    if scope["method"] != "GET":
        return False
    destination = _header(scope, b"sec-fetch-dest")
    if destination is not None:
        return destination == "document"
    return "text/html" in (_header(scope, b"accept") or "")


def _connecting(scope: Any) -> dict[str, Any]:
    """Return the scope for which a debug page lets our script connect."""
    development = Development(connects=True)
    extensions = {
        **(scope.get("extensions") or {}),
        DEVELOPMENT_EXTENSION: development,
    }
    return {**scope, "extensions": extensions}


def _is_page(start: _Message) -> bool:
    """Return whether the head of a response lets its body be changed."""
    names = {name.lower(): value for name, value in start["headers"]}
    if start.get("trailers") or start["status"] in {204, 206, 304}:
        return False
    if not _UNTOUCHED.isdisjoint(names):
        return False
    header = names.get(b"content-type", b"").decode("latin-1")
    kind, options = parse_options_header(header)
    charset = options.get("charset", "utf-8").lower()
    return kind.lower() == "text/html" and charset.startswith(_ASCII_LIKE)


def _is_own_page(scope: Any) -> bool:
    """Return whether the page that connects is one of this server."""
    origin, host = _header(scope, b"origin"), _header(scope, b"host")
    return origin is None or origin.partition("://")[2] == host


async def _send_script(scope: Any, send: _Send) -> None:
    body = _SCRIPT.read_bytes()
    headers = [
        (b"content-type", b"text/javascript; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown})
