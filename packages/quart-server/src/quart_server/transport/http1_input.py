"""The reading side of an HTTP/1 connection: bodies for apps, the rest dropped.

A connection is idle (no exchange), busy (an exchange), draining (the response is out,
the rest of the request's body is read and dropped) or lingering (nothing more will be
answered; what arrives is dropped so that the client can read the last response).
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.http1 import DONE, HTTP1Connection

from .body_clock import BodyClock
from .exchange import START
from .http1_output import HTTP1Output
from .refusal import refusal_bytes

if TYPE_CHECKING:
    from quart_server.context import WorkerContext

    from .http1_exchange import HTTP1Exchange

__all__ = ["BUSY", "DRAINING", "IDLE", "LINGERING", "HTTP1Input"]

# The states; plain numbers, compared several times for each request.
IDLE: Final = 0
BUSY: Final = 1
DRAINING: Final = 2
LINGERING: Final = 3


class HTTP1Input(HTTP1Output):
    """Gives an app the body of its request and drops what nobody wants."""

    __slots__ = (
        "_body_clock",
        "_drained",
        "_exchange",
        "_http",
        "_is_reading_paused",
        "_state",
    )

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(context)
        self._http = HTTP1Connection(context.reader, context.limits)
        self._exchange: HTTP1Exchange | None = None
        self._body_clock: BodyClock | None = None
        self._state = IDLE
        self._drained = 0
        self._is_reading_paused = False

    # For the exchange

    def resume_body(self, *, after_pause: bool = False) -> None:
        """Read on; the app wants more body.

        Args:
            after_pause: Whether the client has had to wait for this. If reading was
                paused it had to anyway.
        """
        if self._is_reading_paused and not self.closed:
            self._is_reading_paused = False
            self.transport.resume_reading()
            after_pause = True
        if after_pause and self._body_clock is not None:
            self.deadline = self._body_clock.start(self.context.clock.now)

    def reset(self, *, needs_reset: bool) -> None:
        """End a response that cannot be completed.

        Args:
            needs_reset: Whether an orderly end would look like a complete response.
        """
        self._exchange = None
        if self.closed:
            return
        if needs_reset:
            self._flush()
            self._reset_on_close()
            self.abort()
        else:
            self._linger()

    def abort(self) -> None:
        """Close at once; a response that is cut must not look whole to the client.

        Nor does the system keep what a client takes no more.
        """
        if self.closed:
            return
        if self._exchange is not None or self.transport.get_write_buffer_size():
            self._reset_on_close()
        super().abort()

    # For subclasses

    def _become_idle(self) -> None:
        """Wait for the next request."""
        raise NotImplementedError

    def _read_body(self) -> None:
        """Give what arrived to the app."""
        exchange, http = self._exchange, self._http
        if exchange is None:
            return
        try:
            data = http.read_body()
        except ProtocolError as error:
            self._break_body(error)
            return
        if data:
            exchange.feed(data)
        if http.state == DONE:
            self.deadline = inf
            self._body_clock = None
            exchange.finish_body()
        elif self._body_clock is not None:
            self._on_partial_body(exchange, self._body_clock, len(data))

    def _on_partial_body(
        self, exchange: HTTP1Exchange, clock: BodyClock, size: int
    ) -> None:
        clock.count(size, self.context.clock.now)
        config = self.context.config
        if config.max_body_size is not None and clock.received > config.max_body_size:
            self._break_body(ProtocolError("a body over the limit", 413))
        elif exchange.buffered > config.body_buffer_size:
            self._pause_reading()
            self.deadline = inf
        elif self.deadline == inf:
            self.deadline = clock.deadline

    def _check_body(self, now: float) -> None:
        """End a body that arrives too slowly."""
        clock, exchange = self._body_clock, self._exchange
        if clock is None or exchange is None:
            return
        if exchange.head.expects_continue:
            self.deadline = clock.start(now)  # the client waits for us
            return
        if clock.is_too_slow(now):
            self._break_body(ProtocolError("a body that took too long", 408), "timeout")
        else:
            self.deadline = clock.deadline

    def _break_body(self, error: ProtocolError, outcome: str = "client closed") -> None:
        """End a request whose body is broken, with an answer if there was none yet."""
        exchange, self._exchange = self._exchange, None
        self._body_clock = None
        if exchange is None:
            return
        if exchange.stage == START:
            exchange.status = error.status
            self.transport.write(
                refusal_bytes(
                    self.context.encoder,
                    error.status,
                    is_head=exchange.head.method == "HEAD",
                )
            )
            if outcome != "timeout" and not self._http.received_eof:
                outcome = "refused"
        exchange.disconnect(outcome)
        self.reset(needs_reset=exchange.ends_with_connection)

    def _start_draining(self) -> None:
        """Read the rest of a body that the app did not want."""
        self._state = DRAINING
        self._drained = 0
        self.deadline = self.context.clock.now + self.context.config.drain_timeout
        self._resume_reading()
        self._drain_body()

    def _drain_body(self) -> None:
        http = self._http
        try:
            self._drained += len(http.read_body())
        except ProtocolError:
            self._linger()
            return
        if http.state == DONE:
            http.next_cycle()
            self._state = IDLE
            self.deadline = inf
            self._become_idle()
        elif self._drained > self.context.config.drain_max_bytes:
            self._linger()

    def _linger(self) -> None:
        """Send what there is, then read and drop until the client has closed.

        Closing with unread bytes would reset the connection, and the client might
        never see the last response (RFC 9112, 9.6). Yet no more than `drain_max_bytes`
        are read: a client that only sends is held up, and reset in the end.
        """
        had_eof = self._http.received_eof
        self._state = LINGERING
        self._http.close()
        if self.closed:
            return
        self._flush()
        if self.transport.is_closing():
            return
        if had_eof or not self.transport.can_write_eof():
            self.close()
            return
        self._resume_reading()
        self.transport.write_eof()
        self._drained = 0
        self.deadline = self.context.clock.now + self.context.config.drain_timeout

    def _drop(self, size: int) -> None:
        self._drained += size
        if self._drained > self.context.config.drain_max_bytes:
            self._pause_reading()

    def _pause_reading(self) -> None:
        if not self._is_reading_paused and not self.closed:
            self._is_reading_paused = True
            self.transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._is_reading_paused:
            self._is_reading_paused = False
            self.transport.resume_reading()
