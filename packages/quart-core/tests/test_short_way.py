"""The short way of a request does what the steps of the pipeline do."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from core_driver import Driver
from quart_contexts.globals import _cv_app, _cv_request, session
from quart_core import Quart, Response
from quart_core.asgi import ASGIHTTPConnection
from quart_core.pipeline import RequestPipeline
from quart_core.short_way import STEPS
from quart_core.wrappers import Request

# Called for each plain request on the long way; the others are of special cases.
CALLED = sorted({*STEPS} - {"ensure_async", "create_url_adapter"})


def make_app(cls: type[Quart] = Quart) -> Quart:
    app = cls(__name__, static_folder=None)

    @app.get("/")
    async def index() -> str:
        return "here"

    return app


def recorded(calls: list[str], name: str) -> Callable[..., Any]:
    """Return a step that notes its call and does what the stock one does."""
    stock = getattr(Quart, name)

    def step(self: Quart, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return stock(self, *args, **kwargs)

    return step


@pytest.mark.parametrize("name", CALLED)
async def test_a_step_that_a_subclass_overrides_is_called(name: str) -> None:
    calls: list[str] = []
    app = make_app(type("App", (Quart,), {name: recorded(calls, name)}))
    answer = await Driver(app).get("/")
    assert answer.text == "here"
    assert calls == [name]


@pytest.mark.parametrize("name", CALLED)
async def test_a_step_set_on_the_class_after_requests_is_called(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    app = make_app()
    await Driver(app).get("/")
    monkeypatch.setattr(Quart, name, recorded(calls, name))
    assert (await Driver(app).get("/")).text == "here"
    assert calls == [name]


@pytest.mark.parametrize("name", CALLED)
async def test_a_step_set_on_the_object_is_called(name: str) -> None:
    calls: list[str] = []
    app = make_app()
    await Driver(app).get("/")
    step = recorded(calls, name)
    setattr(app, name, step.__get__(app))
    assert (await Driver(app).get("/")).text == "here"
    assert calls == [name]


async def test_both_ways_answer_alike() -> None:
    class LongWay(Quart):
        async def handle_request(self, request: Request) -> Response:
            return await RequestPipeline.handle_request(self, request)

    answers = []
    for cls in (Quart, LongWay):
        app = make_app(cls)
        app.secret_key = "key"

        @app.get("/json")
        async def json() -> dict[str, int]:
            return {"a": 1}

        @app.get("/empty")
        async def empty() -> tuple[str, int]:
            return "", 204

        @app.get("/failure")
        async def failure() -> str:
            raise ZeroDivisionError

        @app.get("/session")
        async def keep() -> str:
            return str(session.get("a"))

        @app.after_request
        async def mark(response: Response) -> Response:
            response.headers["X-Seen"] = "yes"
            return response

        driver = Driver(app, raise_exceptions=False)
        paths = ("/", "/json", "/empty", "/failure", "/session", "/missing")
        answers.append(
            [
                (each.status, list(each.headers), each.body)
                for method in ("GET", "HEAD", "OPTIONS", "POST")
                for each in [await driver(method, path) for path in paths]
            ]
        )
    assert answers[0] == answers[1]


async def test_nothing_of_a_request_stays_current() -> None:
    await Driver(make_app()).get("/")
    assert _cv_app.get(None) is None
    assert _cv_request.get(None) is None


# The lane


class Exchange:
    """The part of our server's exchange that an app may find."""

    def __init__(self, body: bytes | None = b"") -> None:
        self.body = body
        self.whole: list[tuple[Any, ...]] = []
        self.messages: list[Any] = []

    async def receive(self) -> Any:
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Any) -> None:
        self.messages.append(message)

    def respond_whole(self, *response: Any) -> None:
        self.whole.append(response)

    def take_whole_body(self) -> bytes | None:
        return self.body


async def test_an_app_answers_our_server_in_one_call() -> None:
    app, exchange = make_app(), Exchange()
    await app(Driver(app).scope("GET", "/"), exchange.receive, exchange.send)
    assert exchange.messages == []
    assert exchange.whole == [
        (
            200,
            [
                (b"content-type", b"text/html; charset=utf-8"),
                (b"content-length", b"4"),
            ],
            b"here",
        )
    ]


async def test_middleware_with_a_send_of_its_own_sees_every_message() -> None:
    app, exchange = make_app(), Exchange()
    seen = []

    async def send(message: Any) -> None:
        seen.append(message["type"])
        await exchange.send(message)

    await app(Driver(app).scope("GET", "/"), exchange.receive, send)
    assert seen == ["http.response.start", "http.response.body"]
    assert exchange.whole == []


async def test_a_connection_of_a_subclass_sends_its_messages() -> None:
    class Connection(ASGIHTTPConnection):
        pass

    app, exchange = make_app(), Exchange()
    app.asgi_http_class = Connection
    await app(Driver(app).scope("GET", "/"), exchange.receive, exchange.send)
    assert [message["type"] for message in exchange.messages] == [
        "http.response.start",
        "http.response.body",
    ]


@pytest.mark.parametrize(("limit", "status"), [(4, 200), (3, 413)])
async def test_a_body_that_has_arrived_counts_against_its_limit(
    limit: int, status: int
) -> None:
    app, exchange = Quart(__name__, static_folder=None), Exchange(b"body")
    app.config["MAX_CONTENT_LENGTH"] = limit

    @app.post("/")
    async def read() -> bytes:
        request = _cv_request.get().request
        assert await request.get_data() == b"body"
        data: bytes = await request.body
        return data

    await app(Driver(app).scope("POST", "/"), exchange.receive, exchange.send)
    # The error's page has headers of its own, and so comes in messages.
    whole = [response[0] for response in exchange.whole]
    sent = [message["status"] for message in exchange.messages if "status" in message]
    assert whole + sent == [status]


async def test_a_body_that_has_not_arrived_is_received() -> None:
    app, exchange = Quart(__name__, static_folder=None), Exchange(None)

    @app.post("/")
    async def read() -> bytes:
        data: bytes = await _cv_request.get().request.get_data()
        return data + b"!"

    async def receive() -> Any:
        return {"type": "http.request", "body": b"late", "more_body": False}

    await app(Driver(app).scope("POST", "/"), receive, exchange.send)
    assert exchange.whole[0][2] == b"late!"


# Memory


async def test_requests_leave_nothing_behind() -> None:
    app = make_app()
    scope = Driver(app).scope("GET", "/")
    exchange = Exchange()

    async def serve(count: int) -> None:
        for _ in range(count):
            await app(dict(scope), exchange.receive, exchange.send)
            exchange.whole.clear()
        # What the event loop was asked to do.
        await asyncio.sleep(0)

    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        # The interpreter keeps some freed objects for the next of their kind.
        await serve(200)
        before = tracemalloc.get_traced_memory()[0]
        await serve(200)
        grown = tracemalloc.get_traced_memory()[0] - before
        garbage = gc.collect()
    finally:
        tracemalloc.stop()
        gc.enable()
    # Neither kept nor left to the collector, but for what the event loop does.
    assert grown < 2_000
    assert garbage < 100
