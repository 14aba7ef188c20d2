"""The proxies: bound inside a context, telling outside of one."""

from __future__ import annotations

import asyncio

import pytest
import quart_contexts
from contexts_fake_app import FakeApp
from quart_contexts import (
    app_ctx,
    current_app,
    g,
    request,
    request_ctx,
    session,
    websocket,
    websocket_ctx,
)
from quart_contexts.globals import _cv_app, _cv_request, _cv_websocket

# By name: pytest would look into a proxy, and so use it.
NEEDS = {
    "app_ctx": "application context",
    "current_app": "application context",
    "g": "application context",
    "request": "request context",
    "request_ctx": "request context",
    "session": "request context",
    "websocket": "websocket context",
    "websocket_ctx": "websocket context",
}


@pytest.mark.parametrize("name", NEEDS)
def test_an_unbound_proxy_is_false_and_printable(name: str) -> None:
    proxy = getattr(quart_contexts, name)
    assert not proxy
    assert "unbound" in repr(proxy)


@pytest.mark.parametrize(("name", "what"), NEEDS.items())
def test_using_an_unbound_proxy_says_which_context_is_missing(
    name: str, what: str
) -> None:
    proxy = getattr(quart_contexts, name)
    with pytest.raises(RuntimeError, match=f"outside of {what}"):
        _ = proxy.anything


async def test_a_request_context_binds_the_request_proxies(app: FakeApp) -> None:
    async with app.request_context("/a") as ctx:
        assert current_app._get_current_object() is app
        assert request.path == "/a"
        assert request_ctx._get_current_object() is ctx
        assert app_ctx._get_current_object() is ctx
        assert not websocket


async def test_a_websocket_context_binds_the_websocket_proxies(app: FakeApp) -> None:
    async with app.websocket_context("/a") as ctx:
        assert current_app._get_current_object() is app
        assert websocket.path == "/a"
        assert websocket_ctx._get_current_object() is ctx
        session["x"] = 1
        assert session == {"x": 1}
        assert not request


async def test_an_app_context_binds_neither_request_nor_session(app: FakeApp) -> None:
    async with app.app_context() as ctx:
        assert app_ctx._get_current_object() is ctx
        assert not request
        assert not session


async def test_the_variables_are_those_extensions_read(app: FakeApp) -> None:
    async with app.request_context() as ctx:
        assert _cv_app.get() is ctx
        assert _cv_request.get() is ctx
        assert _cv_websocket.get(None) is None
    assert _cv_app.get(None) is None
    assert _cv_request.get(None) is None


async def test_concurrent_requests_see_only_themselves(app: FakeApp) -> None:
    async def handle(number: int) -> None:
        async with app.request_context(f"/{number}"):
            g.number = number
            session["number"] = number
            for _ in range(5):
                await asyncio.sleep(0)
                assert request.path == f"/{number}"
                assert g.number == number
                assert session["number"] == number

    await asyncio.gather(*(handle(number) for number in range(50)))
    assert not request
