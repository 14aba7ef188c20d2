"""The writing side of an HTTP/2 connection, and the streams it writes for.

What the apps answer in one turn of the loop leaves in one write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quart_server.protocols.http2 import HTTP2Connection
from quart_server.protocols.http2_errors import ErrorCodes

from .connection import Connection
from .http2_rules import http2_rules

if TYPE_CHECKING:
    from quart_server.context import WorkerContext
    from quart_server.protocols.errors import ProtocolError
    from quart_server.protocols.http2_engine import Stream

    from .http2_exchange import HTTP2Exchange
    from .http2_websocket import HTTP2WebsocketCarrier

__all__ = ["HTTP2Output"]

# Between an answer that did not wait for the whole request, and the stream's end. Some
# clients, curl 7.88 among them, forget an answer that comes together with the reset.
_EARLY_ANSWER_SECONDS: Final = 0.2

# Streams that may be in between; those of others are reset at once.
_MAX_EARLY_ANSWERS: Final = 8


class HTTP2Output(Connection):
    """Writes what streams send, as windows, turns and the client allow.

    Attributes:
        limits: What clients may send and hold.
        sender: The sending half of the protocol.
    """

    __slots__ = (
        "_early_answers",
        "_handlers",
        "_has_eof",
        "_http2",
        "_is_flush_due",
        "_is_lingering",
        "limits",
        "sender",
    )

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(context)
        rules = http2_rules(context)
        self.limits = rules.limits
        self._http2 = HTTP2Connection(rules.limits, rules.fields)
        self.sender = self._http2.sender
        # All whose app runs; streams know only those that are not over.
        self._handlers: set[HTTP2Exchange | HTTP2WebsocketCarrier] = set()
        self._is_flush_due = False
        self._has_eof = False
        self._is_lingering = False
        self._early_answers = 0

    # From asyncio and the clock

    def pause_writing(self) -> None:
        """Hold everything back until the client reads."""
        super().pause_writing()
        self.sender.holds = True

    def resume_writing(self) -> None:
        """Let it go."""
        self.sender.holds = False
        super().resume_writing()
        if not self.closed:
            self.flush_soon()

    def on_write_stalled(self) -> None:
        """Give up a client that takes nothing."""
        self._disconnect_all("timeout")
        self.abort()

    # For exchanges

    @property
    def queued(self) -> int:
        """Bytes of body that wait on all streams."""
        return self.sender.queued

    def credit(self, stream: Stream, size: int) -> None:
        """Give a client its window back."""
        if not self.closed and not self._http2.is_ended:
            self._http2.credit(stream, size)
            if self._http2.pending:
                self.flush_soon()

    def drop(self, stream: Stream) -> None:
        """Forget what waits on a stream."""
        self.sender.drop(stream)

    def reset_stream(self, stream: Stream, code: ErrorCodes) -> None:
        """End a stream that cannot go on."""
        if not self._http2.is_ended:
            self._http2.reset(stream, code)
            self.flush_soon()
            self._note_idle()

    def end_unread(self, stream: Stream) -> None:
        """End a stream that was answered, the rest of whose request is of no use.

        RFC 9113, 8.1: by a reset without an error. Until then the client's window is
        not opened again.
        """
        if self._early_answers >= _MAX_EARLY_ANSWERS:
            self.reset_stream(stream, ErrorCodes.NO_ERROR)
            return
        self._early_answers += 1
        context = self.context
        context.loop.call_later(
            _EARLY_ANSWER_SECONDS,
            self._reset_unread,
            stream,
            context=context.base_context,
        )

    def _reset_unread(self, stream: Stream) -> None:
        self._early_answers -= 1
        if not self.closed and stream.may_receive:
            self.reset_stream(stream, ErrorCodes.NO_ERROR)

    def answer(self, stream: Stream, error: ProtocolError) -> None:
        """Answer a request with the status of an error.

        There is no body: it might have to wait for a window.
        """
        fields = list(error.fields)
        if error.status == 503:
            fields.append((b"retry-after", b"1"))
        self.sender.send_head(stream, error.status, fields, 0, is_head=False, end=True)
        self.flush_soon()

    def flush_soon(self) -> None:
        """Write within this turn of the loop, together with what else is written."""
        if not self._is_flush_due:
            self._is_flush_due = True
            context = self.context
            context.loop.call_soon(self.flush, context=context.base_context)

    def flush(self) -> None:
        """Write what windows, turns and the transport allow."""
        self._is_flush_due = False
        if self.closed or self.sender.holds or self.transport.is_closing():
            return
        http2, sender = self._http2, self.sender
        moved = sender.pump() if sender.has_turns else None
        if http2.pending:
            self.transport.write(http2.take())
        if moved:
            self._tell_moved(moved)
        if sender.has_turns:
            self.flush_soon()

    # For subclasses

    def _note_idle(self) -> None:
        """Begin to count the time without requests, if there are none."""
        raise NotImplementedError

    def _disconnect_all(self, outcome: str) -> None:
        for handler in self._all_handlers():
            handler.disconnect(outcome)

    def _all_handlers(self) -> list[HTTP2Exchange | HTTP2WebsocketCarrier]:
        """Return those whose app runs, and those whose response is not out."""
        streams = self._http2.streams.values()
        handlers = {stream.handler for stream in streams} | self._handlers
        handlers.discard(None)
        return list(handlers)

    def _linger(self) -> None:
        """Write what there is, then wait for the client to close.

        Closing with unread bytes would reset the connection, and the client might
        never see why.
        """
        self._is_lingering = True
        if self.closed or self.transport.is_closing():
            return
        if self._http2.pending:
            self.transport.write(self._http2.take())
        if self.is_writing_paused:
            self.abort()
        elif self.transport.can_write_eof() and not self._has_eof:
            self.transport.write_eof()
            self.deadline = self.context.clock.now + self.context.config.drain_timeout
        else:
            self.close()

    # Private

    def _tell_moved(self, moved: list[Stream]) -> None:
        for stream in moved:
            if stream.handler is not None:
                stream.handler.on_sent()
