"""redis: a client while serving; counters, and messages sent on to websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from quart import Quart, websocket
from redis.asyncio import Redis

WAIT_SECONDS = 10.0


def make_app(url: str) -> Quart:
    app = Quart(__name__)

    @app.while_serving
    async def connect() -> AsyncGenerator[None, None]:
        async with Redis.from_url(url, decode_responses=True) as redis:
            app.extensions["redis"] = redis
            yield

    @app.post("/visits/<page>")
    async def visit(page: str) -> dict[str, int]:
        return {"visits": await app.extensions["redis"].incr(f"visits:{page}")}

    @app.post("/say/<text>")
    async def say(text: str) -> dict[str, int]:
        return {"heard": await app.extensions["redis"].publish("said", text)}

    @app.websocket("/listen")
    async def listen() -> None:
        async with app.extensions["redis"].pubsub() as subscription:
            await subscription.subscribe("said")
            await websocket.accept()
            async for message in subscription.listen():
                if message["type"] == "message":
                    await websocket.send(message["data"])

    return app


async def test_counters_and_messages_go_through_redis(redis_url: str) -> None:
    app = make_app(redis_url)
    async with app.test_app() as running:
        client = running.test_client()
        await client.post("/visits/a")
        assert await (await client.post("/visits/a")).get_json() == {"visits": 2}
        async with client.websocket("/listen") as listener:
            said = await _said(client, "hello")
            assert said == {"heard": 1}
            received = await asyncio.wait_for(listener.receive(), WAIT_SECONDS)
            assert received == "hello"


async def _said(client: object, text: str) -> object:
    """Say something once somebody listens."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            response = await client.post(f"/say/{text}")  # type: ignore[attr-defined]
            answer = await response.get_json()
            if answer["heard"]:
                return answer
            await asyncio.sleep(0)
