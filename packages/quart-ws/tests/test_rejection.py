"""Rejections: an ordinary response in place of a websocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from quart_core import Quart, Response, websocket
from werkzeug.wrappers import Response as WerkzeugResponse
from ws_driver import RESPONSES, Client, visit


def make_app(result: Any) -> Quart:
    app = Quart(__name__)

    @app.websocket("/")
    async def handler() -> Any:
        return result() if callable(result) else result

    return app


async def test_a_stream_is_sent_in_its_steps_and_closed() -> None:
    closed = []

    async def parts() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            closed.append("closed")

    client = await visit(make_app(parts), extensions=RESPONSES)
    bodies = [
        (message["body"], message["more_body"]) for message in client.messages[1:]
    ]
    assert bodies == [(b"a", True), (b"b", True), (b"", False)]
    assert closed == ["closed"]


@pytest.mark.parametrize("extensions", [RESPONSES, {}])
async def test_werkzeugs_own_responses_work(extensions: Any) -> None:
    response = WerkzeugResponse("own", 418)
    closed = []
    response.call_on_close(lambda: closed.append("closed"))
    client = await visit(make_app(lambda: response), extensions=extensions)
    assert client.body == (b"own" if extensions else b"")
    assert closed == ["closed"]


async def test_a_stream_that_is_not_sent_is_closed() -> None:
    closed = []

    class Parts:
        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> str:
            raise AssertionError("nobody reads it")

        async def aclose(self) -> None:
            closed.append("closed")

    client = await visit(make_app(lambda: Response(Parts(), 403)))
    assert client.types == ["close"]
    assert closed == ["closed"]


async def test_a_rejection_that_takes_too_long_is_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = make_app("no")
    app.config["RESPONSE_TIMEOUT"] = 0.01
    client = Client(app, stalls=True, extensions=RESPONSES)
    await client.end()
    assert client.messages == []
    (record,) = caplog.records
    assert "RESPONSE_TIMEOUT" in record.getMessage()


async def test_a_rejection_may_have_its_own_timeout() -> None:
    async def parts() -> AsyncIterator[str]:
        yield "a"
        await asyncio.sleep(0.03)
        yield "b"

    def result() -> Response:
        response = Response(parts(), 403)
        response.timeout = None
        return response

    app = make_app(result)
    app.config["RESPONSE_TIMEOUT"] = 0.01
    client = await visit(app, extensions=RESPONSES)
    assert client.body == b"ab"


async def test_a_client_that_left_before_its_rejection_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client(make_app("no"), extensions=RESPONSES)
    client.refuses = True
    await client.end()
    assert client.messages == []
    assert caplog.records == []


async def test_nothing_can_be_sent_in_a_function_after_a_rejection() -> None:
    app = make_app("no")

    @app.teardown_websocket
    async def teardown(exc: Any) -> None:
        await websocket.accept()

    client = await visit(app, extensions=RESPONSES)
    # Accepted after all, so the response is too late.
    assert client.types == ["accept", "close"]
