"""httpx and aiohttp's client: made while serving, asking another application."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import pytest
from quart import Quart, request

WAIT_SECONDS = 10.0


def make_other() -> Quart:
    """Make the application that is asked."""
    other = Quart("other")

    @other.get("/price/<name>")
    async def price(name: str) -> dict[str, Any]:
        return {"name": name, "price": len(name), "for": request.args["for"]}

    return other


def make_app(client: Any) -> Quart:
    """Make the application that asks, with a client for as long as it serves."""
    app = Quart("asking")

    @app.while_serving
    async def with_client() -> AsyncGenerator[None, None]:
        async with client() as made:
            app.extensions["client"] = made
            yield

    return app


async def test_httpx_asks_an_application_in_the_same_process() -> None:
    transport = httpx.ASGITransport(app=make_other())
    app = make_app(
        lambda: httpx.AsyncClient(transport=transport, base_url="http://other")
    )

    @app.get("/<name>")
    async def shown(name: str) -> str:
        response = await app.extensions["client"].get(
            f"/price/{name}", params={"for": "shop"}
        )
        return f"{name}: {response.json()['price']}"

    async with app.test_app() as running:
        response = await running.test_client().get("/tea")
        assert await response.get_data(as_text=True) == "tea: 3"
    assert app.extensions["client"].is_closed


@asynccontextmanager
async def served(app: Quart) -> AsyncGenerator[str, None]:
    """Serve on a free port; give the URL."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    port = sock.getsockname()[1]
    stop = asyncio.Event()
    # The server takes the socket over, and closes it.
    serving = asyncio.ensure_future(
        app.run_task(host=f"fd:{sock.detach()}", shutdown_trigger=stop.wait)
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await asyncio.wait_for(serving, WAIT_SECONDS)


@pytest.mark.parametrize("count", [1, 5])
async def test_aiohttp_asks_a_server(count: int) -> None:
    async with served(make_other()) as url:
        app = make_app(lambda: aiohttp.ClientSession(url))

        @app.get("/<name>")
        async def shown(name: str) -> dict[str, Any]:
            async with app.extensions["client"].get(
                f"/price/{name}", params={"for": "shop"}
            ) as response:
                answer: dict[str, Any] = await response.json()
                return answer

        async with app.test_app() as running:
            client = running.test_client()
            answers = await asyncio.gather(
                *(client.get(f"/{'x' * number}") for number in range(1, count + 1))
            )
            prices = [(await answer.get_json())["price"] for answer in answers]
            assert prices == list(range(1, count + 1))
        assert app.extensions["client"].closed
