"""The test client, in Quart's forms and in Flask's."""

from __future__ import annotations

import asyncio
import inspect
import logging
from http.cookiejar import CookieJar
from io import BytesIO
from typing import Any

import pytest
from quart import (
    Quart,
    Response,
    g,
    make_push_promise,
    redirect,
    request,
    session,
    stream_with_context,
    websocket,
)
from quart.datastructures import FileStorage
from quart.testing import (
    QuartClient,
    QuartCliRunner,
    TestApp,
    WebsocketResponseError,
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
)
from quart.testing.connections import (
    TestHTTPConnection,
    TestWebsocketConnection,
    WebsocketDisconnectError,
)
from werkzeug.datastructures import Authorization


@pytest.fixture
def app() -> Quart:
    app = Quart("client")
    app.secret_key = "of the test"
    app.logger.setLevel(logging.CRITICAL)

    @app.route(
        "/",
        methods=["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"],
    )
    async def index() -> dict[str, Any]:
        authorization = request.authorization
        return {
            "method": request.method,
            "args": request.args.to_dict(flat=False),
            "form": (await request.form).to_dict(flat=False),
            "files": {
                name: [file.filename, file.read().decode()]
                for name, file in (await request.files).items()
            },
            "data": (await request.get_data(as_text=True)),
            "json": await request.get_json(silent=True),
            "url": request.url,
            "version": request.http_version,
            "agent": request.headers["User-Agent"],
            "address": request.remote_addr,
            "auth": authorization and authorization.username,
            "cookies": dict(request.cookies),
        }

    return app


async def _json(client: QuartClient, **kwargs: Any) -> Any:
    return await (await client.open("/", **kwargs)).get_json()


async def test_client_runs_no_lifespan_and_test_app_does(app: Quart) -> None:
    steps = []

    @app.before_serving
    async def before() -> None:
        steps.append("before")

    @app.after_serving
    async def after() -> None:
        steps.append("after")

    assert (await app.test_client().get("/")).status_code == 200
    assert steps == []
    async with app.test_app() as test_app:
        assert (await test_app.test_client().get("/")).status_code == 200
        assert steps == ["before"]
    assert steps == ["before", "after"]
    parameters = inspect.signature(TestApp).parameters
    assert parameters["startup_timeout"].default == 6
    assert parameters["shutdown_timeout"].default == 6


@pytest.mark.parametrize(
    "method", ["get", "post", "put", "patch", "delete", "trace", "options", "head"]
)
async def test_each_method_is_a_coroutine(app: Quart, method: str) -> None:
    response = await getattr(app.test_client(), method)("/")
    assert response.status_code == 200
    body = await response.get_data()
    if method in {"options", "head"}:
        assert body == b""
    else:
        assert (await response.get_json())["method"] == method.upper()


async def test_bodies(app: Quart) -> None:
    client = app.test_client()
    assert (await _json(client, method="POST", data="text"))["data"] == "text"
    assert (await _json(client, method="POST", data=b"bytes"))["data"] == "bytes"
    assert (await _json(client, method="POST", json={"a": [1]}))["json"] == {"a": [1]}
    form = (await _json(client, method="POST", form={"a": "é", "b": 2}))["form"]
    assert form == {"a": ["é"], "b": ["2"]}
    file = FileStorage(BytesIO(b"content"), filename="name.txt")
    sent = await _json(client, method="POST", files={"file": file}, form={"a": "b"})
    assert sent["files"] == {"file": ["name.txt", "content"]}
    assert sent["form"] == {"a": ["b"]}


async def test_where_and_how_it_is_sent(app: Quart) -> None:
    client = app.test_client()
    sent = await _json(
        client, query_string={"a": 1}, scheme="https", http_version="2", subdomain="s"
    )
    assert sent["args"] == {"a": ["1"]}
    assert sent["url"] == "https://s.localhost/?a=1"
    assert sent["version"] == "2"
    assert (await _json(client, auth=("name", "password")))["auth"] == "name"
    basic = Authorization("basic", {"username": "other", "password": "x"})
    assert (await _json(client, auth=basic))["auth"] == "other"
    base = {"client": ("10.0.0.1", 5)}
    assert (await _json(client, scope_base=base))["address"] == "10.0.0.1"
    mounted = await client.get("/root/", root_path="/root")
    assert (await mounted.get_json())["url"] == "http://localhost/root/"


