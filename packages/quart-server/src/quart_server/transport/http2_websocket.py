"""A stream of HTTP/2 that carries a WebSocket (RFC 8441)."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.http2_errors import ErrorCodes
from quart_server.protocols.websocket_handshake import read_handshake

from .connection import ClientDisconnectedError
from .websocket_rules import check_admission
from .websocket_session import WebsocketSession

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from quart_server.protocols.http2_engine import Stream
    from quart_server.protocols.http2_response import ResponseSize
    from quart_server.protocols.request import RequestHead
    from quart_server.protocols.websocket_handshake import Handshake

    from .http2 import HTTP2Transport
    from .websocket_carrier import Field

__all__ = ["HTTP2WebsocketCarrier", "check_handshake"]


class HTTP2WebsocketCarrier:
    """Moves the bytes of one WebSocket on one stream; see `WebsocketCarrier`.

    Attributes:
        stream: The stream.
        client: Address of the peer for the scope.
        server: Address it connected to for the scope.
        scheme: `http` or `https`.
        is_writing_paused: Whether too much waits for the client's windows.
        deadline: Loop time at which `on_deadline` is to be called.
    """

    __slots__ = (
        "_connection",
        "_end_deadline",
        "_has_ended",
        "_is_closing",
        "_is_lost",
        "_is_reading",
        "_sent_before",
        "_session",
        "_session_deadline",
        "_size",
        "_stall_deadline",
        "_uncredited",
        "_waiters",
        "client",
        "deadline",
        "is_writing_paused",
        "scheme",
        "server",
        "stream",
    )

    def __init__(
        self,
        connection: HTTP2Transport,
        stream: Stream,
        head: RequestHead,
        handshake: Handshake,
    ) -> None:
        self._connection = connection
        self.stream = stream
        self.client = connection.client
        self.server = connection.server
        self.scheme = connection.scheme
        self.is_writing_paused = False
        self.deadline = inf
        self._size: ResponseSize | None = None
        self._uncredited = 0
        self._is_reading = True
        self._has_ended = False
        self._is_closing = False
        self._is_lost = False
        self._waiters: list[asyncio.Future[None]] | None = None
        self._session_deadline = self._stall_deadline = self._end_deadline = inf
        self._sent_before = 0
        self._session = WebsocketSession(connection.context, self, head, handshake)

    # The connection's side

    def begin(self) -> None:
        """Start the app, and free its place once it has ended."""
        self._session.begin()
        task = self._session.task
        if task is None:
            self._connection.on_app_ended(self)
        else:
            task.add_done_callback(lambda _: self._connection.on_app_ended(self))

    def receive_body(self, data: bytes, *, ended: bool) -> None:
        """Give bytes to the session; END_STREAM is the client's end (RFC 8441, 5)."""
        if self._is_lost or not self._is_reading:
            self._uncredited += len(data)
        else:
            self._connection.credit(self.stream, len(data))
        if self._is_lost:
            self._give_back()
            if ended:
                self._let_go()
            return
        if data:
            self._session.receive_data(data)
        if ended and not self._is_lost:
            self._session.receive_eof()

    def count_partial(self, size: int) -> None:
        """Nothing: messages may take their time, pings find out who is gone."""

    def on_sent(self) -> None:
        """Go on: something of what waited has been written."""
        if not self.stream.queued:
            self._stall_deadline = inf
            self._set_deadlines()
            if self._is_closing:
                self._lose_soon()
        if self.is_writing_paused and not self._is_full:
            self.is_writing_paused = False
            self._wake()
            if not self._is_lost:
                self._session.resume_writing()

    def disconnect(self, outcome: str = "client closed") -> None:
        """The stream is gone."""
        self._connection.drop(self.stream)
        if outcome == "timeout" and not self._is_lost:
            self._session.on_write_stalled()
        self._has_ended = True
        self._lose()
        self._let_go()

    def on_deadline(self, now: float) -> None:
        """Act on whichever time is over."""
        if self._end_deadline <= now:
            self._end_deadline = inf
            self._connection.reset_stream(self.stream, ErrorCodes.NO_ERROR)
            self._let_go()
        if self._stall_deadline <= now:
            self._check_sending()
        if self._session_deadline <= now and not self._is_lost:
            self._session_deadline = inf
            self._session.on_deadline(now)
        self._set_deadlines()

    def shut_down(self) -> None:
        """Let the session say goodbye."""
        if not self._is_lost:
            self._session.shut_down()

    # The session's side

    def accept(self, fields: Sequence[Field]) -> None:
        """Answer 200 (RFC 8441, 5)."""
        connection = self._connection
        connection.sender.send_head(self.stream, 200, fields, None, is_head=False)
        connection.flush_soon()

    def deny(
        self, status: int, fields: Sequence[Field], body: bytes, *, more: bool
    ) -> None:
        """Answer with an ordinary response."""
        size = None if more else len(body)
        self._size = self._connection.sender.send_head(
            self.stream, status, fields, size, is_head=False
        )
        self.deny_further(body, more=more)

    def deny_further(self, body: bytes, *, more: bool) -> None:
        """Send a further piece of that response's body."""
        if self._has_ended:
            return
        if self._size is not None:
            self._size.count(len(body), more=more)
        self._has_ended = not more
        self._send(body, end=not more)

    def write(self, data: bytes, /) -> None:
        """Send bytes of frames."""
        if not self._has_ended:
            self._send(data, end=False)

    async def drain(self) -> None:
        """Wait until less waits for the client's windows.

        Raises:
            ClientDisconnectedError: The client is gone.
        """
        while self.is_writing_paused and not self._is_lost:
            waiter = self._connection.context.loop.create_future()
            if self._waiters is None:
                self._waiters = []
            self._waiters.append(waiter)
            await waiter
        if self._is_lost:
            raise ClientDisconnectedError("the client has left the stream")

    def pause_reading(self) -> None:
        """Give no more window."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Give it again."""
        self._is_reading = True
        self._give_back()

    def set_deadline(self, deadline: float) -> None:
        """Call `on_deadline` of the session then."""
        self._session_deadline = deadline
        self._set_deadlines()

    def half_close(self) -> None:
        """Send END_STREAM behind what was written."""
        if not self._has_ended:
            self._has_ended = True
            self._send(b"", end=True)

    def close(self) -> None:
        """End; the client has a moment to end as well."""
        self.half_close()
        self._is_closing = True
        if not self.stream.queued:
            self._lose_soon()

    def abort(self) -> None:
        """Reset the stream."""
        self._has_ended = True
        self._connection.reset_stream(self.stream, ErrorCodes.CANCEL)
        self._lose_soon()

    # Private

    @property
    def _is_full(self) -> bool:
        connection = self._connection
        return self.stream.queued > connection.limits.stream_buffer or (
            self.stream.queued > 0
            and connection.queued > connection.limits.queue_memory
        )

    def _send(self, data: bytes, *, end: bool) -> None:
        stream, connection = self.stream, self._connection
        connection.sender.send_body(stream, data, end=end)
        connection.flush_soon()
        if stream.queued:
            self.is_writing_paused = self._is_full
            if self._stall_deadline == inf:
                self._watch_sending()

    def _watch_sending(self) -> None:
        context = self._connection.context
        self._sent_before = self.stream.sent
        timeout = context.config.h2_stalled_stream_timeout
        self._stall_deadline = context.clock.now + timeout
        self._set_deadlines()

    def _check_sending(self) -> None:
        """Give up a client that has opened no window since the last look."""
        if not self.stream.queued:
            self._stall_deadline = inf
        elif self.stream.sent > self._sent_before:
            self._watch_sending()
        else:
            self.disconnect("timeout")
            self._connection.reset_stream(self.stream, ErrorCodes.CANCEL)

    def _give_back(self) -> None:
        size, self._uncredited = self._uncredited, 0
        if size:
            self._connection.credit(self.stream, size)

    def _lose_soon(self) -> None:
        context = self._connection.context
        context.loop.call_soon(self._lose, context=context.base_context)

    def _lose(self) -> None:
        """Tell the session that nothing moves any more."""
        if self._is_lost:
            return
        self._is_lost = True
        self._session_deadline = self._stall_deadline = inf
        self._session.connection_lost()
        self._give_back()
        self._wake()
        if self.stream.may_receive:
            context = self._connection.context
            self._end_deadline = context.clock.now + context.config.drain_timeout
        else:
            self._let_go()
        self._set_deadlines()
        self._connection.on_response_done()

    def _let_go(self) -> None:
        self._end_deadline = inf
        self.stream.handler = None

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def _set_deadlines(self) -> None:
        self.deadline = min(
            self._session_deadline, self._stall_deadline, self._end_deadline
        )
        if self.deadline != inf:
            self._connection.wake_at(self.deadline)


def check_handshake(connection: HTTP2Transport, head: RequestHead) -> Handshake:
    """Return the handshake of an extended CONNECT.

    Raises:
        ProtocolError: It must not become a WebSocket.
    """
    if not head.body_length:
        raise ProtocolError("a WebSocket handshake that ends its stream")
    handshake = read_handshake(head.headers, needs_key=False)
    check_admission(connection.context, connection.client, head)
    return handshake
