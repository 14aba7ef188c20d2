"""The body of a request: pushed or pulled, awaited or iterated over, limited."""

from __future__ import annotations

import asyncio
import itertools
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_core.wrappers.base import ClientDisconnectedError
from quart_core.wrappers.body import READ_AHEAD_BYTES, Body
from werkzeug.exceptions import RequestEntityTooLarge

BOUND_SECONDS = 10
DISCONNECT: dict[str, Any] = {"type": "http.disconnect"}


def part(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


class Source:
    """An ASGI receive that counts, and refuses to be called twice at a time."""

    def __init__(
        self, messages: list[dict[str, Any]], delays: list[int] | None = None
    ) -> None:
        self.messages = messages
        self.taken: list[dict[str, Any]] = []
        self.calls = 0
        self.pending = False
        self.exhausted = asyncio.Event()
        self._delays = itertools.cycle(delays or [0])

    @property
    def taken_bytes(self) -> int:
        return sum(len(message.get("body", b"")) for message in self.taken)

    async def __call__(self) -> dict[str, Any]:
        if self.pending:
            raise RuntimeError("receive() was called while another call was pending")
        self.calls += 1
        self.pending = True
        try:
            for _ in range(next(self._delays)):
                await asyncio.sleep(0)
            if not self.messages:
                self.exhausted.set()
                await asyncio.Event().wait()
            message = self.messages.pop(0)
        finally:
            self.pending = False
        self.taken.append(message)
        return message


class Gate:
    """An ASGI receive whose messages the test hands out one by one."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.asked = asyncio.Event()

    def give(self, message: dict[str, Any]) -> None:
        self._queue.put_nowait(message)

    async def __call__(self) -> dict[str, Any]:
        self.asked.set()
        return await self._queue.get()


def pulling(
    source: Callable[[], Awaitable[Any]],
    *,
    declared: int | None = None,
    limit: int | None = None,
) -> Body:
    body = Body(declared, limit)
    body.set_source(source)
    return body


async def soon(awaitable: Coroutine[Any, Any, Any]) -> Any:
    return await asyncio.wait_for(awaitable, BOUND_SECONDS)


async def settle() -> None:
    """Let every task run until it waits for something that the test must do."""
    for _ in range(20):
        await asyncio.sleep(0)


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def iterated(body: Body) -> list[bytes]:
    return [chunk async for chunk in body]


# Awaiting and iterating, with data that is pushed


async def test_awaiting_gives_the_whole_body_again_and_again() -> None:
    body = Body(None, None)
    body.append(b"one ")
    body.append(b"two")
    body.set_complete()
    assert await body == b"one two"
    assert await body == b"one two"


async def test_iterating_consumes_the_body() -> None:
    body = Body(None, None)
    body.set_result(b"data")
    assert await iterated(body) == [b"data"]
    assert await iterated(body) == []
    assert await body == b""


async def test_iterating_after_awaiting_gives_the_body_once_more() -> None:
    body = Body(None, None)
    body.set_result(b"data")
    assert await body == b"data"
    assert await iterated(body) == [b"data"]
    assert await body == b""


async def test_awaiting_after_iterating_in_part_gives_the_rest() -> None:
    body = pulling(Source([part(b"one"), part(b"two"), part(b"three", more=False)]))
    assert await anext(body) == b"one"
    assert await body == b"twothree"


async def test_chunks_that_wait_together_are_given_as_one() -> None:
    body = Body(None, None)
    body.append(b"one")
    body.append(b"")
    body.append(b"two")
    body.set_complete()
    assert await iterated(body) == [b"onetwo"]


async def test_set_result_adds_to_what_was_there() -> None:
    body = Body(None, None)
    body.append(b"one ")
    body.set_result(b"two")
    assert await body == b"one two"


async def test_clear_forgets_what_has_arrived() -> None:
    body = Body(None, None)
    body.set_result(b"data")
    body.clear()
    assert await body == b""


async def test_an_empty_body_ends_at_once() -> None:
    body = Body(0, None)
    body.set_complete()
    assert await body == b""
    assert await iterated(body) == []


async def test_a_reader_waits_for_what_is_pushed_later() -> None:
    body = Body(None, None)
    reader = asyncio.create_task(body.read())
    await settle()
    body.append(b"one")
    await settle()
    body.set_result(b"two")
    assert await soon(asyncio.shield(reader)) == b"onetwo"  # type: ignore[arg-type]


async def test_get_gives_chunks_and_then_nothing() -> None:
    body = Body(None, None)
    await body.put(b"one")
    assert await body.get() == b"one"
    await body.put(b"two")
    body.set_complete()
    assert await body.get() == b"two"
    assert await body.get() == b""
    assert await body.get() == b""


async def test_put_waits_until_a_reader_has_made_room() -> None:
    body = Body(None, None)
    await body.put(b"x" * READ_AHEAD_BYTES)
    putting = asyncio.create_task(body.put(b"more"))
    await settle()
    assert not putting.done()
    assert len(await body.get()) == READ_AHEAD_BYTES
    await soon(asyncio.shield(putting))  # type: ignore[arg-type]
    assert await body.get() == b"more"


async def test_put_does_not_wait_for_readers_of_a_client_that_left() -> None:
    body = Body(None, None)
    await body.put(b"x" * READ_AHEAD_BYTES)
    body.disconnect()
    await soon(body.put(b"more"))
    assert len(await body.get()) == READ_AHEAD_BYTES + 4


# Pulling from the server


async def test_nothing_is_received_before_somebody_reads() -> None:
    source = Source([part(b"data", more=False)])
    body = pulling(source)
    await settle()
    assert source.calls == 0
    assert await body == b"data"
    assert source.calls == 1


async def test_a_reader_that_finds_data_at_hand_never_suspends() -> None:
    body = pulling(Source([part(b"a"), part(b"b", more=False)]))
    reading = body.read()
    with pytest.raises(StopIteration) as end:
        reading.send(None)
    assert end.value.value == b"ab"


async def test_a_chunk_is_passed_on_without_a_copy() -> None:
    chunk = bytes(100_000)
    body = pulling(Source([part(chunk, more=False)]))
    assert await anext(body) is chunk


async def test_keys_that_a_message_may_leave_out_have_their_defaults() -> None:
    body = pulling(Source([{"type": "http.request"}]))
    assert await body == b""


async def test_empty_messages_are_not_given_to_iterators() -> None:
    body = pulling(Source([part(b""), part(b"a"), part(b""), part(b"", more=False)]))
    assert await iterated(body) == [b"a"]


async def test_a_message_of_another_type_is_an_error_that_names_it() -> None:
    body = pulling(Source([{"type": "websocket.receive"}]))
    with pytest.raises(RuntimeError, match=r"'websocket\.receive'.*'http\.request'"):
        await body


async def test_no_asyncio_object_is_made_unless_somebody_waits() -> None:
    class NoEvents(Body):
        @staticmethod
        def event_class() -> Any:
            raise RuntimeError("made")

    body = NoEvents(None, None)
    body.set_source(Source([part(b"a", more=False)]))
    assert await body == b"a"
    body.append(b"b")
    body.clear()
    with pytest.raises(RuntimeError, match="made"):
        await NoEvents(None, None)


async def test_a_body_that_brings_its_event_class_waits_with_that() -> None:
    made: list[Any] = []

    class OtherEvent(asyncio.Event):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    class OtherBody(Body):
        """Constructs itself, as the body of quart-trio does."""

        def __init__(self) -> None:
            self._data = None
            self._complete = OtherEvent()
            self._max_content_length = None
            self._must_raise = None

    body = OtherBody()
    reader = asyncio.create_task(body.read())
    await settle()
    body.set_result(b"data")
    assert await reader == b"data"
    assert [type(event) for event in made] == [OtherEvent, OtherEvent]


async def test_an_error_that_a_subclass_sets_is_raised_by_every_reader() -> None:
    body = Body(None, None)
    body.set_result(b"data")
    body._must_raise = RequestEntityTooLarge()
    with pytest.raises(RequestEntityTooLarge):
        await body
    with pytest.raises(RequestEntityTooLarge):
        await anext(body)


# The client leaves


async def test_a_reader_is_told_that_the_client_left() -> None:
    body = pulling(Source([part(b"half"), DISCONNECT]))
    with pytest.raises(ClientDisconnectedError):
        await body
    with pytest.raises(ClientDisconnectedError):
        await body


async def test_an_iterator_gets_what_arrived_before_the_client_left() -> None:
    body = pulling(Source([part(b"half"), DISCONNECT]))
    assert await anext(body) == b"half"
    with pytest.raises(ClientDisconnectedError):
        await anext(body)


def test_leaving_is_a_cancellation_that_except_exception_lets_through() -> None:
    assert issubclass(ClientDisconnectedError, asyncio.CancelledError)
    assert not issubclass(ClientDisconnectedError, Exception)


async def test_a_client_that_leaves_after_the_end_disturbs_no_reader() -> None:
    body = pulling(Source([part(b"all", more=False), DISCONNECT]))
    assert await body == b"all"
    await soon(body.watch())
    assert await body == b"all"


async def test_a_waiting_reader_whose_handler_is_cancelled_is_told_why() -> None:
    gate = Gate()
    body = pulling(gate)
    watcher = asyncio.create_task(body.watch())
    await settle()
    reader = asyncio.create_task(body.read())
    await settle()
    gate.give(DISCONNECT)
    await soon(asyncio.shield(watcher))  # type: ignore[arg-type]
    # What the connection does when the watcher returns.
    reader.cancel()
    with pytest.raises(ClientDisconnectedError):
        await reader


async def test_a_reader_cancelled_for_another_reason_is_plainly_cancelled() -> None:
    body = Body(None, None)
    reader = asyncio.create_task(body.read())
    await settle()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await reader
    assert type(caught.value) is asyncio.CancelledError


async def test_disconnect_wakes_a_waiting_reader() -> None:
    body = Body(None, None)
    reader = asyncio.create_task(body.read())
    await settle()
    body.disconnect()
    with pytest.raises(ClientDisconnectedError):
        await reader


# Watching


async def test_watching_returns_when_the_client_of_a_complete_body_leaves() -> None:
    gate = Gate()
    body = pulling(gate)
    watcher = asyncio.create_task(body.watch())
    gate.give(part(b"data", more=False))
    await settle()
    assert not watcher.done()
    gate.give(DISCONNECT)
    await soon(asyncio.shield(watcher))  # type: ignore[arg-type]
    assert await body == b"data"


async def test_watching_an_unread_body_stops_at_the_read_ahead() -> None:
    chunk = bytes(10_000)
    source = Source([part(chunk) for _ in range(100)])
    body = pulling(source)
    watcher = asyncio.create_task(body.watch())
    await settle()
    taken = len(source.taken)
    assert READ_AHEAD_BYTES <= taken * len(chunk) < READ_AHEAD_BYTES + len(chunk)
    await settle()
    assert len(source.taken) == taken
    await cancelled(watcher)


async def test_watching_goes_on_when_a_reader_has_made_room() -> None:
    source = Source([part(bytes(READ_AHEAD_BYTES)), part(b"b"), part(b"c", more=False)])
    body = pulling(source)
    watcher = asyncio.create_task(body.watch())
    await settle()
    assert len(source.taken) == 1
    await anext(body)
    await settle()
    assert len(source.taken) == 3
    assert await body == b"bc"
    await cancelled(watcher)


async def test_watching_waits_while_a_reader_receives() -> None:
    gate = Gate()
    body = pulling(gate)
    reader = asyncio.create_task(body.read())
    await soon(gate.asked.wait())
    watcher = asyncio.create_task(body.watch())
    await settle()
    gate.give(part(b"data", more=False))
    assert await reader == b"data"
    gate.give(DISCONNECT)
    await soon(asyncio.shield(watcher))  # type: ignore[arg-type]


async def test_a_cancelled_watcher_hands_over_to_the_waiting_reader() -> None:
    gate = Gate()
    body = pulling(gate)
    watcher = asyncio.create_task(body.watch())
    await settle()
    reader = asyncio.create_task(body.read())
    await settle()
    await cancelled(watcher)
    gate.give(part(b"data", more=False))
    assert await soon(asyncio.shield(reader)) == b"data"  # type: ignore[arg-type]


async def test_a_cancelled_reader_hands_over_to_the_waiting_watcher() -> None:
    gate = Gate()
    body = pulling(gate)
    reader = asyncio.create_task(body.read())
    await settle()
    watcher = asyncio.create_task(body.watch())
    await settle()
    await cancelled(reader)
    gate.give(part(b"da"))
    gate.give(part(b"ta", more=False))
    assert await soon(body.read()) == b"data"
    await cancelled(watcher)


async def test_a_cancelled_reader_loses_nothing() -> None:
    gate = Gate()
    body = pulling(gate)
    reader = asyncio.create_task(body.read())
    gate.give(part(b"one "))
    await settle()
    await cancelled(reader)
    gate.give(part(b"two", more=False))
    assert await body == b"one two"


async def test_two_readers_share_the_body() -> None:
    gate = Gate()
    body = pulling(gate)
    readers = [asyncio.create_task(body.read()) for _ in range(2)]
    await settle()
    gate.give(part(b"one "))
    gate.give(part(b"two", more=False))
    assert await asyncio.gather(*readers) == [b"one two", b"one two"]


async def test_watching_ends_with_a_source_that_repeats_itself_after_the_end() -> None:
    calls = 0

    async def receive() -> dict[str, Any]:
        nonlocal calls
        calls += 1
        return part(b"data", more=False)

    body = pulling(receive)
    watcher = asyncio.create_task(body.watch())
    await settle()
    assert calls == 2
    assert await body == b"data"
    await cancelled(watcher)


# The limit

READERS: dict[str, Callable[[Body], Awaitable[Any]]] = {
    "await": lambda body: body.read(),
    "iterate": iterated,
    "get": lambda body: get_all(body),
}


async def get_all(body: Body) -> bytes:
    data = b""
    while chunk := await body.get():
        data += chunk
    return data


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
async def test_f_09_a_declared_length_over_the_limit_is_413_and_not_read(
    read: Callable[[Body], Awaitable[Any]],
) -> None:
    source = Source([part(bytes(20), more=False)])
    body = pulling(source, declared=20, limit=10)
    with pytest.raises(RequestEntityTooLarge):
        await read(body)
    assert source.calls == 0


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("size", [1, 7, 1_000, 65_536])
async def test_f_09_an_undeclared_body_is_413_one_message_over_the_limit(
    read: Callable[[Body], Awaitable[Any]], size: int
) -> None:
    limit = 2_000
    source = Source([part(bytes(size)) for _ in range(70_000 // size + 2)])
    body = pulling(source, limit=limit)
    with pytest.raises(RequestEntityTooLarge):
        await read(body)
    assert source.taken_bytes <= limit + size
    with pytest.raises(RequestEntityTooLarge):
        await read(body)


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
async def test_a_body_of_exactly_the_limit_is_read(
    read: Callable[[Body], Awaitable[Any]],
) -> None:
    source = Source([part(bytes(6)), part(bytes(4), more=False)])
    data = await read(pulling(source, declared=10, limit=10))
    assert len(b"".join(data) if isinstance(data, list) else data) == 10


async def test_the_limit_counts_what_was_consumed_by_iterating() -> None:
    body = pulling(Source([part(bytes(4)), part(bytes(4)), part(bytes(4))]), limit=10)
    assert len(await anext(body)) == 4
    assert len(await anext(body)) == 4
    with pytest.raises(RequestEntityTooLarge):
        await anext(body)


async def test_pushed_data_over_the_limit_is_not_kept() -> None:
    body = Body(None, 10)
    body.append(bytes(8))
    body.append(bytes(8))
    body.set_complete()
    assert body._buffered == 0
    with pytest.raises(RequestEntityTooLarge):
        await body


async def test_watching_a_body_over_the_limit_takes_no_more_of_it() -> None:
    source = Source([part(bytes(8)) for _ in range(10)])
    body = pulling(source, limit=20)
    watcher = asyncio.create_task(body.watch())
    await settle()
    assert source.taken_bytes == 24
    assert body._buffered == 0
    await cancelled(watcher)


async def test_watching_a_body_declared_over_the_limit_takes_nothing() -> None:
    source = Source([part(bytes(8)) for _ in range(10)])
    body = pulling(source, declared=80, limit=20)
    watcher = asyncio.create_task(body.watch())
    await settle()
    assert source.calls == 0
    await cancelled(watcher)


async def test_a_limit_raised_in_time_lets_the_body_in() -> None:
    body = pulling(Source([part(bytes(20), more=False)]), declared=20, limit=10)
    body._set_max_content_length(20)
    assert len(await body) == 20


async def test_reading_with_a_limit_of_its_own_stops_there() -> None:
    source = Source([part(bytes(4)) for _ in range(10)])
    body = pulling(source)
    with pytest.raises(RequestEntityTooLarge):
        await body.read(10)
    assert source.taken_bytes == 12


# Memory


class Endless:
    """An ASGI receive that gives the same message a number of times."""

    def __init__(self, size: int, count: int) -> None:
        self._message = part(bytes(size))
        self._left = count
        self.calls = 0

    async def __call__(self) -> dict[str, Any]:
        self.calls += 1
        if self.calls % 16 == 0:
            await asyncio.sleep(0)
        self._left -= 1
        return self._message if self._left else part(b"", more=False)


async def peak_of(awaitable: Awaitable[Any]) -> int:
    tracemalloc.start()
    try:
        await awaitable
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def test_f_09_streaming_300_megabytes_takes_no_memory() -> None:
    body = pulling(Endless(65_536, 4_800))

    async def stream() -> None:
        watcher = asyncio.create_task(body.watch())
        received = 0
        async for chunk in body:
            received += len(chunk)
        assert received == 4_799 * 65_536
        await settle()
        watcher.cancel()

    assert await peak_of(stream()) < 300_000


async def test_f_09_a_body_over_the_limit_takes_little_more_than_the_limit() -> None:
    limit = 4_194_304
    source = Endless(65_536, 6_400)
    body = pulling(source, limit=limit)

    async def read() -> None:
        with pytest.raises(RequestEntityTooLarge):
            await body

    # The buffer grows by an eighth at a time, untouched at first.
    assert await peak_of(read()) < limit * 9 // 8 + 1_000_000
    assert source.calls * 65_536 <= limit + 65_536
    assert body._buffered == 0


async def test_a_body_in_single_bytes_takes_the_memory_of_its_bytes() -> None:
    size = 200_000

    async def read() -> None:
        body = Body(None, None)
        for _ in range(size):
            body.append(b"x")
        body.set_complete()
        assert len(await body) == size

    assert await peak_of(read()) < size * 2


async def test_the_whole_body_is_handed_out_without_a_second_copy() -> None:
    size = 8_388_608
    body = pulling(Source([part(bytes(size // 2)), part(bytes(size // 2), more=False)]))

    async def read() -> None:
        assert len(await body) == size

    assert await peak_of(read()) < size * 9 // 8 + 100_000


# Any order of arrivals, readers and cancellations

chunk_lists = st.lists(st.binary(max_size=40), max_size=8)
delay_lists = st.lists(st.integers(0, 3), min_size=1, max_size=5)
#: How many turns of the loop each reading is given before it is cancelled.
patience_lists = st.lists(
    st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=6
)
styles = st.sampled_from(["read", "next", "get"])


async def read_patiently(
    body: Body, style_list: list[str], patience: list[int | None]
) -> bytes:
    """Read all of a body, in turns of which some are cancelled."""
    collected = b""
    turns = itertools.cycle(patience)
    # Somebody who is always cancelled at once never gets anything.
    for turn, style in zip(range(200), itertools.cycle(style_list), strict=False):
        limit = next(turns) if turn < 50 else None
        reading: Any = {
            "read": body.read,
            "next": body.__anext__,
            "get": body.get,
        }[style]()
        task = asyncio.ensure_future(reading)
        if limit is not None:
            for _ in range(limit):
                await asyncio.sleep(0)
            task.cancel()
        try:
            data = await task
        except asyncio.CancelledError:
            continue
        except StopAsyncIteration:
            return collected
        if style == "read":
            return collected + data
        if style == "get" and not data:
            return collected
        collected += data
    raise AssertionError("the body never ended")


@given(
    chunks=chunk_lists,
    delays=delay_lists,
    style_list=st.lists(styles, min_size=1, max_size=4),
    patience=patience_lists,
    watched=st.booleans(),
    watch_turns=st.one_of(st.none(), st.integers(0, 8)),
)
@settings(max_examples=150, deadline=None)
def test_readers_lose_nothing_however_they_read_and_are_cancelled(
    chunks: list[bytes],
    delays: list[int],
    style_list: list[str],
    patience: list[int | None],
    watched: bool,
    watch_turns: int | None,
) -> None:
    async def run() -> None:
        source = Source([*map(part, chunks), part(b"", more=False)], delays)
        body = pulling(source)
        watchers: list[asyncio.Task[None]] = []

        async def watch_now_and_then() -> None:
            while True:
                watcher = asyncio.create_task(body.watch())
                watchers.append(watcher)
                if watch_turns is None:
                    return
                for _ in range(watch_turns):
                    await asyncio.sleep(0)
                watcher.cancel()
                await asyncio.sleep(0)

        if watched:
            watchers.append(asyncio.create_task(watch_now_and_then()))
        try:
            data = await soon(read_patiently(body, style_list, patience))
        finally:
            for watcher in watchers:
                watcher.cancel()
            results = await asyncio.gather(*watchers, return_exceptions=True)
        assert data == b"".join(chunks)
        assert not [
            result
            for result in results
            if not isinstance(result, (type(None), asyncio.CancelledError))
        ]

    asyncio.run(run())


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=8),
    limit=st.integers(0, 120),
    declare=st.booleans(),
    style=styles,
    watched=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_the_limit_holds_for_every_way_of_reading(
    chunks: list[bytes], limit: int, declare: bool, style: str, watched: bool
) -> None:
    total = sum(map(len, chunks))

    async def run() -> None:
        source = Source([*map(part, chunks), part(b"", more=False)])
        body = pulling(source, declared=total if declare else None, limit=limit)
        watcher = asyncio.create_task(body.watch()) if watched else None
        await settle()
        reading = read_patiently(body, [style], [None])
        if total <= limit:
            assert await soon(reading) == b"".join(chunks)
        else:
            with pytest.raises(RequestEntityTooLarge):
                await soon(reading)
            assert source.taken_bytes <= limit + max(map(len, chunks))
        if watcher is not None:
            await cancelled(watcher)

    asyncio.run(run())


@given(
    chunks=st.lists(st.integers(1, 90_000), max_size=12),
    reads=st.integers(0, 4),
)
@settings(max_examples=60, deadline=None)
def test_what_waits_unread_never_exceeds_the_read_ahead_and_a_message(
    chunks: list[int], reads: int
) -> None:
    async def run() -> None:
        source = Source([part(bytes(size)) for size in chunks])
        body = pulling(source)
        watcher = asyncio.create_task(body.watch())
        for _ in range(reads):
            await settle()
            assert body._buffered < READ_AHEAD_BYTES + max(chunks, default=0) + 1
            if body._buffered:
                await anext(body)
        await settle()
        assert body._buffered < READ_AHEAD_BYTES + max(chunks, default=0) + 1
        await cancelled(watcher)

    asyncio.run(run())
