"""Test client table: requests in steps, disconnects, back-pressure, chunks, events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from quart_core import Quart, Response, make_push_promise, request
from quart_testing import (
    HTTPDisconnectError,
    ServerSentEvent,
    StillWaitingError,
    TestHTTPConnection,
)
from quart_testing.utils import make_test_scope
from werkzeug.datastructures import Headers


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.post("/echo")
    async def echo() -> Any:
        body = request.body

        async def chunks() -> Any:
            async for chunk in body:
                yield chunk.upper()

        return Response(chunks(), headers={"X-Echo": "yes"})

    @app.route("/whole", methods=["GET", "POST"])
    async def whole() -> bytes:
        return await request.get_data()

    @app.get("/stream")
    async def stream() -> Any:
        async def chunks() -> Any:
            yield b"a"
            yield b"b"

        return chunks()

    return app


def _connection(
    app: Callable[..., Any], method: str = "GET", **attributes: Any
) -> TestHTTPConnection:
    """Return a connection to any ASGI application."""
    scope = make_test_scope(
        "http", "/", method, Headers(), b"", "http", "", "1.1", None
    )
    connection = TestHTTPConnection(app, scope)
    for name, value in attributes.items():
        setattr(connection, name, value)
    return connection


async def _start(send: Any, *headers: tuple[bytes, bytes], status: int = 200) -> None:
    await send(
        {"type": "http.response.start", "status": status, "headers": list(headers)}
    )


async def _body(send: Any, data: bytes = b"", more: bool = False) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def test_a_request_is_sent_and_received_in_steps(app: Quart) -> None:
    async with app.test_client().request("/echo", method="POST") as connection:
        await connection.send(b"one")
        assert await connection.receive() == b"ONE"
        await connection.send(b"two")
        assert await connection.receive() == b"TWO"
        await connection.send_complete()
        assert await connection.receive() == b""
        assert await connection.receive() == b""

    assert connection.status_code == 200
    assert connection.headers is not None
    assert connection.headers["X-Echo"] == "yes"


async def test_as_response_gives_the_rest(app: Quart) -> None:
    async with app.test_client().request("/echo", method="POST") as connection:
        await connection.send(b"one")
        assert await connection.receive() == b"ONE"
        await connection.send(b"two")
        await connection.send_complete()
        response = await connection.as_response()

    assert await response.get_data() == b"TWO"
    assert response.status_code == 200
    assert response.headers["X-Echo"] == "yes"


async def test_as_response_works_after_leaving(app: Quart) -> None:
    async with app.test_client().request("/stream") as connection:
        await connection.send_complete()

    response = await connection.as_response()

    assert await response.get_data() == b"ab"
    assert connection.response_data == b"ab"


async def test_as_response_gives_the_same_twice(app: Quart) -> None:
    async with app.test_client().request("/stream") as connection:
        await connection.send_complete()
        first = await connection.as_response()
        second = await connection.as_response()

    assert await first.get_data() == await second.get_data() == b"ab"


async def test_head_waits_for_status_and_headers_only(app: Quart) -> None:
    async with app.test_client().request("/echo", method="POST") as connection:
        await connection.head()
        assert connection.status_code == 200
        await connection.send(b"x")
        assert await connection.receive() == b"X"


async def test_before_the_response_there_is_no_status(app: Quart) -> None:
    connection = app.test_client().request("/")

    assert connection.status_code is None
    assert connection.headers is None
    assert connection.push_promises == []
    assert connection.response_data == b""


async def test_push_promises_are_kept(app: Quart) -> None:
    @app.get("/push")
    async def push() -> str:
        await make_push_promise("/style.css")
        return ""

    client = app.test_client()
    async with client.request("/push", http_version="2") as connection:
        await connection.send_complete()
        await connection.as_response()

    assert [path for path, _ in connection.push_promises] == ["/style.css"]


async def test_nothing_follows_a_complete_body(app: Quart) -> None:
    async with app.test_client().request("/whole", method="POST") as connection:
        await connection.send_complete()
        with pytest.raises(RuntimeError, match="is complete"):
            await connection.send(b"more")
        with pytest.raises(RuntimeError, match="is complete"):
            await connection.send_complete()


async def test_nothing_is_sent_after_leaving(app: Quart) -> None:
    async with app.test_client().request("/whole", method="POST") as connection:
        await connection.disconnect()
        with pytest.raises(RuntimeError, match="cannot send any more"):
            await connection.send(b"more")


async def test_a_connection_is_entered_once(app: Quart) -> None:
    connection = app.test_client().request("/stream")
    async with connection:
        await connection.send_complete()

    with pytest.raises(RuntimeError, match="make a new one"):
        async with connection:
            pytest.fail("entered twice")


# Leaving


async def test_a_client_that_leaves_cancels_a_handler_that_waits() -> None:
    app = Quart(__name__)
    cancelled = asyncio.Event()
    begun = asyncio.Event()

    @app.get("/")
    async def wait() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return ""

    async with app.test_client().request("/") as connection:
        await connection.send_complete()
        await begun.wait()
        await connection.disconnect()
        with pytest.raises(HTTPDisconnectError, match="has left GET /"):
            await connection.receive()

    assert cancelled.is_set()


async def test_a_client_that_leaves_is_told_to_the_reader_of_the_body() -> None:
    app = Quart(__name__)
    seen: list[str] = []

    @app.post("/")
    async def read() -> str:
        try:
            await request.get_data()
        except asyncio.CancelledError as error:
            seen.append(type(error).__name__)
            raise
        return ""

    async with app.test_client().request("/", method="POST") as connection:
        await connection.send(b"half")
        await asyncio.sleep(0)
        await connection.disconnect()

    assert seen == ["ClientDisconnectedError"]


async def test_a_client_that_leaves_closes_the_stream(app: Quart) -> None:
    closed: list[bool] = []

    @app.get("/endless")
    async def endless() -> Any:
        async def chunks() -> Any:
            try:
                while True:
                    yield b"tick"
                    await asyncio.sleep(0)
            finally:
                closed.append(True)

        return chunks()

    async with app.test_client().request("/endless") as connection:
        await connection.send_complete()
        assert await connection.receive() == b"tick"
        await connection.disconnect()

    assert closed == [True]


async def test_leaving_on_an_exception_disconnects(app: Quart) -> None:
    cancelled: list[bool] = []

    @app.get("/wait")
    async def wait() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)
        return ""

    with pytest.raises(KeyError, match="of the test"):
        async with app.test_client().request("/wait") as connection:
            await connection.send_complete()
            await asyncio.sleep(0)
            raise KeyError("of the test")

    assert cancelled == [True]


async def test_leaving_before_the_body_is_complete_disconnects(app: Quart) -> None:
    async with app.test_client().request("/whole", method="POST") as connection:
        await connection.send(b"half")

    with pytest.raises(HTTPDisconnectError, match="before the response began"):
        await connection.as_response()


async def test_the_application_is_told_of_the_disconnect_after_what_was_sent() -> None:
    seen: list[str] = []
    left = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await left.wait()
        seen.extend([(await receive())["type"] for _ in range(4)])
        with pytest.raises(OSError, match="has left"):
            await _start(send)

    async with _connection(app) as connection:
        await connection.send(b"1")
        await connection.send(b"2")
        await connection.disconnect()
        left.set()

    assert seen == ["http.request"] * 2 + ["http.disconnect"] * 2


async def test_the_disconnect_comes_after_the_response_and_not_before() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not waiting.done()
        await _start(send)
        await _body(send)
        seen.append((await waiting)["type"])

    async with _connection(app) as connection:
        await connection.send_complete()
        await connection.as_response()

    assert seen == ["http.disconnect"]


async def test_a_cancelled_receive_loses_nothing() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
        message = await receive()
        await _start(send)
        await _body(send, message["body"])

    async with _connection(app) as connection:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await connection.send(b"kept")
        assert await connection.receive() == b"kept"


# What the application fails with


async def test_what_the_application_raises_the_test_gets() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("from the application")

    with pytest.raises(KeyError, match="from the application"):
        async with _connection(app) as connection:
            await connection.send_complete()
            await connection.as_response()


async def test_what_the_application_raises_is_raised_at_the_latest_on_leaving() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _start(send)
        await _body(send)
        raise KeyError("after the response")

    with pytest.raises(KeyError, match="after the response"):
        async with _connection(app) as connection:
            await connection.send_complete()


async def test_an_exception_of_the_test_is_noted_with_that_of_the_application() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("of the application")

    with pytest.raises(ValueError, match="of the test") as caught:
        async with _connection(app):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            raise ValueError("of the test")

    assert "of the application" in caught.value.__notes__[0]


async def test_no_response_is_an_error() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async with _connection(app) as connection:
        await connection.send_complete()
        with pytest.raises(HTTPDisconnectError, match="without a response"):
            await connection.as_response()
        with pytest.raises(HTTPDisconnectError, match="without a response"):
            await connection.head()


async def test_a_response_that_ends_early_is_not_complete() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _start(send)
        await _body(send, b"half", more=True)

    async with _connection(app) as connection:
        await connection.send_complete()
        assert await connection.receive() == b"half"
        with pytest.raises(HTTPDisconnectError, match="before it was complete"):
            await connection.receive()
        response: Any = await connection.as_response()

    assert response.is_complete is False


async def test_a_response_over_its_timeout_is_not_complete() -> None:
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.01

    @app.get("/")
    async def index() -> Any:
        async def chunks() -> Any:
            yield b"half"
            await asyncio.Event().wait()

        return chunks()

    response = await app.test_client().get("/")

    assert (await response.get_data(), response.is_complete) == (b"half", False)


# What a server refuses


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([{"type": "http.response.body"}], "before its start"),
        ([{"type": "http.response.start", "status": 200}] * 2, "twice"),
        (
            [
                {"type": "http.response.start", "status": 200},
                {"type": "http.response.body"},
                {"type": "http.response.body"},
            ],
            "after its end",
        ),
        ([{"type": "websocket.send"}], "'websocket.send'"),
        ([{"type": "http.response.start", "status": "200 OK"}], "is a number"),
        ([{"type": "http.response.start", "status": 99}], "is a number"),
        (
            [{"type": "http.response.start", "status": 200, "headers": [("a", "b")]}],
            "pair of bytes",
        ),
    ],
)
async def test_messages_that_no_server_takes_are_refused(
    messages: list[dict[str, Any]], complaint: str
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    with pytest.raises((RuntimeError, TypeError), match=complaint):
        async with _connection(app) as connection:
            await connection.send_complete()


@pytest.mark.parametrize(
    ("data", "complaint"), [(b"123", "2 bytes shorter"), (b"123456", "1 bytes longer")]
)
async def test_a_body_must_be_as_long_as_it_says(data: bytes, complaint: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _start(send, (b"content-length", b"5"))
        await _body(send, data)

    with pytest.raises(RuntimeError, match=complaint):
        async with _connection(app) as connection:
            await connection.send_complete()


@pytest.mark.parametrize("status", [204, 304])
async def test_what_has_no_body_may_still_have_a_length(status: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _start(send, (b"content-length", b"5"), status=status)
        await _body(send, b"body")

    async with _connection(app) as connection:
        await connection.send_complete()
        response = await connection.as_response()

    assert await response.get_data() == b""
    assert response.headers["Content-Length"] == "5"


# Back-pressure


async def test_an_application_that_does_not_read_stops_the_sender() -> None:
    go_on = asyncio.Event()
    received: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        while True:
            message = await receive()
            received.append(message["body"])
            if not message["more_body"]:
                break
        await _start(send)
        await _body(send)

    sent = 0
    async with _connection(app, "POST", send_window=1000, wait_seconds=0.05) as it:
        with pytest.raises(StillWaitingError, match="did not read the body"):
            for _ in range(20):
                await it.send(b"x" * 100)
                sent += 1
        assert 1 <= sent <= 10
        it.wait_seconds = 10
        go_on.set()
        await it.send(b"last")
        await it.send_complete()
        await it.as_response()

    assert received == [b"x" * 100] * sent + [b"last", b""]


async def test_a_test_that_does_not_read_stops_the_application() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _start(send)
        for number in range(20):
            await _body(send, b"x" * 100, more=True)
            sent.append(number)
        await _body(send)

    async with _connection(app, receive_window=1000) as connection:
        await connection.send_complete()
        for _ in range(50):
            await asyncio.sleep(0)
        assert 1 <= len(sent) <= 10
        total = 0
        while data := await connection.receive():
            total += len(data)

    assert (len(sent), total) == (20, 2000)


async def test_a_window_of_zero_lets_one_message_through() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _start(send)
        for number in range(3):
            await _body(send, b"x", more=True)
            sent.append(number)
        await _body(send)

    async with _connection(app, receive_window=0) as connection:
        await connection.send_complete()
        await connection.head()
        for count in (1, 2, 3):
            for _ in range(10):
                await asyncio.sleep(0)
            assert len(sent) == count
            assert await connection.receive() == b"x"


async def test_a_body_nobody_reads_does_not_hold_up_a_finished_response() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _start(send, status=413)
        await _body(send)

    async with _connection(app, "POST", send_window=100) as connection:
        for _ in range(20):
            await connection.send(b"x" * 100)
        await connection.send_complete()
        response = await connection.as_response()

    assert response.status_code == 413


# Chunks, disconnects and slow clients of open()


async def test_chunk_size_is_the_size_of_each_message() -> None:
    sizes: list[int] = []

    app = Quart(__name__)

    @app.post("/")
    async def index() -> str:
        sizes.extend([len(chunk) async for chunk in request.body])
        return ""

    await app.test_client().post("/", data=b"x" * 10, chunk_size=4)

    assert sizes == [4, 4, 2]


async def test_chunks_are_sent_while_the_response_is_read(app: Quart) -> None:
    data = b"x" * 300_000

    response = await app.test_client().post("/echo", data=data, chunk_size=1000)

    assert await response.get_data() == data.upper()


async def test_disconnect_after_leaves_in_the_response() -> None:
    app = Quart(__name__)
    closed: list[bool] = []

    @app.get("/")
    async def index() -> Any:
        async def chunks() -> Any:
            try:
                while True:
                    yield b"12345"
            finally:
                closed.append(True)

        return chunks()

    response = await app.test_client().get("/", disconnect_after=7)

    assert await response.get_data() == b"1234512345"
    assert response.is_complete is False
    assert closed == [True]


async def test_disconnect_after_nothing_has_the_headers(app: Quart) -> None:
    response = await app.test_client().get("/stream", disconnect_after=0)

    assert (response.status_code, await response.get_data()) == (200, b"")
    assert response.is_complete is False


async def test_disconnect_after_more_than_there_is_receives_all(app: Quart) -> None:
    response = await app.test_client().get("/stream", disconnect_after=100)

    assert (await response.get_data(), response.is_complete) == (b"ab", True)


async def test_disconnect_after_sending_leaves_in_the_request() -> None:
    app = Quart(__name__)
    seen: list[str] = []

    @app.post("/")
    async def index() -> str:
        try:
            while chunk := await request.body.get():
                seen.append(chunk.decode())
        except asyncio.CancelledError:
            seen.append("left")
            raise
        return ""

    with pytest.raises(HTTPDisconnectError, match="before the response began"):
        await app.test_client().post(
            "/", data=b"123456", chunk_size=2, disconnect_after_sending=4
        )

    assert "".join(seen) == "1234left"


async def test_a_slow_reader_slows_the_application_down() -> None:
    app = Quart(__name__)
    made: list[int] = []
    ahead: list[int] = []

    @app.get("/")
    async def index() -> Any:
        async def chunks() -> Any:
            for number in range(10):
                made.append(number)
                yield b"x" * 100

        return chunks()

    class Connection(TestHTTPConnection):
        async def receive(self) -> bytes:
            ahead.append(len(made) - len(self.response_data) // 100)
            return await super().receive()

    client = app.test_client()
    client.http_connection_class = Connection
    response = await client.get("/", read_delay=0.001, receive_window=0)

    assert len(await response.get_data()) == 1000
    # One waits to be read, one to be sent.
    assert max(ahead) <= 2


@pytest.mark.parametrize(
    "arguments",
    [
        {"chunk_size": 0},
        {"disconnect_after": -1},
        {"disconnect_after_sending": -1},
        {"read_delay": -1},
    ],
)
async def test_impossible_paces_are_refused(
    app: Quart, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="or more"):
        await app.test_client().get("/stream", **arguments)


# Server-sent events


def _with_events(app: Quart, *parts: str, mimetype: str = "text/event-stream") -> None:
    @app.get("/events")
    async def events() -> Response:
        async def chunks() -> Any:
            for part in parts:
                yield part
            await asyncio.Event().wait()

        response = Response(chunks(), mimetype=mimetype)
        response.timeout = None
        return response


async def test_events_are_received_as_events(app: Quart) -> None:
    _with_events(app, "data: 1\n\nda", "ta: 2\nid: 7\nevent: tick\n\n")
    seen: list[ServerSentEvent] = []

    async with app.test_client().request("/events") as connection:
        await connection.send_complete()
        async for event in connection.events():
            seen.append(event)
            if len(seen) == 2:
                break

    assert seen == [ServerSentEvent("1"), ServerSentEvent("2", "tick", "7")]


async def test_events_end_with_the_stream(app: Quart) -> None:
    @app.get("/events")
    async def events() -> Response:
        return Response("data: 1\n\ndata: lost", mimetype="text/event-stream")

    async with app.test_client().request("/events") as connection:
        await connection.send_complete()
        assert [event.data async for event in connection.events()] == ["1"]


async def test_no_event_in_time_is_an_error(app: Quart) -> None:
    _with_events(app, ": a comment is no event\n\n")

    async with app.test_client().request("/events", timeout=0.05) as connection:
        await connection.send_complete()
        with pytest.raises(StillWaitingError, match="did not go on"):
            await anext(connection.events())


async def test_a_response_of_another_type_has_no_events(app: Quart) -> None:
    _with_events(app, "data: 1\n\n", mimetype="text/plain")

    async with app.test_client().request("/events") as connection:
        await connection.send_complete()
        with pytest.raises(HTTPDisconnectError, match="'text/plain'; a browser takes"):
            await anext(connection.events())
        await connection.disconnect()
