"""Timeouts that the client sees, and what is closed behind them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest
from integration_server import TruncatedError, serving, serving_by_uvicorn, until
from quart import Quart, Response, request

SERVERS = pytest.mark.parametrize(
    "serve", [serving, serving_by_uvicorn], ids=["ours", "uvicorn"]
)


def make_app(closed: list[str]) -> Quart:  # noqa: C901 - one view after the other
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.3
    app.config["BODY_TIMEOUT"] = 0.3

    @app.get("/stream")
    async def stream() -> Response:
        async def generate() -> AsyncIterator[str]:
            try:
                yield "first"
                await asyncio.Event().wait()
            finally:
                closed.append("stream")

        return Response(generate())

    @app.get("/sync")
    async def sync() -> Response:
        def generate() -> Iterator[str]:
            try:
                while True:
                    yield "x" * 100_000
            finally:
                closed.append("sync")

        return Response(generate())

    @app.get("/stubborn")
    async def stubborn() -> Response:
        async def generate() -> AsyncIterator[str]:
            try:
                while True:
                    try:
                        yield "first"
                        await asyncio.sleep(1000)
                    except asyncio.CancelledError:
                        closed.append("swallowed")
            finally:
                closed.append("stubborn")

        return Response(generate())

    @app.get("/never")
    async def never() -> Response:
        async def generate() -> AsyncIterator[str]:
            yield "for ever"
            await asyncio.sleep(0.6)
            yield " and ever"

        response = Response(generate())
        response.timeout = None
        return response

    @app.post("/body")
    async def body() -> str:
        return str(len(await request.get_data()))

    @app.teardown_request
    async def teardown(error: BaseException | None) -> None:
        closed.append("teardown")

    return app


@SERVERS
@pytest.mark.parametrize(
    ("path", "ended"), [("/stream", "stream"), ("/stubborn", "stubborn")]
)
async def test_response_timeout_ends_the_connection_and_closes_the_generator(
    serve, path, ended, caplog
) -> None:
    closed: list[str] = []
    async with serve(make_app(closed)) as served, served.client() as client:
        with pytest.raises(TruncatedError) as raised:
            await client.get(path)
        assert raised.value.answer.body == b"first"
        assert await client.at_end()
        await until(lambda: ended in closed)
        async with served.client() as other:
            assert (await other.request("POST", "/body", b"abc")).text == "3"
    assert closed.count(ended) == 1
    assert "RESPONSE_TIMEOUT" in caplog.text


async def test_client_that_takes_nothing_runs_into_the_response_timeout(
    caplog,
) -> None:
    closed: list[str] = []
    async with serving(make_app(closed)) as served, served.client() as client:
        await client.send(b"GET /sync HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: "sync" in closed)
    assert closed.count("sync") == 1
    assert "RESPONSE_TIMEOUT" in caplog.text


@SERVERS
async def test_response_without_timeout_may_take_its_time(serve) -> None:
    async with serve(make_app([])) as served, served.client() as client:
        assert (await client.get("/never")).text == "for ever and ever"


@SERVERS
async def test_body_that_does_not_come_is_a_408(serve) -> None:
    async with serve(make_app([])) as served, served.client() as client:
        await client.send(
            b"POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab"
        )
        assert (await client.answer()).status == 408


@SERVERS
async def test_client_leaving_mid_stream_closes_the_generator(serve, caplog) -> None:
    caplog.set_level(logging.INFO)
    closed: list[str] = []
    app = make_app(closed)
    app.config["RESPONSE_TIMEOUT"] = None
    async with serve(app) as served:
        client = await served.connect()
        await client.send(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await client.head()
        client.abort()
        await until(lambda: "stream" in closed)
    assert closed == ["teardown", "stream"]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
