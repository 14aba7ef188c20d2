"""Flask-Login by way of quart-flask-patch."""

from __future__ import annotations

import flask_login
import pytest
from quart import Quart, has_request_context


@pytest.fixture(autouse=True)
def has_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it imports of flask.ctx looks for Flask's contexts, with upstream too."""
    monkeypatch.setattr("flask_login.utils.has_request_context", has_request_context)


class User(flask_login.UserMixin):
    def __init__(self, name: str) -> None:
        self.id = name


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "flask-login"
    manager = flask_login.LoginManager()
    manager.init_app(app)

    @manager.user_loader
    def load(name: str) -> User | None:
        return User(name) if name == "ada" else None

    @app.post("/login/<name>")
    async def login(name: str) -> str:
        flask_login.login_user(User(name), remember=True)
        return "in"

    @app.post("/logout")
    async def logout() -> str:
        flask_login.logout_user()
        return "out"

    @app.get("/me")
    @flask_login.login_required
    async def me() -> str:
        return flask_login.current_user.id

    return app


async def test_users_sign_in_and_out(app: Quart) -> None:
    client = app.test_client()
    assert (await client.get("/me")).status_code == 401
    response = await client.post("/login/ada")
    assert "remember_token" in ";".join(response.headers.getlist("Set-Cookie"))
    assert await (await client.get("/me")).get_data(as_text=True) == "ada"
    await client.post("/logout")
    assert (await client.get("/me")).status_code == 401


async def test_unknown_users_are_not_let_in(app: Quart) -> None:
    client = app.test_client()
    await client.post("/login/mallory")
    assert (await client.get("/me")).status_code == 401
