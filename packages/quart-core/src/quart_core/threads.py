"""Blocking code beside the event loop: calls, iterators and resources in threads.

All of it runs in the running loop's default executor. An awaited thread cannot be
interrupted: where the waiting task is cancelled, the blocking step runs to its end
and what it belongs to is closed right after it, by the thread itself.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
)
from contextvars import Context, copy_context
from functools import partial, wraps
from threading import Lock
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

__all__ = (
    "BlockingResource",
    "ThreadedIterator",
    "is_coroutine_callable",
    "run_sync",
    "run_sync_iterable",
)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Item = TypeVar("Item")

_END: Final = object()


# Any: a callable of whatever signature is asked about.
def is_coroutine_callable(func: Callable[..., Any]) -> bool:
    """Tell whether calling `func` gives a coroutine to await.

    Unlike `inspect.iscoroutinefunction` alone it sees through `functools.partial` and
    knows objects whose ``__call__`` is a coroutine function.
    """
    while isinstance(func, partial):
        func = func.func
    if inspect.iscoroutinefunction(func):
        return True
    if inspect.isroutine(func) or isinstance(func, type):
        return False
    # A callable object: the method that its class defines decides.
    return inspect.iscoroutinefunction(getattr(type(func), "__call__", None))  # noqa: B004


def run_sync(
    func: Callable[Parameters, Result],
) -> Callable[Parameters, Coroutine[None, None, Result]]:
    """Make a coroutine function that calls `func` in a thread.

    The context variables of the caller are visible in the thread; what `func` sets in
    them stays there. A generator that `func` returns comes back as an asynchronous one,
    whose steps run in threads too, see `run_sync_iterable`.

    Raises:
        RuntimeError: `func` raised StopIteration, which no coroutine can pass on.
    """

    @wraps(func)
    async def call_in_thread(
        *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Result:
        loop = asyncio.get_running_loop()
        call = partial(_call, func, args, kwargs)
        result = await loop.run_in_executor(None, copy_context().run, call)
        if inspect.isgenerator(result):
            return cast("Result", run_sync_iterable(result))
        return result

    return call_in_thread


# Any: the arguments travel as they were given.
def _call(
    func: Callable[..., Result], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Result:
    try:
        return func(*args, **kwargs)
    except StopIteration as error:
        # A future refuses StopIteration, and its waiter would wait for ever.
        name = getattr(func, "__qualname__", repr(func))
        raise RuntimeError(f"{name} raised StopIteration in its thread") from error


def run_sync_iterable(iterable: Iterable[Item]) -> AsyncGenerator[Item, None]:
    """Iterate over a synchronous iterable from a coroutine, each step in a thread.

    A real asynchronous generator is what callers look for; `ThreadedIterator` does the
    same, and closes also an iterable that was never started.
    """
    return _generate(ThreadedIterator(iterable))


async def _generate(iterator: ThreadedIterator[Item]) -> AsyncGenerator[Item, None]:
    try:
        async for item in iterator:
            yield item
    finally:
        await iterator.aclose()


class BlockingResource:
    """Something blocking that takes one step at a time and is closed exactly once.

    `close` runs in a thread: at once when no step is under way, else directly after the
    step, by the same thread. So nothing is ever closed under the hands of a step whose
    waiter was cancelled. All steps see one context, that of the first of them.

    Args:
        close: Called once, also if no step was ever taken.
    """

    __slots__ = ("_close", "_close_wanted", "_closed", "_context", "_lock", "_running")

    def __init__(self, close: Callable[[], object]) -> None:
        self._close = close
        self._close_wanted = False
        self._closed = False
        self._running = False
        self._lock = Lock()
        self._context: Context | None = None

    async def run(self, step: Callable[..., Result], *args: object) -> Result:
        """Run ``step(*args)`` in a thread.

        Raises:
            RuntimeError: The resource is closed.
        """
        if self._context is None:
            self._context = copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._take, self._context, step, args)

    def _take(
        self, context: Context, step: Callable[..., Result], args: tuple[object, ...]
    ) -> Result:
        with self._lock:
            if self._close_wanted:
                raise RuntimeError("The step was to run on what is closed already")
            if self._running:
                raise RuntimeError(
                    "The step before is still running in its thread, although nobody "
                    "waits for it any more: steps must be taken one after the other"
                )
            self._running = True
        try:
            return context.run(_call, step, args, {})
        finally:
            with self._lock:
                self._running = False
                close_now = self._close_wanted
            if close_now:
                context.run(self._close_once)

    async def aclose(self) -> None:
        """Close the resource in a thread, or have the running step's thread do it.

        Returns without waiting in the second case, as the step may take any time.
        """
        with self._lock:
            if self._close_wanted:
                return
            self._close_wanted = True
            if self._running:
                return
        context = self._context or copy_context()
        try:
            future = asyncio.get_running_loop().run_in_executor(
                None, context.run, self._close_once
            )
        except RuntimeError:
            # The loop is ending and its executor takes no more work.
            context.run(self._close_once)
            return
        # A cancelled waiter must not take the close out of the executor's queue.
        await asyncio.shield(future)

    def close_now(self) -> None:
        """Close in the calling thread; for resources whose closing cannot block."""
        with self._lock:
            if self._close_wanted:
                return
            self._close_wanted = True
            if self._running:
                return
        self._close_once()

    def _close_once(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._close()


class ThreadedIterator(AsyncIterator[Item], Generic[Item]):
    """An asynchronous iterator over a synchronous iterable, each step in a thread.

    Closing it closes the iterator and, where it is another object, the iterable
    (``close()`` as WSGI iterables have it).
    """

    __slots__ = ("_iterable", "_iterator", "_resource")

    def __init__(self, iterable: Iterable[Item]) -> None:
        self._iterable = iterable
        self._iterator: Iterator[Item] | None = None
        self._resource = BlockingResource(self._close)

    def __aiter__(self) -> ThreadedIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        item = await self._resource.run(self._step)
        if item is _END:
            raise StopAsyncIteration
        return cast("Item", item)

    def _step(self) -> Item | object:
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        return next(self._iterator, _END)

    async def aclose(self) -> None:
        """Close the iterable; once, whether iteration began, ended or never started."""
        if self._has_nothing_to_run():
            self._resource.close_now()
        else:
            await self._resource.aclose()

    def _has_nothing_to_run(self) -> bool:
        # A generator outside of its body closes without running any code of the user,
        # which is not worth a thread.
        if self._iterator is not None and self._iterator is not self._iterable:
            return False
        if not inspect.isgenerator(self._iterable):
            return not hasattr(self._iterable, "close")
        state = inspect.getgeneratorstate(self._iterable)
        return state in {inspect.GEN_CREATED, inspect.GEN_CLOSED}

    def _close(self) -> None:
        try:
            if self._iterator is not self._iterable:
                _close_if_possible(self._iterator)
        finally:
            _close_if_possible(self._iterable)


def _close_if_possible(closable: object) -> None:
    close = getattr(closable, "close", None)
    if close is not None:
        close()
