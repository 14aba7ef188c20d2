"""quart-session: sessions on the server, in Redis."""

from __future__ import annotations

from typing import Any

import fakeredis
import pytest
from quart import Quart, session, websocket
from quart_session import Session


@pytest.fixture
async def redis() -> Any:
    return fakeredis.FakeAsyncRedis()


@pytest.fixture
async def app(redis: Any) -> Quart:
    app = Quart(__name__)
    app.secret_key = "quart-session"
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=redis)
    Session(app)

    @app.get("/add/<name>")
    async def add(name: str) -> list[str]:
        session["names"] = [*session.get("names", []), name]
        return session["names"]

    @app.get("/nothing")
    async def nothing() -> str:
        return "nothing"

    @app.get("/forget")
    async def forget() -> str:
        session.clear()
        return "forgotten"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json(session["names"])

    return app


async def test_values_are_on_the_server(app: Quart, redis: Any) -> None:
    async with app.test_app() as running:
        client = running.test_client()
        response = await client.get("/add/ada")
        assert "ada" not in response.headers["Set-Cookie"]
        assert await (await client.get("/add/grace")).get_json() == ["ada", "grace"]
        (key,) = await redis.keys()
        assert key.startswith(b"session:")
        assert b"grace" in await redis.get(key)


async def test_everybody_has_their_own(app: Quart) -> None:
    async with app.test_app() as running:
        await running.test_client().get("/add/ada")
        response = await running.test_client().get("/add/grace")
        assert await response.get_json() == ["grace"]


async def test_a_session_without_values_is_not_kept(app: Quart, redis: Any) -> None:
    async with app.test_app() as running:
        client = running.test_client()
        await client.get("/nothing")
        assert await redis.keys() == []
        await client.get("/add/ada")
        await client.get("/forget")
        assert await redis.keys() == []


async def test_websockets_read_the_session(app: Quart) -> None:
    async with app.test_app() as running:
        client = running.test_client()
        await client.get("/add/ada")
        async with client.websocket("/ws") as connection:
            assert await connection.receive_json() == ["ada"]
