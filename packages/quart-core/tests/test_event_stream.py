"""Responses of server-sent events: contents, keep-alive, and how they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from core_driver import Answer, Driver
from quart_core import EventStreamResponse, Quart, ServerSentEvent, request
from quart_core.event_stream import EventStreamBody
from quart_core.shutdown_watch import _watches
from werkzeug.datastructures import Headers

LIMIT = 10.0
OPEN = b":\n\n"


class Stream:
    """A client of the view, that can leave, and a server that can stop."""

    def __init__(self, view: Callable[[], Any], **extension: Any) -> None:
        self.app = Quart(__name__)
        self.app.testing = True
        self.app.get("/")(view)
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self.ended = False
        self.left = asyncio.Event()
        self.scope = Driver(self.app).scope("GET", "/")
        self.scope["extensions"].update(extension)
        self.task = asyncio.create_task(
            self.app(self.scope, self._receive, self._send)  # type: ignore[arg-type]
        )

    async def _receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
            await self.chunks.put(message["body"])

    async def next(self) -> bytes:
        return await asyncio.wait_for(self.chunks.get(), LIMIT)

    async def end(self) -> None:
        await asyncio.wait_for(self.task, LIMIT)


async def for_ever(log: list[str]) -> AsyncIterator[str]:
    try:
        yield "first"
        await asyncio.Event().wait()
    finally:
        # Cleaning up may take its time.
        for _ in range(5):
            await asyncio.sleep(0)
        log.append("closed")


async def answer_of(view: Any, **options: Any) -> Answer:
    app = Quart(__name__)
    app.get("/")(view)
    return await Driver(app).get("/", **options)


async def test_events_may_be_of_several_forms() -> None:
    async def view() -> EventStreamResponse:
        async def events() -> AsyncIterator[Any]:
            yield "text"
            yield {"a": 1}
            yield [1, 2]
            yield ServerSentEvent("b", id=1)

        return EventStreamResponse(events())

    answer = await answer_of(view)
    assert answer.chunks == [
        OPEN,
        b"data: text\n\n",
        b'data: {"a": 1}\n\n',
        b"data: [1, 2]\n\n",
        b"id: 1\ndata: b\n\n",
        b"",
    ]
    assert answer.complete


async def test_headers_keep_caches_and_proxies_from_holding_events_up() -> None:
    async def view() -> EventStreamResponse:
        return EventStreamResponse([])

    answer = await answer_of(view)
    assert answer.headers == Headers(
        {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
        }
    )


async def test_headers_of_the_view_are_kept() -> None:
    async def view() -> EventStreamResponse:
        return EventStreamResponse([], 200, {"Cache-Control": "no-store"})

    answer = await answer_of(view)
    assert answer.headers.getlist("Cache-Control") == ["no-store"]


async def test_synchronous_generators_are_taken_in_threads() -> None:
    closed = []

    def view() -> EventStreamResponse:
        def events() -> Iterator[str]:
            try:
                yield "a"
                yield "b"
            finally:
                closed.append(True)

        return EventStreamResponse(events())

    answer = await answer_of(view)
    assert answer.body == OPEN + b"data: a\n\ndata: b\n\n"
    assert closed == [True]


async def test_retry_is_the_first_that_is_sent() -> None:
    async def view() -> EventStreamResponse:
        return EventStreamResponse(["a"], retry=500)

    assert (await answer_of(view)).body == b"retry: 500\n\ndata: a\n\n"


async def test_json_is_written_by_the_provider_of_the_app() -> None:
    async def view() -> EventStreamResponse:
        async def events() -> AsyncIterator[dict[str, int]]:
            yield {"b": 1, "a": 2}

        return EventStreamResponse(events())

    app = Quart(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.get("/")(view)
    assert (await Driver(app).get("/")).body == OPEN + b'data: {"b": 1, "a": 2}\n\n'


async def test_stream_has_no_timeout() -> None:
    assert EventStreamResponse([]).timeout is None


async def test_comments_are_sent_in_quiet_times() -> None:
    go = asyncio.Event()

    async def view() -> EventStreamResponse:
        async def events() -> AsyncIterator[str]:
            await go.wait()
            yield "late"

        return EventStreamResponse(events(), keep_alive=0.01)

    stream = Stream(view)
    assert [await stream.next() for _ in range(3)] == [OPEN] * 3
    go.set()
    while (chunk := await stream.next()) == OPEN:
        pass
    assert chunk == b"data: late\n\n"
    await stream.end()
    assert stream.ended


async def test_generator_is_one_event_ahead_at_most() -> None:
    made = []

    async def events() -> AsyncIterator[str]:
        for number in range(10):
            made.append(number)
            yield str(number)

    body = EventStreamBody(events())
    async with body:
        assert await anext(body) == OPEN
        assert await anext(body) == b"data: 0\n\n"
        for _ in range(10):
            await asyncio.sleep(0)
        assert made == [0, 1]


async def test_generator_is_closed_when_the_client_leaves() -> None:
    log: list[str] = []

    async def view() -> EventStreamResponse:
        return EventStreamResponse(for_ever(log))

    stream = Stream(view)
    assert [await stream.next() for _ in range(2)] == [OPEN, b"data: first\n\n"]
    stream.left.set()
    await stream.end()
    assert log == ["closed"]
    assert not stream.ended


async def test_generator_that_never_began_is_closed() -> None:
    log: list[str] = []
    body = EventStreamBody(for_ever(log))
    await body.aclose()
    await body.aclose()
    assert log == []
    with pytest.raises(StopAsyncIteration):
        await anext(body._iterator)


async def test_generator_whose_task_has_not_run_is_closed() -> None:
    log: list[str] = []
    body = EventStreamBody(for_ever(log))
    assert await anext(body) == OPEN
    await body.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(body._iterator)


async def test_answers_to_head_close_the_generator() -> None:
    bodies = []

    async def view() -> EventStreamResponse:
        response = EventStreamResponse(for_ever([]))
        bodies.append(response.response)
        return response

    app = Quart(__name__)
    app.get("/")(view)
    answer = await Driver(app)("HEAD", "/")
    assert answer.body == b""
    assert bodies[0]._closed  # type: ignore[union-attr]


async def test_failure_of_the_generator_is_that_of_the_response() -> None:
    async def view() -> EventStreamResponse:
        async def events() -> AsyncIterator[str]:
            yield "a"
            raise ArithmeticError("in the generator")

        return EventStreamResponse(events())

    with pytest.raises(ArithmeticError, match="in the generator"):
        await answer_of(view)


async def test_failure_while_it_is_closed_is_raised() -> None:
    async def events() -> AsyncIterator[str]:
        try:
            yield "a"
        finally:
            raise ArithmeticError("in its finally")

    body = EventStreamBody(events())
    assert [await anext(body), await anext(body)] == [OPEN, b"data: a\n\n"]
    with pytest.raises(ArithmeticError, match="in its finally"):
        await body.aclose()


async def test_failure_that_nobody_was_there_for_is_raised_at_the_end() -> None:
    async def events() -> AsyncIterator[str]:
        raise ArithmeticError("early")
        yield ""

    body = EventStreamBody(events())
    assert await anext(body) == OPEN
    await asyncio.wait({body._task})  # type: ignore[arg-type]
    with pytest.raises(ArithmeticError, match="early"):
        await body.aclose()


async def test_what_is_no_event_is_refused_by_name() -> None:
    async def view() -> EventStreamResponse:
        return EventStreamResponse([b"bytes"])  # type: ignore[list-item]

    with pytest.raises(TypeError, match="b'bytes' of type bytes, which is no event"):
        await answer_of(view)


@pytest.mark.parametrize("events", ["text", b"bytes", {"a": 1}, 1, None])
def test_what_is_no_series_of_events_is_refused(events: Any) -> None:
    with pytest.raises(TypeError, match="expected a generator or other iterable"):
        EventStreamResponse(events)


@pytest.mark.parametrize("seconds", [0, -1])
def test_keep_alive_is_more_than_nothing(seconds: int) -> None:
    with pytest.raises(ValueError, match="above 0 or None"):
        EventStreamResponse([], keep_alive=seconds)


def test_negative_retry_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0"):
        EventStreamResponse([], retry=-1)


# The server's stop


async def test_stream_ends_in_order_when_the_server_stops() -> None:
    log: list[str] = []
    stopping = asyncio.Event()

    async def view() -> EventStreamResponse:
        return EventStreamResponse(for_ever(log))

    streams = [Stream(view, **{"quart.shutdown": {"event": stopping}}) for _ in "ab"]
    for stream in streams:
        assert [await stream.next() for _ in range(2)] == [OPEN, b"data: first\n\n"]
    assert len(_watches) == 1
    stopping.set()
    for stream in streams:
        assert await stream.next() == b""
        await stream.end()
        assert stream.ended
    assert log == ["closed", "closed"]
    assert not _watches


async def test_stream_that_begins_while_the_server_stops_ends_at_once() -> None:
    stopping = asyncio.Event()
    stopping.set()

    async def view() -> EventStreamResponse:
        return EventStreamResponse(for_ever([]))

    stream = Stream(view, **{"quart.shutdown": {"event": stopping}})
    await stream.end()
    assert stream.ended
    assert not _watches


async def test_generator_that_goes_on_when_cancelled_is_closed() -> None:
    stopping = asyncio.Event()
    log = []

    async def stubborn() -> AsyncIterator[str]:
        try:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                yield "still here"
        finally:
            log.append("closed")

    async def view() -> EventStreamResponse:
        return EventStreamResponse(stubborn())

    stream = Stream(view, **{"quart.shutdown": {"event": stopping}})
    assert await stream.next() == OPEN
    for _ in range(5):
        await asyncio.sleep(0)
    stopping.set()
    assert await stream.next() == b""
    await stream.end()
    assert log == ["closed"]


async def test_event_on_its_way_is_sent_before_the_stream_ends() -> None:
    stopping = asyncio.Event()
    body = EventStreamBody(["a", "b"], shutdown=stopping)
    assert await anext(body) == OPEN
    while body._chunk is None:
        await asyncio.sleep(0)
    stopping.set()
    assert [chunk async for chunk in body] == [b"data: a\n\n"]
    await body.aclose()


async def test_leaving_client_takes_its_wish_to_be_told_of_the_stop_along() -> None:
    async def view() -> EventStreamResponse:
        return EventStreamResponse(for_ever([]))

    stream = Stream(view, **{"quart.shutdown": {"event": asyncio.Event()}})
    assert await stream.next() == OPEN
    assert len(_watches) == 1
    stream.left.set()
    await stream.end()
    assert not _watches


# Last-Event-ID


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], "None"),
        ([("Last-Event-ID", "")], "None"),
        ([("Last-Event-ID", "0")], "'0'"),
        ([("Last-Event-ID", "é")], "'é'"),
    ],
)
async def test_last_event_id_is_what_the_client_has_received(
    headers: list[tuple[str, str]], expected: str
) -> None:
    async def view() -> str:
        return repr(request.last_event_id)

    assert (await answer_of(view, headers=headers)).text == expected
