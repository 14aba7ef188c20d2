"""Other applications below a path of a Quart application: WSGI and ASGI ones."""

from __future__ import annotations

from typing import Any

import flask
from a2wsgi import WSGIMiddleware
from quart import Quart, request
from quart import url_for as quart_url_for


class Mounts:
    """Hands paths below prefixes to other ASGI applications."""

    def __init__(self, inner: Any, **mounted: Any) -> None:
        self.inner = inner
        self.mounted = {f"/{name}": app for name, app in mounted.items()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] in {"http", "websocket"}:
            root = scope.get("root_path", "")
            path = scope["path"].removeprefix(root)
            for prefix, app in self.mounted.items():
                if path == prefix or path.startswith(f"{prefix}/"):
                    below = {**scope, "root_path": root + prefix}
                    await app(below, receive, send)
                    return
        await self.inner(scope, receive, send)


def make_flask() -> flask.Flask:
    app = flask.Flask("old")

    @app.get("/")
    def index() -> str:
        return flask.url_for("item", number=1)

    @app.route("/item/<int:number>", methods=["GET", "POST"])
    def item(number: int) -> dict[str, Any]:
        values = dict(flask.request.form)
        return {"number": number, "root": flask.request.script_root, **values}

    return app


def make_quart(name: str) -> Quart:
    app = Quart(name)

    @app.get("/")
    async def index() -> str:
        return quart_url_for("where", _external=True)

    @app.get("/where")
    async def where() -> list[str]:
        return [request.root_path, request.path, request.script_root]

    return app


async def _text(app: Quart, path: str, **options: Any) -> str:
    response = await app.test_client().get(path, **options)
    assert response.status_code == 200
    text: str = await response.get_data(as_text=True)
    return text


def make_all() -> Quart:
    app = make_quart("outer")
    old = WSGIMiddleware(make_flask())
    app.asgi_app = Mounts(app.asgi_app, old=old, new=make_quart("inner"))  # type: ignore[method-assign]
    return app


async def test_a_flask_application_below_a_path() -> None:
    app = make_all()
    assert await _text(app, "/old/") == "/old/item/1"
    response = await app.test_client().post("/old/item/3", form={"a": "b"})
    assert await response.get_json() == {"number": 3, "root": "/old", "a": "b"}
    assert (await app.test_client().get("/old/none")).status_code == 404


async def test_an_asgi_application_below_a_path() -> None:
    app = make_all()
    assert await _text(app, "/new/") == "http://localhost/new/where"
    assert await _text(app, "/new") == "http://localhost/new/where"
    response = await app.test_client().get("/new/where")
    assert await response.get_json() == ["/new", "/where", "/new"]


async def test_what_only_begins_with_the_prefix_stays_outside() -> None:
    app = make_all()
    assert await _text(app, "/") == "http://localhost/where"
    assert (await app.test_client().get("/newer")).status_code == 404


async def test_prefixes_add_up_behind_a_proxy() -> None:
    client = make_all().test_client()
    response = await client.get("/site/new/where", root_path="/site")
    assert await response.get_json() == ["/site/new", "/where", "/site/new"]
    response = await client.get("/site/old/", root_path="/site")
    assert await response.get_data(as_text=True) == "/site/old/item/1"
