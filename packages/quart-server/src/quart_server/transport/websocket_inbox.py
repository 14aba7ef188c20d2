"""The reading half of a WebSocket session: events in, messages held within bounds.

Reading pauses when as many messages, or as many bytes of them, wait for the app as may.
What has been received by then stays bytes.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from typing import TYPE_CHECKING, Final

from quart_server.protocols.websocket_events import Closed, Failed, Ping

from .websocket_rules import websocket_rules

if TYPE_CHECKING:
    from quart_server.asgi import Message
    from quart_server.context import WorkerContext
    from quart_server.protocols.websocket import WebsocketConnection

    from .websocket_carrier import WebsocketCarrier

__all__ = ["CLOSING", "DENYING", "HANDSHAKE", "LINGERING", "OPEN", "OVER"]
__all__ += ["WebsocketInbox"]

# The stages of a session, see `websocket_session.py`.
HANDSHAKE: Final = 0
DENYING: Final = 1
OPEN: Final = 2
CLOSING: Final = 3
LINGERING: Final = 4
OVER: Final = 5

# Bytes a client may send before it has its answer; it should send none.
_MAX_EARLY: Final = 64 * 1024


class WebsocketInbox:
    """What a client has sent and its app has not taken.

    Attributes:
        context: What all connections of the worker share.
        stage: How far the session is.
    """

    __slots__ = (
        "_carrier",
        "_early",
        "_has_eof",
        "_is_full",
        "_is_paused",
        "_last",
        "_pong_due",
        "_queue",
        "_queue_size",
        "_rules",
        "_seen_at",
        "_waiters",
        "_websocket",
        "context",
        "stage",
    )

    def __init__(self, context: WorkerContext, carrier: WebsocketCarrier) -> None:
        self.context = context
        self.stage = HANDSHAKE
        self._carrier = carrier
        self._rules = websocket_rules(context)
        self._websocket: WebsocketConnection | None = None
        self._early = b""
        self._queue: deque[str | bytes] | None = None
        self._queue_size = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        # What ended the reading, while messages before it wait for the app.
        self._last: Closed | Failed | None = None
        self._has_eof = False
        self._is_full = False
        self._is_paused = False
        self._pong_due: bytes | None = None
        self._seen_at = 0.0

    # The carrier's side

    def receive_data(self, data: bytes) -> None:
        """Read what the client sends."""
        self._seen_at = self.context.clock.now
        websocket = self._websocket
        if websocket is None:
            self._receive_early(data)
            return
        websocket.receive_data(data)
        if not self._is_full:
            self._read(websocket)

    def receive_eof(self) -> None:
        """The client sends no more: a WebSocket has no half-closed state."""
        if self._last is not None:
            self._end_by_client(self._last)
        elif self._is_full and self.stage == OPEN:
            self._has_eof = True
        else:
            self._end_abnormally("client closed")

    def resume_writing(self) -> None:
        """Send the pong that had to wait."""
        payload, self._pong_due = self._pong_due, None
        if payload is not None and self.stage == OPEN and self._websocket is not None:
            self._carrier.write(self._websocket.encode_pong(payload))

    # For the session

    def _end_by_client(self, event: Closed | Failed) -> None:
        """Act on the client's close frame or its mistake."""
        raise NotImplementedError

    def _end_abnormally(self, outcome: str) -> None:
        """Act on an end without close frame."""
        raise NotImplementedError

    def _open(self, websocket: WebsocketConnection) -> None:
        """Begin with what the client has sent before it had its answer."""
        self._websocket = websocket
        self._seen_at = self.context.clock.now
        early, self._early = self._early, b""
        self._resume_reading()
        if early:
            self.receive_data(early)

    def _take(self, queue: deque[str | bytes]) -> Message:
        """Return a held message, and read on where there is room now."""
        message = queue.popleft()
        if queue:
            self._queue_size -= sys.getsizeof(message)
        else:
            self._queue = None
            self._queue_size = 0
        if self._is_full:
            self._read_on()
        if type(message) is str:
            return {"type": "websocket.receive", "text": message, "bytes": None}
        return {"type": "websocket.receive", "bytes": message, "text": None}

    def _drop(self) -> None:
        """Read on without the app, only for the client's close frame."""
        self._queue = None
        self._queue_size = 0
        self._pong_due = None
        if self._is_full:
            self._read_on()

    async def _wait(self) -> None:
        """Wait until something happened; several tasks may wait at once."""
        waiter = self.context.loop.create_future()
        if self._waiters is None:
            self._waiters = [waiter]
        else:
            self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def _resume_reading(self) -> None:
        self._is_full = False
        if self._is_paused and self.stage != OVER:
            self._is_paused = False
            self._carrier.resume_reading()

    # Private

    def _receive_early(self, data: bytes) -> None:
        """Hold what a client sends before it has its answer, within bounds."""
        if self.stage == HANDSHAKE:
            self._early += data
            if len(self._early) > _MAX_EARLY:
                self._pause_reading()

    def _read(self, websocket: WebsocketConnection) -> None:
        """Take events until there are no more, or too many for the app."""
        while True:
            event = websocket.next_event()
            if event is None:
                break
            if type(event) is str or type(event) is bytes:
                if self.stage == OPEN and self._hold(event):
                    return
                if not websocket.unread:
                    return  # nor is a message in progress
            elif isinstance(event, Ping):
                self._answer_ping(websocket, event.payload)
            elif isinstance(event, Closed | Failed):
                self._on_last(event)
                return
            # A pong: that something came is noted already.
        if self._queue is not None:
            size = self._queue_size + websocket.partial_size
            if size >= self._rules.queue_size:
                self._pause_reading()

    def _hold(self, message: str | bytes) -> bool:
        """Hold a message for the app; return whether that was the last one to hold."""
        queue = self._queue
        if queue is None:
            queue = self._queue = deque((message,))
        else:
            queue.append(message)
        self._queue_size += sys.getsizeof(message)
        if self._waiters is not None:
            self._wake()
        rules = self._rules
        if len(queue) < rules.queue_messages and self._queue_size < rules.queue_size:
            return False
        self._pause_reading()
        return True

    def _read_on(self) -> None:
        """Read what has been received, and then from the carrier."""
        self._is_full = False
        if self._websocket is not None:
            self._read(self._websocket)
        if self._is_full:
            return
        self._resume_reading()
        if self._has_eof:
            self.receive_eof()

    def _pause_reading(self) -> None:
        self._is_full = True
        if not self._is_paused and self.stage != OVER:
            self._is_paused = True
            self._carrier.pause_reading()

    def _answer_ping(self, websocket: WebsocketConnection, payload: bytes) -> None:
        if self.stage != OPEN:
            return  # RFC 6455, 5.5.1: nothing follows our close frame
        if self._carrier.is_writing_paused:
            self._pong_due = payload  # 5.5.3: the latest is enough
        else:
            self._carrier.write(websocket.encode_pong(payload))

    def _on_last(self, event: Closed | Failed) -> None:
        """Let the app answer what came before, for a moment."""
        if self.stage == OPEN and self._queue is not None:
            self._last = event
            timeout = self._rules.linger_timeout
            self._carrier.set_deadline(self.context.clock.now + timeout)
        else:
            self._end_by_client(event)
