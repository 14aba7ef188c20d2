"""One request and its response: what ASGI's `http` protocol rules on any HTTP version.

The app's side is `receive` and `send`. The connection's side is `feed`, `finish_body`,
`disconnect` and `cancel`. What differs between versions of HTTP are the `_write_*`
methods, `_want_body` and `_drain`, which subclasses supply.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from .connection import ClientDisconnectedError
from .departures import is_departure
from .request_inbox import BODY, DONE, START, TRAILERS, RequestInbox
from .tasks import start_task

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from quart_server.asgi import Message, Scope
    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead

    from .connection import Connection

__all__ = [
    "BODY",
    "DONE",
    "START",
    "TRAILERS",
    "Exchange",
    "UnexpectedMessageError",
]

_log = logging.getLogger("quart_server.error")


class UnexpectedMessageError(RuntimeError):
    """The app sent an ASGI message that does not fit the state of its response."""


class Exchange(RequestInbox):
    """One request being answered.

    Attributes:
        connection: The connection the request came on.
        scope: The ASGI scope.
        status: The status sent, 0 before.
        bytes_sent: Body bytes sent.
        outcome: How it ended, for the access log: `complete`, `client closed`,
            `timeout`, `reset` or `refused`.
    """

    __slots__ = (
        "_start",
        "_stream_end",
        "bytes_sent",
        "connection",
        "head",
        "outcome",
        "scope",
        "started_at",
        "status",
        "task",
    )

    def __init__(
        self,
        context: WorkerContext,
        connection: Connection,
        head: RequestHead,
        scope: Scope,
    ) -> None:
        super().__init__(context, has_body=head.body_length != 0)
        self.connection = connection
        self.head = head
        self.scope = scope
        self.status = 0
        self.bytes_sent = 0
        self.outcome = "complete"
        self.task: asyncio.Task[None] | None = None
        self.started_at = 0.0
        self._start: Message | None = None
        self._stream_end = 0

    # The app's side

    async def run(self) -> None:
        """Run the app; answer 500 when it fails, close when it leaves things open."""
        try:
            await self.context.app(self.scope, self.receive, self.send)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the app's, logged
            # A view that calls exit() ends itself, not the worker.
            self._on_error(error)
        except asyncio.CancelledError as error:
            self._on_cancelled(error)
        else:
            if self.stage != DONE and not self.disconnected:
                self._fail("App returned without completing its response", None)
        finally:
            self.task = None
            self.context.remove_exchange(self)
            self._app_ended()

    async def send(self, message: Message) -> None:
        """Take one ASGI message of the response.

        Raises:
            ClientDisconnectedError: The client is gone.
            UnexpectedMessageError: The message does not fit the response's state.
        """
        if self.disconnected:
            raise ClientDisconnectedError("the client closed the connection")
        kind = message["type"]
        try:
            if kind == "http.response.body":
                self._on_body(message)
            elif kind == "http.response.start":
                self._on_start(message)
            else:
                await self._on_extension(kind, message)
            if self.connection.is_writing_paused:
                await self._drain()
        except ClientDisconnectedError:
            # Known here before the event loop says so; the app may return now.
            self.disconnect()
            raise

    def respond_whole(
        self, status: int, headers: Any, body: bytes
    ) -> Awaitable[None] | None:
        """Take a whole response in one call, from an app that knows this server.

        It is what two messages through `send` come to. An app finds it on the object
        that its `send` is bound to, so where middleware hands on a `send` of its own
        there is none, and every message passes the middleware.

        Args:
            status: The status code.
            headers: Pairs of name and value.
            body: The whole body.

        Returns:
            What to await where the client is slow to take it, else None.

        Raises:
            ClientDisconnectedError: The client is gone.
            UnexpectedMessageError: It does not fit the response's state.
        """
        if self.disconnected:
            raise ClientDisconnectedError("the client closed the connection")
        if self.stage != START or self._start is not None:
            raise self._unexpected({"type": "http.response.start"})
        _check_status(status)
        self.status = status
        try:
            self._write_start(status, headers, body, more=False, trailers=False)
        except ClientDisconnectedError:
            self.disconnect()
            raise
        self.bytes_sent = len(body)
        self._complete()
        return self._drain() if self._must_drain else None

    # The connection's side

    def begin(self) -> None:
        """Start the app in a task of its own."""
        self.context.exchanges.add(self)
        self.context.count_request()
        if self.context.access_log is not None:
            self.started_at = self.context.loop.time()
        task = start_task(
            self.context.loop, self.run(), self.context.base_context.copy()
        )
        if not task.done():
            self.task = task

    def disconnect(self, outcome: str = "client closed") -> None:
        """The client is gone; `receive` says so and `send` raises."""
        if self.disconnected:
            return
        self.disconnected = True
        if self.stage != DONE:
            self.outcome = outcome
            self._log_access()
        self._wake()

    def cancel(self) -> None:
        """Cancel the app (the graceful time is over)."""
        if self.task is not None:
            self.task.cancel()
            self.task.add_done_callback(self._on_task_cancelled)

    def end_stream(self) -> None:
        """End an event stream, since the server is stopping; then cancel its app.

        Event streams have no end of their own, and their clients connect anew. Called
        from time to time: first the stream ends and `send` raises, and an app that has
        not noticed by the next time is cancelled, once.
        """
        if self._stream_end == 1:
            self._stream_end = 2
            self.cancel()
        elif self.stage == BODY and not self.disconnected and self._is_event_stream():
            self._stream_end = 1
            with contextlib.suppress(ClientDisconnectedError):
                self._write_body(b"", more=False)
                self._complete()
            self.disconnected = True

    def _is_event_stream(self) -> bool:
        start = self._start
        if start is None or start.get("trailers", False):
            return False
        fields = {bytes(name).lower(): value for name, value in start["headers"]}
        kind = fields.get(b"content-type", b"").lower()
        return kind.startswith(b"text/event-stream") and b"content-length" not in fields

    # For subclasses

    def _write_start(
        self, status: int, headers: Any, body: bytes, *, more: bool, trailers: bool
    ) -> None:
        """Write the head together with the first piece of body."""
        raise NotImplementedError

    def _write_body(self, body: bytes, *, more: bool) -> None:
        """Write a further piece of body; `more` is False for the last one."""
        raise NotImplementedError

    def _write_trailers(self, headers: Any, *, more: bool) -> None:
        """Write trailer fields; `more` is False for the last ones."""
        raise NotImplementedError

    def _write_early_hints(self, links: Iterable[bytes]) -> None:
        """Write a 103 response."""
        raise NotImplementedError

    async def _write_file(
        self, start: Message, path: str, offset: int, count: int | None
    ) -> None:
        """Write head and a part of a file as the whole body; sets `stage`."""
        raise NotImplementedError

    def _response_done(self) -> None:
        """The response is complete; the next request may be answered."""
        raise NotImplementedError

    def _reset(self) -> None:
        """End a response that cannot be completed so that the client notices."""
        raise NotImplementedError

    def _app_ended(self) -> None:
        """The app has returned."""

    @property
    def _must_drain(self) -> bool:
        """Whether the client is to take something before more is written."""
        return self.connection.is_writing_paused

    async def _drain(self) -> None:
        await self.connection.drain()

    def _complete(self) -> None:
        """Mark the response as complete, log it, wake who waits in `receive`."""
        self.stage = DONE
        if self.context.access_log is not None:
            self._log_access()
        if self._waiters is not None:
            self._wake()
        self._response_done()

    # ASGI messages

    def _on_start(self, message: Message) -> None:
        if self.stage != START or self._start is not None:
            raise self._unexpected(message)
        status = message["status"]
        _check_status(status)
        self._start = message
        self.status = int(status)

    def _on_body(self, message: Message) -> None:
        body = message.get("body", b"")
        more = message.get("more_body", False)
        if self.stage == BODY:
            self._write_body(body, more=more)
            self.bytes_sent += len(body)
            if not more:
                self._end_body()
            return
        start = self._start
        if start is None or self.stage != START:
            raise self._unexpected(message)
        self._write_start(
            self.status,
            start.get("headers", ()),
            body,
            more=more,
            trailers=start.get("trailers", False),
        )
        self.stage = BODY
        self.bytes_sent = len(body)
        if not more:
            self._end_body()

    def _end_body(self) -> None:
        start = self._start
        if start is not None and start.get("trailers", False):
            self.stage = TRAILERS
        else:
            self._complete()

    async def _on_extension(self, kind: str, message: Message) -> None:
        if kind == "http.response.trailers" and self.stage == TRAILERS:
            more = message.get("more_trailers", False)
            self._write_trailers(message.get("headers", ()), more=more)
            if not more:
                self._complete()
        elif kind == "http.response.early_hint" and self.stage == START:
            self._write_early_hints(message.get("links", ()))
        elif kind == "http.response.pathsend":
            await self._send_file(message, 0, None)
        elif kind == "quart.response.filesend":
            offset, count = message.get("offset", 0), message.get("count")
            await self._send_file(message, offset, count)
        else:
            raise self._unexpected(message)

    async def _send_file(
        self, message: Message, offset: int, count: int | None
    ) -> None:
        if self._start is None or self.stage != START:
            raise self._unexpected(message)
        await self._write_file(self._start, message["path"], offset, count)
        self._complete()

    def _unexpected(self, message: Message) -> UnexpectedMessageError:
        expected = {
            START: "http.response.body"
            if self._start is not None
            else "http.response.start",
            BODY: "http.response.body",
            TRAILERS: "http.response.trailers",
            DONE: "nothing, the response is complete",
        }[self.stage]
        return UnexpectedMessageError(
            f"The app sent {message['type']!r}, expected {expected}"
        )

    # How it can fail

    def _on_error(self, error: BaseException) -> None:
        """Tell the app's failures from a client that has left."""
        if is_departure(error):
            _log.debug("App ended by its client's leaving", exc_info=error)
            return
        self._fail("App failed", error)

    def _fail(self, what: str, error: BaseException | None) -> None:
        """Log the app's mistake; answer 500 or, when too late for that, reset."""
        _log.error(
            "%s: %s %s", what, self.head.method, _escaped(self.head), exc_info=error
        )
        if self.disconnected or self.stage == DONE:
            return
        if self.stage == START:
            # The client may be leaving at this very moment.
            with contextlib.suppress(ClientDisconnectedError):
                self._answer_error(500)
        else:
            self.disconnect("reset")
            self._reset()

    def _answer_error(self, status: int) -> None:
        body = b"Internal Server Error"
        self.status = status
        self.bytes_sent = len(body)
        self._start = None
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        self._write_start(status, headers, body, more=False, trailers=False)
        self._complete()

    def _on_cancelled(self, error: asyncio.CancelledError) -> None:
        """End the response if the server cancelled the task, which it does to end it.

        Otherwise the app awaited something that was cancelled: a failure.
        """
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            self._on_error(error)
        elif self.stage != DONE and not self.disconnected:
            self.disconnect("cancelled")
            self._reset()

    def _on_task_cancelled(self, task: asyncio.Task[None]) -> None:  # noqa: ARG002
        """Do what `run` could not: it was cancelled before its first step."""
        if self.task is None:
            return
        self.task = None
        if not self.disconnected:
            self.disconnect("cancelled")
            self._reset()
        self.context.remove_exchange(self)
        self._app_ended()

    def _log_access(self) -> None:
        if self.context.access_log is not None:
            self.context.access_log.write_exchange(self)


def _check_status(status: object) -> None:
    if not isinstance(status, int) or not 200 <= status <= 999:
        raise UnexpectedMessageError(
            f"http.response.start has status {status!r}, expected a number from "
            "200 to 999; 1xx responses go through http.response.early_hint"
        )


def _escaped(head: RequestHead) -> str:
    return head.raw_path.decode("ascii", "backslashreplace")