async def test_what_is_refused(app: Quart) -> None:
    client = app.test_client()
    with pytest.raises(ValueError, match="data"):
        await client.post("/", json={}, data="x")
    with pytest.raises(ValueError, match="form"):
        await client.post("/", form={}, json={})
    file = FileStorage(BytesIO(), filename="f")
    with pytest.raises(ValueError, match="files"):
        await client.post("/", files={"f": file}, json={})
    with pytest.raises(ValueError, match="query"):
        await client.get("/?a=1", query_string={"b": "2"})
    with pytest.raises(UnicodeEncodeError):
        await client.get("/?a=é")


async def test_defaults(app: Quart) -> None:
    sent = await _json(app.test_client())
    assert (sent["agent"], sent["address"]) == ("Quart", "<local>")
    assert sent["url"] == "http://localhost/"
    app.config["SERVER_NAME"] = "example.com:8000"
    assert (await _json(app.test_client()))["url"] == "http://example.com:8000/"


async def test_redirects_are_followed_without_the_body_and_not_for_ever(
    app: Quart,
) -> None:
    # Quart keeps the body and has no limit; see docs/migrating.md.
    @app.post("/see-other")
    async def see_other() -> Any:
        return redirect("/", 303)

    @app.get("/circle")
    async def circle() -> Any:
        return redirect("/circle")

    client = app.test_client()
    assert (await client.post("/see-other", data="x")).status_code == 303
    response = await client.post("/see-other", data="x", follow_redirects=True)
    sent = await response.get_json()
    assert (sent["method"], sent["data"]) == ("GET", "")
    with pytest.raises(RuntimeError, match="circles"):
        await client.get("/circle", follow_redirects=True)


async def test_cookies_of_quart(app: Quart) -> None:
    client = app.test_client()
    assert isinstance(client.cookie_jar, CookieJar)
    client.set_cookie("localhost", "a", "1")
    assert (await _json(client))["cookies"] == {"a": "1"}
    client.delete_cookie("localhost", "a")
    assert (await _json(client))["cookies"] == {}
    assert app.test_client(use_cookies=False).cookie_jar is None


