"""Signals: senders, keywords and when they are sent."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import quart
from quart import Quart, abort, flash, signals

NAMES = [
    "appcontext_pushed",
    "appcontext_popped",
    "appcontext_tearing_down",
    "request_started",
    "request_finished",
    "request_tearing_down",
    "websocket_started",
    "websocket_finished",
    "websocket_tearing_down",
    "got_request_exception",
    "got_websocket_exception",
    "before_render_template",
    "template_rendered",
    "message_flashed",
]
ONLY_IN_SIGNALS = [
    "got_background_exception",
    "got_serving_exception",
    "websocket_received",
    "websocket_sent",
]

Seen = list[tuple[str, Any, dict[str, Any]]]


@pytest.fixture
def seen() -> Iterator[Callable[..., Seen]]:
    """Connect to signals, by name, and give the list of what they sent."""
    with ExitStack() as stack:

        def connect(*names: str) -> Seen:
            found: Seen = []
            for name in names:

                async def receive(
                    sender: Any, _name: str = name, **kwargs: Any
                ) -> None:
                    found.append((_name, sender, kwargs))

                stack.enter_context(getattr(signals, name).connected_to(receive))
            return found

        yield connect


def _app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "k"
    app.logger.setLevel(logging.CRITICAL)

    @app.get("/")
    async def index() -> str:
        return "hello"

    @app.get("/fail")
    async def fail() -> str:
        raise ValueError("of the view")

    @app.get("/404")
    async def missing() -> str:
        abort(404)

    @app.get("/flash")
    async def flashing() -> str:
        await flash("text", "kind")
        return ""

    return app


def test_signals_are_available() -> None:
    assert quart.signals_available is True


@pytest.mark.parametrize("name", NAMES)
def test_quart_exports_the_signal(name: str) -> None:
    assert getattr(quart, name) is getattr(signals, name)


@pytest.mark.parametrize("name", ONLY_IN_SIGNALS)
def test_the_signal_is_in_quart_signals(name: str) -> None:
    assert hasattr(signals, name)


async def test_signals_of_a_request_in_their_order(seen: Callable[..., Seen]) -> None:
    app = _app()
    events = seen(*NAMES)
    await app.test_client().get("/")
    assert [(name, sender) for name, sender, _ in events] == [
        ("appcontext_pushed", app),
        ("request_started", app),
        ("request_finished", app),
        ("request_tearing_down", app),
        ("appcontext_tearing_down", app),
        ("appcontext_popped", app),
    ]
    keywords = {name: kwargs for name, _, kwargs in events}
    assert keywords["request_finished"]["response"].status_code == 200
    assert keywords["request_tearing_down"] == {"exc": None}
    assert keywords["appcontext_tearing_down"] == {"exc": None}
    assert keywords["appcontext_pushed"] == keywords["request_started"] == {}


async def test_teardown_signals_come_after_the_functions(
    seen: Callable[..., Seen],
) -> None:
    app = _app()
    events = seen("request_tearing_down", "appcontext_tearing_down")

    @app.teardown_request
    async def request_over(exc: BaseException | None) -> None:
        events.append(("teardown_request", app, {}))

    @app.teardown_appcontext
    async def context_over(exc: BaseException | None) -> None:
        events.append(("teardown_appcontext", app, {}))

    await app.test_client().get("/")
    assert [name for name, *_ in events] == [
        "teardown_request",
        "request_tearing_down",
        "teardown_appcontext",
        "appcontext_tearing_down",
    ]


async def test_got_request_exception_is_for_unhandled_ones(
    seen: Callable[..., Seen],
) -> None:
    app = _app()
    events = seen("got_request_exception", "request_tearing_down")
    await app.test_client().get("/404")
    await app.test_client().get("/fail")
    named = [(name, kwargs) for name, _, kwargs in events]
    assert named[0] == ("request_tearing_down", {"exc": None})
    assert named[1][0] == "got_request_exception"
    assert str(named[1][1]["exception"]) == "of the view"
    assert str(named[2][1]["exc"]) == "of the view"


async def test_got_request_exception_is_sent_before_propagation(
    seen: Callable[..., Seen],
) -> None:
    app = _app()
    app.testing = True
    events = seen("got_request_exception")
    with pytest.raises(ValueError, match="of the view"):
        await app.test_client().get("/fail")
    assert len(events) == 1


async def test_background_and_serving_exceptions(seen: Callable[..., Seen]) -> None:
    app = _app()
    events = seen("got_background_exception", "got_serving_exception")

    async def task() -> None:
        raise ValueError("in the background")

    app.add_background_task(task)
    await asyncio.wait(app.background_tasks, timeout=10)

    @app.before_serving
    async def start() -> None:
        raise ValueError("at the start")

    with pytest.raises(ValueError, match="at the start"):
        await app.startup()
    assert [(name, str(kw["exception"])) for name, _, kw in events] == [
        ("got_background_exception", "in the background"),
        ("got_serving_exception", "at the start"),
    ]


async def test_message_flashed(seen: Callable[..., Seen]) -> None:
    app = _app()
    events = seen("message_flashed")
    await app.test_client().get("/flash")
    assert events == [("message_flashed", app, {"message": "text", "category": "kind"})]


async def test_template_signals_are_sent_around_rendering(
    seen: Callable[..., Seen],
) -> None:
    app = _app()
    events = seen("before_render_template", "template_rendered")

    @app.get("/page")
    async def page() -> str:
        return await quart.render_template_string("{{ a }}", a=1)

    await app.test_client().get("/page")
    assert [(name, sender) for name, sender, _ in events] == [
        ("before_render_template", app),
        ("template_rendered", app),
    ]
    assert all(kw["context"]["a"] == 1 and "template" in kw for _, _, kw in events)


async def test_sync_receivers_run_in_a_thread() -> None:
    app = _app()
    threads = []

    def receive(sender: Any, **kwargs: Any) -> None:
        threads.append(threading.current_thread())

    with ExitStack() as stack:
        for name in ("appcontext_pushed", "request_started", "appcontext_popped"):
            stack.enter_context(getattr(signals, name).connected_to(receive))
        assert (await app.test_client().get("/")).status_code == 200
    assert len(threads) == 3
    assert threading.main_thread() not in threads
