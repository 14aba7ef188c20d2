"""One HTTP/2 request being answered.

The body of the request waits here until the app takes it, and only then the client gets
its window back. The body of the response waits in the stream's queue when the client's
windows are shut, and `send` waits with it.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.http1_response import has_no_body
from quart_server.protocols.http2_errors import ErrorCodes

from .body_clock import BodyClock
from .connection import ClientDisconnectedError
from .exchange import BODY, DONE, START, Exchange
from .files import open_slice

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from quart_server.asgi import Message, Scope
    from quart_server.context import WorkerContext
    from quart_server.protocols.http2_engine import Stream
    from quart_server.protocols.http2_response import ResponseSize
    from quart_server.protocols.request import RequestHead

    from .http2 import HTTP2Transport

__all__ = ["HTTP2Exchange"]

_READ_SIZE = 64 * 1024


class HTTP2Exchange(Exchange):
    """Answers one request on its stream.

    Attributes:
        stream: The stream.
        deadline: Loop time at which `on_deadline` is to be called.
    """

    __slots__ = (
        "_clock",
        "_limit",
        "_received",
        "_senders",
        "_sends_trailers",
        "_sent_before",
        "_size",
        "_stall_deadline",
        "_trailers",
        "_uncredited",
        "deadline",
        "pushes",
        "stream",
    )

    connection: HTTP2Transport

    def __init__(
        self,
        context: WorkerContext,
        connection: HTTP2Transport,
        head: RequestHead,
        scope: Scope,
        stream: Stream,
    ) -> None:
        super().__init__(context, connection, head, scope)
        self.stream = stream
        self.deadline = inf
        self.pushes = 0
        self._clock: BodyClock | None = None
        self._received = 0
        self._uncredited = 0
        self._size: ResponseSize | None = None
        self._sends_trailers = False
        self._trailers: list[tuple[bytes, bytes]] | None = None
        self._senders: list[asyncio.Future[None]] | None = None
        self._stall_deadline = inf
        self._sent_before = 0
        if head.body_length:
            self._clock = BodyClock(context.config, context.clock.now)
            self._set_deadline(self._clock.deadline)

    # The app's side

    async def send(self, message: Message) -> None:
        """Take one ASGI message of the response, wait while too much waits to go.

        Raises:
            ClientDisconnectedError: The client is gone, or has reset the stream.
            UnexpectedMessageError: The message does not fit the response's state.
        """
        if self.disconnected:
            raise ClientDisconnectedError("the client has left the stream")
        kind = message["type"]
        if kind == "http.response.body":
            self._on_body(message)
        elif kind == "http.response.start":
            self._on_start(message)
        else:
            await self._on_extension(kind, message)
        if self._must_drain:
            await self._drain()

    @property
    def _must_drain(self) -> bool:
        return bool(self.stream.queued) or self.connection.is_writing_paused

    async def _drain(self) -> None:
        """Wait until the client's windows have let enough of the body go."""
        stream, connection = self.stream, self.connection
        limits = connection.limits
        if stream.queued > limits.stream_buffer:
            # All of it: otherwise a small rest would keep a large body in memory.
            while stream.queued and not self.disconnected:
                await self._wait_for_sending()
        while (
            stream.queued
            and connection.queued > limits.queue_memory
            and not self.disconnected
        ):
            await self._wait_for_sending()
        if self.disconnected:
            raise ClientDisconnectedError("the client has left the stream")
        if connection.is_writing_paused:
            await connection.drain()

    async def _wait_for_sending(self) -> None:
        waiter = self.context.loop.create_future()
        if self._senders is None:
            self._senders = []
        self._senders.append(waiter)
        await waiter

    def _next_part(self) -> Message:
        """Give the window back for what the app takes now."""
        clock = self._clock
        if clock is not None and self.stream.inbound_flow_control_window <= 0:
            clock.start(self.context.clock.now)  # the client could not go on
        message = super()._next_part()
        self._give_back()
        return message

    # The connection's side

    def receive_body(self, data: bytes, *, ended: bool) -> None:
        """Take a piece of the request's body."""
        if self.disconnected or self.task is None:
            self.connection.credit(self.stream, len(data))
            return
        if data:
            self._received += len(data)
            self._uncredited += len(data)
            if self._clock is not None:
                self._clock.count(len(data), self.context.clock.now)
            limit = self.context.config.max_body_size
            if limit is not None and self._received > limit:
                self._break_body(ProtocolError("a body over the limit", 413))
                return
            self.feed(data)
        if ended:
            self._clock = None
            self._update_deadline()
            self.finish_body()

    def count_partial(self, size: int) -> None:
        """Note that a part of a DATA frame has come."""
        if self._clock is not None:
            self._clock.count(size, self.context.clock.now)

    def on_sent(self) -> None:
        """Go on: something of the queue has been written."""
        stream = self.stream
        if not stream.queued:
            self._stall_deadline = inf
            self._update_deadline()
        self._wake_senders()
        if self.stage == DONE and not stream.queued:
            self._on_flushed()

    def disconnect(self, outcome: str = "client closed") -> None:
        """The stream is gone; `receive` says so and `send` raises."""
        if self.disconnected:
            return
        unsent = self.stage == DONE and self.stream.queued > 0
        self.connection.drop(self.stream)
        super().disconnect(outcome)
        if unsent:
            self.outcome = outcome
            self._log_access()
        self.deadline = self._stall_deadline = inf
        self._clock = None
        # What has not been taken is not the whole body, and is of no use.
        if not self._body_told:
            self._chunks = None
            self._body_done = False
        self.buffered = 0
        self._give_back()
        self._wake_senders()
        self.stream.handler = None

    def shut_down(self) -> None:
        """Nothing: what has been asked for is answered."""

    def on_deadline(self, now: float) -> None:
        """Act on what takes too long."""
        if self._stall_deadline <= now:
            self._check_sending()
        clock = self._clock
        if clock is not None and not self.disconnected and clock.deadline <= now:
            if self.head.expects_continue or self.connection.holds_up(self):
                clock.start(now)  # the client waits for us
            elif clock.is_too_slow(now):
                self._break_body(
                    ProtocolError("a body that took too long", 408), "timeout"
                )
        self._update_deadline()

    # Writing

    # Any: headers are whatever iterable of pairs the app sent; the encoder checks it.

    def _write_start(
        self, status: int, headers: Any, body: bytes, *, more: bool, trailers: bool
    ) -> None:
        head = self.head
        # RFC 9110, 6.5.1: trailers only for clients that said they take them.
        self._sends_trailers = trailers and head.accepts_trailers
        is_last = not more and not self._sends_trailers
        is_head = head.method == "HEAD"
        ends = has_no_body(status, is_head=is_head) or (is_last and not body)
        self._write_head(
            status, headers, None if more or trailers else len(body), end=ends
        )
        if not ends:
            self._send_piece(body, more=more)

    def _write_head(
        self, status: int, headers: Any, size: int | None, *, end: bool
    ) -> None:
        connection = self.connection
        self._size = connection.sender.send_head(
            self.stream,
            status,
            headers,
            size,
            is_head=self.head.method == "HEAD",
            end=end,
        )
        self.stage = BODY
        connection.flush_soon()

    def _write_body(self, body: bytes, *, more: bool) -> None:
        if self.stream.may_send or self.stream.queued:
            self._send_piece(body, more=more)

    def _send_piece(self, body: bytes, *, more: bool) -> None:
        if self._size is not None:
            self._size.count(len(body), more=more)
        stream, connection = self.stream, self.connection
        connection.sender.send_body(
            stream, body, end=not more and not self._sends_trailers
        )
        connection.flush_soon()
        if stream.queued and self._stall_deadline == inf:
            self._watch_sending()

    def _write_trailers(self, headers: Any, *, more: bool) -> None:
        if not self._sends_trailers:
            return
        fields = [(bytes(name), bytes(value)) for name, value in headers]
        self.connection.sender.check_trailers(fields)
        self._trailers = fields = [*(self._trailers or ()), *fields]
        if not more and self.stream.may_send:
            self.connection.sender.send_trailers(self.stream, fields)
            self.connection.flush_soon()

    def _write_early_hints(self, links: Iterable[bytes]) -> None:
        fields = [(b"link", link) for link in links]
        self.connection.sender.send_informational(self.stream, 103, fields)
        self.connection.flush_soon()

    async def _write_file(
        self, start: Message, path: str, offset: int, count: int | None
    ) -> None:
        loop = self.context.loop
        part = await open_slice(loop, path, offset, count)
        try:
            if self.disconnected:
                raise ClientDisconnectedError("the client has left the stream")
            has_body = not has_no_body(self.status, is_head=self.head.method == "HEAD")
            ends = not has_body or not part.count
            self._write_head(
                self.status, start.get("headers", ()), part.count, end=ends
            )
            while part.count and not ends:
                data = await loop.run_in_executor(None, part.read, _READ_SIZE)
                if not data:
                    raise EOFError("the file became shorter while it was sent")
                if self.disconnected:
                    raise ClientDisconnectedError("the client has left the stream")
                self._send_piece(data, more=bool(part.count))
                self.bytes_sent += len(data)
                if self.stream.queued or self.connection.is_writing_paused:
                    await self._drain()
        finally:
            part.close()

    async def _on_extension(self, kind: str, message: Message) -> None:
        if kind == "http.response.push" and self.stage != DONE:
            self.connection.push(self, message)
        else:
            await super()._on_extension(kind, message)

    def _want_body(self) -> None:
        head = self.head
        if head.expects_continue:
            head.expects_continue = False
            if self.stage == START:
                self.connection.sender.send_informational(self.stream, 100)
                self.connection.flush_soon()
            if self._clock is not None:
                self._clock.start(self.context.clock.now)

    def _body_taken(self) -> None:
        """Nothing: `_next_part` gives the window back, also for the last part."""

    def _wake_senders(self) -> None:
        senders, self._senders = self._senders, None
        for sender in senders or ():
            if not sender.done():
                sender.set_result(None)

    # Ends

    def _complete(self) -> None:
        self.stage = DONE
        if self._waiters is not None:
            self._wake()
        if not self.stream.queued:
            self._on_flushed()

    def _on_flushed(self) -> None:
        """The response is out as a whole."""
        if self.disconnected:
            return
        if self.context.access_log is not None:
            self._log_access()
        if self.stream.may_receive and not self.stream.may_send:
            self.connection.end_unread(self.stream)
        self._clock = None
        self.deadline = inf
        self.stream.handler = None
        self.connection.on_response_done()

    def _reset(self) -> None:
        self.connection.reset_stream(self.stream, ErrorCodes.INTERNAL_ERROR)

    def _app_ended(self) -> None:
        self._chunks = None
        self._give_back()
        self.connection.on_app_ended(self)

    def _break_body(self, error: ProtocolError, outcome: str = "refused") -> None:
        """End a request whose body is broken, with an answer if there was none yet."""
        if self.stage == START:
            self.status = error.status
            self.connection.answer(self.stream, error)
        self.disconnect(outcome)
        self.connection.reset_stream(self.stream, ErrorCodes.NO_ERROR)

    def _check_sending(self) -> None:
        """Give up a client that has opened no window since the last look."""
        stream = self.stream
        if not stream.queued:
            self._stall_deadline = inf
        elif stream.sent > self._sent_before:
            self._watch_sending()
        else:
            self.disconnect("timeout")
            self.connection.reset_stream(stream, ErrorCodes.CANCEL)

    def _watch_sending(self) -> None:
        context = self.context
        self._sent_before = self.stream.sent
        timeout = context.config.h2_stalled_stream_timeout
        self._stall_deadline = context.clock.now + timeout
        self._set_deadline(min(self.deadline, self._stall_deadline))

    def _give_back(self) -> None:
        """Return the window for what is held no longer."""
        size, self._uncredited = self._uncredited, 0
        if size:
            self.connection.credit(self.stream, size)

    def _update_deadline(self) -> None:
        clock = self._clock
        body = inf if clock is None or self.disconnected else clock.deadline
        self._set_deadline(min(body, self._stall_deadline))

    def _set_deadline(self, deadline: float) -> None:
        self.deadline = deadline
        if deadline != inf:
            self.connection.wake_at(deadline)
