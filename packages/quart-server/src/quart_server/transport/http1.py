"""The asyncio side of HTTP/1: requests in, exchanges run, responses out in order.

A connection is idle (no exchange), busy (an exchange), draining (the response is out,
the rest of the request's body is read and dropped) or lingering (nothing more will be
answered; what arrives is dropped so that the client can read the last response).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from math import inf
from typing import TYPE_CHECKING, Final

from quart_server.protocols.errors import HTTP2PrefaceError, ProtocolError
from quart_server.protocols.http1 import BODY, DONE, HTTP1Connection

from .body_clock import BodyClock
from .connection import ClientDisconnectedError, Connection
from .exchange import START
from .half_closed import CHECK_SECONDS, has_hung_up, probe
from .http1_exchange import HTTP1Exchange
from .refusal import refusal_bytes
from .scope import http_scope
from .upgrades import switch_to_http2, switch_to_websocket

if TYPE_CHECKING:
    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead

__all__ = ["HTTP1Transport"]

# Bytes that wait behind a running request before reading pauses. They stay bytes:
# no request is parsed ahead.
_READ_AHEAD: Final = 64 * 1024

# SO_LINGER on, zero seconds: closing sends a reset.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)

_IDLE: Final = 0
_BUSY: Final = 1
_DRAINING: Final = 2
_LINGERING: Final = 3


class HTTP1Transport(Connection):
    """One HTTP/1 connection.

    Attributes:
        must_close: Whether the response being sent is the last one.
        requests: Requests begun on this connection.
    """

    __slots__ = (
        "_body_clock",
        "_drained",
        "_exchange",
        "_http",
        "_is_advancing",
        "_is_in_head",
        "_is_reading_paused",
        "_is_scheduled",
        "_pending",
        "_pending_size",
        "_state",
        "_writable",
        "must_close",
        "requests",
    )

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(context)
        self._http = HTTP1Connection(context.reader, context.limits)
        self._exchange: HTTP1Exchange | None = None
        self._body_clock: BodyClock | None = None
        self._writable: asyncio.Future[None] | None = None
        self._state = _IDLE
        self._drained = 0
        self._is_advancing = False
        self._is_in_head = False
        self._is_reading_paused = False
        self._is_scheduled = False
        self._pending: list[bytes] | None = None
        self._pending_size = 0
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
        if state == _IDLE:
            self._advance()
        elif http.state == BODY:
            if state == _BUSY:
                self._read_body()
            else:
                self._drain_body()
        elif state == _LINGERING:
            self._drop(len(data))
        elif http.buffered > _READ_AHEAD:
            self._pause_reading()

    def eof_received(self) -> bool:
        """Let a request that has been received completely have its answer."""
        http = self._http
        http.receive_eof()
        if self._state == _LINGERING or self.scheme == "https":
            return False
        if self._state == _DRAINING:
            return False
        if self._exchange is None:
            # Requests in the buffer may still be waiting for their turn.
            return self._is_scheduled
        if http.state == BODY:
            self._read_body()
            return self._state == _LINGERING
        probe(self.transport)
        self.deadline = self.context.clock.now + CHECK_SECONDS
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the app that its client is gone."""
        super().connection_lost(exc)
        self._http.close()
        exchange, self._exchange = self._exchange, None
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        if exchange is not None:
            exchange.disconnect()

    # From the clock and the worker

    def on_deadline(self, now: float) -> None:
        """End what takes too long."""
        if self._writable is not None:
            self.on_write_stalled()
        elif self._state == _IDLE:
            self._on_idle_deadline()
        elif self._state == _BUSY:
            if self._http.received_eof:
                self._check_half_closed(now)
            else:
                self._check_body(now)
        elif self._state == _DRAINING:
            self._linger()
        else:
            self.close()

    def _check_half_closed(self, now: float) -> None:
        """End what nobody waits for any more."""
        if has_hung_up(self.transport):
            self.abort()
        else:
            self.deadline = now + CHECK_SECONDS

    def on_write_stalled(self) -> None:
        """Give up a client that takes nothing."""
        if self._exchange is not None:
            self._exchange.disconnect("timeout")
        self.abort()

    def shut_down(self) -> None:
        """Close soon if idle, after the running request otherwise."""
        if self._state == _IDLE and not self._is_scheduled and not self._is_in_head:
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

    def write(self, data: bytes) -> None:
        """Write now, behind what waits to be written.

        Raises:
            ClientDisconnectedError: The client is gone.
        """
        if self._pending is not None:
            self._pending.append(data)
            self._flush()
        elif self.transport.is_closing():
            raise ClientDisconnectedError("the client closed the connection")
        else:
            self.transport.write(data)

    def write_soon(self, data: bytes) -> None:
        """Write within this turn of the loop, together with what else is written.

        Many small pieces leave in one system call. An app that writes without ever
        waiting is made to wait (`is_writing_paused`), so that others get their turn.

        Raises:
            ClientDisconnectedError: The client is gone.
        """
        limit = self.context.config.write_buffer_size // 4
        if len(data) >= limit:
            self.write(data)
            return
        if self._pending is None:
            if self.transport.is_closing():
                raise ClientDisconnectedError("the client closed the connection")
            self._pending = [data]
            self._pending_size = len(data)
            context = self.context
            context.loop.call_soon(self._flush, context=context.base_context)
            return
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= limit:
            self.is_writing_paused = True

    def _flush(self) -> None:
        """Write what waits to be written."""
        pending, self._pending = self._pending, None
        if pending is None or self.closed or self.transport.is_closing():
            return
        self.transport.write(b"".join(pending))
        if self.is_writing_paused and self.write_deadline == inf:
            self.resume_writing()  # it was our own limit, not the transport's

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
            self._state = _IDLE
            self._become_idle()
        else:
            self._start_draining()

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

    def _reset_on_close(self) -> None:
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def check_open(self) -> None:
        """Raise if the client is gone.

        Raises:
            ClientDisconnectedError: It is.
        """
        if self.closed or self.transport.is_closing():
            raise ClientDisconnectedError("the client closed the connection")

    async def drain_fully(self) -> None:
        """Wait until nothing is left in the write buffer.

        Raises:
            ClientDisconnectedError: The connection is gone.
        """
        self.check_open()
        self.transport.set_write_buffer_limits(high=0)
        try:
            await self.drain()
        finally:
            if not self.closed:
                self.set_write_limit()

    async def wait_writable(self, descriptor: int) -> None:
        """Wait until a socket takes bytes, or the client has stalled and is gone."""
        loop = self.context.loop
        future = self._writable = loop.create_future()
        earlier = self.deadline
        self.deadline = self.context.clock.now + self.context.config.write_timeout
        loop.add_writer(descriptor, _set_done, future)
        try:
            await future
        finally:
            loop.remove_writer(descriptor)
            self._writable = None
            self.deadline = inf if self.closed else earlier

    # Requests

    def _advance(self) -> None:
        """Begin the requests that have arrived, one after the other."""
        self._is_scheduled = False
        if self._is_advancing or self.closed:
            return
        self._is_advancing = True
        turns = self.context.config.pipeline_depth
        try:
            while self._state == _IDLE:
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
        if self._state == _IDLE and not self.closed:
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
        self._state = _BUSY
        if head.body_length:
            self._body_clock = BodyClock(context.config, context.clock.now)
            self._read_body()
            if self._exchange is None:
                return
        if self._http.received_eof:
            self.deadline = context.clock.now + CHECK_SECONDS
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
        if self._is_reading_paused:
            self._is_reading_paused = False
            self.transport.resume_reading()
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

    # Bodies

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
                    self.context.encoder, error.status, is_head=_is_head(exchange.head)
                )
            )
            if outcome != "timeout" and not self._http.received_eof:
                outcome = "refused"
        exchange.disconnect(outcome)
        self.reset(needs_reset=exchange.ends_with_connection)

    def _start_draining(self) -> None:
        """Read the rest of a body that the app did not want."""
        self._state = _DRAINING
        self._drained = 0
        self.deadline = self.context.clock.now + self.context.config.drain_timeout
        if self._is_reading_paused:
            self._is_reading_paused = False
            self.transport.resume_reading()
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
            self._state = _IDLE
            self.deadline = inf
            self._become_idle()
        elif self._drained > self.context.config.drain_max_bytes:
            self._linger()

    def _pause_reading(self) -> None:
        if not self._is_reading_paused and not self.closed:
            self._is_reading_paused = True
            self.transport.pause_reading()

    # The end

    def _end(self) -> None:
        """Close after the last response."""
        if self._http.state == DONE and not self._http.buffered:
            self._state = _LINGERING
            self._http.close()
            self.close()
        else:
            self._linger()

    def _linger(self) -> None:
        """Send what there is, then read and drop until the client has closed.

        Closing with unread bytes would reset the connection, and the client might
        never see the last response (RFC 9112, 9.6). Yet no more than `drain_max_bytes`
        are read: a client that only sends is held up, and reset in the end.
        """
        had_eof = self._http.received_eof
        self._state = _LINGERING
        self._http.close()
        if self.closed:
            return
        self._flush()
        if self.transport.is_closing():
            return
        if had_eof or not self.transport.can_write_eof():
            self.close()
            return
        if self._is_reading_paused:
            self._is_reading_paused = False
            self.transport.resume_reading()
        self.transport.write_eof()
        self._drained = 0
        self.deadline = self.context.clock.now + self.context.config.drain_timeout

    def _drop(self, size: int) -> None:
        self._drained += size
        if self._drained > self.context.config.drain_max_bytes:
            self._pause_reading()


def _is_head(head: RequestHead | None) -> bool:
    return head is not None and head.method == "HEAD"


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
