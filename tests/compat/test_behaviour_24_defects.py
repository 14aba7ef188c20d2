"""Defects seen in other implementations, each with the right behaviour."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from quart import (
    Blueprint,
    Quart,
    Response,
    get_template_attribute,
    render_template_string,
    request,
    session,
    signals,
    websocket,
)


def _app() -> Quart:
    app = Quart("defects")
    app.logger.setLevel(logging.CRITICAL)
    app.secret_key = "k"
    return app


async def _text(response: Any) -> str:
    return await response.get_data(as_text=True)


async def test_sync_receivers_of_context_signals_do_no_harm() -> None:
    app, seen = _app(), []
    app.add_url_rule("/", "view", lambda: "fine")

    def receive(sender: Any, **kwargs: Any) -> None:
        seen.append(kwargs)

    with (
        signals.appcontext_pushed.connected_to(receive),
        signals.appcontext_popped.connected_to(receive),
    ):
        assert await _text(await app.test_client().get("/")) == "fine"
    assert seen == [{}, {}]


async def test_exceptions_reach_the_caller_as_they_are() -> None:
    app = _app()
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.get("/")
    async def view() -> str:
        raise KeyError("itself")

    with pytest.raises(KeyError, match="itself"):
        await app.test_client().get("/")


async def test_vary_cookie_only_where_the_session_was_used() -> None:
    app = _app()
    app.add_url_rule("/unused", "unused", lambda: "")
    app.add_url_rule("/read", "read", lambda: str(session.get("a")))
    client = app.test_client()
    assert "Vary" not in (await client.get("/unused")).headers
    assert (await client.get("/read")).headers["Vary"] == "Cookie"


async def test_url_value_preprocessor_does_not_harm_websockets() -> None:
    app, seen = _app(), []
    app.url_value_preprocessor(lambda endpoint, values: seen.append(endpoint))

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send("hello")

    async with app.test_client().websocket("/ws") as connection:
        assert await connection.receive() == "hello"
    assert seen == ["ws"]


async def test_teardown_websocket_of_a_blueprint_runs() -> None:
    app, blueprint, seen = _app(), Blueprint("bp", __name__), []

    @blueprint.websocket("/ws")
    async def ws() -> None:
        await websocket.send("hello")

    @blueprint.teardown_websocket
    async def teardown(exc: BaseException | None) -> None:
        seen.append(exc)

    app.register_blueprint(blueprint)
    async with app.test_client().websocket("/ws") as connection:
        await connection.receive()
    assert seen == [None]


async def test_empty_binary_messages_arrive() -> None:
    app = _app()

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(await websocket.receive() + b"!")

    async with app.test_client().websocket("/ws") as connection:
        await connection.send(b"")
        assert await connection.receive() == b"!"


async def test_bytearray_results_are_sent() -> None:
    app = _app()
    app.add_url_rule("/", "view", lambda: bytearray(b"bytes"))
    assert await _text(await app.test_client().get("/")) == "bytes"


async def test_template_attribute_is_found(tmp_path: Any) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "m.html").write_text(
        "{% macro hello(name) %}Hello {{ name }}{% endmacro %}"
    )
    app = Quart("defects", root_path=str(tmp_path))
    async with app.app_context():
        assert get_template_attribute("m.html", "hello")("you") == "Hello you"
        assert await render_template_string("{{ 1 }}") == "1"


async def test_allow_header_has_one_order() -> None:
    app = _app()
    app.add_url_rule("/", "view", lambda: "", methods=["PUT", "DELETE", "GET", "POST"])
    client = app.test_client()
    found = {(await client.patch("/")).headers["Allow"] for _ in range(5)}
    assert found == {"DELETE, GET, HEAD, OPTIONS, POST, PUT"}
    assert (await client.options("/")).headers["Allow"] in found


async def test_body_over_the_limit_is_not_read_to_its_end() -> None:
    app, taken = _app(), []
    app.config["MAX_CONTENT_LENGTH"] = 100_000

    @app.post("/")
    async def view() -> str:
        return str(len(await request.get_data()))

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        taken.append(10_000)
        return {"type": "http.request", "body": bytes(10_000), "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    await asyncio.wait_for(app(scope, receive, send), 10)
    assert sent[0]["status"] == 413
    assert sum(taken) <= 100_000 + 65_536


async def test_waiting_handler_does_not_make_the_server_read_everything() -> None:
    app, taken, go = _app(), [], asyncio.Event()

    @app.post("/")
    async def view() -> str:
        await go.wait()
        return str(len(await request.get_data()))

    left = [bytes(10_000)] * 100

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        body = left.pop()
        taken.append(len(body))
        return {"type": "http.request", "body": body, "more_body": bool(left)}

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    task = asyncio.create_task(app(scope, receive, send))
    for _ in range(200):
        await asyncio.sleep(0)
    assert sum(taken) <= 65_536 + 10_000
    go.set()
    await asyncio.wait_for(task, 10)
    assert sent[1]["body"] == b"1000000"


async def test_client_sends_cookies_only_to_their_paths() -> None:
    app = _app()

    @app.get("/set")
    async def set_it() -> Response:
        response = Response("")
        response.set_cookie("deep", "1", path="/deep")
        return response

    app.add_url_rule("/<path:p>", "show", lambda p: ",".join(request.cookies))
    client = app.test_client()
    await client.get("/set")
    assert await _text(await client.get("/deep/x")) == "deep"
    assert await _text(await client.get("/other")) == ""


async def test_client_ends_redirect_loops() -> None:
    app = _app()
    app.add_url_rule("/", "loop", lambda: ("", 302, {"Location": "/"}))
    with pytest.raises(Exception, match="redirect"):
        await app.test_client().get("/", follow_redirects=True)


async def test_client_drops_the_body_after_a_303() -> None:
    app = _app()
    app.add_url_rule(
        "/", "there", lambda: ("", 303, {"Location": "/seen"}), methods=["POST"]
    )

    @app.get("/seen")
    async def seen() -> str:
        return f"{request.method} {len(await request.get_data())}"

    response = await app.test_client().post("/", data="body", follow_redirects=True)
    assert await _text(response) == "GET 0"


async def test_data_of_error_pages_can_be_awaited_after_the_request() -> None:
    app, sizes = _app(), []

    @app.after_request
    async def after(response: Response) -> Response:
        sizes.append(len(await response.get_data()))
        return response

    assert (await app.test_client().get("/none")).status_code == 404
    assert sizes[0] > 0


async def test_default_options_response_needs_no_context_argument() -> None:
    app = _app()

    @app.before_request
    async def preflight() -> Any:
        return await app.make_default_options_response()

    app.add_url_rule("/", "view", lambda: "")
    response = await app.test_client().get("/")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
