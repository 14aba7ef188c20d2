"""asgi-lifespan: an application started and stopped by a test."""

from __future__ import annotations

import httpx
from asgi_lifespan import LifespanManager
from quart import Quart, current_app


async def test_it_starts_and_stops_the_application() -> None:
    app = Quart(__name__)
    events = []

    @app.before_serving
    async def start() -> None:
        events.append(f"start {current_app.name}")

    @app.while_serving
    async def around():
        events.append("in")
        yield
        events.append("out")

    @app.after_serving
    async def stop() -> None:
        events.append("stop")

    async with LifespanManager(app):
        assert events == [f"start {app.name}", "in"]
    assert sorted(events[2:]) == ["out", "stop"]


async def test_requests_are_served_between() -> None:
    app = Quart(__name__)

    @app.before_serving
    async def start() -> None:
        app.config["STARTED"] = "yes"

    @app.get("/")
    async def index() -> str:
        return app.config["STARTED"]

    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(app=manager.app)
        async with httpx.AsyncClient(transport=transport) as client:
            assert (await client.get("http://test/")).text == "yes"
