"""Noticing that the event loop is blocked, and by which line."""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

__all__ = ["LoopWatch", "Watchdog"]

_log = logging.getLogger("quart_server.error")

_SECONDS_BETWEEN_LOOKS = 0.5
# A loop under overload is late all the time; one stack in a while says as much.
_SECONDS_BETWEEN_REPORTS = 5.0
_FRAMES_SHOWN = 8


class LoopWatch:
    """Looks from another thread whether an event loop still runs what it is given.

    Args:
        loop: The loop, running in the thread that makes the watch.
        patience: Seconds without an answer after which the blocked line is logged;
            0 is never.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self._loop = loop
        self._patience = patience
        self._thread_id = threading.get_ident()
        self._answered = threading.Event()
        self._answered.set()
        self._last_report = -inf

    def look(self) -> bool:
        """Return whether the loop answers within the patience."""
        if self._answered.is_set():
            self._answered.clear()
            with suppress(RuntimeError):  # Closed: nothing more to watch.
                self._loop.call_soon_threadsafe(self._answered.set)
        if self._answered.wait(self._patience or _SECONDS_BETWEEN_LOOKS):
            return True
        if self._patience:
            self._report()
        return False

    def _report(self) -> None:
        now = time.monotonic()
        frame = sys._current_frames().get(self._thread_id)
        if now - self._last_report < _SECONDS_BETWEEN_REPORTS or frame is None:
            return
        self._last_report = now
        stack = "".join(traceback.format_stack(frame)[-_FRAMES_SHOWN:]).rstrip()
        _log.warning(
            "The event loop has been blocked for over %g s, here:\n%s",
            self._patience,
            stack,
        )


class Watchdog(threading.Thread):
    """A thread that looks after a loop until it is told to stop."""

    def __init__(self, watch: LoopWatch) -> None:
        super().__init__(name="quart-server-watchdog", daemon=True)
        self._watch = watch
        self._stopped = threading.Event()

    def run(self) -> None:
        """Look twice a second."""
        while not self._stopped.wait(_SECONDS_BETWEEN_LOOKS):
            self._watch.look()

    def stop(self) -> None:
        """End the thread, if it was started; returns once it is over."""
        self._stopped.set()
        if self.is_alive():
            self.join()
