"""The client for tests that are plain functions."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

import pytest
from quart_core import (
    Quart,
    Response,
    g,
    has_request_context,
    request,
    session,
    websocket,
)
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


# Waits


@pytest.fixture
def silent(app: Quart) -> Quart:
    async def never() -> str:
        await asyncio.Event().wait()  # the line that waits
        return ""

    async def accepts() -> None:
        await websocket.accept()
        await never()

    async def stays() -> None:
        await websocket.accept()
        try:
            await asyncio.Event().wait()
        finally:
            await never()

    app.add_url_rule("/never", "never", never, methods=["GET", "POST"])
    app.add_websocket("/never", "undecided", never)
    app.add_websocket("/accepts", "accepts", accepts)
    app.add_websocket("/stays", "stays", stays)
    return app


def _answer(client: SyncClient) -> None:
    client.get("/never")


def _read(client: SyncClient) -> None:
    with client.request("/never", method="POST") as connection:
        for _ in range(40):
            connection.send(b"x" * 60_000)


def _end_of_stream(client: SyncClient) -> None:
    with client.request("/never") as connection:
        next(connection.events())


def _accept(client: SyncClient) -> None:
    with client.websocket("/never") as connection:
        connection.receive()


def _send(client: SyncClient) -> None:
    with client.websocket("/accepts") as connection:
        connection.receive()


def _read_websocket(client: SyncClient) -> None:
    with client.websocket("/accepts", send_window=1) as connection:
        for _ in range(40):
            connection.send("one")


def _close(client: SyncClient) -> None:
    with client.websocket("/stays"):
        pass


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        (_answer, "did not respond to GET /never"),
        (_read, "did not read the body of POST /never"),
        (_end_of_stream, "did not respond to GET /never"),
        (_accept, "neither accepted nor rejected the websocket /never"),
        (_send, "sent nothing on the websocket /accepts"),
        (_read_websocket, "did not read the websocket /accepts"),
        (_close, "websocket /stays is closed, and its handler did not end"),
    ],
)
def test_each_wait_ends_and_says_for_what(
    silent: Quart, use: Callable[[SyncClient], None], problem: str
) -> None:
    begin = time.monotonic()
    with pytest.raises(StillWaitingError) as caught:
        use(SyncClient(silent, timeout=0.05))

    assert problem in str(caught.value)
    assert "within 0.05 seconds" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)
    assert "# the line that waits" in str(caught.value)
    assert time.monotonic() - begin < 10


def test_a_lifespan_that_never_ends_is_an_error(app: Quart) -> None:
    @app.before_serving
    async def never() -> None:
        await asyncio.Event().wait()  # the line that waits

    client = SyncClient(app, lifespan=True)
    client._test_app.startup_timeout = 0.05
    with pytest.raises(StillWaitingError, match="# the line that waits"):
        client.__enter__()
    client.close()


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
