"""A response of server-sent events, which lasts until one of the two sides ends it.

::

    @app.get("/clock")
    async def clock():
        async def ticks():
            while True:
                yield ServerSentEvent(json={"time": time.time()})
                await asyncio.sleep(1)

        return EventStreamResponse(ticks())

HTML standard, 9.2: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from quart_contexts.globals import _cv_request

from .json import dumps as default_dumps
from .server_sent_events import ServerSentEvent, check_retry
from .shutdown_watch import call_at_shutdown, shutdown_event_of
from .wrappers.base import current_quart
from .wrappers.response import HeadersValue, Response
from .wrappers.response_body import ResponseBody, as_async_iterator, close_iterator

__all__ = ("Event", "EventStreamBody", "EventStreamResponse")

#: Seconds without an event after which a comment is sent, that no proxy takes the
#: connection for dead and a client that has gone is noticed. The standard's advice
#: (9.2.7).
KEEP_ALIVE_SECONDS: Final = 15.0

#: What may be sent as an event: text is its data, a dict or list its data as JSON.
#: Any: they hold whatever JSON can.
Event: TypeAlias = ServerSentEvent | str | dict[str, Any] | list[Any]

# Sent at once, that the browser knows the stream is open, and in quiet times.
_COMMENT: Final = b":\n\n"

_FORMS: Final = "a ServerSentEvent, a string, a dict or a list"


class EventStreamBody(ResponseBody):
    """Events on their way to a client.

    One task takes the events, so that waiting for the next one ends for a comment or
    for the server's stop without the generator noticing. It is at most one event ahead
    of what the client takes.

    Args:
        events: The events, see `EventStreamResponse`.
        keep_alive: Seconds without an event until a comment is sent, None for never.
        retry: Milliseconds that a client waits before it reconnects, None for its own.
        dumps: Writes JSON.
        shutdown: The server's event, which ends the stream; None if it has none.
    """

    __slots__ = (
        "_changed",
        "_chunk",
        "_closed",
        "_dumps",
        "_forget_shutdown",
        "_has_ended",
        "_has_room",
        "_is_ending",
        "_iterator",
        "_keep_alive",
        "_retry",
        "_shutdown",
        "_source",
        "_task",
    )

    # Any: what JSON holds; the server's event.
    def __init__(
        self,
        events: AsyncIterable[Event] | Iterable[Event],
        *,
        keep_alive: float | None = KEEP_ALIVE_SECONDS,
        retry: int | None = None,
        dumps: Callable[[Any], str] = default_dumps,
        shutdown: Any = None,
    ) -> None:
        _check_events(events)
        self._source = events
        self._iterator: AsyncIterator[Event] = as_async_iterator(events)
        self._keep_alive = keep_alive
        self._retry = retry
        self._dumps = dumps
        self._shutdown = shutdown
        self._task: asyncio.Task[None] | None = None
        self._chunk: bytes | None = None
        self._changed = asyncio.Event()
        self._has_room = asyncio.Event()
        self._forget_shutdown: Callable[[], None] | None = None
        self._is_ending = False
        self._has_ended = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._task is None:
            return self._begin()
        while self._chunk is None:
            if self._task.done():
                self._raise_failure(self._task)
                raise StopAsyncIteration
            try:
                async with asyncio.timeout(self._keep_alive):
                    await self._changed.wait()
            except TimeoutError:
                return _COMMENT
            self._changed.clear()
        chunk, self._chunk = self._chunk, None
        self._has_room.set()
        return chunk

    def _begin(self) -> bytes:
        self._task = asyncio.create_task(self._take_events())
        self._task.add_done_callback(lambda _: self._changed.set())
        if self._shutdown is not None:
            self._forget_shutdown = call_at_shutdown(self._shutdown, self._end)
        if self._retry is None:
            return _COMMENT
        return ServerSentEvent(retry=self._retry).encode()

    async def _take_events(self) -> None:
        """Encode one event after the other; the next when the last is being sent."""
        try:
            async for event in self._iterator:
                if self._is_ending:
                    # The generator did not end when it was cancelled.
                    return
                self._chunk = self._encode(event)
                self._has_room.clear()
                self._changed.set()
                await self._has_room.wait()
        finally:
            await close_iterator(self._iterator, self._source)

    def _encode(self, event: object) -> bytes:
        if isinstance(event, ServerSentEvent):
            return event.encode(self._dumps)
        if isinstance(event, str):
            return ServerSentEvent(event).encode()
        if isinstance(event, (dict, list)):
            return ServerSentEvent(json=event).encode(self._dumps)
        raise TypeError(
            f"An event stream gave {event!r} of type {type(event).__name__}, which is "
            f"no event: give {_FORMS}."
        )

    def _end(self) -> None:
        """End the generator by cancelling it, as for a client that leaves."""
        self._is_ending = True
        if self._task is not None:
            self._task.cancel()

    def _raise_failure(self, task: asyncio.Task[None]) -> None:
        """Raise what the generator failed with, once."""
        if self._has_ended:
            return
        self._has_ended = True
        error = None if task.cancelled() else task.exception()
        if error is not None:
            raise error

    async def aclose(self) -> None:
        """End the generator, and wait until it has cleaned up."""
        if self._closed:
            return
        self._closed = True
        if self._forget_shutdown is not None:
            self._forget_shutdown()
            self._forget_shutdown = None
        task = self._task
        if task is None:
            await close_iterator(self._iterator, self._source)
            return
        if not task.done():
            self._end()
            await asyncio.wait({task})
            # A task that was cancelled before its first step has closed nothing.
            await close_iterator(self._iterator, self._source)
        self._raise_failure(task)


class EventStreamResponse(Response):
    """A response of server-sent events, for a browser's `EventSource`.

    The generator is cancelled and closed when the client leaves and when the server
    stops, and the stream then ends in order. A browser reconnects to a stream that has
    ended, with the id of the last event in `request.last_event_id`, unless it is
    answered with 204.

    Args:
        events: An asynchronous generator or other iterable of events: each is a
            `ServerSentEvent`, text, or a dict or list to send as JSON. The steps of a
            synchronous one are taken in threads.
        status: As for `Response`.
        headers: As for `Response`; Cache-Control and X-Accel-Buffering are set where
            they are not among them.
        keep_alive: Seconds without an event until a comment is sent, None for never.
        retry: Milliseconds that a client is to wait before it reconnects; if not
            given it is a few seconds of the browser's choice.

    Raises:
        TypeError: The events cannot be iterated over, or a time is no number.
        ValueError: A time is negative, or `keep_alive` zero.
    """

    def __init__(
        self,
        events: AsyncIterable[Event] | Iterable[Event],
        status: int | str | HTTPStatus | None = None,
        headers: HeadersValue | None = None,
        *,
        keep_alive: float | None = KEEP_ALIVE_SECONDS,
        retry: int | None = None,
    ) -> None:
        check_retry(retry)
        if keep_alive is not None and keep_alive <= 0:
            raise ValueError(
                f"keep_alive is a number of seconds above 0 or None, not {keep_alive!r}"
            )
        app = current_quart()
        request_context = _cv_request.get(None)
        body = EventStreamBody(
            events,
            keep_alive=keep_alive,
            retry=retry,
            # The stream outlives the context.
            dumps=default_dumps if app is None else app.json.dumps,
            shutdown=(
                None
                if request_context is None
                else shutdown_event_of(request_context.request.scope)
            ),
        )
        # The standard knows no other encoding than UTF-8 (9.2.5).
        super().__init__(
            body, status, headers, content_type="text/event-stream", timeout=None
        )
        self.headers.setdefault("Cache-Control", "no-cache")
        # Nginx would collect events otherwise.
        self.headers.setdefault("X-Accel-Buffering", "no")


def _check_events(events: object) -> None:
    if isinstance(events, (str, bytes, dict)) or not isinstance(
        events, (AsyncIterable, Iterable)
    ):
        raise TypeError(
            f"An event stream is made of {events!r} of type {type(events).__name__}, "
            f"but expected a generator or other iterable of events, each {_FORMS}."
        )
