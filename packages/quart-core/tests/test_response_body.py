"""Bodies: iterating, ranges, and closing exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

import pytest
from quart_core.wrappers.partial_body import MultipartBody, Part, SlicedBody
from quart_core.wrappers.response_body import (
    DataBody,
    IterableBody,
    ResponseBody,
    _raise_if_invalid_range,
    encode_chunk,
)
from werkzeug.exceptions import RequestedRangeNotSatisfiable


async def all_of(body: Any) -> bytes:
    async with body as entered:
        return b"".join([encode_chunk(chunk) async for chunk in entered])


class Source:
    """An asynchronous iterator that counts how often it is closed."""

    def __init__(self, *items: str | bytes) -> None:
        self.items = list(items)
        self.closed = 0

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> str | bytes:
        if not self.items:
            raise StopAsyncIteration
        return self.items.pop(0)

    async def aclose(self) -> None:
        self.closed += 1


# DataBody


async def test_data_is_sent_in_one_chunk() -> None:
    async with DataBody(b"abc") as body:
        assert [chunk async for chunk in body] == [b"abc"]


async def test_data_can_be_iterated_again() -> None:
    body = DataBody(b"abc")
    assert await all_of(body) == await all_of(body) == b"abc"


async def test_a_part_of_data_is_sent() -> None:
    body = DataBody(b"abcdef")
    assert await body.make_conditional(1, 4) == 6
    assert (body.begin, body.end) == (1, 4)
    assert await all_of(body) == body.ready_data() == b"bcd"


async def test_an_end_left_open_or_behind_the_data_is_the_end_of_the_data() -> None:
    body = DataBody(b"abcdef")
    await body.make_conditional(4, None)
    assert body.ready_data() == b"ef"
    await body.make_conditional(4, 99)
    assert body.ready_data() == b"ef"


def test_all_of_the_data_is_given_without_a_copy() -> None:
    data = b"x" * 1000
    assert DataBody(data).ready_data() is data


@pytest.mark.parametrize(("begin", "end"), [(6, None), (3, 3), (4, 2), (-1, 2)])
async def test_parts_that_are_not_there_are_refused(
    begin: int, end: int | None
) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable):
        await DataBody(b"abcdef").make_conditional(begin, end)


def test_the_check_that_extensions_use_names_the_size() -> None:
    _raise_if_invalid_range(0, 3, 3)
    _raise_if_invalid_range(2, 9, 3)
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        _raise_if_invalid_range(3, 4, 3)
    assert caught.value.length == 3


# IterableBody


@pytest.mark.parametrize("kind", [list, tuple, iter, lambda items: Source(*items)])
async def test_iterables_of_all_kinds_are_sent(kind: Any) -> None:
    assert await all_of(IterableBody(kind(["ä", b"b"]))) == "äb".encode()


async def test_items_are_passed_on_as_they_are() -> None:
    async def generate() -> AsyncIterator[str | bytes]:
        yield "a"
        yield b"b"

    async with IterableBody(generate()) as body:
        assert [item async for item in body] == ["a", b"b"]


@pytest.mark.parametrize("value", [5, None, object(), 1.5])
def test_what_cannot_be_iterated_over_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        IterableBody(value)


async def test_leaving_closes_the_source_once() -> None:
    source = Source("a", "b")
    body = IterableBody(source)
    async with body:
        async for _item in body:
            break
    await body.aclose()
    assert source.closed == 1


async def test_a_source_that_never_started_is_closed() -> None:
    source = Source("a")
    body = IterableBody(source)
    await body.aclose()
    await body.aclose()
    assert source.closed == 1


async def test_an_iterable_apart_from_its_iterator_is_closed_with_it() -> None:
    events = []

    class Stream:
        async def __aiter__(self) -> AsyncIterator[str]:
            try:
                yield "a"
                yield "b"
            finally:
                events.append("iterator")

        async def aclose(self) -> None:
            events.append("iterable")

    body = IterableBody(Stream())
    async with body:
        async for _item in body:
            break
    assert events == ["iterator", "iterable"]


async def test_a_sync_generator_is_closed_when_sending_breaks_off() -> None:
    closed = []

    def generate() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(1)

    body = IterableBody(generate())
    with pytest.raises(LookupError):
        async with body:
            async for _item in body:
                raise LookupError
    await body.aclose()
    assert closed == [1]


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancelled_sender_closes_its_generator_once(turns: int) -> None:
    closed = []

    async def generate() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            closed.append(1)

    body = IterableBody(generate())
    started = []

    async def send() -> None:
        async with body:
            async for item in body:
                started.append(item)
                await asyncio.sleep(0)

    task = asyncio.ensure_future(send())
    for _turn in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await body.aclose()
    assert closed == ([1] if started else [])


async def test_a_closed_generator_cannot_be_resumed() -> None:
    async def generate() -> AsyncIterator[bytes]:
        yield b"x"

    body = IterableBody(generate())
    await body.aclose()
    assert [item async for item in body] == []


async def test_a_subclass_may_set_its_own_iterator() -> None:
    class OwnBody(IterableBody):
        def __init__(self, iterable: Any) -> None:
            self.iter = iterable

    source = Source("a")
    body = OwnBody(source)
    assert await all_of(body) == b"a"
    assert source.closed == 1


async def test_a_body_of_somebody_else_needs_only_to_enter_leave_and_iterate() -> None:
    class OwnBody(ResponseBody):
        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_exc_info: object) -> None: ...

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"own"

    body = OwnBody()
    assert await all_of(body) == b"own"
    assert body.ready_data() is None
    await body.aclose()


# Chunks


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        ("ä", "ä".encode()),
        (b"a", b"a"),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"),
    ],
)
def test_chunks_become_bytes(chunk: Any, expected: bytes) -> None:
    assert encode_chunk(chunk) == expected


@pytest.mark.parametrize("chunk", [1, None, ["a"], 1.5])
def test_other_chunks_are_refused_with_their_type(chunk: Any) -> None:
    with pytest.raises(TypeError, match=f"not {type(chunk).__name__}"):
        encode_chunk(chunk)


# Parts of bodies


@pytest.mark.parametrize("begin", range(7))
@pytest.mark.parametrize("length", range(1, 8))
async def test_a_slice_of_a_stream_is_what_a_slice_of_its_bytes_is(
    begin: int, length: int
) -> None:
    items = ["ab", b"", "c", b"def", "gh"]
    body = SlicedBody(IterableBody(items), begin, begin + length)
    assert await all_of(body) == b"abcdefgh"[begin : begin + length]


async def test_what_lies_behind_a_slice_is_never_made() -> None:
    source = Source("ab", "cd", "ef")
    assert await all_of(SlicedBody(IterableBody(source), 0, 3)) == b"abc"
    assert source.items == ["ef"]
    assert source.closed == 1


async def test_closing_a_slice_closes_the_stream() -> None:
    source = Source("ab")
    await SlicedBody(IterableBody(source), 0, 1).aclose()
    assert source.closed == 1


async def test_a_multipart_body_knows_its_size() -> None:
    parts = [Part(b"<1>", 0, 2), Part(b"<2>", 3, 6)]
    body = MultipartBody(DataBody(b"abcdef"), parts, b"<end>")
    content = await all_of(body)
    assert content == b"<1>ab<2>def<end>"
    assert body.size == len(content)
