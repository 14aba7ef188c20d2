"""Streaming with the context of the request that began it.

A response is streamed after its view has returned. Without help its generator finds no
request any more; with ``stream_with_context`` the context lasts until the stream ends,
and so do the things that teardown functions close.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
)
from contextlib import contextmanager
from functools import wraps
from inspect import iscoroutine
from typing import Any, ParamSpec, TypeVar, cast, overload

from quart_contexts.ctx import AppContext
from quart_contexts.globals import _cv_app, _cv_request, _cv_websocket

from .threads import run_sync_iterable

__all__ = ["stream_with_context"]

Parameters = ParamSpec("Parameters")
Item = TypeVar("Item")

_MISSING: Any = object()

# What a context keeps of one push that set no variable.
_NOTHING_SET: Any = (None, None, None)

# Stands for no context, since a variable that was set cannot be unset.
_NO_CONTEXT = AppContext(cast("Any", None))


@overload
def stream_with_context(
    func: Callable[Parameters, AsyncIterator[Item]],
) -> Callable[Parameters, AsyncGenerator[Item, None]]: ...


@overload
def stream_with_context(
    func: Callable[Parameters, Iterator[Item]],
) -> Callable[Parameters, AsyncGenerator[Item, None]]: ...


@overload
def stream_with_context(
    func: AsyncIterator[Item] | Iterator[Item],
) -> AsyncGenerator[Item, None]: ...


@overload
def stream_with_context(*, generator_or_function: Any) -> Any: ...


# Any: the overloads say what goes in and comes out.
def stream_with_context(
    func: Any = _MISSING, *, generator_or_function: Any = _MISSING
) -> Any:
    """Keep the context of the current request while a generator streams.

    As a decorator or on a generator, asynchronous or not; the steps of a synchronous
    one run in threads.

    ::

        @app.get("/")
        async def index():
            @stream_with_context
            async def generate():
                yield f"Hello {request.args['name']}"
            return generate()

    The functions that tear the request down run when the stream ends, is closed or
    fails, and not before.

    Args:
        func: A generator function, or a generator or other iterator.
        generator_or_function: Flask's name for it.

    Raises:
        RuntimeError: There is no request or websocket.
        TypeError: It is nothing that can be iterated over.
    """
    source = generator_or_function if func is _MISSING else func
    if isinstance(source, (AsyncIterable, Iterable)):
        return _stream(source, _current_context())
    if not callable(source):
        raise TypeError(_wrong_type(source))
    # The context of the decorator's time, which is the right one where the generator
    # is begun later, by another task.
    decorated_in = _cv_request.get(None) or _cv_websocket.get(None)

    @wraps(source)
    def streamed(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        context = decorated_in or _current_context()
        return _stream(source(*args, **kwargs), context)

    return streamed


def _wrong_type(source: object) -> str:
    return (
        f"stream_with_context() got {source!r}, which cannot be iterated over. It takes"
        f" a generator or a generator function: one with 'yield', 'async def' or 'def'."
    )


def _current_context() -> AppContext:
    context = _cv_request.get(None) or _cv_websocket.get(None)
    if context is None:
        raise RuntimeError(
            "stream_with_context() needs an active request or websocket: begin the"
            " stream in a view."
        )
    return context


def _stream(source: Any, context: AppContext) -> AsyncGenerator[Any, None]:
    iterator: AsyncIterator[Any]
    if isinstance(source, AsyncIterable):
        iterator = aiter(source)
    elif isinstance(source, Iterable):
        iterator = run_sync_iterable(source)
    else:
        if iscoroutine(source):
            source.close()
        raise TypeError(_wrong_type(source))
    steps = _steps(iterator, context)
    # Begun here, up to its first yield, for a generator that never began does not run
    # its finally when it is closed.
    try:
        steps.__anext__().send(None)
    except StopIteration:
        return steps
    raise RuntimeError("The stream did not begin at once.")


async def _steps(
    iterator: AsyncIterator[Any], context: AppContext
) -> AsyncGenerator[Any, None]:
    error: BaseException | None = None
    around = _hold(context)
    try:
        yield None  # to ``_stream``
        while True:
            with _current(context):
                try:
                    item = await anext(iterator)
                except StopAsyncIteration:
                    return
            yield item
    except Exception as raised:
        error = raised
        raise
    finally:
        try:
            with _current(context):
                await _close(iterator)
        finally:
            await _release(context, around, error)
            # The traceback refers to this frame, and this frame to the exception.
            error = None


async def _close(iterator: AsyncIterator[Any]) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


@contextmanager
def _current(context: AppContext) -> Iterator[None]:
    """Make a context current for one step, in whichever task takes it.

    What is set around a yield would stay set in the task that iterates.
    """
    app_token = _cv_app.set(context)
    variable: Any = _cv_request if context.has_request else _cv_websocket
    token = variable.set(context)
    try:
        yield
    finally:
        variable.reset(token)
        _cv_app.reset(app_token)


def _hold(context: AppContext) -> AppContext:
    """Keep a context from being torn down when its request is done.

    Returns:
        What is to be around the context when it is let go of: where it was not pushed
        inside of another context of its app, none is, whoever closes the stream.
    """
    if context._pushed is None:
        context._pushed = []
    owns_app = any(app_token is not None for app_token, *_ in context._pushed)
    context._pushed.insert(0, _NOTHING_SET)
    return _NO_CONTEXT if owns_app else _cv_app.get(_NO_CONTEXT)


async def _release(
    context: AppContext, around: AppContext, error: BaseException | None
) -> None:
    """Let go of a context, and tear it down where nothing else holds it."""
    pushed = context._pushed or []
    if len(pushed) > 1 or context.preserved:
        pushed.remove(_NOTHING_SET)
        return
    token = _cv_app.set(around)
    try:
        await context.push()
        pushed.remove(_NOTHING_SET)
        await context.pop(error)
    finally:
        _cv_app.reset(token)
