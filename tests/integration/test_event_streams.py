"""Server-sent events from the helper of core to the reader of quart-testing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from integration_server import Client, serving, serving_by_uvicorn, until
from quart import EventStreamResponse, Quart, ServerSentEvent
from quart_testing import EventStreamParser

# All but surrogates, which UTF-8 cannot express.
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LINE = TEXT.map(lambda text: text.replace("\r", "").replace("\n", ""))
RETRIES = st.integers(0, 10**12)


@st.composite
def events(draw: st.DrawFn) -> ServerSentEvent:
    return ServerSentEvent(
        draw(TEXT),
        event=draw(st.none() | LINE),
        id=draw(st.none() | LINE.map(lambda line: line.replace("\0", ""))),
        retry=draw(st.none() | RETRIES),
        comment=draw(st.none() | TEXT),
    )


@given(st.lists(events()), st.integers(1, 50))
def test_events_arrive_as_they_were_sent(sent: list[ServerSentEvent], cut: int) -> None:
    stream = b":\n\n" + b"".join(event.encode() for event in sent)
    parser = EventStreamParser()
    pieces = [stream[at : at + cut] for at in range(0, len(stream), cut)]
    received = [event for piece in pieces for event in parser.feed(piece)]
    assert len(received) == len(sent)
    last_id: Any = ""
    retry = None
    for event, got in zip(sent, received, strict=True):
        last_id = last_id if event.id is None else event.id
        retry = retry if event.retry is None else event.retry
        text = (event.data or "").replace("\r\n", "\n").replace("\r", "\n")
        assert (got.data, got.event) == (text, event.event or "message")
        assert (got.id, got.retry) == (last_id, retry)


class Ticker:
    """An app with an endless stream, which tells how many are being made."""

    def __init__(self) -> None:
        self.open = 0
        self.app = Quart(__name__)
        self.app.get("/")(self.view)

    async def view(self) -> EventStreamResponse:
        return EventStreamResponse(self.ticks(), retry=10)

    async def ticks(self) -> AsyncIterator[ServerSentEvent]:
        self.open += 1
        try:
            yield ServerSentEvent("tick", id=1)
            await asyncio.Event().wait()
        finally:
            self.open -= 1


async def read_first_event(client: Client) -> AsyncIterator[bytes]:
    """Read a stream up to its first event; gives the rest of its chunks."""
    await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await client.head()
    assert answer.header("content-type") == "text/event-stream"
    chunks = client.chunks()
    stream = b""
    while not stream.endswith(b"data: tick\n\n"):
        stream += await anext(chunks)
    assert stream == b"retry: 10\n\nid: 1\ndata: tick\n\n"
    return chunks


async def test_streams_end_in_order_as_soon_as_the_server_stops() -> None:
    ticker = Ticker()
    # Longer than the test: it is the app that ends the stream, not the server.
    async with serving(ticker.app, event_stream_timeout=600.0) as served:
        client = await served.connect()
        chunks = await read_first_event(client)
    assert [chunk async for chunk in chunks] == []
    await client.close()
    assert ticker.open == 0


async def test_generator_is_closed_when_the_client_leaves_either_server() -> None:
    for serve in (serving, serving_by_uvicorn):
        ticker = Ticker()
        async with serve(ticker.app) as served:
            client = await served.connect()
            await read_first_event(client)
            assert ticker.open == 1
            client.abort()
            await until(lambda ticker=ticker: ticker.open == 0)
