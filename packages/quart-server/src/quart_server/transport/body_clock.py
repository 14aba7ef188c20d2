"""Whether a request body arrives fast enough (idle time and average rate)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart_server.config import Config

__all__ = ["BodyClock"]


class BodyClock:
    """Watches one body: no silence over `body_timeout`, no rate under `body_min_rate`.

    The rate is averaged over windows of `body_timeout` seconds, the first of which
    begins after `body_grace`.

    Attributes:
        received: Body bytes so far.
        deadline: When to look again.
    """

    __slots__ = ("_config", "_last", "_window_bytes", "_window_end", "received")

    def __init__(self, config: Config, now: float) -> None:
        self._config = config
        self.received = 0
        self._last = now
        self._window_bytes = 0
        self._window_end = now + config.body_grace + config.body_timeout

    def start(self, now: float) -> float:
        """Begin anew after a pause that was not the client's; return the deadline."""
        self._last = now
        self._window_bytes = 0
        self._window_end = now + self._config.body_grace + self._config.body_timeout
        return self.deadline

    def count(self, size: int, now: float) -> None:
        """Count bytes that arrived."""
        self._last = now
        self.received += size
        self._window_bytes += size

    @property
    def deadline(self) -> float:
        """When to look again."""
        return min(self._last + self._config.body_timeout, self._window_end)

    def is_too_slow(self, now: float) -> bool:
        """Return whether the body must be given up; begin the next window if not."""
        timeout = self._config.body_timeout
        if now >= self._last + timeout:
            return True
        if now >= self._window_end:
            if self._window_bytes < self._config.body_min_rate * timeout:
                return True
            self._window_bytes = 0
            self._window_end = now + timeout
        return False
