"""Tasks of apps, begun at once where Python can."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

__all__ = ["start_task"]


def _eager_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, None],
    context: Context,
) -> asyncio.Task[None]:
    # The checkers look at 3.11, where the parameter does not exist.
    return asyncio.Task(  # type: ignore[call-arg]
        coroutine,
        loop=loop,
        context=context,
        eager_start=True,  # pyright: ignore[reportCallIssue]
    )


def _plain_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, None],
    context: Context,
) -> asyncio.Task[None]:
    return asyncio.Task(coroutine, loop=loop, context=context)


# Python 3.12 runs a task's first step at once: an app that never waits costs no turn
# of the loop. The context is given because the caller's may be that of another
# request, whose app has just sent its response.
start_task: Callable[
    [asyncio.AbstractEventLoop, Coroutine[Any, Any, None], Context],
    asyncio.Task[None],
] = _eager_task if sys.version_info >= (3, 12) else _plain_task
