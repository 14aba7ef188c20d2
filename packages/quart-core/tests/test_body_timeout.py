"""The time limit on reading a body."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from quart_core.wrappers import body_timeout
from quart_core.wrappers.body_timeout import within_body_timeout
from werkzeug.exceptions import RequestTimeout


async def value_after(turns: int) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    return "value"


@pytest.mark.parametrize("turns", [0, 1, 5])
async def test_the_result_comes_through(turns: int) -> None:
    assert await within_body_timeout(10, value_after(turns)) == "value"


async def test_no_timer_is_set_for_what_never_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_timer(seconds: float) -> Any:
        raise RuntimeError(f"a timer of {seconds} seconds was set")

    monkeypatch.setattr(body_timeout.asyncio, "timeout", no_timer)
    assert await within_body_timeout(10, value_after(0)) == "value"
    with pytest.raises(RuntimeError, match="a timer of 10 seconds"):
        await within_body_timeout(10, value_after(1))


async def test_what_takes_longer_is_a_408_and_is_cancelled() -> None:
    cancelled = False

    async def wait() -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled = True
            raise

    with pytest.raises(RequestTimeout):
        await within_body_timeout(0.01, wait())
    assert cancelled


@pytest.mark.parametrize("turns", [0, 2])
async def test_an_error_comes_through(turns: int) -> None:
    async def fail() -> None:
        await value_after(turns)
        raise KeyError("missing")

    with pytest.raises(KeyError, match="missing"):
        await within_body_timeout(10, fail())


async def test_a_timeout_of_the_reading_itself_is_not_a_408() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise TimeoutError("of the socket")

    with pytest.raises(TimeoutError, match="of the socket"):
        await within_body_timeout(10, fail())


async def test_a_cancellation_reaches_the_reading() -> None:
    seen: list[type[BaseException]] = []

    async def wait() -> str:
        try:
            await asyncio.Event().wait()
        except BaseException as error:
            seen.append(type(error))
            raise
        return "never"

    task = asyncio.create_task(within_body_timeout(10, wait()))
    await value_after(3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [asyncio.CancelledError]


async def test_a_reading_may_refuse_to_be_cancelled() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await value_after(2)
        return "never"

    task = asyncio.create_task(within_body_timeout(10, stubborn()))
    await value_after(3)
    task.cancel()
    assert await task == "value"


async def test_closing_the_waiting_coroutine_closes_the_reading() -> None:
    closed = False

    async def wait() -> None:
        nonlocal closed
        try:
            await asyncio.Event().wait()
        finally:
            closed = True

    async def start_and_drop() -> None:
        coroutine = within_body_timeout(10, wait())
        coroutine.send(None)
        coroutine.close()

    await start_and_drop()
    assert closed
