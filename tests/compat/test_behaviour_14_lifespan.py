"""Lifespan and background tasks."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from quart import Blueprint, Quart, g, has_request_context
from quart.signals import got_background_exception, got_serving_exception


def _app() -> Quart:
    app = Quart("lifespan")
    app.logger.setLevel(logging.CRITICAL)
    return app


async def _lifespan(app: Quart) -> list[dict[str, Any]]:
    """Start and stop the application as a server does."""
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await asyncio.wait_for(app({"type": "lifespan"}, receive, send), 10)
    return sent


async def test_order_of_start_and_stop() -> None:
    app, events = _app(), []
    blueprint = Blueprint("bp", __name__)

    def note(name: str) -> Any:
        async def function() -> None:
            events.append(name)

        return function

    def around(name: str) -> Any:
        async def generator() -> AsyncIterator[None]:
            events.append(f"{name} in")
            yield
            events.append(f"{name} out")

        return generator

    app.while_serving(around("while 1"))
    app.before_serving(note("before 1"))
    blueprint.before_app_serving(note("before bp"))
    blueprint.while_app_serving(around("while bp"))
    blueprint.after_app_serving(note("after bp"))
    app.after_serving(note("after 1"))
    app.register_blueprint(blueprint)
    app.after_serving(note("after 2"))
    sent = await _lifespan(app)
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert events == [
        "before 1",
        "before bp",
        "while 1 in",
        "while bp in",
        "while bp out",
        "while 1 out",
        "after 1",
        "after bp",
        "after 2",
    ]


async def test_shutdown_event_is_new_at_the_start_and_set_at_the_stop() -> None:
    app = _app()
    await app.startup()
    first = app.shutdown_event
    assert not first.is_set()
    await app.shutdown()
    assert first.is_set()
    await app.startup()
    assert app.shutdown_event is not first
    await app.shutdown()


async def test_background_tasks_are_awaited_before_the_functions_after_serving() -> (
    None
):
    app, events = _app(), []

    async def task() -> None:
        await app.shutdown_event.wait()
        await asyncio.sleep(0)
        events.append("task")

    @app.after_serving
    async def after() -> None:
        events.append("after")

    await app.startup()
    app.add_background_task(task)
    assert len(app.background_tasks) == 1
    await app.shutdown()
    assert events == ["task", "after"]
    assert app.background_tasks == set()


async def test_late_background_tasks_are_cancelled() -> None:
    app, events = _app(), []
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.02

    async def task() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            events.append("cancelled")

    await app.startup()
    app.add_background_task(task)
    await asyncio.sleep(0)
    await app.shutdown()
    assert events == ["cancelled"]


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_failure_is_signalled_and_told_to_the_server(phase: str) -> None:
    app, seen = _app(), []
    register = app.before_serving if phase == "startup" else app.after_serving

    @register
    async def failing() -> None:
        raise ValueError("no database")

    async def receive(sender: Any, exception: Exception) -> None:
        seen.append(exception)

    with got_serving_exception.connected_to(receive):
        sent = await _lifespan(app)
    assert sent[-1 if phase == "shutdown" else 0] == {
        "type": f"lifespan.{phase}.failed",
        "message": "no database",
    }
    assert [str(error) for error in seen] == ["no database"]


async def test_while_serving_that_yields_twice_is_a_failure() -> None:
    app = _app()

    @app.while_serving
    async def twice() -> AsyncIterator[None]:
        yield
        yield

    assert (await _lifespan(app))[-1]["type"] == "lifespan.shutdown.failed"


async def test_g_is_shared_within_the_start_and_within_the_stop() -> None:
    app, seen = _app(), []

    @app.before_serving
    async def before() -> None:
        g.a = "start"

    @app.while_serving
    async def around() -> AsyncIterator[None]:
        seen.append(g.a)
        yield
        seen.append(g.get("a"))
        g.b = "stop"

    @app.after_serving
    async def after() -> None:
        seen.append(g.b)

    await _lifespan(app)
    assert seen == ["start", None, "stop"]


async def test_background_tasks_have_an_app_context_of_their_own() -> None:
    app, seen = _app(), []

    async def task(value: str, *, name: str) -> None:
        seen.append((value, name, has_request_context(), hasattr(g, "outer")))

    @app.get("/")
    async def view() -> str:
        g.outer = True
        app.add_background_task(task, "v", name="n")
        return ""

    await app.test_client().get("/")
    await asyncio.wait(set(app.background_tasks) or {asyncio.sleep(0)}, timeout=10)
    assert [(value, name, outer) for value, name, _, outer in seen] == [
        ("v", "n", False)
    ]


async def test_sync_background_tasks_run_in_a_thread() -> None:
    app, seen = _app(), []
    app.add_background_task(lambda: seen.append(threading.current_thread()))
    await asyncio.wait(app.background_tasks, timeout=10)
    assert seen != [threading.main_thread()]


async def test_exceptions_of_background_tasks_are_signalled_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, seen = Quart("background"), []

    async def failing() -> None:
        raise ValueError("in the background")

    async def receive(sender: Any, exception: Exception) -> None:
        seen.append((sender, str(exception)))

    with got_background_exception.connected_to(receive):
        app.add_background_task(failing)
        await asyncio.wait(app.background_tasks, timeout=10)
    assert seen == [(app, "in the background")]
    assert "in the background" in caplog.text


def test_background_tasks_need_a_running_loop() -> None:
    async def task() -> None: ...

    with pytest.raises(RuntimeError):
        _app().add_background_task(task)


async def test_unknown_scope_type_is_a_runtime_error() -> None:
    async def nothing(*args: Any) -> Any: ...

    with pytest.raises(RuntimeError, match="telnet"):
        await _app()({"type": "telnet"}, nothing, nothing)
