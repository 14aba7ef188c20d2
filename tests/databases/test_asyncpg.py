"""asyncpg: a pool on before_serving and after_serving, a connection in g."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
from quart import Quart, g, request


def make_app(dsn: str) -> Quart:
    app = Quart(__name__)

    @app.before_serving
    async def connect() -> None:
        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=2)
        await pool.execute(
            "CREATE TABLE IF NOT EXISTS account (name text PRIMARY KEY, amount int)"
        )
        app.extensions["pool"] = pool

    @app.after_serving
    async def disconnect() -> None:
        await asyncio.wait_for(app.extensions["pool"].close(), 10)

    @app.before_request
    async def acquire() -> None:
        g.connection = await app.extensions["pool"].acquire(timeout=10)

    @app.teardown_request
    async def release(exc: BaseException | None) -> None:
        await app.extensions["pool"].release(g.connection)

    @app.put("/accounts/<name>")
    async def put(name: str) -> tuple[str, int]:
        amount = (await request.get_json())["amount"]
        async with g.connection.transaction():
            await g.connection.execute(
                "INSERT INTO account VALUES ($1, $2)"
                " ON CONFLICT (name) DO UPDATE SET amount = $2",
                name,
                amount,
            )
            if amount < 0:
                raise ValueError("An account holds no debts")
        return "", 204

    @app.errorhandler(ValueError)
    async def refuse(error: ValueError) -> tuple[str, int]:
        return str(error), 400

    @app.get("/accounts/<name>")
    async def get(name: str) -> dict[str, Any]:
        row = await g.connection.fetchrow(
            "SELECT name, amount FROM account WHERE name = $1", name
        )
        return dict(row)

    return app


async def test_requests_take_turns_with_the_connections_of_a_pool(
    postgres_dsn: str,
) -> None:
    app = make_app(postgres_dsn)
    async with app.test_app() as running:
        client = running.test_client()
        names = [f"n{number}" for number in range(8)]
        answers = await asyncio.gather(
            *(
                running.test_client().put(f"/accounts/{name}", json={"amount": 1})
                for name in names
            )
        )
        assert {answer.status_code for answer in answers} == {204}
        refused = await client.put("/accounts/n0", json={"amount": -1})
        assert refused.status_code == 400
        found = await (await client.get("/accounts/n0")).get_json()
        assert found == {"name": "n0", "amount": 1}
        assert app.extensions["pool"].get_idle_size() > 0
    assert app.extensions["pool"].is_closing()
