"""ASGI lifespan: supported, unsupported, failed, too slow."""

from __future__ import annotations

import asyncio

import pytest
from quart_server import Config
from quart_server.lifespan import Lifespan, LifespanError


def lifespan(app, **settings) -> Lifespan:
    return Lifespan(app, Config(**settings))


async def test_startup_and_shutdown_in_order_with_state() -> None:
    events = []

    async def app(scope, receive, send):
        assert scope["type"] == "lifespan"
        scope["state"]["key"] = "value"
        events.append((await receive())["type"])
        await send({"type": "lifespan.startup.complete"})
        events.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})
        events.append("returned")

    async with lifespan(app) as running:
        assert running.state == {"key": "value"}
        assert events == ["lifespan.startup"]
    assert events == ["lifespan.startup", "lifespan.shutdown", "returned"]


async def raises(scope, receive, send):
    raise NotImplementedError


async def returns(scope, receive, send):
    return


@pytest.mark.parametrize("app", [raises, returns])
async def test_auto_serves_apps_without_lifespan(app) -> None:
    async with lifespan(app, lifespan="auto") as running:
        assert running.state is None


@pytest.mark.parametrize("app", [raises, returns])
async def test_on_demands_lifespan(app) -> None:
    with pytest.raises(LifespanError, match="does not support"):
        await lifespan(app, lifespan="on").start()


async def test_off_never_calls_the_app() -> None:
    async with lifespan(raises, lifespan="off") as running:
        assert running.state is None


@pytest.mark.parametrize("setting", ["auto", "on"])
async def test_failed_startup_says_why(setting) -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(LifespanError, match="start-up failed: no database"):
        await lifespan(app, lifespan=setting).start()


async def test_failed_shutdown_says_why() -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "stuck"})

    running = lifespan(app)
    await running.start()
    with pytest.raises(LifespanError, match="shutdown failed: stuck"):
        await running.stop()


async def test_exception_in_shutdown_is_told() -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise ValueError("broken")

    running = lifespan(app)
    await running.start()
    with pytest.raises(LifespanError, match="shutdown failed") as caught:
        await running.stop()
    assert isinstance(caught.value.__cause__, ValueError)


async def test_startup_has_a_time() -> None:
    async def app(scope, receive, send):
        await asyncio.Event().wait()

    with pytest.raises(LifespanError, match="startup_timeout"):
        await lifespan(app, startup_timeout=0.1).start()


async def test_shutdown_has_a_time() -> None:
    cancelled = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    running = lifespan(app, shutdown_timeout=0.1)
    await running.start()
    with pytest.raises(LifespanError, match="shutdown_timeout"):
        await running.stop()
    assert cancelled == [True]


async def test_app_that_leaves_early_goes_on_being_served() -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})

    async with lifespan(app) as running:
        await asyncio.sleep(0)
        assert running.state == {}


async def test_unknown_message_is_an_error() -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.unknown"})

    with pytest.raises(LifespanError):
        await lifespan(app, lifespan="on").start()
