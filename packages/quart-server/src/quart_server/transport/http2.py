"""The asyncio side of HTTP/2: one protocol per connection, an exchange per stream.

What one read brings is handled in one go, and what the apps answer in one turn of the
loop leaves in one write. Streams end alone: only a client that breaks the protocol, or
takes what a budget does not allow, loses its connection.
"""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.http2_errors import ConnectionFailed, ErrorCodes
from quart_server.protocols.http2_events import (
    BodyReceived,
    GoingAway,
    PingAcknowledged,
    RequestReceived,
    StreamReset,
)

from .half_closed import HalfClosedClient
from .http2_clocks import HTTP2Clocks
from .http2_exchange import HTTP2Exchange
from .http2_output import HTTP2Output
from .http2_push import push_request
from .scope import http_scope
from .upgrades import carry_websocket

if TYPE_CHECKING:
    import asyncio

    from quart_server.asgi import Message
    from quart_server.context import WorkerContext
    from quart_server.protocols.http2_engine import Stream
    from quart_server.protocols.http2_events import Event
    from quart_server.protocols.request import RequestHead

    from .http2_websocket import HTTP2WebsocketCarrier

__all__ = ["HTTP2Transport"]

_log = logging.getLogger("quart_server.error")


class HTTP2Transport(HTTP2Output):
    """One HTTP/2 connection.

    Attributes:
        requests: Requests begun on this connection.
    """

    __slots__ = (
        "_clocks",
        "_had_partial",
        "_is_ending",
        "requests",
    )

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(context)
        self._is_ending = False
        self._had_partial = False
        self._clocks = HTTP2Clocks(context.config)
        self.requests = 0

    # From asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send our SETTINGS, wait for the client's preface."""
        super().connection_made(transport)
        self._clocks.start(self.context.clock.now)
        self.deadline = self._clocks.next
        self.flush()
        if self.context.is_stopping:
            self.shut_down()

    def data_received(self, data: bytes) -> None:
        """Act on what the client sends."""
        if self._is_lingering:
            return
        http2 = self._http2
        try:
            events = http2.receive_data(data, self.context.clock.now)
        except ConnectionFailed as error:
            self._handle(http2.take_events())
            self._fail(error)
            return
        if events:
            self._handle(events)
        if http2.pending or self.sender.has_turns:
            self.flush_soon()
        if http2.is_partial:
            self._watch_partial(len(data))
        elif self._had_partial:
            self._had_partial = False
            self._clocks.watch_head(0.0, is_in_head=False)

    def eof_received(self) -> bool:
        """Let what has been asked for have its answer, where TLS does not forbid it."""
        if self.scheme == "https" or self._is_lingering:
            return False
        self._has_eof = self._is_ending = True
        self._http2.finish()
        for stream in tuple(self._http2.streams.values()):
            if stream.may_receive:  # the rest of the request will never come
                if stream.handler is not None:
                    stream.handler.disconnect()
                self.reset_stream(stream, ErrorCodes.CANCEL)
        if not self._http2.streams:
            return False
        self.flush_soon()  # GOAWAY, which a client that is gone answers with a reset
        HalfClosedClient(self, _may_be_waiting)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all apps that their client is gone."""
        super().connection_lost(exc)
        self._disconnect_all("client closed")
        self._http2.close()

    # From the clock and the worker

    def on_deadline(self, now: float) -> None:
        """End what takes too long, find out when to look again."""
        if self._is_lingering:
            self.abort()
            return
        try:
            self._clocks.check(now, self._http2)
        except ConnectionFailed as error:
            self._fail(error)
            return
        for handler in self._all_handlers():
            if handler.deadline <= now:
                handler.on_deadline(now)
        self._check_end(now)
        if not self.closed:
            self._find_deadline()

    def shut_down(self) -> None:
        """Ask the client to make its requests elsewhere; finish those it has made."""
        for handler in self._all_handlers():
            handler.shut_down()
        self._say_farewell()

    # For exchanges

    def wake_at(self, deadline: float) -> None:
        """Have `on_deadline` called no later than then."""
        self.deadline = min(self.deadline, deadline)

    def holds_up(self, exchange: HTTP2Exchange) -> bool:
        """Return whether it is for us that a body does not come."""
        return exchange.buffered > 0 or self._http2.is_window_closed

    def push(self, exchange: HTTP2Exchange, message: Message) -> None:
        """Begin a response that the client has not asked for, if it takes any."""
        if self._http2.has_room and not self._is_ending:
            pushed = push_request(self, exchange, message)
            if pushed is not None:
                self._http2.take_place()
                self._start(*pushed)

    def on_response_done(self) -> None:
        """Note that a response is out."""
        if not self._http2.streams:
            self._note_idle()

    def on_app_ended(self, handler: HTTP2Exchange | HTTP2WebsocketCarrier) -> None:
        """Free the place of an app that has ended."""
        self._handlers.discard(handler)
        self._http2.free_place()
        if not self._handlers:
            self._note_idle()

    # Events

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, RequestReceived):
                self._begin(event)
            elif isinstance(event, BodyReceived):
                self._on_body(event)
            elif isinstance(event, StreamReset):
                self._on_reset(event)
            elif isinstance(event, PingAcknowledged):
                self._finish()
            elif isinstance(event, GoingAway):
                self._on_going_away()

    def _begin(self, event: RequestReceived) -> None:
        context, stream, head = self.context, event.stream, event.head
        self.requests += 1
        if stream.is_over:
            self._http2.free_place()  # reset at once: nobody waits for an answer
            return
        self._clocks.idle = inf
        refusal = event.refusal or self._refuse()
        if refusal is not None:
            self._answer_refused(stream, head, refusal)
        elif event.protocol:
            self._start_websocket(stream, head)
        else:
            self._start(stream, head)
        limit = context.config.keep_alive_max_requests
        if limit is not None and self.requests >= limit:
            self._say_farewell()

    def _start(self, stream: Stream, head: RequestHead) -> None:
        """Run the app for a request."""
        context = self.context
        scope = http_scope(self, head)
        scope["extensions"]["http.response.push"] = {}
        exchange = HTTP2Exchange(context, self, head, scope, stream)
        stream.handler = exchange
        self._handlers.add(exchange)
        exchange.begin()

    def _start_websocket(self, stream: Stream, head: RequestHead) -> None:
        """Run the app for a WebSocket."""
        try:
            carrier = carry_websocket(self, stream, head)
        except ProtocolError as error:
            self._answer_refused(stream, head, error)
            return
        stream.handler = carrier
        self._handlers.add(carrier)
        carrier.begin()

    def _refuse(self) -> ProtocolError | None:
        limit = self.context.config.limit_concurrency
        if limit is not None and len(self.context.exchanges) >= limit:
            return ProtocolError("a request over a limit", 503)
        return None

    def _answer_refused(
        self, stream: Stream, head: RequestHead, error: ProtocolError
    ) -> None:
        """Answer what no app sees."""
        self._http2.free_place()
        self.answer(stream, error)
        if self.context.access_log is not None:
            self.context.access_log.write_refused(self, error, head)
        if stream.may_receive:
            self.reset_stream(stream, ErrorCodes.NO_ERROR)
        self._note_idle()

    def _on_body(self, event: BodyReceived) -> None:
        handler = event.stream.handler
        if handler is None:
            self.credit(event.stream, len(event.data))
        else:
            handler.receive_body(event.data, ended=event.ended)

    def _on_reset(self, event: StreamReset) -> None:
        handler = event.stream.handler
        if handler is not None:
            handler.disconnect("client closed" if event.by_client else "refused")
        self._note_idle()

    def _on_going_away(self) -> None:
        """Finish what the client has asked for, then close."""
        self._is_ending = True
        self._finish()

    # Ends

    def _say_farewell(self) -> None:
        """Announce the end; it comes when the client has answered, or soon."""
        if self._is_ending or self._is_lingering or self.closed:
            return
        self._is_ending = True
        self._http2.announce_end()
        self._clocks.start_end(self.context.clock.now, self.context.idle_seconds)
        self.wake_at(self._clocks.end)
        self.flush_soon()

    def _finish(self) -> None:
        """Take no more requests, the client knows by now."""
        if self._is_ending and not self._is_lingering:
            self._clocks.end = inf
            self._http2.finish()
            self.flush_soon()
            self._note_idle()

    def _fail(self, error: ConnectionFailed) -> None:
        """End the connection with GOAWAY."""
        _log.debug("HTTP/2 connection of %s failed: %s", self.client, error)
        self._disconnect_all("refused")
        self._http2.end(error)
        self._linger()

    # Deadlines

    def _note_idle(self) -> None:
        """Begin to count the time without requests."""
        if self._http2.streams or self.closed or self._is_lingering:
            return
        if self._http2.is_finishing:
            self._linger()
        elif not self._handlers:
            self._clocks.start_idle(self.context.clock.now)
            self.wake_at(self._clocks.idle)

    def _check_end(self, now: float) -> None:
        clocks = self._clocks
        if clocks.end <= now:
            self._finish()
        if clocks.idle <= now:
            clocks.idle = inf
            if not self._http2.streams and not self._handlers:
                self._is_ending = True
                self._finish()

    def _watch_partial(self, size: int) -> None:
        """Watch a frame or head that is incomplete."""
        stream = self._http2.partial_body_stream
        if stream is not None and stream.handler is not None:
            stream.handler.count_partial(size)
        self._had_partial = True
        now = self.context.clock.now
        self._clocks.watch_head(now, is_in_head=self._http2.is_in_head)
        self.wake_at(self._clocks.next)

    def _find_deadline(self) -> None:
        """Set the time of the next look."""
        own = self._clocks.next
        for handler in self._all_handlers():
            own = min(own, handler.deadline)
        if not self._is_lingering:
            self.deadline = own


def _may_be_waiting(looks: int) -> bool:  # noqa: ARG001
    return True
