"""The buffer: messages between the server and the handler."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_ws.buffer import Buffer
from quart_ws.disconnects import Closure, WebsocketDisconnectedError
from ws_driver import turns

LIMIT = 5.0


class Source:
    """An ASGI ``receive`` that the test fills; only one call may be pending."""

    def __init__(self) -> None:
        self.waiting: deque[Any] = deque()
        self.arrived = asyncio.Event()
        self.pending = 0
        self.taken = 0

    def add(self, *messages: Any) -> None:
        for message in messages:
            if isinstance(message, (str, bytes)):
                kind = "text" if isinstance(message, str) else "bytes"
                message = {"type": "websocket.receive", kind: message}
            self.waiting.append(message)
        self.arrived.set()

    def leave(self, code: int = 1001) -> None:
        self.add({"type": "websocket.disconnect", "code": code, "reason": "bye"})

    async def __call__(self) -> Any:
        assert self.pending == 0
        self.pending += 1
        try:
            while not self.waiting:
                self.arrived.clear()
                await self.arrived.wait()
        finally:
            self.pending -= 1
        self.taken += 1
        return self.waiting.popleft()


def filled(*messages: Any) -> tuple[Buffer, Source]:
    buffer, source = Buffer(), Source()
    source.add(*messages)
    buffer.set_source(source)
    return buffer, source


async def get(buffer: Buffer) -> Any:
    return await asyncio.wait_for(buffer.get(), LIMIT)


# Reading from the server


@pytest.mark.parametrize("message", ["text", "", b"bytes", b""])
async def test_a_reader_gets_text_and_bytes_also_empty_ones(message: Any) -> None:
    buffer, _ = filled(message)
    assert await get(buffer) == message


async def test_a_server_may_send_both_keys_with_one_of_them_none() -> None:
    buffer, _ = filled({"type": "websocket.receive", "text": None, "bytes": b""})
    assert await get(buffer) == b""


async def test_connect_is_no_message() -> None:
    buffer, _ = filled({"type": "websocket.connect"}, "first")
    assert await get(buffer) == "first"


@pytest.mark.parametrize(
    "message", [{"type": "websocket.receive"}, {"type": "http.request"}]
)
async def test_a_message_against_the_specification_is_an_error(message: Any) -> None:
    buffer, _ = filled(message)
    with pytest.raises(RuntimeError, match=r"websocket\.receive"):
        await get(buffer)


async def test_nothing_is_taken_from_the_server_unless_somebody_reads() -> None:
    buffer, source = filled("one", "two")
    assert await get(buffer) == "one"
    await turns()
    assert source.taken == 1


async def test_the_end_is_told_after_the_last_message() -> None:
    buffer, source = filled("last")
    source.leave(3001)
    assert await get(buffer) == "last"
    for _ in range(2):
        with pytest.raises(WebsocketDisconnectedError) as caught:
            await get(buffer)
        assert caught.value.code == 3001
        assert caught.value.reason == "bye"
        assert caught.value.closed_by == "client"
    assert buffer.closure == Closure(3001, "bye", "client")


async def test_a_disconnect_without_a_code_is_1005() -> None:
    buffer, _ = filled({"type": "websocket.disconnect"})
    with pytest.raises(WebsocketDisconnectedError) as caught:
        await get(buffer)
    assert caught.value.code == 1005


async def test_a_server_that_raises_an_os_error_has_lost_its_client() -> None:
    buffer = Buffer()

    async def receive() -> Any:
        raise ConnectionResetError

    buffer.set_source(receive)
    with pytest.raises(WebsocketDisconnectedError) as caught:
        await get(buffer)
    assert caught.value.code == 1006


async def test_iterating_gives_the_messages_then_the_end() -> None:
    buffer, source = filled("a", "b")
    source.leave()
    got = []
    with pytest.raises(WebsocketDisconnectedError):
        async for message in buffer:
            got.append(message)  # noqa: PERF401 - what came before the end
    assert got == ["a", "b"]


# Several readers


async def test_readers_take_turns_and_never_ask_the_server_twice() -> None:
    buffer, source = filled()
    readers = [asyncio.create_task(get(buffer)) for _ in range(3)]
    await turns()
    source.add("a", "b", "c")
    got = await asyncio.gather(*readers)
    assert got == ["a", "b", "c"]


async def test_all_readers_are_told_of_the_end() -> None:
    buffer, source = filled()
    readers = [asyncio.create_task(buffer.get()) for _ in range(3)]
    await turns()
    source.leave()
    done, _ = await asyncio.wait(readers, timeout=LIMIT)
    assert len(done) == 3
    assert all(reader.cancelled() for reader in readers)


async def test_a_cancelled_reader_leaves_its_turn_to_the_next() -> None:
    buffer, source = filled()
    first, second = (asyncio.create_task(get(buffer)) for _ in range(2))
    await turns()
    first.cancel()
    await turns()
    source.add("for the second")
    assert await second == "for the second"


async def test_a_reader_cancelled_when_woken_passes_the_message_on() -> None:
    buffer = Buffer()
    first, second = (asyncio.create_task(buffer.get()) for _ in range(2))
    await turns()
    await buffer.put("message")
    first.cancel()
    assert await asyncio.wait_for(second, LIMIT) == "message"
    assert first.cancelled()


async def test_a_timeout_loses_no_message() -> None:
    buffer, source = filled()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(buffer.get(), 0.001)
    source.add("late")
    assert await get(buffer) == "late"


# Watching


async def test_a_watcher_reads_ahead_up_to_the_number_of_messages() -> None:
    buffer, source = filled(*map(str, range(100)))
    buffer.max_messages = 16
    watcher = asyncio.create_task(buffer.watch())
    await turns(200)
    assert source.taken == 16
    got = [await get(buffer) for _ in range(100)]
    assert got == [str(number) for number in range(100)]
    watcher.cancel()


async def test_a_watcher_reads_ahead_up_to_the_bytes_and_one_message() -> None:
    buffer, source = filled(*[bytes(1000) for _ in range(50)])
    buffer.max_bytes = 5_000
    watcher = asyncio.create_task(buffer.watch())
    await turns(100)
    assert source.taken == 5
    watcher.cancel()


async def test_a_watcher_goes_on_when_there_is_room() -> None:
    buffer, source = filled("a", "b", "c", "d")
    buffer.max_messages = 2
    watcher = asyncio.create_task(buffer.watch())
    await turns()
    assert source.taken == 2
    assert await get(buffer) == "a"
    await turns()
    assert source.taken == 3
    watcher.cancel()


async def test_a_watcher_returns_at_the_end_and_keeps_what_came_before() -> None:
    buffer, source = filled("a", "b")
    source.leave()
    await asyncio.wait_for(buffer.watch(), LIMIT)
    assert buffer.has_messages
    assert [await get(buffer), await get(buffer)] == ["a", "b"]
    with pytest.raises(WebsocketDisconnectedError):
        await get(buffer)


async def test_a_watcher_steps_aside_once_a_reader_has_its_message() -> None:
    buffer, source = filled()
    watcher = asyncio.create_task(buffer.watch())
    reader = asyncio.create_task(get(buffer))
    await turns()
    source.add("for the reader", "for nobody yet")
    assert await reader == "for the reader"
    await turns()
    assert source.taken == 1
    buffer.resume()
    await turns()
    assert source.taken == 2
    watcher.cancel()


# Putting


async def test_put_waits_for_room() -> None:
    buffer = Buffer()
    buffer.max_messages = 1
    await buffer.put("one")
    second = asyncio.create_task(buffer.put("two"))
    await turns()
    assert not second.done()
    assert await get(buffer) == "one"
    await asyncio.wait_for(second, LIMIT)
    assert await get(buffer) == "two"


async def test_disconnect_wakes_readers_and_writers() -> None:
    buffer = Buffer()
    buffer.max_messages = 1
    reader = asyncio.create_task(buffer.get())
    await turns()
    buffer.disconnect()
    with pytest.raises(WebsocketDisconnectedError, match="1006"):
        await asyncio.wait_for(reader, LIMIT)
    await asyncio.wait_for(buffer.put("dropped"), LIMIT)
    assert not buffer.has_messages


async def test_the_first_end_counts() -> None:
    buffer = Buffer()
    buffer.end(Closure(4000, "", "application"))
    buffer.disconnect()
    assert buffer.closure == Closure(4000, "", "application")


async def test_a_reader_cancelled_after_the_end_is_told_why() -> None:
    buffer, _ = filled()
    reader = asyncio.create_task(buffer.get())
    await turns()
    buffer.end(Closure(1012, "", "server"))
    reader.cancel()
    caught: BaseException | None = None
    try:
        await reader
    except WebsocketDisconnectedError as error:
        caught = error
    assert caught is not None
    assert caught.code == 1012  # type: ignore[attr-defined]


def test_making_one_needs_no_event_loop() -> None:
    assert Buffer().closure is None


# Properties

STEPS = st.lists(
    st.sampled_from(["arrive", "read", "cancel", "resume", "turn", "watch"]),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps=STEPS, max_messages=st.integers(1, 4))
def test_whatever_happens_each_message_is_read_exactly_once(
    steps: list[str], max_messages: int
) -> None:
    async def run() -> None:
        buffer, source = filled()
        buffer.max_messages = max_messages
        got: list[Any] = []
        sent = 0
        tasks: list[asyncio.Task[None]] = []
        watcher: asyncio.Task[None] | None = None

        async def read() -> None:
            got.append(await buffer.get())

        for step in steps:
            if step == "arrive":
                source.add(str(sent))
                sent += 1
            elif step == "read":
                tasks.append(asyncio.create_task(read()))
            elif step == "cancel" and tasks:
                tasks.pop().cancel()
            elif step == "resume":
                buffer.resume()
            elif step == "watch" and watcher is None:
                watcher = asyncio.create_task(buffer.watch())
            else:
                await turns(2)
            held = len(buffer._messages or ())
            assert held <= max_messages
        await turns()
        # Whoever still waits is served, and the rest can be read.
        source.leave()
        buffer.resume()
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    got.append(await buffer.get())
                except WebsocketDisconnectedError:
                    break
            await turns()
        assert sorted(got, key=int) == [str(number) for number in range(sent)]
        assert all(task.done() for task in tasks)
        if watcher is not None:
            await asyncio.wait_for(watcher, LIMIT)

    asyncio.run(run())


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 3000), max_size=40),
    max_bytes=st.integers(1, 5000),
)
def test_what_is_read_ahead_is_bounded_by_bytes_and_one_message(
    sizes: list[int], max_bytes: int
) -> None:
    async def run() -> None:
        buffer, source = filled(*[bytes(size) for size in sizes])
        buffer.max_bytes = max_bytes
        watcher = asyncio.create_task(buffer.watch())
        await turns(60)
        held = buffer._messages or ()
        assert sum(map(len, held)) <= max_bytes + 3000
        source.leave()
        got = []
        async with asyncio.timeout(LIMIT):
            try:
                async for message in buffer:
                    got.append(len(message))  # noqa: PERF401 - as above
            except WebsocketDisconnectedError:
                pass
        assert got == sizes
        await asyncio.wait_for(watcher, LIMIT)

    asyncio.run(run())
