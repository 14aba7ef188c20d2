"""An application behind a proxy that serves it below a prefix."""

from __future__ import annotations

from pathlib import Path

import pytest
from quart import Quart, Response, redirect, request, session, url_for, websocket


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text("a{}")
    app = Quart("prefixed", root_path=str(tmp_path))
    app.secret_key = "secret"

    @app.get("/")
    async def index() -> list[str]:
        return [
            url_for("index"),
            url_for("index", _external=True),
            url_for("static", filename="a.css"),
            url_for("ws"),
            request.url,
            request.base_url,
            request.root_url,
            request.path,
            request.full_path,
        ]

    @app.get("/away")
    async def away() -> Response:
        session["a"] = 1
        return redirect(url_for("index"))

    @app.get("/slash/")
    async def slash() -> str:
        return "slash"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(f"{websocket.path} {url_for('ws')}")

    return app


async def test_urls_are_below_the_prefix(app: Quart) -> None:
    response = await app.test_client().get("/app/", root_path="/app")
    assert await response.get_json() == [
        "/app/",
        "http://localhost/app/",
        "/app/static/a.css",
        "ws://localhost/app/ws",
        "http://localhost/app/",
        "http://localhost/app/",
        "http://localhost/app/",
        "/",
        "/?",
    ]


async def test_the_prefix_itself_is_the_index(app: Quart) -> None:
    response = await app.test_client().get("/app", root_path="/app")
    assert (await response.get_json())[0] == "/app/"


async def test_redirects_and_files_stay_below_the_prefix(app: Quart) -> None:
    client = app.test_client()
    response = await client.get("/app/away", root_path="/app")
    assert response.headers["Location"] == "/app/"
    response = await client.get("/app/slash", root_path="/app")
    assert response.status_code == 308
    assert response.headers["Location"] == "http://localhost/app/slash/"
    response = await client.get("/app/static/a.css", root_path="/app")
    assert await response.get_data() == b"a{}"


async def test_websockets_are_below_the_prefix(app: Quart) -> None:
    async with app.test_client().websocket("/app/ws", root_path="/app") as connection:
        assert await connection.receive() == "/ws ws://localhost/app/ws"


@pytest.mark.parametrize("path", ["/", "/apple/", "/other/app/"])
async def test_other_paths_are_not_found(app: Quart, path: str) -> None:
    response = await app.test_client().get(path, root_path="/app")
    assert response.status_code == 404


async def test_application_root_is_the_prefix_outside_of_requests(app: Quart) -> None:
    app.config.update(SERVER_NAME="example.com", APPLICATION_ROOT="/app")
    async with app.app_context():
        assert url_for("index") == "http://example.com/app/"
    response = await app.test_client().get("/away")
    assert "Path=/app" in response.headers["Set-Cookie"]
