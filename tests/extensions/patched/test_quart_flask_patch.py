"""quart-flask-patch: Flask's functions without await, in sync functions."""

from __future__ import annotations

import asyncio

import flask
import pytest
import quart_flask_patch
from quart import Quart, jsonify, render_template_string


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "patched"

    @app.post("/form")
    def form():
        return flask.request.form["title"].upper()

    @app.post("/json")
    async def json():
        await asyncio.sleep(0)
        return jsonify(flask.request.get_json())

    @app.get("/page/<name>")
    def page(name: str):
        flask.session["name"] = name
        return app.ensure_sync(render_template_string)("{{ name }}!", name=name)

    @app.get("/again")
    def again():
        return flask.session["name"]

    @app.get("/waits")
    async def waits():
        def wait() -> str:
            return app.ensure_sync(later)()

        async def later() -> str:
            await asyncio.sleep(0.01)
            return flask.request.path

        return wait()

    return app


def test_the_modules_of_flask_are_quarts() -> None:
    from flask.globals import current_app  # noqa: F401

    assert flask.Flask is Quart
    assert flask.url_for is quart_flask_patch.url_for


async def test_bodies_are_there_without_await(app: Quart) -> None:
    client = app.test_client()
    response = await client.post("/form", form={"title": "alien"})
    assert await response.get_data(as_text=True) == "ALIEN"
    response = await client.post("/json", json={"title": "alien"})
    assert await response.get_json() == {"title": "alien"}


async def test_templates_and_sessions_work(app: Quart) -> None:
    client = app.test_client()
    assert await (await client.get("/page/Ada")).get_data(as_text=True) == "Ada!"
    assert await (await client.get("/again")).get_data(as_text=True) == "Ada"


async def test_sync_code_waits_for_async_code_with_its_context(app: Quart) -> None:
    client = app.test_client()
    responses = await asyncio.gather(*(client.get("/waits") for _ in range(3)))
    for response in responses:
        assert await response.get_data(as_text=True) == "/waits"
