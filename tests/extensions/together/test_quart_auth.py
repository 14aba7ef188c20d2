"""quart-auth: users known by a cookie, over HTTP and websockets."""

from __future__ import annotations

import pytest
from quart import Quart, websocket
from quart_auth import (
    AuthUser,
    QuartAuth,
    Unauthorized,
    authenticated_client,
    basic_auth_required,
    current_user,
    login_required,
    login_user,
    logout_user,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "quart-auth" * 4
    app.config.update(
        QUART_AUTH_COOKIE_SECURE=False,
        QUART_AUTH_BASIC_USERNAME="ada",
        QUART_AUTH_BASIC_PASSWORD="lovelace",
    )
    QuartAuth(app)

    @app.post("/login/<name>")
    async def login(name: str) -> str:
        login_user(AuthUser(name))
        return "in"

    @app.post("/logout")
    async def logout() -> str:
        logout_user()
        return "out"

    @app.get("/me")
    @login_required
    async def me() -> str:
        return f"{current_user.auth_id}"

    @app.websocket("/ws")
    @login_required
    async def ws() -> None:
        await websocket.send(f"hello {current_user.auth_id}")

    @app.get("/basic")
    @basic_auth_required()
    async def basic() -> str:
        return "secret"

    return app


async def test_the_cookie_signs_in_and_out(app: Quart) -> None:
    client = app.test_client()
    assert (await client.get("/me")).status_code == 401
    response = await client.post("/login/ada")
    assert "HttpOnly" in response.headers["Set-Cookie"]
    assert await (await client.get("/me")).get_data(as_text=True) == "ada"
    await client.post("/logout")
    assert (await client.get("/me")).status_code == 401


async def test_a_forged_cookie_is_refused(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie("localhost", "QUART_AUTH", "ImFkYSI.forged")
    assert (await client.get("/me")).status_code == 401


async def test_the_cookie_counts_for_websockets(app: Quart) -> None:
    client = app.test_client()
    await client.post("/login/ada")
    async with client.websocket("/ws") as connection:
        assert await connection.receive() == "hello ada"


async def test_errors_are_handled_like_others(app: Quart) -> None:
    @app.errorhandler(Unauthorized)
    async def unauthorized(error: Unauthorized) -> tuple[str, int]:
        return "sign in first", 403

    response = await app.test_client().get("/me")
    assert response.status_code == 403
    assert await response.get_data(as_text=True) == "sign in first"


async def test_clients_of_tests_can_be_signed_in(app: Quart) -> None:
    client = app.test_client()
    async with authenticated_client(client, "grace"):
        assert await (await client.get("/me")).get_data(as_text=True) == "grace"
    assert (await client.get("/me")).status_code == 401


async def test_basic_authentication(app: Quart) -> None:
    client = app.test_client()
    assert (await client.get("/basic")).status_code == 401
    response = await client.get("/basic", auth=("ada", "lovelace"))
    assert response.status_code == 200


async def test_templates_know_the_user(app: Quart) -> None:
    from quart import render_template_string

    @app.get("/page")
    async def page() -> str:
        return await render_template_string("{{ current_user.auth_id }}")

    client = app.test_client()
    await client.post("/login/ada")
    assert await (await client.get("/page")).get_data(as_text=True) == "ada"
