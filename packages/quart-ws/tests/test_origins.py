"""Origins: whose pages may open a websocket."""

from __future__ import annotations

from typing import Any

import pytest
from quart_core import Quart, websocket
from quart_ws.origins import is_allowed
from ws_driver import RESPONSES, Client, visit


def make_app(**config: Any) -> Quart:
    app = Quart(__name__)
    app.config.update(config)

    @app.websocket("/")
    async def handler() -> None:
        await websocket.send("in")

    return app


async def status(app: Quart, *origins: str, **scope: Any) -> int | None:
    headers = [("Origin", origin) for origin in origins]
    client = await visit(app, headers=headers, extensions=RESPONSES, **scope)
    code: int | None = client.status
    return code


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "garbage", ""])
async def test_nothing_is_checked_unless_configured(origin: str) -> None:
    assert await status(make_app(), origin) is None


FOREIGN = [
    "https://evil.example",
    "https://app.example.evil.example",
    "https://evilapp.example",
    "https://app.example.",
    "https://app.example:8443",
    "http://app.example",
    "https://user@app.example",
    "https://app.example/",
    "https://app.example\tx",
    "null",
    "",
    "*",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_ws_06_a_foreign_origin_is_refused(origin: str) -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=["https://app.example"])
    assert await status(app, origin) == 403


@pytest.mark.parametrize(
    "origin",
    ["https://app.example", "https://APP.example", "https://app.example:443"],
)
async def test_ws_06_a_listed_origin_is_allowed(origin: str) -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=["https://App.Example"])
    assert await status(app, origin) is None


async def test_ws_06_a_client_without_an_origin_is_no_browser() -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=[], WEBSOCKET_SAME_ORIGIN=True)
    assert await status(app) is None


async def test_ws_06_two_origins_are_refused() -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=["https://app.example"])
    assert await status(app, "https://app.example", "https://app.example") == 403


async def test_f_51_a_handler_does_not_run_for_a_foreign_origin() -> None:
    app = make_app(WEBSOCKET_SAME_ORIGIN=True)
    ran = []
    app.before_websocket(lambda: ran.append("ran"))
    client = await visit(app, headers=[("Origin", "https://evil.example")])
    assert client.types == ["close"]
    assert ran == []


async def test_f_51_the_refusal_is_an_ordinary_403_for_error_handlers() -> None:
    app = make_app(WEBSOCKET_SAME_ORIGIN=True)

    @app.errorhandler(403)
    async def forbidden(error: Exception) -> tuple[str, int]:
        return "not from there", 403

    client = await visit(
        app, headers=[("Origin", "https://evil.example")], extensions=RESPONSES
    )
    assert client.body == b"not from there"


async def test_everything_is_allowed_by_a_star() -> None:
    app = make_app(WEBSOCKET_ALLOWED_ORIGINS=["*"])
    assert await status(app, "https://anywhere.example") is None


async def test_null_is_allowed_when_it_is_listed() -> None:
    assert await status(make_app(WEBSOCKET_ALLOWED_ORIGINS=["null"]), "null") is None


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "allowed"),
    [
        ("http://localhost", "localhost", "ws", True),
        ("http://localhost:8000", "localhost:8000", "ws", True),
        ("http://localhost:8001", "localhost:8000", "ws", False),
        ("http://localhost", "localhost:80", "ws", True),
        ("https://app.example", "app.example", "wss", True),
        ("https://app.example", "app.example:443", "wss", True),
        # A proxy has ended TLS.
        ("https://app.example", "app.example", "ws", True),
        # A page that was not protected, perhaps altered on its way.
        ("http://app.example", "app.example", "wss", False),
        ("https://App.Example", "app.example", "wss", True),
        ("https://sub.app.example", "app.example", "wss", False),
        ("https://[::1]:8000", "[::1]:8000", "wss", True),
        ("ftp://app.example", "app.example", "ws", False),
        ("null", "app.example", "ws", False),
        ("https://app.example", "", "ws", False),
    ],
)
async def test_ws_06_same_origin(
    origin: str, host: str, scheme: str, allowed: bool
) -> None:
    app = make_app(WEBSOCKET_SAME_ORIGIN=True)
    client = Client(
        app, headers=[("Origin", origin)], scheme=scheme, extensions=RESPONSES
    )
    client.scope["headers"][0] = (b"host", host.encode())  # type: ignore[index]
    await client.end()
    assert client.status == (None if allowed else 403)


async def test_either_of_the_two_settings_is_enough() -> None:
    app = make_app(
        WEBSOCKET_SAME_ORIGIN=True, WEBSOCKET_ALLOWED_ORIGINS=["https://app.example"]
    )
    assert await status(app, "http://localhost") is None
    assert await status(app, "https://app.example") is None
    assert await status(app, "https://evil.example") == 403


async def test_a_text_instead_of_a_list_is_a_mistake_that_is_named() -> None:
    app = make_app(
        WEBSOCKET_ALLOWED_ORIGINS="https://app.example", PROPAGATE_EXCEPTIONS=True
    )
    with pytest.raises(TypeError, match="expected a list"):
        await status(app, "https://app.example")


def test_the_port_of_the_scheme_may_be_left_out_in_the_list() -> None:
    listed = ["https://app.example:443"]
    assert is_allowed("https://app.example", listed, None, secure=True)
    assert not is_allowed("https://app.example:444", listed, None, secure=True)
