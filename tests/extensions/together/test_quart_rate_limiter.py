"""quart-rate-limiter: limits and their header fields."""

from __future__ import annotations

from datetime import timedelta

import fakeredis
import pytest
from quart import Blueprint, Quart
from quart_rate_limiter import (
    RateLimiter,
    limit_blueprint,
    rate_exempt,
    rate_limit,
)
from quart_rate_limiter.redis_store import RedisStore
from quart_rate_limiter.store import MemoryStore, RateLimiterStoreABC

DAY = timedelta(days=1)


def make_app(store: RateLimiterStoreABC | None = None) -> Quart:
    app = Quart(__name__)
    RateLimiter(app, store=store)

    @app.get("/")
    @rate_limit(2, DAY)
    async def index() -> str:
        return "in"

    return app


async def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    app = make_app()
    async with app.test_app() as running:
        client = running.test_client()
        assert (await client.get("/")).status_code == 200
        response = await client.get("/")
        assert response.headers["RateLimit-Limit"] == "2"
        assert response.headers["RateLimit-Remaining"] == "0"
        response = await client.get("/")
        assert response.status_code == 429
        assert int(response.headers["Retry-After"]) > 0


async def test_everybody_has_a_limit_of_their_own() -> None:
    client = make_app(MemoryStore()).test_client()
    for _ in range(3):
        response = await client.get("/")
    assert response.status_code == 429
    other = {"client": ("192.0.2.7", 1234)}
    assert (await client.get("/", scope_base=other)).status_code == 200


async def test_defaults_blueprints_and_exemptions() -> None:
    app = Quart(__name__)
    RateLimiter(app, default_limits=[])
    blueprint = Blueprint("api", __name__, url_prefix="/api")

    @blueprint.get("/")
    async def limited() -> str:
        return "in"

    @blueprint.get("/free")
    @rate_exempt
    async def free() -> str:
        return "free"

    app.register_blueprint(blueprint)
    limit_blueprint(blueprint, 1, DAY)
    client = app.test_client()
    assert [(await client.get("/api/")).status_code for _ in range(2)] == [200, 429]
    assert [(await client.get("/api/free")).status_code for _ in range(2)] == [200] * 2


async def test_limits_are_kept_in_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = fakeredis.FakeAsyncRedis()

    async def from_url(url: str) -> fakeredis.FakeAsyncRedis:
        return fake

    monkeypatch.setattr("redis.asyncio.from_url", from_url)
    app = make_app(RedisStore("redis://test"))
    async with app.test_app() as running:
        client = running.test_client()
        statuses = [(await client.get("/")).status_code for _ in range(3)]
        assert await fake.keys()
    assert statuses == [200, 200, 429]
