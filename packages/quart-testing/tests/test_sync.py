"""The client for tests that are plain functions."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from quart_core import Quart, Response, g, has_request_context, request, session
from quart_testing import (
    HTTPDisconnectError,
    QuartClient,
    ServerSentEvent,
    StillWaitingError,
    SyncClient,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"

    @app.route("/", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
    async def index() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"method": request.method, "body": (await request.get_data()).decode()}

    return app


@pytest.mark.parametrize(
    "method", ["get", "post", "put", "patch", "delete", "trace", "head", "options"]
)
def test_each_method_is_a_plain_one(app: Quart, method: str) -> None:
    response = getattr(SyncClient(app), method)("/")

    assert response.status_code == 200
    assert response.request.method == method.upper()


def test_data_text_and_json_are_attributes(app: Quart) -> None:
    response = SyncClient(app).post("/", data="x")

    assert response.json == {"method": "POST", "body": "x"}
    assert response.get_json() == response.json
    assert response.data == response.text.encode()
    assert response.get_data(as_text=True) == response.text
    assert response.headers["Content-Type"] == "application/json"
    assert "200" in repr(response)


def test_exceptions_propagate(app: Quart) -> None:
    app.testing = True

    @app.get("/fail")
    async def fail() -> str:
        raise KeyError("of the view")

    with pytest.raises(KeyError, match="of the view"):
        SyncClient(app).get("/fail")


def test_waits_are_bounded(app: Quart) -> None:
    @app.get("/never")
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    with pytest.raises(StillWaitingError):
        SyncClient(app, timeout=0.05).get("/never")


def test_entered_it_keeps_the_context_of_the_last_request(app: Quart) -> None:
    torn_down: list[str] = []

    @app.before_request
    async def note() -> None:
        g.noted = request.args["a"]

    @app.teardown_request
    async def tear_down(_error: BaseException | None) -> None:
        torn_down.append(request.args["a"])

    with SyncClient(app) as client:
        assert client.get("/?a=1").json["method"] == "GET"
        assert (g.noted, request.args["a"], torn_down) == ("1", "1", [])
        client.get("/?a=2")
        assert (g.noted, torn_down) == ("2", ["1"])

    assert torn_down == ["1", "2"]
    assert not has_request_context()


def test_sessions_and_cookies_are_those_of_the_client(app: Quart) -> None:
    @app.get("/session")
    async def read() -> str:
        return str(session.get("a"))

    client = SyncClient(app)
    with client.session_transaction() as changed:
        changed["a"] = "1"

    assert client.get("/session").text == "1"
    assert client.get_cookie("session") is not None
    client.delete_cookie("session")
    client.set_cookie("other", "2")
    assert client.cookie_jar is not None
    assert [cookie.name for cookie in client.cookie_jar] == ["other"]
    assert client.get("/session").text == "None"


def test_a_session_transaction_that_fails_saves_nothing(app: Quart) -> None:
    client = SyncClient(app)

    with pytest.raises(KeyError), client.session_transaction() as changed:
        changed["a"] = "1"
        raise KeyError

    assert client.get_cookie("session") is None


def test_redirects_are_followed_with_their_history(app: Quart) -> None:
    @app.get("/from")
    async def begin() -> Any:
        return Response("moved", 302, {"Location": "/"})

    response = SyncClient(app).get("/from", follow_redirects=True)

    assert [each.data for each in response.history] == [b"moved"]


def test_a_request_goes_in_steps(app: Quart) -> None:
    with SyncClient(app).request("/", method="POST") as connection:
        connection.send(b"x")
        connection.send_complete()
        response = connection.as_response()

    assert response.json["body"] == "x"
    assert connection.status_code == 200


def test_a_request_is_left(app: Quart) -> None:
    @app.get("/never")
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    with SyncClient(app).request("/never") as connection:
        connection.send_complete()
        connection.disconnect()
        with pytest.raises(HTTPDisconnectError):
            connection.receive()


def test_events_are_received(app: Quart) -> None:
    @app.get("/events")
    async def events() -> Response:
        async def parts() -> Any:
            yield "data: 1\n\n"
            yield "data: 2\n\n"
            await asyncio.Event().wait()

        return Response(parts(), mimetype="text/event-stream")

    with SyncClient(app).request("/events") as connection:
        connection.send_complete()
        for event in connection.events():
            if event == ServerSentEvent("2"):
                break

    assert connection.status_code == 200


def test_a_websocket_is_used(app: Quart) -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({**message, "type": "websocket.send"})

    app.asgi_app = echo  # type: ignore[method-assign]

    with SyncClient(app).websocket("/ws") as connection:
        connection.send_json([1])
        assert connection.receive_json() == [1]
        assert connection.accepted


def test_with_lifespan_the_application_is_started_and_stopped(app: Quart) -> None:
    steps: list[str] = []
    app.before_serving(lambda: steps.append("before"))
    app.after_serving(lambda: steps.append("after"))

    with SyncClient(app, lifespan=True) as client:
        client.get("/")
        assert steps == ["before"]

    assert steps == ["before", "after"]


def test_a_client_gives_its_plain_form(app: Quart) -> None:
    client: QuartClient = app.test_client()
    client.set_cookie("a", "1")

    plain = client.sync()

    assert plain.client is client
    assert plain.get("/").status_code == 200
    assert plain.push_promises == []


def test_a_client_has_its_settings_already(app: Quart) -> None:
    with pytest.raises(TypeError, match="pass these where the client is made"):
        SyncClient(app.test_client(), timeout=1)


async def test_in_a_coroutine_it_says_what_to_use(app: Quart) -> None:
    with pytest.raises(RuntimeError, match=r"await app.test_client\(\)"):
        SyncClient(app).get("/")


def test_a_client_that_is_not_closed_closes_its_loop(app: Quart) -> None:
    client = SyncClient(app)
    client.get("/")
    loop = client._runner.get_loop()

    del client
    gc.collect()

    assert loop.is_closed()


def test_closed_twice_is_closed(app: Quart) -> None:
    client = SyncClient(app)
    client.get("/")

    client.close()
    client.close()

    assert client._runner.get_loop is not None
