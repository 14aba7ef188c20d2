"""Being told when the server begins to stop.

Servers that can tell offer an event in the scope's extension ``quart.shutdown``, with
`wait` and `is_set`. However many streams want to know, one task waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

__all__ = ("call_at_shutdown", "shutdown_event_of")

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
