from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from quart_core import Quart


@pytest.fixture
def make_app(tmp_path: Path) -> Callable[..., Quart]:
    """Return a function that makes an app with templates given by name."""

    def make(**templates: str) -> Quart:
        folder = tmp_path / "templates"
        folder.mkdir(exist_ok=True)
        for name, source in templates.items():
            path = folder / name.replace("__", "/").replace("_html", ".html")
            path.parent.mkdir(exist_ok=True)
            path.write_text(source, encoding="utf-8")
        app = Quart("templating_tests", root_path=tmp_path, static_folder=None)
        app.secret_key = "secret"
        return app

    return make


@pytest.fixture
def in_request() -> Callable[..., Any]:
    """Return a function that runs a view for one GET request, text out."""

    async def run(app: Quart, view: Any, path: str = "/") -> str:
        app.add_url_rule("/", "the_view", view)
        chunks: list[bytes] = []
        heads: list[int] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                heads.append(message["status"])
            chunks.append(message.get("body", b""))

        scope: Any = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": [(b"host", b"localhost")],
            "extensions": {"quart.raise_exceptions": {}},
        }
        app.testing = True
        await app(scope, receive, send)
        assert heads == [200]
        return b"".join(chunks).decode()

    return run
