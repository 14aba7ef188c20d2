"""Blocking code in threads: calls, iterables, closing exactly once."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from quart_core.threads import (
    BlockingResource,
    ThreadedIterator,
    is_coroutine_callable,
    run_sync,
    run_sync_iterable,
)

BOUND_SECONDS = 10
variable: ContextVar[str] = ContextVar("variable", default="unset")


async def settled(predicate: Callable[[], bool]) -> None:
    """Wait, at most for a while, until something happened in another thread."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not predicate():
            await asyncio.sleep(0)


class Blocker:
    """A step that waits until it is told to go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(BOUND_SECONDS)
        return "done"

    async def has_begun(self) -> None:
        await settled(self.begun.is_set)


async def test_run_sync_calls_in_another_thread() -> None:
    assert await run_sync(threading.get_ident)() != threading.get_ident()


async def test_run_sync_passes_arguments_and_gives_the_result() -> None:
    def join(first: str, *, second: str) -> str:
        return first + second

    assert await run_sync(join)("a", second="b") == "ab"


async def test_run_sync_passes_exceptions_on() -> None:
    def fail() -> None:
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        await run_sync(fail)()


async def test_run_sync_turns_stop_iteration_into_an_error_instead_of_hanging() -> None:
    def stop() -> None:
        raise StopIteration(1)

    async with asyncio.timeout(BOUND_SECONDS):
        with pytest.raises(RuntimeError, match="raised StopIteration"):
            await run_sync(stop)()


async def test_run_sync_carries_the_context_over_and_none_of_it_back() -> None:
    def read_and_write() -> str:
        seen = variable.get()
        variable.set("by the thread")
        return seen

    variable.set("by the task")
    assert await run_sync(read_and_write)() == "by the task"
    assert variable.get() == "by the task"


def test_run_sync_gives_a_coroutine_function_with_the_name_of_its_function() -> None:
    def view() -> None: ...

    wrapped = run_sync(view)
    assert inspect.iscoroutinefunction(wrapped)
    assert wrapped.__name__ == "view"


async def test_run_sync_makes_a_returned_generator_asynchronous() -> None:
    def numbers() -> Iterator[int]:
        yield threading.get_ident()
        yield 2

    result: Any = await run_sync(numbers)()
    assert inspect.isasyncgen(result)
    items = [item async for item in result]
    assert items[0] != threading.get_ident()
    assert items[1] == 2


async def test_run_sync_iterable_advances_each_step_in_a_thread() -> None:
    def idents() -> Iterator[int]:
        for _step in range(3):
            yield threading.get_ident()

    idents_seen = [ident async for ident in run_sync_iterable(idents())]
    assert len(idents_seen) == 3
    assert threading.get_ident() not in idents_seen


async def test_steps_of_one_iterator_share_a_context() -> None:
    def remember() -> Iterator[str]:
        variable.set("kept")
        yield ""
        yield variable.get()

    assert [item async for item in run_sync_iterable(remember())][1] == "kept"


async def test_the_context_of_an_iterator_is_that_of_its_first_step() -> None:
    variable.set("when it was made")
    iterator = run_sync_iterable(variable.get() for _ in range(1))
    variable.set("when it was started")
    assert [item async for item in iterator] == ["when it was started"]


async def test_exceptions_of_a_generator_reach_the_consumer() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise LookupError

    seen = []
    with pytest.raises(LookupError):
        async for item in run_sync_iterable(broken()):
            seen.append(item)  # noqa: PERF401 - what came before the error counts
    assert seen == [1]


async def test_a_started_generator_is_closed_in_a_thread() -> None:
    closed_by = []

    def generate() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed_by.append(threading.get_ident())

    iterator = run_sync_iterable(generate())
    assert await anext(iterator) == 1
    await iterator.aclose()
    await iterator.aclose()
    assert len(closed_by) == 1
    assert closed_by[0] != threading.get_ident()


async def test_a_generator_that_never_started_is_closed_without_a_thread() -> None:
    def generate() -> Iterator[int]:
        yield 1

    generator = generate()
    await ThreadedIterator(generator).aclose()
    assert inspect.getgeneratorstate(generator) == inspect.GEN_CLOSED


class Closable:
    """An iterable as WSGI knows them, with an iterator apart."""

    def __init__(self) -> None:
        self.closed = 0
        self.generators_closed = 0

    def __iter__(self) -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            self.generators_closed += 1

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
async def test_an_iterable_with_close_is_closed_once(steps: int) -> None:
    closable = Closable()
    iterator = ThreadedIterator(closable)
    for _step in range(steps):
        await anext(iterator, None)
    await iterator.aclose()
    await iterator.aclose()
    assert closable.closed == 1
    assert closable.generators_closed == (1 if steps else 0)


async def test_a_cancelled_step_ends_before_its_iterable_is_closed() -> None:
    blocker = Blocker()
    events = []

    def generate() -> Iterator[str]:
        try:
            yield blocker()
            events.append("went on")
        finally:
            events.append("closed")

    iterator = run_sync_iterable(generate())
    task = asyncio.ensure_future(anext(iterator))
    await blocker.has_begun()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await iterator.aclose()
    assert events == []
    blocker.go_on.set()
    await settled(lambda: events == ["closed"])


async def test_a_step_beside_an_abandoned_one_is_refused() -> None:
    blocker = Blocker()
    resource = BlockingResource(lambda: None)
    task = asyncio.ensure_future(resource.run(blocker))
    await blocker.has_begun()
    with pytest.raises(RuntimeError, match="one after the other"):
        await resource.run(str)
    blocker.go_on.set()
    assert await task == "done"


async def test_a_closed_resource_takes_no_step() -> None:
    resource = BlockingResource(lambda: None)
    await resource.aclose()
    with pytest.raises(RuntimeError, match="closed already"):
        await resource.run(str)


async def test_a_cancelled_close_is_done_nevertheless() -> None:
    blocker = Blocker()
    closed = []

    def close() -> None:
        blocker()
        closed.append(1)

    resource = BlockingResource(close)
    task = asyncio.ensure_future(resource.aclose())
    await blocker.has_begun()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    blocker.go_on.set()
    await settled(lambda: closed == [1])
    await resource.aclose()
    assert closed == [1]


async def test_a_resource_closes_also_when_the_executor_takes_no_more_work() -> None:
    loop = asyncio.get_running_loop()
    await loop.shutdown_default_executor()
    closed = []
    await BlockingResource(lambda: closed.append(1)).aclose()
    assert closed == [1]


async def test_closing_many_iterators_at_random_points_closes_each_once() -> None:
    counts = [0] * 200

    def generate(number: int) -> Iterator[int]:
        try:
            yield from range(5)
        finally:
            counts[number] += 1

    async def consume(number: int) -> None:
        iterator = run_sync_iterable(generate(number))
        try:
            async for _item in iterator:
                await asyncio.sleep(0)
        finally:
            await iterator.aclose()

    tasks = [asyncio.ensure_future(consume(number)) for number in range(200)]
    for round_number, task in enumerate(tasks):
        for _turn in range(round_number % 7):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert max(counts) == 1


class AsyncCallable:
    async def __call__(self) -> None: ...


class SyncCallable:
    def __call__(self) -> None: ...

    async def method(self) -> None: ...


async def coroutine_function(_argument: int = 0) -> None: ...


async def generator_function() -> AsyncIterator[int]:
    yield 1


def test_coroutine_functions_are_recognised_in_every_shape() -> None:
    for func in (
        coroutine_function,
        partial(coroutine_function, 1),
        partial(partial(coroutine_function), 1),
        AsyncCallable(),
        partial(AsyncCallable()),
        SyncCallable().method,
        run_sync(len),
    ):
        assert is_coroutine_callable(func), func


def test_other_callables_are_not_taken_for_coroutine_functions() -> None:
    for func in (
        len,
        lambda: None,
        partial(len, ""),
        SyncCallable(),
        SyncCallable,
        AsyncCallable,
        generator_function,
        "".join,
    ):
        assert not is_coroutine_callable(func), func
