"""ASGI middleware around ``app.asgi_app``."""

from __future__ import annotations

from typing import Any

from quart import Quart, request, websocket


class Tagging:
    """Tells the application of a header, and the client of the middleware."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.seen: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope["type"])
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        scope = {**scope, "headers": [*scope["headers"], (b"x-tagged", b"yes")]}

        async def tagging(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": [*message["headers"], (b"x-passed", b"middleware")],
                }
            await send(message)

        await self.inner(scope, receive, tagging)


class Refusing:
    """Answers some paths itself."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/private"):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        await self.inner(scope, receive, send)


def make_app() -> Quart:
    app = Quart(__name__)

    @app.route("/", methods=["GET", "POST"])
    async def index() -> str:
        return request.headers["X-Tagged"] + await request.get_data(as_text=True)

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(websocket.headers["X-Tagged"])

    app.asgi_app = tagging = Tagging(Refusing(app.asgi_app))  # type: ignore[method-assign]
    app.extensions["tagging"] = tagging
    return app


async def test_middleware_sees_every_scope_and_changes_what_passes() -> None:
    app = make_app()
    async with app.test_app() as running:
        client = running.test_client()
        response = await client.post("/", data=b" body")
        assert await response.get_data(as_text=True) == "yes body"
        assert response.headers["X-Passed"] == "middleware"
        async with client.websocket("/ws") as connection:
            assert await connection.receive() == "yes"
    assert app.extensions["tagging"].seen == ["lifespan", "http", "websocket"]


async def test_middleware_may_answer_itself() -> None:
    response = await make_app().test_client().get("/private/x")
    assert response.status_code == 403
    assert await response.get_data() == b"no"
    assert response.headers["X-Passed"] == "middleware"
