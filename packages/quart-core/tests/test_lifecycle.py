"""Lifespan and background: starting, stopping, tasks beside the requests."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from quart_core import Blueprint, Quart, current_app, g, has_request_context
from quart_core.signals import got_background_exception, got_serving_exception

LIMIT = 5.0


async def lifespan(app: Quart, *phases: str) -> list[dict[str, Any]]:
    """Send the phases to the app and return what it answered."""
    waiting = [{"type": f"lifespan.{phase}"} for phase in phases]
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    await asyncio.wait_for(app({"type": "lifespan"}, receive, send), LIMIT)  # type: ignore[arg-type]
    return answers


async def test_the_order_of_starting_and_stopping() -> None:
    app = Quart(__name__)
    order = []

    for number in (1, 2):

        @app.before_serving
        async def before(number: int = number) -> None:
            order.append(f"before {number}")

        @app.after_serving
        async def after(number: int = number) -> None:
            order.append(f"after {number}")

        @app.while_serving
        async def during(number: int = number) -> AsyncIterator[None]:
            order.append(f"enter {number}")
            yield
            order.append(f"leave {number}")

    answers = await lifespan(app, "startup", "shutdown")
    assert [answer["type"] for answer in answers] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    assert order == [
        *("before 1", "before 2", "enter 1", "enter 2"),
        *("leave 2", "leave 1", "after 1", "after 2"),
    ]


async def test_sync_functions_run_around_serving_too() -> None:
    app = Quart(__name__)
    threads = []

    @app.before_serving
    def before() -> None:
        threads.append(threading.current_thread())
        assert current_app.name == app.name

    await app.startup()
    assert threads[0] is not threading.main_thread()


async def test_g_is_shared_inside_each_phase_only() -> None:
    app = Quart(__name__)
    seen = []

    @app.before_serving
    async def write() -> None:
        g.value = 1

    @app.before_serving
    async def read() -> None:
        seen.append(g.value)

    @app.after_serving
    async def read_late() -> None:
        seen.append("value" in g)

    await app.startup()
    await app.shutdown()
    assert seen == [1, False]


async def test_blueprints_register_functions_around_serving() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__)
    order = []

    @blueprint.before_app_serving
    async def before() -> None:
        order.append("before")

    @blueprint.while_app_serving
    async def during() -> AsyncIterator[None]:
        order.append("enter")
        yield
        order.append("leave")

    @blueprint.after_app_serving
    async def after() -> None:
        order.append("after")

    app.register_blueprint(blueprint)
    await app.startup()
    await app.shutdown()
    assert order == ["before", "enter", "leave", "after"]


async def test_each_start_has_a_new_shutdown_event() -> None:
    app = Quart(__name__)
    await app.startup()
    first = app.shutdown_event
    assert not first.is_set()
    await app.shutdown()
    assert first.is_set()
    await app.startup()
    assert app.shutdown_event is not first
    assert not app.shutdown_event.is_set()
    await app.shutdown()


async def test_a_failed_start_is_told_logged_and_signalled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Quart(__name__)
    got = []

    @app.before_serving
    async def fail() -> None:
        raise ValueError("no database")

    async def receiver(sender: Any, exception: Exception) -> None:
        got.append(str(exception))

    with got_serving_exception.connected_to(receiver, app):
        answers = await lifespan(app, "startup", "shutdown")
    assert answers[0] == {"type": "lifespan.startup.failed", "message": "no database"}
    assert got == ["no database"]
    assert "Exception during startup" in caplog.text


async def test_all_of_shutdown_runs_though_a_part_fails() -> None:
    app = Quart(__name__)
    ran = []

    @app.while_serving
    async def during() -> AsyncIterator[None]:
        yield
        raise ValueError("leaving")

    @app.after_serving
    async def after() -> None:
        ran.append("after")

    answers = await lifespan(app, "startup", "shutdown")
    assert answers[1] == {"type": "lifespan.shutdown.failed", "message": "leaving"}
    assert ran == ["after"]


@pytest.mark.parametrize("yields", [0, 2])
async def test_while_serving_yields_once(yields: int) -> None:
    app = Quart(__name__)

    @app.while_serving
    async def during() -> AsyncIterator[None]:
        for _ in range(yields):
            yield

    with pytest.raises(RuntimeError, match=r"during\(\) .* once"):
        await app.startup()
        await app.shutdown()


async def test_an_unknown_scope_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="'carrier-pigeon'"):
        await Quart(__name__)({"type": "carrier-pigeon"}, None, None)  # type: ignore[arg-type,typeddict-item]


# Background tasks


async def test_a_background_task_has_its_own_app_context() -> None:
    app = Quart(__name__)
    seen = []

    async def work(value: int, *, name: str) -> None:
        assert not hasattr(g, "outer")
        seen.append((current_app.name, value, name))

    async with app.app_context():
        g.outer = True
        app.add_background_task(work, 1, name="x")
    assert len(app.background_tasks) == 1
    await asyncio.wait_for(asyncio.gather(*app.background_tasks), LIMIT)
    await asyncio.sleep(0)
    assert seen == [(app.name, 1, "x")]
    assert app.background_tasks == set()


async def test_a_sync_background_task_runs_in_a_thread() -> None:
    app = Quart(__name__)
    seen = []
    app.add_background_task(lambda: seen.append(threading.current_thread()))
    await asyncio.wait_for(asyncio.gather(*app.background_tasks), LIMIT)
    assert seen[0] is not threading.main_thread()


def test_a_background_task_needs_a_running_loop() -> None:
    app = Quart(__name__)

    async def work() -> None:
        raise AssertionError("never runs")

    with pytest.raises(RuntimeError, match="no running event loop"):
        app.add_background_task(work)
    assert app.background_tasks == set()


async def test_an_error_in_a_background_task_is_logged_and_signalled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Quart(__name__)
    got = []

    async def fail() -> None:
        raise ValueError("in the background")

    def receiver(sender: Any, exception: Exception) -> None:
        got.append(str(exception))

    with (
        caplog.at_level(logging.ERROR),
        got_background_exception.connected_to(receiver, app),
    ):
        app.add_background_task(fail)
        await asyncio.wait_for(asyncio.gather(*app.background_tasks), LIMIT)
    assert got == ["in the background"]
    assert "Exception in a background task" in caplog.text


async def test_shutdown_waits_for_background_tasks() -> None:
    app = Quart(__name__)
    done = []

    async def work() -> None:
        await app.shutdown_event.wait()
        done.append("finished after the event")

    await app.startup()
    app.add_background_task(work)
    await app.shutdown()
    assert done == ["finished after the event"]


async def test_shutdown_cancels_tasks_that_take_too_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Quart(__name__)
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.01
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    await app.startup()
    app.add_background_task(work)
    await asyncio.wait_for(app.shutdown(), LIMIT)
    assert ended == ["cancelled"]
    assert "BACKGROUND_TASK_SHUTDOWN_TIMEOUT" in caplog.text


async def test_shutdown_ends_though_a_task_refuses_to() -> None:
    app = Quart(__name__)
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.01
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    await app.startup()
    app.add_background_task(stubborn)
    await asyncio.wait_for(app.shutdown(), LIMIT)
    released.set()
    await asyncio.gather(*app.background_tasks)


async def test_no_request_leaks_into_the_functions_around_serving() -> None:
    app = Quart(__name__)
    seen = []

    @app.before_serving
    async def before() -> None:
        seen.append(has_request_context())

    await app.startup()
    assert seen == [False]
