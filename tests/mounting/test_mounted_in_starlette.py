"""A Quart application below a path of a Starlette application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from quart import Quart, request, session, url_for, websocket
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

WAIT_SECONDS = 10.0


def make_app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"
    app.config["SESSION_COOKIE_PATH"] = "/quart"

    @app.get("/")
    async def index() -> str:
        session["visits"] = session.get("visits", 0) + 1
        return f"{url_for('echo')} {session['visits']}"

    @app.post("/echo")
    async def echo() -> dict[str, Any]:
        return {"root": request.root_path, "form": dict(await request.form)}

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(await websocket.receive())

    return app


def make_starlette(app: Quart, events: list[str]) -> Starlette:
    @app.before_serving
    async def before() -> None:
        events.append("before")

    @app.after_serving
    async def after() -> None:
        events.append("after")

    # Starlette does not start what is mounted.
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        await app.startup()
        yield
        await app.shutdown()

    async def home(_: Any) -> PlainTextResponse:
        return PlainTextResponse("home")

    routes = [Route("/", home), Mount("/quart", app)]
    return Starlette(routes=routes, lifespan=lifespan)


async def test_requests_forms_and_sessions_work_below_the_mount() -> None:
    starlette = make_starlette(make_app(), [])
    transport = httpx.ASGITransport(app=starlette)
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        assert (await client.get("/")).text == "home"
        assert (await client.get("/quart/")).text == "/quart/echo 1"
        assert (await client.get("/quart/")).text == "/quart/echo 2"
        response = await client.post("/quart/echo", data={"a": "1"})
        assert response.json() == {"root": "/quart", "form": {"a": "1"}}
        assert (await client.get("/quart/none")).status_code == 404
        assert (await client.get("/quarter")).status_code == 404


async def test_websockets_and_serving_functions_work_below_the_mount() -> None:
    events: list[str] = []
    starlette = make_starlette(make_app(), events)
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "path": "/quart/ws",
        "query_string": b"",
        "headers": [(b"host", b"host")],
        "subprotocols": [],
    }
    waiting = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "hello"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async with starlette.router.lifespan_context(starlette):
        assert events == ["before"]
        await asyncio.wait_for(starlette(scope, receive, send), WAIT_SECONDS)
    assert events == ["before", "after"]
    assert [message["type"] for message in sent] == [
        "websocket.accept",
        "websocket.send",
        "websocket.close",
    ]
    assert sent[1]["text"] == "hello"
