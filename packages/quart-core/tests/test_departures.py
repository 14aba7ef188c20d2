"""Clients that leave: the handler is interrupted once, its cleaning up never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from core_driver import Driver
from quart_core import (
    ClientDisconnectedError,
    Quart,
    Response,
    request,
    stream_with_context,
)

LIMIT = 10.0


class Departure:
    """A request whose client leaves when the application says so."""

    def __init__(self) -> None:
        self.now = asyncio.Event()
        self.events: list[str] = []
        self.sent: list[dict[str, Any]] = []

    async def __call__(self, app: Quart, *, has_body: bool = True) -> None:
        body = {"type": "http.request", "body": b"a", "more_body": has_body}
        waiting = [body]

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await self.now.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        scope = Driver(app).scope("POST", "/")
        await asyncio.wait_for(app(scope, receive, send), LIMIT)

    async def leave_and_clean(self, name: str) -> None:
        """Clean up in several turns, in the first of which the client leaves."""
        self.now.set()
        for _ in range(20):
            await asyncio.sleep(0)
        self.events.append(name)


@pytest.fixture
def departure() -> Departure:
    return Departure()


def app_of(view: Any) -> Quart:
    app = Quart(__name__)
    app.testing = True
    app.post("/")(view)
    return app


@pytest.mark.parametrize("leaves_in", ["request", "context"])
async def test_teardown_functions_run_to_their_end(
    departure: Departure, leaves_in: str
) -> None:
    async def view() -> str:
        return "answer"

    app = app_of(view)

    @app.teardown_request
    async def second(error: BaseException | None) -> None:
        departure.events.append(f"second {error}")

    @app.teardown_request
    async def first(error: BaseException | None) -> None:
        if leaves_in == "request":
            await departure.leave_and_clean("first")

    @app.teardown_appcontext
    async def context(error: BaseException | None) -> None:
        if leaves_in == "context":
            await departure.leave_and_clean("context")

    await departure(app, has_body=False)
    ended = "first" if leaves_in == "request" else "context"
    assert sorted(departure.events) == sorted([ended, "second None"])
    assert departure.sent == []


async def test_sync_teardown_functions_run_behind_a_handler_that_was_told(
    departure: Departure,
) -> None:
    async def view() -> str:
        departure.now.set()
        try:
            await request.get_data()
        except ClientDisconnectedError:
            departure.events.append("told")
        return "to nobody"

    app = app_of(view)
    app.teardown_request(lambda error: departure.events.append("teardown"))
    await departure(app)
    assert departure.events == ["told", "teardown"]
    assert departure.sent == []


async def test_cleaning_up_of_a_handler_that_was_told_by_a_read_is_not_interrupted(
    departure: Departure,
) -> None:
    async def view() -> str:
        departure.now.set()
        try:
            async for _ in request.body:
                pass
        finally:
            await departure.leave_and_clean("cleaned")
        return ""

    await departure(app_of(view))
    assert departure.events == ["cleaned"]


async def test_handler_whose_other_task_was_told_is_interrupted(
    departure: Departure,
) -> None:
    async def view() -> str:
        departure.now.set()
        try:
            async with asyncio.TaskGroup() as group:
                # A task that is cancelled does not end its group.
                group.create_task(request.get_data())
                await asyncio.Event().wait()
        finally:
            await departure.leave_and_clean("cleaned")
        return ""

    await departure(app_of(view))
    assert departure.events == ["cleaned"]


async def test_functions_at_the_close_of_a_response_run_to_their_end(
    departure: Departure,
) -> None:
    async def view() -> Response:
        response = Response("answer")

        @response.call_on_close
        async def close() -> None:
            await departure.leave_and_clean("closed")

        return response

    await departure(app_of(view), has_body=False)
    assert departure.events == ["closed"]


async def test_teardown_at_the_end_of_a_stream_runs_to_its_end(
    departure: Departure,
) -> None:
    async def view() -> Response:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield "a"
            await asyncio.sleep(0)

        return Response(generate())

    app = app_of(view)

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await departure.leave_and_clean("teardown")

    await departure(app, has_body=False)
    assert departure.events == ["teardown"]


async def test_stream_after_a_teardown_is_interrupted_as_before(
    departure: Departure,
) -> None:
    async def view() -> Response:
        async def generate() -> AsyncIterator[str]:
            try:
                yield "a"
                departure.now.set()
                await asyncio.Event().wait()
            finally:
                await departure.leave_and_clean("generator")

        return Response(generate())

    app = app_of(view)

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        await asyncio.sleep(0)

    await departure(app, has_body=False)
    assert departure.events == ["generator"]
    assert departure.sent[-1]["more_body"] is True
