"""Flask-Limiter by way of quart-flask-patch."""

from __future__ import annotations

import pytest
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from quart import Quart


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    limiter = Limiter(
        get_remote_address, app=app, storage_uri="memory://", headers_enabled=True
    )

    @app.get("/limited")
    @limiter.limit("2 per day")
    async def limited() -> str:
        return "in"

    @app.get("/free")
    @limiter.exempt
    async def free() -> str:
        return "free"

    return app


async def test_limits_count_requests(app: Quart) -> None:
    client = app.test_client()
    responses = [await client.get("/limited") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert [
        response.headers["X-RateLimit-Remaining"] for response in responses[:2]
    ] == ["1", "0"]


async def test_what_is_exempt_has_no_limit(app: Quart) -> None:
    client = app.test_client()
    statuses = [(await client.get("/free")).status_code for _ in range(4)]
    assert statuses == [200] * 4
