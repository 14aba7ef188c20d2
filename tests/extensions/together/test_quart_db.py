"""quart-db: a connection for each request, transactions, migrations; with SQLite."""

from __future__ import annotations

from pathlib import Path

import pytest
from quart import Quart, g
from quart_db import QuartDB

MIGRATION = """
async def migrate(connection):
    await connection.execute("CREATE TABLE films (title TEXT NOT NULL)")
"""


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0.py").write_text(MIGRATION)
    app = Quart(__name__, root_path=tmp_path)
    QuartDB(
        app, url=f"sqlite:///{tmp_path / 'films.db'}", migrations_folder="migrations"
    )

    @app.post("/films/<title>")
    async def add(title: str) -> str:
        async with g.connection.transaction():
            await g.connection.execute(
                "INSERT INTO films (title) VALUES (:title)", {"title": title}
            )
            if title == "broken":
                raise ValueError(title)
        return title

    @app.get("/films")
    async def films() -> list[str]:
        rows = await g.connection.fetch_all("SELECT title FROM films ORDER BY title")
        return [row["title"] for row in rows]

    return app


async def test_views_have_a_connection(app: Quart) -> None:
    async with app.test_app() as running:
        client = running.test_client()
        await client.post("/films/alien")
        await client.post("/films/brazil")
        assert await (await client.get("/films")).get_json() == ["alien", "brazil"]


async def test_a_transaction_that_fails_is_rolled_back(app: Quart) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    async with app.test_app() as running:
        client = running.test_client()
        assert (await client.post("/films/broken")).status_code == 500
        assert await (await client.get("/films")).get_json() == []


async def test_the_data_outlives_the_application(app: Quart) -> None:
    async with app.test_app() as running:
        await running.test_client().post("/films/alien")
    async with app.test_app() as running:
        response = await running.test_client().get("/films")
    assert await response.get_json() == ["alien"]
