from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from quart import Quart
from quart.testing import TestApp


@pytest.fixture
async def serving(app: Quart) -> AsyncIterator[TestApp]:
    """The app while it measures, fast."""
    app.config["MEASURE_SECONDS"] = 0.001
    async with app.test_app() as test_app:
        yield test_app


async def read(serving: Any, count: int) -> list[tuple[str, Any]]:
    """Read some events like a page that is closed then."""
    events: list[tuple[str, Any]] = []
    async with serving.test_client().request("/events") as connection:
        await connection.send_complete()
        async for event in connection.events():
            events.append((event.event, json.loads(event.data)))
            if len(events) == count:
                await connection.disconnect()
                break
    return events


async def test_page_has_a_panel_for_each_value(serving: Any) -> None:
    page = await (await serving.test_client().get("/")).get_data(as_text=True)
    assert page.count("<section id=") == 4


async def test_measurements_follow_the_history(serving: Any) -> None:
    (first, _), *others = await read(serving, 4)
    assert first == "history"
    assert [kind for kind, _ in others] == ["measurement"] * 3
    for _, measurement in others:
        assert set(measurement) == {
            "time",
            "load",
            "loop_delay_ms",
            "requests",
            "slowest_ms",
        }


async def test_page_that_opens_later_gets_what_has_been(serving: Any) -> None:
    await read(serving, 4)
    ((_, history),) = await read(serving, 1)
    assert len(history) >= 3


async def test_several_pages_see_the_same(serving: Any) -> None:
    first, second = await asyncio.gather(read(serving, 5), read(serving, 5))
    times = {data["time"] for kind, data in first if kind == "measurement"}
    assert times & {data["time"] for kind, data in second if kind == "measurement"}


async def test_requests_are_counted(app: Quart, example: Any) -> None:
    for _ in range(3):
        await app.test_client().get("/")
    assert example.traffic.take()["requests"] == 3
    assert example.traffic.take() == {"requests": 0, "slowest_ms": 0.0}
