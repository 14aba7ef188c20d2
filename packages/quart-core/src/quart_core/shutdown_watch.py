"""Being told when the server begins to stop.

Servers that can tell offer an event in the scope's extension ``quart.shutdown``, with
`wait` and `is_set`. However many streams want to know, one task waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from quart_contexts.globals import _cv_request

__all__ = ("call_at_shutdown", "shutdown_event_of", "timeout_at_shutdown")

#: The scope extension: {"event": ...}.
SHUTDOWN_EXTENSION: Final = "quart.shutdown"


class _Watch:
    """The task that waits for an event, as long as anybody wants to know."""

    def __init__(self, event: Any) -> None:
        self.event = event
        self.callbacks: dict[object, Callable[[], object]] = {}
        self.task = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        await self.event.wait()
        for callback in tuple(self.callbacks.values()):
            callback()

    def forget(self, key: object) -> None:
        self.callbacks.pop(key, None)
        if not self.callbacks:
            self.task.cancel()
            if _watches.get(self.event) is self:
                del _watches[self.event]


# One for each event that is waited for now. Any: the server's own event.
_watches: dict[Any, _Watch] = {}


# Any: scopes are as servers make them, and so are their events.
def shutdown_event_of(scope: Any) -> Any:
    """Return the event of the server that made a scope, None where it has none."""
    extensions = scope.get("extensions") or {}
    return (extensions.get(SHUTDOWN_EXTENSION) or {}).get("event")


def call_at_shutdown(event: Any, callback: Callable[[], object]) -> Callable[[], None]:
    """Have a function called when an event is set, within the running event loop.

    Args:
        event: The server's.
        callback: Called at most once, soon if the event is set already.

    Returns:
        A function that takes this back; it must be called in the end.
    """
    watch = _watches.get(event)
    if watch is None or watch.task.done():
        # A set event of an earlier watch, or one whose loop has ended.
        watch = _watches[event] = _Watch(event)
    key = object()
    watch.callbacks[key] = callback
    return lambda: watch.forget(key)


@asynccontextmanager
async def timeout_at_shutdown(delay: float | None) -> AsyncIterator[asyncio.Timeout]:
    """Be an `asyncio.timeout` that is also over when the server begins to stop.

    For a request that waits for something to happen, which would hold up the server's
    stop::

        @app.get("/next")
        async def next_message():
            try:
                async with timeout_at_shutdown(25):
                    return await queue.get()
            except TimeoutError:
                return "", 204

    With a server that does not tell when it stops, and outside of requests, it is an
    `asyncio.timeout` and nothing else.

    Args:
        delay: Seconds until the block is cancelled, None for no limit.

    Raises:
        TimeoutError: Leaving the block, when the time is over or the server stops.
    """
    context = _cv_request.get(None)
    event = None if context is None else shutdown_event_of(context.request.scope)
    async with asyncio.timeout(delay) as timeout:
        if event is None:
            yield timeout
            return
        forget = call_at_shutdown(event, lambda: _end_now(timeout))
        try:
            yield timeout
        finally:
            forget()


def _end_now(timeout: asyncio.Timeout) -> None:
    if not timeout.expired():
        timeout.reschedule(asyncio.get_running_loop().time())
