"""aiosqlite: a connection opened at its first use, closed with its context."""

from __future__ import annotations

from pathlib import Path

import aiosqlite
from quart import Quart, current_app, g, request


async def database() -> aiosqlite.Connection:
    if "database" not in g:
        g.database = await aiosqlite.connect(current_app.config["DATABASE"])
        current_app.extensions["opened"] += 1
    connection: aiosqlite.Connection = g.database
    return connection


def make_app(path: Path) -> Quart:
    app = Quart(__name__)
    app.config["DATABASE"] = path
    app.extensions["opened"] = 0

    @app.before_serving
    async def create() -> None:
        await (await database()).execute("CREATE TABLE word (text)")

    @app.teardown_appcontext
    async def close(exc: BaseException | None) -> None:
        connection = g.pop("database", None)
        if connection is not None:
            await connection.close()

    @app.post("/")
    async def add() -> str:
        connection = await database()
        await connection.execute(
            "INSERT INTO word VALUES (?)", [await request.get_data(as_text=True)]
        )
        await connection.commit()
        return ""

    @app.get("/")
    async def words() -> list[str]:
        async with (await database()).execute("SELECT text FROM word") as rows:
            return [text async for (text,) in rows]

    @app.get("/idle")
    async def idle() -> str:
        return ""

    return app


async def test_a_connection_lives_as_long_as_its_context(tmp_path: Path) -> None:
    app = make_app(tmp_path / "words.db")
    async with app.test_app() as running:
        client = running.test_client()
        await client.post("/", data="one")
        await client.post("/", data="two")
        await client.get("/idle")
        assert await (await client.get("/")).get_json() == ["one", "two"]
    # For the startup and three of the requests.
    assert app.extensions["opened"] == 4
