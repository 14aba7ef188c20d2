"""quart-cors: preflights, simple requests, websockets, views and blueprints."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Blueprint, Quart, websocket
from quart.testing import WebsocketResponseError
from quart_cors import cors, cors_exempt, route_cors, websocket_cors

ORIGIN = "https://films.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "X-Token",
}


def make_app(**options: Any) -> Quart:
    app = cors(Quart(__name__), **options)

    @app.put("/films")
    async def put() -> str:
        return "put"

    @app.get("/free")
    @cors_exempt
    async def free() -> str:
        return "free"

    return app


async def test_a_preflight_is_answered() -> None:
    app = make_app(
        allow_origin=ORIGIN, allow_headers="X-Token", allow_methods=["PUT"], max_age=60
    )
    response = await app.test_client().options("/films", headers=PREFLIGHT)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Allow-Methods"] == "PUT"
    assert response.headers["Access-Control-Max-Age"] == "60"
    allowed = response.headers["Access-Control-Allow-Headers"]
    assert allowed.lower() == "x-token"


async def test_foreign_origins_are_not_let_in() -> None:
    app = make_app(allow_origin=ORIGIN)
    response = await app.test_client().put(
        "/films", headers={"Origin": "https://evil.example"}
    )
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_view_can_be_exempt() -> None:
    client = make_app(allow_origin=ORIGIN).test_client()
    response = await client.get("/free", headers={"Origin": ORIGIN})
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_blueprint_and_a_view_have_their_own() -> None:
    app = Quart(__name__)
    blueprint = cors(Blueprint("api", __name__, url_prefix="/api"), allow_origin="*")

    @blueprint.get("/")
    async def index() -> str:
        return "all"

    @app.route("/one", methods=["POST"])
    @route_cors(allow_origin=ORIGIN, allow_methods=["POST"])
    async def one() -> str:
        return "one"

    app.register_blueprint(blueprint)
    asked = {**PREFLIGHT, "Access-Control-Request-Method": "POST"}
    client = app.test_client()
    response = await client.get("/api/", headers={"Origin": ORIGIN})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    response = await client.options("/one", headers=asked)
    assert response.headers["Access-Control-Allow-Methods"] == "POST"


async def test_websockets_of_foreign_origins_are_rejected() -> None:
    app = Quart(__name__)

    @app.websocket("/ws")
    @websocket_cors(allow_origin=ORIGIN)
    async def ws() -> None:
        await websocket.send("in")

    client = app.test_client()
    headers = {"Origin": ORIGIN, "Host": "films.example"}
    async with client.websocket("/ws", headers=headers) as connection:
        assert await connection.receive() == "in"
    foreign = {"Origin": "https://evil.example", "Host": "evil.example"}
    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket("/ws", headers=foreign) as connection:
            await connection.receive()
    assert caught.value.response.status_code == 400
