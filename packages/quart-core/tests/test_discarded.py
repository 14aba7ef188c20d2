"""Responses that were made and are not sent: all that they hold is released."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from core_driver import Driver
from quart_core import (
    Quart,
    Response,
    abort,
    g,
    request,
    session,
    stream_with_context,
)
from werkzeug.wrappers import Response as WerkzeugResponse

CASES = [
    "after fails",
    "after aborts",
    "after fails behind a replacement",
    "replaced",
    "replaced twice",
    "replaced by a response of werkzeug",
    "session fails",
    "teardown fails",
    "bad headers",
    "bad status",
]
KINDS = ["context", "begun", "begun in a thread", "never begun"]


def make_app(case: str, kind: str, events: list[str]) -> Quart:
    app = Quart(__name__)
    app.secret_key = "k"
    app.logger.disabled = True

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        events.append("teardown")
        if case == "teardown fails":
            raise ValueError("of the teardown")

    @app.get("/")
    async def view() -> Any:
        response = Response(await make_body(kind, events))
        response.call_on_close(lambda: events.append("callback"))
        if case == "bad headers":
            return response, {"X-Bad": "a\nb"}
        return (response, "no status") if case == "bad status" else response

    register_after(app, case)
    return app


async def make_body(kind: str, events: list[str]) -> Any:
    async def generate() -> AsyncIterator[str]:
        try:
            yield "first"
            yield "second"
        finally:
            events.append("generator")

    def generate_in_thread() -> Iterator[str]:
        try:
            yield "first"
            yield "second"
        finally:
            events.append("generator")

    if kind == "context":
        return stream_with_context(generate())
    if kind == "never begun":
        events.append("generator")  # of which nothing will run
        return generate()
    if kind == "begun":
        generator = generate()
        await anext(generator)
        return generator
    iterator = generate_in_thread()
    next(iterator)
    return iterator


def register_after(app: Quart, case: str) -> None:
    # The last one registered runs first.
    @app.after_request
    async def second(response: Any) -> Any:
        if getattr(g, "done", False):
            return response
        g.done = True
        if case in {"after fails", "after fails behind a replacement"}:
            raise ValueError("of the function after the request")
        if case == "after aborts":
            abort(403)
        if case == "session fails":
            session["value"] = object()
        if case.startswith("replaced by"):
            return WerkzeugResponse("of werkzeug")
        return Response("second") if case.startswith("replaced") else response

    @app.after_request
    async def first(response: Any) -> Any:
        if "behind" in case or "twice" in case:
            return Response("first") if not hasattr(g, "done") else response
        return response


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
async def test_what_is_not_sent_is_closed_before_the_request_ends(
    case: str, kind: str
) -> None:
    events: list[str] = []
    driver = Driver(make_app(case, kind, events), raise_exceptions=False)
    try:
        answer = await driver.get("/")
    except ValueError:
        assert case == "teardown fails"
    else:
        if case.startswith("replaced"):
            assert answer.body in {b"second", b"of werkzeug"}
        else:
            assert answer.status == 500
    if kind == "context" and case != "teardown fails":
        # Nobody iterated over it, so its body was never entered.
        events.append("generator")
    assert sorted(set(events)) == ["callback", "generator", "teardown"]
    assert events.count("callback") == events.count("teardown") == 1


async def test_client_that_leaves_while_a_function_after_the_request_waits() -> None:
    events: list[str] = []
    app = make_app("", "begun", events)
    waits = asyncio.Event()

    @app.after_request
    async def wait(response: Response) -> Response:
        waits.set()
        await asyncio.Event().wait()
        return response

    driver = Driver(app)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await waits.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await asyncio.wait_for(app(driver.scope("GET", "/"), receive, send), 10)
    assert sent == []
    assert sorted(events) == ["callback", "generator", "teardown"]


async def test_replacement_may_send_the_body_of_what_it_replaces() -> None:
    events: list[str] = []
    app = make_app("", "begun", events)

    @app.after_request
    async def upper(response: Response) -> Response:
        async def shout() -> AsyncIterator[bytes]:
            async for chunk in response.iter_encode():
                yield chunk.upper()

        assert request.path == "/"
        return Response(shout())

    answer = await Driver(app).get("/")
    assert answer.body == b"SECOND"
    assert sorted(events) == ["callback", "generator", "teardown"]


async def test_failure_of_the_closing_does_not_hide_the_first_one() -> None:
    app = Quart(__name__)
    app.testing = True

    @app.get("/")
    async def view() -> Response:
        response = Response("x")

        @response.call_on_close
        async def fail() -> None:
            raise KeyError("of the closing")

        return response

    @app.after_request
    async def after(response: Response) -> Response:
        raise ValueError("of the function after the request")

    with pytest.raises(ValueError, match="of the function"):
        await Driver(app).get("/")
