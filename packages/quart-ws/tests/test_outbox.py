"""The outbox: what waits for one member of a room."""

from __future__ import annotations

import asyncio
from sys import getsizeof

from hypothesis import given, settings
from hypothesis import strategies as st
from quart_ws.outbox import Outbox
from ws_driver import turns

LIMIT = 5.0


async def test_messages_come_out_in_order() -> None:
    outbox = Outbox()
    assert all(outbox.put(message) for message in ("a", b"b", "c"))
    assert [await outbox.get() for _ in range(3)] == ["a", b"b", "c"]
    assert outbox.size == 0


async def test_get_waits_for_a_message() -> None:
    outbox = Outbox()
    getting = asyncio.create_task(outbox.get())
    await turns()
    assert not getting.done()
    outbox.put("late")
    assert await asyncio.wait_for(getting, LIMIT) == "late"


async def test_what_is_put_beyond_the_mark_must_be_waited_for() -> None:
    outbox = Outbox(max_messages=2)
    assert outbox.put("a")
    assert outbox.put("b")
    assert not outbox.put("c")
    waiting = asyncio.create_task(outbox.wait_for_room())
    await turns()
    assert not waiting.done()
    assert await outbox.get() == "a"
    await asyncio.wait_for(waiting, LIMIT)
    assert len(outbox) == 2


async def test_one_message_always_has_room() -> None:
    outbox = Outbox(max_bytes=10)
    assert outbox.put("larger than ten bytes")
    assert not outbox.put("second")


async def test_dropping_makes_room_for_the_newest() -> None:
    outbox = Outbox(max_messages=2)
    for message in ("a", "b", "c", "d"):
        outbox.put(message)
    assert outbox.drop_oldest() == 2
    assert not outbox.is_over()
    assert [await outbox.get(), await outbox.get()] == ["c", "d"]


async def test_clearing_ends_all_waits_for_room() -> None:
    outbox = Outbox(max_messages=1)
    outbox.put("a")
    outbox.put("b")
    outbox.clear()
    await asyncio.wait_for(outbox.wait_for_room(), LIMIT)
    assert (len(outbox), outbox.size) == (0, 0)


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(st.one_of(st.text(max_size=50), st.none()), max_size=50),
    max_messages=st.integers(1, 5),
    max_bytes=st.integers(1, 400),
)
def test_dropping_keeps_the_newest_within_the_bounds(
    steps: list[str | None], max_messages: int, max_bytes: int
) -> None:
    async def run() -> None:
        outbox = Outbox(max_messages, max_bytes)
        expected: list[str] = []
        for step in steps:
            if step is None:
                if expected:
                    assert await outbox.get() == expected.pop(0)
                continue
            expected.append(step)
            if not outbox.put(step):
                dropped = outbox.drop_oldest()
                assert dropped > 0
                expected = expected[dropped:]
            assert expected[-1] == step
            assert len(outbox) == len(expected) <= max_messages
            assert outbox.size == sum(map(getsizeof, expected))
            assert len(expected) == 1 or outbox.size <= max_bytes

    asyncio.run(run())
