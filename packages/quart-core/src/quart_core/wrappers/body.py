"""The body of a request: awaitable, asynchronously iterable, read as it is needed.

Data comes in one of two ways. The server's connection gives the body a source, the
ASGI `receive`, and every reader that finds nothing buffered awaits it in its own task:
a client that sends faster than the handler reads is slowed down by the socket. Or
somebody else pushes (`append`, `put`), as tests and other event loops do.

While a handler does not read, its connection may `watch` the body, to notice a client
that leaves. Reader and watcher take turns: never are two calls of `receive` pending,
and whoever is cancelled leaves the other everything that has arrived.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from io import BytesIO
from typing import Any, Final

from werkzeug.exceptions import RequestEntityTooLarge

from ..typing import ASGIReceiveCallable
from .base import ClientDisconnectedError

__all__ = ("READ_AHEAD_BYTES", "Body")

#: What is taken from the server while nobody reads. The watcher stops there.
READ_AHEAD_BYTES: Final = 65_536


class Body:
    """The body of a request.

    `await body` gives all of it, as often as wanted; `async for chunk in body` gives it
    in chunks and consumes it, so that awaiting it afterwards gives the rest. API of
    Quart: the pushing methods of 0.22 (`append`) and of 0.23 (`put`, `get`).

    Args:
        expected_content_length: Bytes announced by `Content-Length`, None if unknown.
        max_content_length: Bytes allowed, None for any number. Counts all that arrive,
            however they are read.
    """

    #: Makes the events that readers wait for, where waiting is not for the source.
    event_class: Callable[[], Any] = asyncio.Event

    # Defaults on the class, as construction is on the way of every request, and as
    # bodies for other event loops construct themselves.
    _expected_content_length: int | None = None
    #: An error that a subclass wants raised by every reader.
    _must_raise: BaseException | None = None
    #: An event of a subclass, whose class is then that of all events.
    _complete: Any = None

    _buffer: bytes | BytesIO = b""
    _buffered = 0
    _received = 0
    _ended = False
    _disconnected = False
    _dropped = False

    #: The identity of the task that was told last that the client has left.
    _told_task: int | None = None

    _source: ASGIReceiveCallable | None = None
    _source_repeats = False
    _receiving = False
    _readable: Any = None
    _turn: Any = None

    def __init__(
        self, expected_content_length: int | None, max_content_length: int | None
    ) -> None:
        self._expected_content_length = expected_content_length
        self._max_content_length = max_content_length

    # Reading

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._next()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    def __await__(self) -> Generator[Any, None, bytes]:
        return self.read().__await__()

    async def read(self, limit: int | None = None) -> bytes:
        """Return all that was not iterated over, and keep it for the next reading.

        Args:
            limit: Bytes allowed here, besides the limit of the body.

        Raises:
            ClientDisconnectedError: The client left before the end.
            RequestEntityTooLarge: More data came than is allowed.
        """
        while True:
            self._check(limit)
            if self._ended:
                return self._peek()
            self._check_connection()
            await self._pull()

    def read_arrived(self) -> bytes:
        """Do what `read` does, once all has arrived.

        Raises:
            RequestEntityTooLarge: More data came than is allowed.
        """
        self._check()
        return self._peek()

    async def get(self) -> bytes:
        """Return the next chunk, empty at the end (API of Quart 0.23).

        Raises:
            ClientDisconnectedError: The client left before the end.
            RequestEntityTooLarge: More data came than is allowed.
        """
        return await self._next() or b""

    async def _next(self) -> bytes | None:
        """Return the next chunk, None at the end."""
        while True:
            self._check()
            if self._buffered:
                return self._take()
            if self._ended:
                return None
            self._check_connection()
            await self._pull()

    # Pushing

    def append(self, data: bytes) -> None:
        """Add data; what exceeds the limit is dropped and fails the readers."""
        self._received += len(data)
        limit = self._max_content_length
        if limit is not None and self._received > limit:
            self._dropped = True
            self.clear()
        elif data:
            self._keep(data)
        self._wake_readers()

    async def put(self, data: bytes) -> None:
        """Add data once the readers have made room for it (API of Quart 0.23)."""
        while self._buffered >= READ_AHEAD_BYTES and not self._disconnected:
            await self._wait_for_turn()
        self.append(data)

    def set_complete(self) -> None:
        """Say that no more data comes."""
        self._ended = True
        self._wake_readers()

    def set_result(self, data: bytes) -> None:
        """Add data that is the end of the body."""
        self.append(data)
        self.set_complete()

    def disconnect(self) -> None:
        """Say that the client has left; readers of an incomplete body are told."""
        self._disconnected = True
        self._wake_readers()
        self._wake_turn()

    def clear(self) -> None:
        """Forget the data that has arrived."""
        self._buffer = b""
        self._buffered = 0
        self._wake_turn()

    # Pulling

    def set_source(self, receive: ASGIReceiveCallable) -> None:
        """Let readers await the ASGI callable `receive` for what is missing."""
        self._source = receive

    async def watch(self) -> None:
        """Wait until the client leaves.

        For a connection whose handler has suspended. Data that arrives is kept for the
        readers, of an unread body no more than `READ_AHEAD_BYTES` and a message; beyond
        that this waits for a reader.
        """
        while not self._disconnected:
            if self._receiving or self._is_full():
                await self._wait_for_turn()
            else:
                await self._pull()

    def _is_full(self) -> bool:
        if self._ended:
            return self._source_repeats
        return self._buffered >= READ_AHEAD_BYTES or self._is_over_limit()

    async def _pull(self) -> None:
        """Take one message from the source, or wait for what others bring."""
        source = self._source
        if source is None or self._receiving:
            await self._wait_for_data()
            return
        self._receiving = True
        try:
            message = await source()
        finally:
            self._receiving = False
            # The next one of either side goes on when this task next suspends.
            if self._readable is not None:
                self._readable.set()
            if self._turn is not None:
                self._turn.set()
        if (
            message["type"] == "http.request"
            and not self._ended
            and not self._buffered
            and not message.get("more_body", False)
        ):
            self._take_rest(message.get("body") or b"")
        else:
            self._accept(message)

    def _take_rest(self, data: bytes) -> None:
        """Take what is most often all of the body: the last part, in one message."""
        self._received += len(data)
        limit = self._max_content_length
        if limit is not None and self._received > limit:
            self._dropped = True
            self._wake_turn()
        else:
            self._buffer = data
            self._buffered = len(data)
        self._ended = True
        self._wake_readers()

    # Any: servers use messages of various types, all of them mappings.
    def _accept(self, message: Any) -> None:
        kind = message["type"]
        if kind == "http.request" and self._ended:
            # Middleware that replays a body may do so for ever, without a pause.
            self._source_repeats = True
        elif kind == "http.request":
            self.append(message.get("body") or b"")
            if not message.get("more_body", False):
                self.set_complete()
        elif kind == "http.disconnect":
            self.disconnect()
        else:
            raise RuntimeError(
                f"The server sent a message of type {kind!r} to an HTTP request, which "
                "takes 'http.request' and 'http.disconnect'"
            )

    # Limits and failures

    def _set_max_content_length(self, value: int | None) -> None:
        self._max_content_length = value
        if isinstance(self._must_raise, RequestEntityTooLarge):
            self._must_raise = None

    def _is_over_limit(self) -> bool:
        limit = self._max_content_length
        if limit is None:
            return self._dropped
        return (
            self._dropped
            or self._received > limit
            or (self._expected_content_length or 0) > limit
        )

    def _check(self, limit: int | None = None) -> None:
        if self._must_raise is not None:
            raise self._must_raise
        if self._is_over_limit() or (limit is not None and self._buffered > limit):
            raise RequestEntityTooLarge

    def _check_connection(self) -> None:
        if self._disconnected:
            raise self._departure()

    def _departure(self) -> ClientDisconnectedError:
        """Return what tells the current task; its connection need not tell it again."""
        try:
            self._told_task = id(asyncio.current_task())
        except RuntimeError:
            # Another family of event loops, whose connections look after themselves.
            self._told_task = None
        return ClientDisconnectedError()

    # The buffer: the very bytes that arrived for one chunk, a BytesIO for several. It
    # grows in place and hands out its content without a copy.

    def _keep(self, data: bytes) -> None:
        buffer = self._buffer
        self._buffered += len(data)
        if not buffer:
            self._buffer = data
            return
        if not isinstance(buffer, BytesIO):
            self._buffer = joined = BytesIO()
            joined.write(buffer)
            buffer = joined
        buffer.write(data)

    def _peek(self) -> bytes:
        if isinstance(self._buffer, BytesIO):
            self._buffer = self._buffer.getvalue()
        return self._buffer

    def _take(self) -> bytes:
        data = self._peek()
        self.clear()
        return data

    # Waiting

    # Any: what asyncio.Event and its like of other event loops have in common has no
    # type of its own.
    def _new_event(self) -> Any:
        if self._complete is not None:
            return type(self._complete)()
        return self.event_class()

    async def _wait_for_data(self) -> None:
        if self._readable is None:
            self._readable = self._new_event()
        self._readable.clear()
        try:
            await self._readable.wait()
        except asyncio.CancelledError:
            # The connection cancels the handler of a client that has left; the reader
            # is told why.
            if self._disconnected and not self._ended:
                raise self._departure() from None
            raise

    async def _wait_for_turn(self) -> None:
        if self._turn is None:
            self._turn = self._new_event()
        self._turn.clear()
        await self._turn.wait()

    def _wake_readers(self) -> None:
        if self._readable is not None:
            self._readable.set()

    def _wake_turn(self) -> None:
        if self._turn is not None:
            self._turn.set()
