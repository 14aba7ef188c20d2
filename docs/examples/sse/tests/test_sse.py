from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from quart.testing import TestApp

STEPS = 10


@pytest.fixture
async def serving(app: Quart, tmp_path: Path) -> AsyncIterator[TestApp]:
    """The app while it counts, fast."""
    app.config.update(COUNTER_FILE=tmp_path / "counter", COUNTER_SECONDS=0.001)
    async with app.test_app() as test_app:
        yield test_app


async def read(serving: Any, count: int, last_seen: str | None = None) -> list[str]:
    """Read some steps like a page, then be cut off."""
    headers = {} if last_seen is None else {"Last-Event-ID": last_seen}
    client = serving.test_client()
    steps = []
    async with client.request("/events", headers=headers) as connection:
        await connection.send_complete()
        async for event in connection.events():
            assert event.id == event.data
            assert event.retry == 500
            steps.append(event.data)
            if len(steps) == count:
                await connection.disconnect()
                break
    return steps


async def test_page_knows_where_the_events_are(serving: Any) -> None:
    page = await (await serving.test_client().get("/")).get_data(as_text=True)
    assert 'data-events="/events"' in page


async def test_steps_come_one_after_the_other(serving: Any) -> None:
    steps = [int(step) for step in await read(serving, STEPS)]
    assert steps == list(range(steps[0], steps[0] + STEPS))


async def test_page_that_is_cut_off_again_and_again_sees_each_step_once(
    serving: Any,
) -> None:
    steps = await read(serving, STEPS)
    for _ in range(5):
        steps += await read(serving, STEPS, last_seen=steps[-1])
    first = int(steps[0])
    assert steps == [str(step) for step in range(first, first + len(steps))]


@pytest.mark.parametrize("last_seen", ["", "text", "-1", "999999999"])
async def test_page_with_a_wrong_id_begins_with_the_current_step(
    serving: Any, last_seen: str
) -> None:
    steps = await read(serving, 2, last_seen)
    assert int(steps[1]) == int(steps[0]) + 1


async def test_counter_goes_on_where_the_last_server_stopped(
    app: Quart, tmp_path: Path
) -> None:
    app.config.update(COUNTER_FILE=tmp_path / "counter", COUNTER_SECONDS=0.001)
    steps: list[str] = []
    for _ in range(2):
        async with app.test_app() as test_app:
            steps += await read(test_app, STEPS, steps[-1] if steps else None)
    first = int(steps[0])
    assert steps == [str(step) for step in range(first, first + 2 * STEPS)]
