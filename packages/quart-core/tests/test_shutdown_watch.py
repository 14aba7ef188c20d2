"""Being told when the server begins to stop, and waits that end then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from core_driver import Driver
from quart_core import Quart
from quart_core.helpers import timeout_at_shutdown
from quart_core.shutdown_watch import _watches, call_at_shutdown, shutdown_event_of

LIMIT = 10.0


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "scope", [{}, {"extensions": None}, {"extensions": {"quart.shutdown": None}}]
)
def test_servers_need_not_tell(scope: dict[str, Any]) -> None:
    assert shutdown_event_of(scope) is None


async def test_all_are_told_by_one_task() -> None:
    event = asyncio.Event()
    told: list[int] = []
    before = len(asyncio.all_tasks())
    forgets = [
        call_at_shutdown(event, lambda number=number: told.append(number))
        for number in range(3)
    ]
    assert len(asyncio.all_tasks()) == before + 1
    forgets[1]()
    event.set()
    await turns()
    assert told == [0, 2]
    for forget in forgets:
        forget()
    assert not _watches


async def test_event_that_is_set_already_is_told_soon() -> None:
    event = asyncio.Event()
    event.set()
    told: list[str] = []
    forgets = []
    for name in ("first", "second"):
        forgets.append(call_at_shutdown(event, lambda name=name: told.append(name)))
        await turns()
    assert told == ["first", "second"]
    for forget in forgets:
        forget()
    assert not _watches


async def waiting_app(delay: float | None, ended: list[str]) -> Quart:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        try:
            async with timeout_at_shutdown(delay):
                ended.append("waits")
                await asyncio.Event().wait()
        except TimeoutError:
            return "over"
        return ""

    return app


async def test_wait_is_over_when_the_server_stops() -> None:
    ended: list[str] = []
    event = asyncio.Event()
    driver = Driver(await waiting_app(None, ended))
    extensions = {"quart.shutdown": {"event": event}}
    answering = asyncio.create_task(driver.get("/", extensions=extensions))
    while not ended:
        await asyncio.sleep(0)
    event.set()
    answer = await asyncio.wait_for(answering, LIMIT)
    assert answer.text == "over"
    assert not _watches


@pytest.mark.parametrize("extensions", [{}, {"quart.shutdown": {}}])
async def test_wait_is_over_after_its_time(extensions: dict[str, Any]) -> None:
    if "quart.shutdown" in extensions:
        extensions = {"quart.shutdown": {"event": asyncio.Event()}}
    driver = Driver(await waiting_app(0.001, []))
    assert (await driver.get("/", extensions=extensions)).text == "over"
    assert not _watches


async def test_wait_outside_of_requests_has_its_time() -> None:
    with pytest.raises(TimeoutError):
        async with timeout_at_shutdown(0.001):
            await asyncio.Event().wait()


async def test_block_that_ends_in_time_is_left_alone() -> None:
    app = Quart(__name__)
    event = asyncio.Event()

    @app.get("/")
    async def index() -> str:
        async with timeout_at_shutdown(LIMIT) as timeout:
            pass
        event.set()
        await turns()
        return str(timeout.expired())

    extensions = {"quart.shutdown": {"event": event}}
    assert (await Driver(app).get("/", extensions=extensions)).text == "False"
