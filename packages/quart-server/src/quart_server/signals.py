"""What signals mean to a server that is a single process.

SIGTERM and SIGINT: stop accepting and end after the requests in flight. The second
one: end at once, with 128 plus its number. SIGHUP: read the certificates again.
"""

from __future__ import annotations

import logging
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from .ending import exit_after

if TYPE_CHECKING:
    import asyncio
    import threading
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ["ServerSignals"]

_Handler: TypeAlias = "Callable[[int, FrameType | None], None]"

_log = logging.getLogger("quart_server.error")

_SECONDS_TO_CUT = 0.8


class ServerSignals:
    """Connects signals to a loop's events.

    Attributes:
        exit_code: 128 plus the number of the signal that forced the end, else 0.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stop: asyncio.Event,
        force: asyncio.Event,
        renew: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._stop = stop
        self._force = force
        self._renew = renew
        self._is_stopping = False
        self._timer: threading.Timer | None = None
        self.exit_code = 0

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals while in the context; to be entered in the main thread."""
        handlers: dict[int, _Handler] = {
            signal.SIGTERM: self._on_stop,
            signal.SIGINT: self._on_stop,
        }
        if hasattr(signal, "SIGHUP"):
            handlers[signal.SIGHUP] = self._on_renew
        before = {number: signal.getsignal(number) for number in handlers}
        try:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()
            for number, earlier in before.items():
                signal.signal(number, earlier)

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if not self._is_stopping:
            self._is_stopping = True
            self._loop.call_soon_threadsafe(_log.info, "%s, stopping", name)
            self._loop.call_soon_threadsafe(self._stop.set)
            return
        self.exit_code = 128 + number
        # Not left to the loop alone: the application may be what hangs.
        self._timer = exit_after(_SECONDS_TO_CUT, self.exit_code)
        self._loop.call_soon_threadsafe(_log.warning, "%s again, ending at once", name)
        self._loop.call_soon_threadsafe(self._force.set)

    def _on_renew(self, _number: int, _frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._renew)
