"""One coarse clock per worker instead of a timer per request."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .connection import Connection

__all__ = ["Clock"]

_log = logging.getLogger("quart_server.error")

# Deadlines are kept to a quarter of a second; finer would cost more wake-ups.
_INTERVAL: Final = 0.25
# A loop that was blocked longer has not read what clients sent in time.
_BLOCKED: Final = 1.0


class Clock:
    """Looks at all connections four times a second while there are any.

    Setting a deadline is one attribute, and `now` is read without a system call.

    Attributes:
        now: Loop time of the last look, at most a quarter of a second ago while
            there are connections.
    """

    __slots__ = ("_connections", "_handle", "_loop", "_on_second", "_second", "now")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connections: set[Connection],
        on_second: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._connections = connections
        self._on_second = on_second
        self._handle: asyncio.TimerHandle | None = None
        self._second = -1
        self.now = loop.time()

    def start(self) -> None:
        """Run from now on; the first connection calls this."""
        if self._handle is None:
            self._look(self._loop.time())
            self._handle = self._loop.call_later(_INTERVAL, self._tick)

    def stop(self) -> None:
        """Stand still."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _tick(self) -> None:
        self._handle = None
        now = self._loop.time()
        late = now - self.now - _INTERVAL
        if late > _BLOCKED:
            self._forgive(late)
        self._look(now)
        self.expire(now)
        if self._connections:
            self._handle = self._loop.call_later(_INTERVAL, self._tick)

    def _look(self, now: float) -> None:
        self.now = now
        second = int(now)
        if second != self._second:
            self._second = second
            self._on_second()

    def expire(self, now: float) -> None:
        """Call `on_tick` of all connections whose deadline has come.

        Those that wait for their client to take something are looked at each time: what
        it takes gives it more time from then on.
        """
        expired = [
            connection
            for connection in self._connections
            if connection.deadline <= now or connection.write_deadline != inf
        ]
        for connection in expired:
            try:
                connection.on_tick(now)
            except Exception:  # noqa: BLE001  # whatever it is, it is logged
                # One connection's failure never reaches its neighbours.
                _log.exception("A connection failed at its deadline, closing it")
                connection.abort()

    def _forgive(self, late: float) -> None:
        """Move all deadlines: it was the worker that was late, not the clients."""
        for connection in self._connections:
            connection.deadline += late
            connection.write_deadline += late
