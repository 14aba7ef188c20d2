"""The test's end of an HTTP request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from .base_connection import TestConnection
from .connection_errors import HTTPDisconnectError
from .exchange import Message
from .preserved import bind_preserved
from .response_rules import ResponseRules
from .responses import received_headers
from .server_sent_events import EventStreamParser, ServerSentEvent
from .waits import Deadline

if TYPE_CHECKING:
    from quart_core import Response

__all__ = ("TestHTTPConnection",)

_DISCONNECT: Message = {"type": "http.disconnect"}


class TestHTTPConnection(TestConnection):
    """An HTTP request that a test sends and receives in steps.

    ::

        async with client.request("/upload", method="POST") as connection:
            await connection.send(b"half")
            await connection.send_complete()
            response = await connection.as_response()

    The application runs from the moment this is entered. Leaving reads the rest of the
    response; leaving on an exception, or before `send_complete`, lets the client be
    gone. What the application raises, this raises.

    Args:
        app: The application.
        scope: The connection scope.
        _preserve_context: Make the context of the request current afterwards.

    Attributes:
        headers: Of the response, None before it began.
        push_promises: Paths and headers of what the application pushed.
        response_data: The body of the response, without what `receive` gave away.
        status_code: Of the response, None before it began.
    """

    def __init__(self, app: Any, scope: Any, _preserve_context: bool = False) -> None:
        super().__init__(app, scope)
        self.push_promises: list[tuple[str, Headers]] = []
        self._preserve_context = _preserve_context
        self._chunks: Iterator[bytes] = iter(())
        self._has_chunks = False
        self._leaves_after_chunks = False
        self._request_is_complete = False
        self._rules = ResponseRules(scope["method"], self._about)
        self._reads_events = False
        self._has_forgotten = False

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Read the rest of the response, or leave it; then end the application."""
        try:
            await super().__aexit__(exc_type, exc_value, tb)
        finally:
            if self._preserve_context:
                bind_preserved(self.app)

    # What the test does

    async def send(self, data: bytes) -> None:
        """Send a part of the body, as one message of the application's.

        Waits while `send_window` bytes are unread. What is sent after the response
        has ended is dropped, as by a server.

        Raises:
            RuntimeError: The body was completed, or the client has left.
            StillWaitingError: The application does not read.
        """
        self._check_may_send()
        await self._put(data, more=True)

    async def send_complete(self) -> None:
        """Say that the body is complete.

        Raises:
            RuntimeError: It was before, or the client has left.
            StillWaitingError: The application does not read.
        """
        self._check_may_send()
        self._request_is_complete = True
        await self._put(b"", more=False)

    def send_chunks(
        self, chunks: Iterable[bytes], *, leave_afterwards: bool = False
    ) -> None:
        """Have a whole body sent at the pace the application reads it.

        Args:
            chunks: The parts, each of which becomes a message.
            leave_afterwards: Be gone after them, before the body is complete.

        Raises:
            RuntimeError: The body was completed, or the client has left.
        """
        self._check_may_send()
        self._request_is_complete = True
        self._has_chunks = True
        self._leaves_after_chunks = leave_afterwards
        self._chunks = iter(chunks)
        self._exchange.changes.notify()

    async def receive(self) -> bytes:
        """Receive a part of the response's body, empty at its end.

        Raises:
            HTTPDisconnectError: There is no more, and the body is not complete.
            StillWaitingError: Nothing came.
            Exception: What the application failed with.
        """
        deadline = self._deadline()
        while True:
            data = await self._receive(deadline)
            if data or self._is_all_read():
                return data

    async def disconnect(self) -> None:
        """Leave, as a client that closes its connection."""
        self._leave()

    def forget_unread(self) -> None:
        """Drop what has come and was not received, as a client that left does."""
        if not self._exchange.from_app.is_empty:
            self._has_forgotten = True
            self._exchange.from_app.clear()

    async def as_response(self) -> Response:
        """Receive the rest and give the response.

        Where the body ends early the response has `is_complete` False.

        Raises:
            HTTPDisconnectError: Not even status and headers came.
            StillWaitingError: It did not come in time, all of it.
            Exception: What the application failed with.
        """
        await self._drain(self._deadline())
        if self.status_code is None or self.headers is None:
            raise self._no_response()
        is_complete = self._is_all_read() and not self._has_forgotten
        response: Response = self._make_response(is_complete=is_complete)
        return response

    async def receive_some(self, count: int, pause_seconds: float = 0) -> None:
        """Receive at least so many bytes of the body, and keep them for the response.

        Args:
            count: How many; fewer where the body ends.
            pause_seconds: Waited before each step, as a slow client does.

        Raises:
            StillWaitingError: They did not come in time, pauses not counted.
        """
        while len(self.response_data) < count and not self._is_all_read():
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
            try:
                self.response_data += await self.receive()
            except HTTPDisconnectError:
                return

    async def events(self) -> AsyncGenerator[ServerSentEvent, None]:
        """Receive the body as server-sent events, until it ends.

        ::

            async for event in connection.events():
                assert event.data == "0"
                break

        Such streams seldom end: leaving the connection leaves the stream as well.

        Raises:
            HTTPDisconnectError: The response is of another type, or ended early.
            StillWaitingError: No event came in time.
        """
        await self.head()
        mimetype = (self.headers or Headers()).get("Content-Type", "").partition(";")[0]
        if mimetype.strip().lower() != "text/event-stream":
            raise HTTPDisconnectError(
                f"{self._about} was answered with {self.status_code} and Content-Type "
                f"{mimetype!r}; a browser takes events from 'text/event-stream' only"
            )
        self._reads_events = True
        parser = EventStreamParser()
        while data := await self.receive():
            for event in parser.feed(data):
                yield event

    async def head(self) -> None:
        """Wait for status and headers, and leave the body unread.

        Raises:
            HTTPDisconnectError: The application ended without them.
            StillWaitingError: They did not come in time.
            Exception: What the application failed with.
        """
        await self._exchange.until(
            lambda: self._rules.has_begun, self._deadline(), self._unanswered
        )
        self._take_messages_before_body()
        if self.status_code is None:
            self._raise_failure()
            raise self._no_response()

    # How it is done

    def _check_may_send(self) -> None:
        if self._request_is_complete:
            raise RuntimeError(
                f"The body of {self._about} is complete, nothing can follow: call "
                "send_complete() once, after the last send()"
            )
        if self._exchange.has_left:
            raise RuntimeError(
                f"The client has left {self._about}, it cannot send any more"
            )

    async def _put(self, data: bytes, *, more: bool) -> None:
        exchange = self._exchange
        await exchange.until(
            lambda: not exchange.to_app.is_full or self._rules.has_ended,
            self._deadline(),
            self._unread,
        )
        if self._rules.has_ended or exchange.is_over:
            return
        message = {"type": "http.request", "body": data, "more_body": more}
        exchange.to_app.put(message, len(data))
        exchange.changes.notify()

    async def _receive(self, deadline: Deadline) -> bytes:
        """Return the data of the next message, empty at the end and for none."""
        exchange = self._exchange
        if exchange.from_app.is_empty and not self._is_all_read():
            self._raise_if_left()
            await exchange.until(
                lambda: not exchange.from_app.is_empty, deadline, self._unanswered
            )
        self._take_messages_before_body()
        if exchange.from_app.is_empty:
            self._raise_failure()
            if self._is_all_read() or not exchange.is_over:
                return b""
            raise self._cut_off()
        message = exchange.from_app.take()
        exchange.changes.notify()
        return bytes(message.get("body") or b"")

    def _raise_if_left(self) -> None:
        if self._exchange.has_left:
            raise HTTPDisconnectError(f"The client has left {self._about}")

    def _take_messages_before_body(self) -> None:
        """Take the head of the response and the promises off the channel."""
        exchange = self._exchange
        while not exchange.from_app.is_empty:
            message = exchange.from_app.peek()
            if message["type"] == "http.response.start":
                self.status_code = message["status"]
                self._take_headers(self._rules.headers)
            elif message["type"] == "http.response.push":
                promise = message["path"], received_headers(message)
                self.push_promises.append(promise)
            else:
                return
            exchange.from_app.take()
            exchange.changes.notify()

    def _is_all_read(self) -> bool:
        return self._rules.has_ended and self._exchange.from_app.is_empty

    async def _drain(self, deadline: Deadline) -> None:
        """Read what is left of the response into `response_data`."""
        exchange = self._exchange
        while not self._is_all_read():
            if exchange.from_app.is_empty and (exchange.is_over or exchange.has_left):
                break
            if deadline.is_over():
                raise self._still_streaming(deadline)
            self.response_data += await self._drain_step(deadline)
        self._raise_failure()

    async def _drain_step(self, deadline: Deadline) -> bytes:
        try:
            return await self._receive(deadline)
        except HTTPDisconnectError:
            # The application ended early; `as_response` says so in its own way.
            return b""

    async def _finish(self) -> None:
        deadline = self._deadline()
        exchange = self._exchange
        is_read = self._request_is_complete and not self._reads_events
        if is_read and not exchange.has_left:
            await self._drain(deadline)
        elif not self._rules.has_ended:
            self._leave()
        await exchange.end(deadline, self._not_ended)
        if not exchange.has_left:
            await self._drain(deadline)
        self._raise_failure()

    # What is said

    def _unanswered(self) -> str:
        missing = ""
        if not self._request_is_complete:
            missing = " (the body was not completed with send_complete())"
        what = "go on with its response" if self._rules.has_begun else "respond"
        return f"The application did not {what} to {self._about}{missing}"

    def _unread(self) -> str:
        waiting = self._exchange.to_app.size
        return (
            f"The application did not read the body of {self._about}, of which "
            f"{waiting} bytes wait (send_window is {self.send_window}),"
        )

    def _still_streaming(self, deadline: Deadline) -> Exception:
        return deadline.error(
            f"The response to {self._about} did not end, with "
            f"{len(self.response_data)} bytes read,",
            self._exchange.task,
            "A stream without an end is read in steps: use client.request() and "
            "receive() or events(), then disconnect()",
        )

    def _no_response(self) -> HTTPDisconnectError:
        if self._exchange.has_left:
            return HTTPDisconnectError(
                f"The client left {self._about} before the response began"
            )
        return HTTPDisconnectError(
            f"The application ended {self._about} without a response"
        )

    def _cut_off(self) -> HTTPDisconnectError:
        return HTTPDisconnectError(
            f"The application ended the response to {self._about} before it was "
            "complete, as it does when RESPONSE_TIMEOUT is over"
        )

    # What the application calls

    async def _asgi_receive(self) -> Message:
        return await self._exchange.receive(self._next_or_end)

    def _next_or_end(self) -> Message | None:
        """Return what follows an empty channel: a chunk, the end, or nothing yet."""
        if self._exchange.has_left or self._rules.has_ended:
            return _DISCONNECT
        if not self._has_chunks:
            return None
        for chunk in self._chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        self._has_chunks = False
        if self._leaves_after_chunks:
            self._leave()
            return _DISCONNECT
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _asgi_send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._rules.begin(message)
            await self._exchange.send(message, 0)
        elif kind == "http.response.body":
            data = self._rules.body(message)
            await self._exchange.send({**message, "body": data}, len(data))
            if not message.get("more_body", False):
                self._rules.has_ended = True
                self._exchange.changes.notify()
        elif kind == "http.response.push":
            # Looked at here, for the application to be told what is wrong with them.
            received_headers(message)
            await self._exchange.send(message, 0)
        else:
            raise RuntimeError(
                f"The application sent a message of type {kind!r} to {self._about}; an "
                "HTTP request takes 'http.response.start' and 'http.response.body'"
            )
