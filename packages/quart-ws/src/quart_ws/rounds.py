"""Finding the handlers that wait for something else than their client.

A handler that reads awaits the server itself and notices the end by that. Whether one
waits elsewhere is looked up every few milliseconds, for all websockets of an event loop
at once, and only for those whose handler has stopped reading since the last round: a
message costs nothing for it, and neither does a handler that is soon back.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Final, Protocol

__all__ = ("INTERVAL_SECONDS", "Rounds")

#: How late it may be noticed that a handler waits elsewhere.
INTERVAL_SECONDS: Final = 0.01


class Visited(Protocol):
    """A connection that is looked at."""

    def on_round(self) -> None:
        """Do what is needed if the handler waits elsewhere."""


class Rounds:
    """The connections of one event loop to be looked at in the next round.

    Args:
        loop: The event loop they run in.
    """

    __slots__ = ("_is_planned", "_noted", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._noted: set[Visited] = set()
        self._is_planned = False

    def note(self, connection: Visited) -> None:
        """Call ``on_round`` in the next round, unless struck off before."""
        self._noted.add(connection)
        if not self._is_planned:
            self._is_planned = True
            # In no context: it would keep that of the current handler alive.
            self.loop.call_later(INTERVAL_SECONDS, self._go_round, context=Context())

    def strike(self, connection: Visited) -> None:
        """Forget a connection that has ended."""
        self._noted.discard(connection)

    def _go_round(self) -> None:
        self._is_planned = False
        noted, self._noted = self._noted, set()
        for connection in noted:
            connection.on_round()
