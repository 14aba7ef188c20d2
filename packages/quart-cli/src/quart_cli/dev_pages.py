"""The pages of the development server itself: exceptions that it has kept."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from quart_core.debug.audience import is_for_developers
from quart_core.debug.responses import PAGE_HEADERS, page_policy

from .error_as_test import pytest_file_name, pytest_source
from .error_store import ErrorStore

__all__ = ("ERROR_PATH", "DevPages")

ERROR_PATH: Final = "/_quart/error/"
"""The number follows, and ``.py`` for the test."""

_ERROR: Final = re.compile(rf"{re.escape(ERROR_PATH)}([0-9]{{1,9}})(\.py)?")

# Any: ASGI's messages and scopes, and applications.
_App = Callable[..., Awaitable[None]]


class DevPages:
    """An ASGI app around another, with pages below ``/_quart/error/``.

    They are for those who may see debug pages.

    Args:
        served: The ASGI app.
        app: The application, which knows who may.
        store: What is kept.
    """

    def __init__(self, served: _App, app: Any, store: ErrorStore) -> None:
        self._served = served
        self._app = app
        self._store = store

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer with what is kept, or let the app answer."""
        found = None
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            found = _ERROR.fullmatch(scope["path"])
        if found is None:
            await self._served(scope, receive, send)
            return
        entry = None
        if is_for_developers(self._app, scope):
            entry = self._store.read(int(found[1]))
        status, headers, text = _answer(entry, is_test=found[2] is not None)
        body = text.encode("utf-8")
        headers += [*PAGE_HEADERS, ("Content-Length", str(len(body)))]
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(n.lower().encode(), v.encode()) for n, v in headers],
            }
        )
        shown = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": shown})


# Any: JSON.
def _answer(
    entry: Mapping[str, Any] | None, *, is_test: bool
) -> tuple[int, list[tuple[str, str]], str]:
    plain = "text/plain; charset=utf-8"
    if entry is None or (is_test and entry["kind"] != "http"):
        return 404, [("Content-Type", plain)], "There is no such error here.\n"
    if is_test:
        headers = [
            ("Content-Type", "text/x-python; charset=utf-8"),
            (
                "Content-Disposition",
                f'attachment; filename="{pytest_file_name(entry)}"',
            ),
        ]
        return 200, headers, pytest_source(entry)
    if not entry["page"]:
        return 200, [("Content-Type", plain)], f"{entry['text']}\n"
    nonce = secrets.token_urlsafe(16)
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", page_policy(nonce)),
    ]
    return 200, headers, entry["page"].replace(entry["nonce"], nonce)
