"""The asyncio side of HTTP/1: requests in, exchanges run, responses out in order.

What is read stands in `http1_input.py`, with the states of a connection; what is
written in `http1_output.py`.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from quart_server.protocols.errors import HTTP2PrefaceError, ProtocolError
from quart_server.protocols.http1 import BODY, DONE

from .body_clock import BodyClock
from .exchange import START
from .half_closed import HalfClosedClient
from .http1_exchange import CONTINUE, HTTP1Exchange
from .http1_input import BUSY, DRAINING, IDLE, LINGERING, HTTP1Input
from .refusal import refusal_bytes
from .scope import http_scope
from .upgrades import switch_to_http2, switch_to_websocket

if TYPE_CHECKING:
    import asyncio

    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead

__all__ = ["HTTP1Transport"]

# Bytes that wait behind a running request before reading pauses. They stay bytes:
# no request is parsed ahead.
_READ_AHEAD: Final = 64 * 1024

# Looks at a client that has ended its side: from one interim response to the next, and
# before one that does not show itself is gone, which is after a second.
_LOOKS_PER_INTERIM: Final = 5
_LOOKS_IN_DOUBT: Final = 2


class HTTP1Transport(HTTP1Input):
    """One HTTP/1 connection.

    Attributes:
        must_close: Whether the response being sent is the last one.
        requests: Requests begun on this connection.
    """

    __slots__ = (
        "_is_advancing",
        "_is_in_head",
        "_is_scheduled",
        "_mark",
        "must_close",
        "requests",
    )

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(context)
        self._is_advancing = False
        self._is_in_head = False
        self._is_scheduled = False
        # The progress when the client ended its side.
        self._mark: tuple[int, ...] = ()
        self.must_close = False
        self.requests = 0

    # From asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first byte."""
        super().connection_made(transport)
        now = self.context.clock.now
        self.deadline = now + self.context.config.first_byte_timeout
        if self.context.is_stopping:
            self._await_last_request()

    def data_received(self, data: bytes) -> None:
        """Read what the state of the connection calls for."""
        http = self._http
        http.receive_data(data)
        state = self._state
        if state == IDLE:
            self._advance()
        elif http.state == BODY:
            if state == BUSY:
                self._read_body()
            else:
                self._drain_body()
        elif state == LINGERING:
            self._drop(len(data))
        elif http.buffered > _READ_AHEAD:
            self._pause_reading()

    def eof_received(self) -> bool:
        """Let a request that has been received completely have its answer."""
        http = self._http
        http.receive_eof()
        if self._state == LINGERING or self.scheme == "https":
            return False
        if self._state == DRAINING:
            return False
        # Requests in the buffer may still be waiting for their turn.
        if self._exchange is None and not self._is_scheduled:
            return False
        if http.state == BODY:
            self._read_body()
            return self._state == LINGERING
        self._mark = self._progress()
        HalfClosedClient(self, self._may_be_waiting)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the app that its client is gone."""
        super().connection_lost(exc)
        self._http.close()
        exchange, self._exchange = self._exchange, None
        self._stop_waiting()
        if exchange is not None:
            exchange.disconnect()

    # From the clock and the worker

    def on_deadline(self, now: float) -> None:
        """End what takes too long."""
        if self._writable is not None:
            self.on_write_stalled()
        elif self._state == IDLE:
            self._on_idle_deadline()
        elif self._state == BUSY:
            self._check_body(now)
        elif self._state == DRAINING:
            self._linger()
        else:
            self.close()

    def _may_be_waiting(self, looks: int) -> bool:
        """Return whether a client that has ended its side may be there.

        It is made to show itself by an interim response now and then (RFC 9110, 15.2: a
        client may drop it). Where there can be none, what the app writes does the same;
        if it writes nothing either, the client is taken for gone.
        """
        exchange = self._exchange
        if exchange is None or self._is_writing:
            return True
        if exchange.stage == START and exchange.head.http_version != "1.0":
            if looks % _LOOKS_PER_INTERIM == 0:
                self.write(CONTINUE)
            return True
        return looks < _LOOKS_IN_DOUBT or self._progress() != self._mark

    def _progress(self) -> tuple[int, ...]:
        """Return something that changes with what is written."""
        exchange = self._exchange
        if exchange is None:
            return (self.requests,)
        return (self.requests, exchange.stage, exchange.bytes_sent)

    def on_write_stalled(self) -> None:
        """Give up a client that takes nothing."""
        if self._exchange is not None:
            self._exchange.disconnect("timeout")
        self.abort()

    def shut_down(self) -> None:
        """Close soon if idle, after the running request otherwise."""
        if self._state == IDLE and not self._is_scheduled and not self._is_in_head:
            self._await_last_request()

    # For the exchange and for other protocols

    def take_unread(self) -> bytes:
        """Return what was received behind the current request, write what is due."""
        self._flush()
        return self._http.unread()

    def may_keep_alive(self, head: RequestHead) -> bool:
        """Return whether the connection may live on after the current response."""
        context, http = self.context, self._http
        if not head.keep_alive or context.is_stopping:
            return False
        limit = context.config.keep_alive_max_requests
        if limit is not None and self.requests >= limit:
            return False
        if http.state != BODY:
            return True
        # RFC 9110, 10.1.1: without 100 the client may or may not send the body.
        if head.expects_continue:
            return False
        return http.body_remaining <= context.config.drain_max_bytes

    def on_response_done(self) -> None:
        """Go on to the next request, or end."""
        exchange, self._exchange = self._exchange, None
        self._body_clock = None
        if exchange is None or self.closed:
            return
        http = self._http
        # A head sent before the worker began to stop has announced no end: then the
        # client may be sending its next request, which is answered.
        if self.must_close or not exchange.head.keep_alive:
            self._end()
        elif http.state == DONE:
            http.next_cycle()
            self._state = IDLE
            self._become_idle()
        else:
            self._start_draining()

    # Requests

    def _advance(self) -> None:
        """Begin the requests that have arrived, one after the other."""
        self._is_scheduled = False
        if self._is_advancing or self.closed:
            return
        self._is_advancing = True
        turns = self.context.config.pipeline_depth
        try:
            while self._state == IDLE:
                if not turns:
                    self._schedule()
                    return
                turns -= 1
                head = self._http.next_request()
                if head is None:
                    break
                self._begin(head)
        except HTTP2PrefaceError as error:
            if not switch_to_http2(self, self._http.unread()):
                self._refuse(error)
        except ProtocolError as error:
            self._refuse(error)
        finally:
            self._is_advancing = False
        if self._state == IDLE and not self.closed:
            self._await_request()

    def _begin(self, head: RequestHead) -> None:
        context = self.context
        self.requests += 1
        self._is_in_head = False
        self.deadline = inf
        if head.upgrade and self._switch(head):
            return
        refused = self._refused_status(head)
        if refused:
            self._refuse(ProtocolError("a request over a limit", refused), head)
            return
        exchange = HTTP1Exchange(context, self, head, http_scope(self, head))
        self._exchange = exchange
        self._state = BUSY
        if head.body_length:
            self._body_clock = BodyClock(context.config, context.clock.now)
            self._read_body()
            if self._exchange is None:
                return
        exchange.begin()

    def _switch(self, head: RequestHead) -> bool:
        """Return whether a request needs no answer as an ordinary one."""
        try:
            return switch_to_websocket(self, head)
        except ProtocolError as error:
            self._refuse(error, head)
            return True

    def _refused_status(self, head: RequestHead) -> int:
        """Return the status that refuses a request before its app runs, else 0."""
        config = self.context.config
        if config.max_body_size is not None and head.body_length > config.max_body_size:
            return 413
        limit = config.limit_concurrency
        if limit is not None and len(self.context.exchanges) >= limit:
            return 503
        return 0

    def _become_idle(self) -> None:
        """Wait for the next request, or begin it if it is there."""
        self._resume_reading()
        if self._is_advancing:
            return
        if self._http.buffered or self._http.received_eof:
            self._schedule()
        else:
            self._await_request()

    def _schedule(self) -> None:
        """Begin further requests in another turn of the loop."""
        if not self._is_scheduled:
            self._is_scheduled = True
            context = self.context
            context.loop.call_soon(self._advance, context=context.base_context)

    def _await_request(self) -> None:
        """Set the deadline of an idle connection."""
        if self._http.buffered and not self._http.received_eof:
            if not self._is_in_head:
                self._is_in_head = True
                timeout = self.context.config.header_timeout
                self.deadline = self.context.clock.now + timeout
        elif self._http.received_eof:
            self.close()
        elif self.context.is_stopping:
            self._await_last_request()
        elif self.requests and self.deadline == inf:
            timeout = self.context.config.keep_alive_timeout
            self.deadline = self.context.clock.now + timeout

    def _await_last_request(self) -> None:
        """Give a request that is on its way the time to arrive.

        Its answer will say `Connection: close`; a close that crosses it would lose it.
        """
        deadline = self.context.loop.time() + self.context.idle_seconds
        self.deadline = min(self.deadline, deadline)

    def _on_idle_deadline(self) -> None:
        if self._is_in_head:
            self._refuse(ProtocolError("a head that took too long", 408))
        else:
            self.close()

    def _refuse(self, error: ProtocolError, head: RequestHead | None = None) -> None:
        """Answer what is not served, and end."""
        context = self.context
        self.transport.write(
            refusal_bytes(
                context.encoder,
                error.status,
                is_head=_is_head(head),
                fields=error.fields,
            )
        )
        if context.access_log is not None:
            context.access_log.write_refused(self, error, head)
        self._linger()

    # The end

    def _end(self) -> None:
        """Close after the last response."""
        if self._http.state == DONE and not self._http.buffered:
            self._state = LINGERING
            self._http.close()
            self.close()
        else:
            self._linger()


def _is_head(head: RequestHead | None) -> bool:
    return head is not None and head.method == "HEAD"