async def test_cookies_of_flask(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie("a", "1")
    client.set_cookie("b", "2", path="/below")
    assert (await _json(client))["cookies"] == {"a": "1"}
    found = client.get_cookie("b", path="/below")
    assert found is not None
    assert (found.key, found.value, found.path) == ("b", "2", "/below")
    assert client.get_cookie("b") is None
    client.delete_cookie("a")
    assert client.get_cookie("a") is None


async def test_forms_of_flask(app: Quart) -> None:
    client = app.test_client()
    response = await client.post("/", data={"a": "1", "f": (BytesIO(b"x"), "f.txt")})
    sent = await response.get_json()
    assert sent["form"] == {"a": ["1"]}
    assert sent["files"] == {"f": ["f.txt", "x"]}
    assert (await client.get("/", buffered=True)).status_code == 200
    assert client.application is app
    assert client.allow_subdomain_redirects is None


async def test_session_transaction(app: Quart) -> None:
    @app.get("/session")
    async def read() -> str:
        return str(session.get("a"))

    client = app.test_client()
    async with client.session_transaction() as opened:
        opened["a"] = 1
    assert await (await client.get("/session")).get_data() == b"1"
    with pytest.raises(RuntimeError, match="cookies"):
        async with app.test_client(use_cookies=False).session_transaction():
            pass
    app.secret_key = None
    with pytest.raises(RuntimeError, match="secret key"):
        async with app.test_client().session_transaction():
            pass


async def test_entered_the_client_keeps_the_last_context(app: Quart) -> None:
    @app.get("/keep")
    async def keep() -> str:
        g.a = session["a"] = 1
        return ""

    async with app.test_client() as client:
        await client.get("/keep?b=2")
        assert (g.a, session["a"], request.args["b"]) == (1, 1, "2")
        with pytest.raises(RuntimeError, match="nest"):
            async with client:
                pass
    with pytest.raises(RuntimeError):
        _ = request.path


async def test_request_in_steps(app: Quart) -> None:
    @app.post("/steps")
    async def steps() -> Any:
        @stream_with_context
        async def generate() -> Any:
            async for chunk in request.body:
                yield chunk.upper()

        return Response(generate(), 201, {"X-A": "1"})

    async with app.test_client().request("/steps", method="POST") as connection:
        await connection.send(b"one")
        assert await connection.receive() == b"ONE"
        assert connection.status_code == 201
        assert connection.headers is not None
        assert connection.headers["X-A"] == "1"
        await connection.send(b"two")
        await connection.send_complete()
        response = await connection.as_response()
    assert await response.get_data() == b"TWO"


@pytest.mark.parametrize("by", ["disconnect", "exception"])
async def test_leaving_a_request_disconnects(app: Quart, by: str) -> None:
    begun, ended = asyncio.Event(), []

    @app.get("/wait")
    async def wait() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(by)
        return ""

    async def leave() -> None:
        async with app.test_client().request("/wait") as connection:
            await connection.send_complete()
            await asyncio.wait_for(begun.wait(), 10)
            if by == "exception":
                raise KeyError
            await connection.disconnect()

    if by == "exception":
        with pytest.raises(KeyError):
            await leave()
    else:
        await leave()
    assert ended == [by]


async def test_websocket(app: Quart) -> None:
    @app.websocket("/ws")
    async def echo() -> None:
        await websocket.send(await websocket.receive())
        await websocket.send_json(await websocket.receive_json())
        await websocket.close(4001, "enough")

    @app.websocket("/no")
    async def no() -> tuple[str, int]:
        return "no", 418

    client = app.test_client()
    async with client.websocket("/ws") as connection:
        await connection.send("text")
        assert await connection.receive() == "text"
        assert connection.accepted
        await connection.send_json({"a": 1})
        assert await connection.receive_json() == {"a": 1}
        with pytest.raises(WebsocketDisconnectError) as closed:
            await connection.receive()
    assert closed.value.args[0] == 4001
    with pytest.raises(WebsocketResponseError) as at_exit:
        async with client.websocket("/no"):
            pass
    assert at_exit.value.response.status_code == 418
    async with client.websocket("/no") as connection:
        with pytest.raises(WebsocketResponseError):
            await connection.receive()


async def test_push_promises_where_the_version_has_them(app: Quart) -> None:
    @app.get("/push")
    async def push() -> str:
        await make_push_promise("/pushed")
        return ""

    client = app.test_client()
    await client.get("/push", http_version="2")
    assert [path for path, _ in client.push_promises] == ["/pushed"]
    await client.get("/push", http_version="1.1")
    assert client.push_promises == []


async def test_helpers(app: Quart) -> None:
    body, headers = make_test_body_with_headers(form={"a": "b"})
    assert body == b"a=b"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    headers, path, query = make_test_headers_path_and_query_string(app, "/a?b=c")
    assert (path, query) == ("/a", b"b=c")
    scope = make_test_scope("http", path, "GET", headers, query, "http", "", "2", {})
    assert "http.response.push" in scope["extensions"]
    scope = make_test_scope(
        "websocket", path, "GET", headers, query, "ws", "", "1.1", {}
    )
    assert "websocket.http.response" in scope["extensions"]
    assert await no_op_push("/", headers) is None  # type: ignore[func-returns-value]
    assert sentinel is not None


async def test_classes_can_be_replaced() -> None:
    class Client(QuartClient):
        class http_connection_class(TestHTTPConnection):
            pass

        class websocket_connection_class(TestWebsocketConnection):
            pass

    class App(TestApp):
        pass

    class Runner(QuartCliRunner):
        pass

    class Own(Quart):
        test_client_class = Client
        test_app_class = App
        test_cli_runner_class = Runner

    app = Own("own")
    client = app.test_client()
    assert type(client) is Client
    assert type(client.request("/")) is Client.http_connection_class
    assert type(client.websocket("/")) is Client.websocket_connection_class
    assert type(app.test_app()) is App
    assert type(app.test_cli_runner()) is Runner
