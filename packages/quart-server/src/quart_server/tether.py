"""A worker's end of the control line.

A thread of its own, so that orders, the supervisor's death and a blocked event loop
are noticed whatever the application does.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from .control import IDLE_SECONDS
from .watchdog import LoopWatch

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .config import Config
    from .control import Channel, ControlMessage

__all__ = ["Tether"]

_log = logging.getLogger("quart_server.error")

_SECONDS_BETWEEN_LOOKS = 0.5
_MARGIN_SECONDS = 2.0
_EXIT_ORPHANED = 1


class Tether(threading.Thread):
    """Obeys the supervisor, tells it that the event loop runs, and notices its end."""

    def __init__(self, channel: Channel, config: Config) -> None:
        super().__init__(name="quart-server-tether", daemon=True)
        self._channel = channel
        self._config = config
        self._lock = threading.Lock()
        self._watch: LoopWatch | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._orders: dict[str, Callable[[ControlMessage], None]] = {}
        self._earlier: list[ControlMessage] = []

    def attach(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        drain: Callable[[ControlMessage], None],
        renew: Callable[[ControlMessage], None],
    ) -> None:
        """From now on watch the loop and have orders carried out in it.

        Args:
            loop: The running loop of this thread.
            drain: Stops serving; called with its message, at once if it came before.
            renew: Reads certificates again.
        """
        with self._lock:
            self._loop = loop
            self._watch = LoopWatch(loop, self._config.loop_lag_warning)
            self._orders = {"drain": drain, "renew": renew}
            for message in self._earlier:
                self._orders[message["kind"]](message)

    def report(self, kind: str, **values: object) -> None:
        """Tell the supervisor something, if it is still there."""
        self._channel.send(kind, **values)

    def obey(self, message: ControlMessage) -> None:
        """Have an order carried out in the loop, once there is one."""
        with self._lock:
            if self._loop is None:
                self._earlier.append(message)
                return
            order = self._orders[message["kind"]]
            with suppress(RuntimeError):  # The loop has ended by itself.
                self._loop.call_soon_threadsafe(order, message)

    def run(self) -> None:
        """Listen and look after the loop until the supervisor is gone."""
        while not self._channel.is_closed:
            for message in self._channel.receive(_SECONDS_BETWEEN_LOOKS):
                self.obey(message)
            watch = self._watch
            if watch is not None and watch.look():
                self._channel.send("beat")
        self._end_without_supervisor()

    def _end_without_supervisor(self) -> None:
        """Drain; where even that does not end this process, leave it at once."""
        if self._loop is None:
            os._exit(_EXIT_ORPHANED)
        _log.warning("The supervisor is gone, stopping")
        self.obey({"kind": "drain", "idle_seconds": IDLE_SECONDS})
        grace = self._config.graceful_timeout + self._config.shutdown_timeout
        time.sleep(grace + _MARGIN_SECONDS)
        os._exit(_EXIT_ORPHANED)
