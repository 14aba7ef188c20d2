"""What an HTTP/2 connection as a whole may take time for."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from quart_server.protocols.http2_errors import ConnectionFailed, ErrorCodes

if TYPE_CHECKING:
    from quart_server.config import Config
    from quart_server.protocols.http2 import HTTP2Connection

__all__ = ["HTTP2Clocks"]

# A client told of the end has this long to answer the PING that went with it.
_FAREWELL_SECONDS: Final = 1.0


class HTTP2Clocks:
    """Deadlines beside those of streams, as loop times; `inf` for none.

    Attributes:
        idle: When a connection without requests is closed.
        end: When no more requests are taken, whatever the client has answered.
    """

    __slots__ = ("_awaits_answer", "_config", "_head", "_settings", "end", "idle")

    def __init__(self, config: Config) -> None:
        self._config = config
        self._awaits_answer = False
        self._settings = inf
        self._head = inf
        self.idle = inf
        self.end = inf

    @property
    def next(self) -> float:
        """The earliest of them."""
        return min(self._settings, self._head, self.idle, self.end)

    def start(self, now: float) -> None:
        """Wait for the preface, and for a first request."""
        self._settings = now + self._config.h2_preface_timeout
        self.idle = now + self._config.first_byte_timeout

    def start_idle(self, now: float) -> None:
        """Wait for another request."""
        self.idle = now + self._config.keep_alive_timeout

    def start_end(self, now: float, idle_seconds: float) -> None:
        """Wait for the client to know that the connection ends."""
        self.end = now + max(idle_seconds, _FAREWELL_SECONDS)

    def watch_head(self, now: float, *, is_in_head: bool) -> None:
        """Wait for the rest of a frame or header block, or no more."""
        if not is_in_head:
            self._head = inf
        elif self._head == inf:
            self._head = now + self._config.header_timeout

    def check(self, now: float, http2: HTTP2Connection) -> None:
        """Raise when the client has taken too long for its preface or a head.

        Raises:
            ConnectionFailed: It has.
        """
        if self._settings <= now:
            self._check_settings(http2)
        if self._head <= now:
            raise ConnectionFailed(
                ErrorCodes.ENHANCE_YOUR_CALM, "a head that took too long"
            )

    def _check_settings(self, http2: HTTP2Connection) -> None:
        """Wait for the preface first, then for the answer to our SETTINGS."""
        config = self._config
        more = config.h2_settings_timeout - config.h2_preface_timeout
        if http2.is_acknowledged:
            self._settings = inf
        elif http2.has_preface and more > 0 and not self._awaits_answer:
            self._awaits_answer = True
            self._settings += more
        else:
            raise ConnectionFailed(
                ErrorCodes.SETTINGS_TIMEOUT, "no preface, or no answer to SETTINGS"
            )
