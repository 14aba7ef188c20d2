"""The time that a client has for sending what a handler waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

from werkzeug.exceptions import RequestTimeout

__all__ = ("Suspended", "within_body_timeout")

Result = TypeVar("Result")


async def within_body_timeout(
    seconds: float, coroutine: Coroutine[Any, Any, Result]
) -> Result:
    """Return what the coroutine returns.

    A timer costs more than reading a body that has arrived already, so it is set only
    when the coroutine suspends.

    Args:
        seconds: The time to wait, from the first suspension on.
        coroutine: Fresh, not yet awaited.

    Raises:
        RequestTimeout: It took longer.
    """
    try:
        # Types of what coroutines yield to their event loop are its own affair: Any.
        first_yielded = coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            return await Suspended(coroutine, first_yielded)
    except TimeoutError:
        if timer.expired():
            raise RequestTimeout from None
        raise


class Suspended(Generic[Result]):
    """A coroutine that has already run up to where it first waits."""

    __slots__ = ("_coroutine", "_first_yielded")

    def __init__(
        self, coroutine: Coroutine[Any, Any, Result], first_yielded: Any
    ) -> None:
        self._coroutine = coroutine
        self._first_yielded = first_yielded

    def __await__(self) -> Generator[Any, Any, Result]:
        coroutine = self._coroutine
        yielded = self._first_yielded
        while True:
            try:
                sent = yield yielded
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - goes into the coroutine
                resume = partial(coroutine.throw, error)
            else:
                resume = partial(coroutine.send, sent)
            try:
                yielded = resume()
            except StopIteration as end:
                result: Result = end.value
                return result
