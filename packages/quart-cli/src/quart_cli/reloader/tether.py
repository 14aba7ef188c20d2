"""A child's end of the line: obeys the supervisor, and dies when that is gone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Final

from .channel import Channel
from .handover import Handover

__all__ = ("Tether",)

GRACE_SECONDS: Final = 2.0
"""A child that has to stop is ended so long after its last request must have ended."""

_PR_SET_PDEATHSIG: Final = 1
_EXIT_ORPHANED: Final = 1


class Tether(threading.Thread):
    """Listens to the supervisor for as long as this process lives.

    Args:
        handover: What this process was given.

    Attributes:
        grace_seconds: This process is ended so long after it had to stop.
    """

    def __init__(self, handover: Handover) -> None:
        super().__init__(name="quart-reload-tether", daemon=True)
        self.grace_seconds = GRACE_SECONDS
        self._parent = handover.parent
        self._channel = Channel.from_descriptor(handover.channel)
        self._go = threading.Event()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def begin(self) -> None:
        """Start listening, and have this process killed when its parent dies."""
        _die_with_parent()
        if hasattr(os, "getppid") and os.getppid() != self._parent:
            os._exit(_EXIT_ORPHANED)
        # The terminal interrupts the supervisor as well, which tells us.
        signal.signal(signal.SIGINT, lambda *_: None)
        self.start()

    def wait_for_go(self) -> None:
        """Return when the supervisor wants this process to serve."""
        self._go.wait()

    # Any: JSON.
    def tell(self, kind: str, **values: Any) -> None:
        """Tell the supervisor something."""
        self._channel.send(kind, **values)

    async def stopped(self) -> None:
        """Return when the supervisor wants this process to stop serving."""
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._stop = asyncio.Event()
        try:
            await self._stop.wait()
        finally:
            with self._lock:
                self._loop = None

    def run(self) -> None:
        """Obey until the supervisor is gone, then end this process."""
        for message in self._channel.messages():
            if message["kind"] == "go":
                self._go.set()
            elif message["kind"] == "stop":
                self._end(0)
        self._end(_EXIT_ORPHANED)

    def _end(self, status: int) -> None:
        """End this process: after the requests in flight, but in any case."""
        with self._lock:
            if self._loop is None or self._stop is None:
                # Nothing is being served.
                os._exit(status)
            with suppress(RuntimeError):  # It is closed: serving has ended.
                self._loop.call_soon_threadsafe(self._stop.set)
        time.sleep(self.grace_seconds)
        os._exit(status)


def _die_with_parent() -> None:
    """Have the system kill this process when its parent dies, where it can."""
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
