"""Telling which requests wait, without starting anything for those that do not.

A request that is answered in one go needs no watch over its client and no timer.
Each connection is noted when it begins and struck off when it ends; what is still
noted when the event loop takes its next turn has waited. All requests of a turn
share one scheduled call.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

__all__ = ("FirstWaits",)


class Waiter(Protocol):
    """A connection that wants to know that it waits."""

    def on_first_wait(self) -> None:
        """Start what only a connection that waits needs."""


class FirstWaits:
    """The connections of one event loop that have not waited yet.

    Args:
        loop: The event loop they run in.
    """

    __slots__ = ("_noted", "_scheduled", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._noted: list[Waiter] = []
        self._scheduled = False

    def note(self, waiter: Waiter) -> None:
        """Call ``on_first_wait`` in the loop's next turn, unless struck off."""
        self._noted.append(waiter)
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._turn)

    def strike(self, waiter: Waiter) -> None:
        """Forget a connection that has ended."""
        noted = self._noted
        # Nearly always the last one: it ran without a pause.
        if noted and noted[-1] is waiter:
            noted.pop()
        elif waiter in noted:
            noted.remove(waiter)

    def _turn(self) -> None:
        self._scheduled = False
        noted, self._noted = self._noted, []
        for waiter in noted:
            waiter.on_first_wait()
