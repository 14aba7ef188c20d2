"""Test client table: the test app, with startup and shutdown."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from quart_core import Quart, request
from quart_testing import LifespanError, QuartClient, StillWaitingError, TestApp
from quart_testing.app import DEFAULT_TIMEOUT


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def test_startup_and_shutdown_run_around_the_block(app: Quart) -> None:
    steps: list[str] = []

    @app.before_serving
    async def before() -> None:
        steps.append("before")

    @app.while_serving
    async def around() -> Any:
        steps.append("begin")
        yield
        steps.append("end")

    @app.after_serving
    async def after() -> None:
        steps.append("after")

    @app.get("/")
    async def index() -> str:
        steps.append("request")
        return ""

    async with app.test_app() as test_app:
        await test_app.test_client().get("/")

    assert steps == ["before", "begin", "request", "end", "after"]


async def test_a_client_alone_runs_neither(app: Quart) -> None:
    @app.before_serving
    async def before() -> None:
        pytest.fail("started")

    await app.test_client().get("/")

    assert not hasattr(app, "shutdown_event")


async def test_the_steps_may_be_called_one_by_one(app: Quart) -> None:
    test_app = app.test_app()

    await test_app.startup()
    assert not app.shutdown_event.is_set()
    await test_app.shutdown()
    assert app.shutdown_event.is_set()


async def test_the_timeouts_are_six_seconds(app: Quart) -> None:
    test_app = app.test_app()

    assert (test_app.startup_timeout, test_app.shutdown_timeout) == (6, 6)
    assert DEFAULT_TIMEOUT == 6


async def test_the_client_is_of_the_class_of_the_application(app: Quart) -> None:
    class Client(QuartClient):
        pass

    app.test_client_class = Client
    async with app.test_app() as test_app:
        client = test_app.test_client(use_cookies=False)

    assert type(client) is Client
    assert client.cookie_jar is None


async def test_the_test_app_can_be_replaced(app: Quart) -> None:
    class Mine(TestApp):
        pass

    app.test_app_class = Mine

    assert type(app.test_app()) is Mine


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_failure_tells_its_cause(app: Quart, phase: str) -> None:
    register = app.before_serving if phase == "startup" else app.after_serving

    @register
    async def fail() -> None:
        raise ValueError("no database")

    with pytest.raises(LifespanError, match=f"Error during {phase} no database") as e:
        async with app.test_app():
            pass

    assert isinstance(e.value.__cause__, ValueError)


async def test_a_lifespan_that_just_ends_is_a_failure(app: Quart) -> None:
    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("unknown scope")

    app.asgi_app = asgi_app  # type: ignore[method-assign]

    with pytest.raises(LifespanError, match="ended during its startup") as caught:
        await app.test_app().startup()

    assert isinstance(caught.value.__cause__, KeyError)


async def test_it_is_started_once_and_stopped_once(app: Quart) -> None:
    test_app = app.test_app()

    with pytest.raises(RuntimeError, match="not started"):
        await test_app.shutdown()
    await test_app.startup()
    with pytest.raises(RuntimeError, match="started before"):
        await test_app.startup()
    await test_app.shutdown()
    with pytest.raises(RuntimeError, match="not started"):
        await test_app.shutdown()


async def test_no_task_is_left(app: Quart) -> None:
    @app.before_serving
    async def stuck() -> None:
        await asyncio.Event().wait()

    before = asyncio.all_tasks()
    with pytest.raises(StillWaitingError):
        await TestApp(app, startup_timeout=0.01).startup()

    assert asyncio.all_tasks() == before


async def test_the_state_of_the_lifespan_reaches_each_request(app: Quart) -> None:
    seen: list[dict[str, Any]] = []
    inner = app.asgi_app

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["pool"] = "opened"
        await inner(scope, receive, send)

    app.asgi_app = with_state  # type: ignore[method-assign]

    @app.get("/")
    async def index() -> str:
        scope: Any = request.scope
        seen.append(dict(scope["state"]))
        scope["state"]["mine"] = True
        return ""

    async with app.test_app() as test_app:
        client = test_app.test_client()
        await client.get("/")
        await client.get("/")

    assert seen == [{"pool": "opened"}] * 2


async def test_an_exception_of_the_test_goes_through_the_shutdown(app: Quart) -> None:
    with pytest.raises(KeyError):
        async with app.test_app():
            raise KeyError

    assert app.shutdown_event.is_set()
