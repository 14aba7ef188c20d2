"""Test client table: opening, arguments, defaults, contexts, propagation, pushes."""

from __future__ import annotations

import io
from typing import Any, Self

import pytest
from quart_core import (
    Quart,
    Response,
    abort,
    g,
    has_app_context,
    has_request_context,
    make_push_promise,
    request,
    session,
)
from quart_core.datastructures import FileStorage
from quart_testing import ClientResponse, QuartClient
from quart_testing.utils import sentinel
from werkzeug.datastructures import Authorization, Headers, MultiDict


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"

    @app.route("/", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
    async def index() -> dict[str, Any]:
        return {
            "method": request.method,
            "headers": dict(request.headers),
            "body": (await request.get_data()).decode(),
            "args": request.args.to_dict(flat=False),
            "form": (await request.form).to_dict(flat=False),
            "url": request.url,
            "root_path": request.root_path,
            "http_version": request.http_version,
            "remote_addr": request.remote_addr,
        }

    return app


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_each_method_has_a_coroutine(app: Quart, method: str) -> None:
    client = app.test_client()

    response = await getattr(client, method.lower())("/")

    assert (await response.get_json())["method"] == method


async def test_options_answers_with_the_allowed_methods(app: Quart) -> None:
    response = await app.test_client().options("/")

    assert "OPTIONS" in response.allow


async def test_open_takes_the_method_by_name(app: Quart) -> None:
    response = await app.test_client().open("/", method="PATCH")

    assert (await response.get_json())["method"] == "PATCH"


async def test_head_has_the_headers_of_get_and_no_body(app: Quart) -> None:
    @app.get("/text")
    async def text() -> str:
        return "four"

    response = await app.test_client().head("/text")

    assert response.headers["Content-Length"] == "4"
    assert await response.get_data() == b""


async def test_head_drops_a_body_that_the_application_sends_nevertheless() -> None:
    async def careless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"body"})

    app = Quart(__name__)
    app.asgi_app = careless  # type: ignore[method-assign]

    response = await app.test_client().head("/")

    assert await response.get_data() == b""


async def test_the_default_headers_are_user_agent_and_host(app: Quart) -> None:
    response = await app.test_client().get("/")

    found = await response.get_json()
    assert found["headers"] == {
        "Remote-Addr": "<local>",
        "User-Agent": "Quart",
        "Host": "localhost",
    }
    assert found["remote_addr"] == "<local>"


async def test_the_host_is_the_server_name(app: Quart) -> None:
    app.config["SERVER_NAME"] = "example.com:8000"

    response = await app.test_client().get("/")

    assert (await response.get_json())["url"] == "http://example.com:8000/"


async def test_headers_of_the_test_win(app: Quart) -> None:
    response = await app.test_client().get(
        "/", headers={"User-Agent": "mine", "host": "other.org"}
    )

    found = (await response.get_json())["headers"]
    assert (found["User-Agent"], found["Host"]) == ("mine", "other.org")


@pytest.mark.parametrize("data", ["text", b"text", bytearray(b"text")])
async def test_data_is_the_body_with_its_length(app: Quart, data: Any) -> None:
    response = await app.test_client().post("/", data=data)

    found = await response.get_json()
    assert found["body"] == "text"
    assert found["headers"]["Content-Length"] == "4"
    assert "Content-Type" not in found["headers"]


async def test_data_may_be_an_open_file(app: Quart) -> None:
    response = await app.test_client().post("/", data=io.BytesIO(b"file"))

    assert (await response.get_json())["body"] == "file"


async def test_data_of_another_type_is_refused(app: Quart) -> None:
    with pytest.raises(TypeError, match="data=1 cannot be a body"):
        await app.test_client().post("/", data=1)


async def test_form_is_urlencoded(app: Quart) -> None:
    response = await app.test_client().post("/", form={"a": "ü b", "n": 1})

    found = await response.get_json()
    assert found["form"] == {"a": ["ü b"], "n": ["1"]}
    assert found["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


async def test_json_is_encoded_by_the_provider(app: Quart) -> None:
    response = await app.test_client().post("/", json={"a": None})

    found = await response.get_json()
    assert found["body"].replace(" ", "") == '{"a":null}'
    assert found["headers"]["Content-Type"] == "application/json"


async def test_json_none_is_a_body_and_the_sentinel_none(app: Quart) -> None:
    client = app.test_client()

    none = await (await client.post("/", json=None)).get_json()
    nothing = await (await client.post("/", json=sentinel)).get_json()

    assert (none["body"], nothing["body"]) == ("null", "")


async def test_a_query_may_be_a_mapping_a_text_or_in_the_path(app: Quart) -> None:
    client = app.test_client()

    ways = [
        client.get("/?a=1&a=2"),
        client.get("/", query_string={"a": ["1", "2"], "left_out": None}),
        client.get("/", query_string={"a": ("1", "2")}),
        client.get("/", query_string=MultiDict([("a", "1"), ("a", "2")])),
        client.get("/", query_string="a=1&a=2"),
        client.get("/", query_string=b"a=1&a=2"),
    ]

    for way in ways:
        assert (await (await way).get_json())["args"] == {"a": ["1", "2"]}


async def test_scheme_root_path_version_and_scope_base_reach_the_scope() -> None:
    app = Quart(__name__)
    seen: dict[str, Any] = {}

    @app.get("/")
    async def index() -> str:
        seen.update(request.scope)
        return request.url

    response = await app.test_client().get(
        "/app/",
        scheme="https",
        root_path="/app",
        http_version="2",
        scope_base={"client": ("192.0.2.1", 1234), "tls": {}},
    )

    assert response.text == "https://localhost/app/"
    assert seen["asgi"] == {"version": "3.0", "spec_version": "2.4"}
    assert seen["http_version"] == "2"
    assert seen["client"] == ("192.0.2.1", 1234)
    assert seen["tls"] == {}


async def test_a_path_outside_of_the_root_path_is_not_found(app: Quart) -> None:
    response = await app.test_client().get("/elsewhere", root_path="/app")

    assert response.status_code == 404


@pytest.mark.parametrize(
    "auth",
    [
        ("name", "word"),
        Authorization("basic", {"username": "name", "password": "word"}),
    ],
)
async def test_auth_is_a_pair_or_an_authorization(app: Quart, auth: Any) -> None:
    response = await app.test_client().get("/", auth=auth)

    headers = (await response.get_json())["headers"]
    assert headers["Authorization"] == "Basic bmFtZTp3b3Jk"


async def test_a_subdomain_is_put_before_the_host(app: Quart) -> None:
    app.config["SERVER_NAME"] = "example.com"

    response = await app.test_client().get("/", subdomain="www")

    assert (await response.get_json())["url"] == "http://www.example.com/"


@pytest.mark.parametrize(
    "arguments",
    [
        {"json": {}, "form": {}},
        {"json": {}, "data": ""},
        {"form": {}, "data": ""},
        {"json": {}, "files": {}},
        {"files": {}, "data": ""},
    ],
)
async def test_bodies_that_contradict_are_refused(
    app: Quart, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="a request has one body"):
        await app.test_client().post("/", **arguments)


async def test_a_query_in_the_path_and_as_an_argument_is_refused(app: Quart) -> None:
    with pytest.raises(ValueError, match="use one of them"):
        await app.test_client().get("/?a=1", query_string={"b": "2"})


async def test_a_query_in_the_path_must_be_encoded(app: Quart) -> None:
    with pytest.raises(UnicodeEncodeError, match="percent-encode"):
        await app.test_client().get("/?a=ü")


async def test_files_are_sent_with_the_form() -> None:
    app = Quart(__name__)

    @app.post("/")
    async def index() -> dict[str, Any]:
        file = (await request.files)["file"]
        return {
            "name": file.filename,
            "type": file.content_type,
            "data": file.read().decode(),
            "form": (await request.form).to_dict(),
        }

    upload = FileStorage(io.BytesIO(b"abc"), "a.txt", content_type="text/csv")
    response = await app.test_client().post(
        "/", files={"file": upload}, form={"a": "b"}
    )

    assert await response.get_json() == {
        "name": "a.txt",
        "type": "text/csv",
        "data": "abc",
        "form": {"a": "b"},
    }


# Flask's forms


async def test_data_as_a_dict_is_a_form(app: Quart) -> None:
    response = await app.test_client().post("/", data={"a": ["1", "2"], "b": 3})

    assert (await response.get_json())["form"] == {"a": ["1", "2"], "b": ["3"]}


@pytest.mark.parametrize(
    "file",
    [
        (io.BytesIO(b"abc"), "a.txt"),
        (io.BytesIO(b"abc"), "a.txt", "text/plain"),
        FileStorage(io.BytesIO(b"abc"), "a.txt"),
    ],
)
async def test_data_with_a_file_is_multipart(file: Any) -> None:
    app = Quart(__name__)

    @app.post("/")
    async def index() -> str:
        upload = (await request.files)["file"]
        form = await request.form
        return f"{upload.filename} {upload.content_type} {form['a']}"

    response = await app.test_client().post("/", data={"file": file, "a": "b"})

    assert response.text == "a.txt text/plain b"


async def test_data_with_an_open_file_takes_its_name(tmp_path: Any) -> None:
    app = Quart(__name__)
    path = tmp_path / "picture.png"
    path.write_bytes(b"png")

    @app.post("/")
    async def index() -> str:
        upload = (await request.files)["file"]
        return f"{upload.filename} {upload.content_type} {upload.read()!r}"

    with path.open("rb") as file:
        response = await app.test_client().post("/", data={"file": file})

    assert response.text == "picture.png image/png b'png'"


async def test_a_form_is_multipart_where_the_content_type_says_so(app: Quart) -> None:
    response = await app.test_client().post(
        "/", data={"a": "b"}, content_type="multipart/form-data"
    )

    found = await response.get_json()
    assert found["form"] == {"a": ["b"]}
    assert found["headers"]["Content-Type"].startswith("multipart/form-data; boundary=")


async def test_a_content_type_of_the_test_wins(app: Quart) -> None:
    response = await app.test_client().post(
        "/", data="{}", content_type="application/x+json"
    )

    headers = (await response.get_json())["headers"]
    assert headers["Content-Type"] == "application/x+json"


async def test_buffered_is_accepted(app: Quart) -> None:
    response = await app.test_client().get("/", buffered=True)

    assert response.status_code == 200


async def test_base_url_gives_scheme_host_and_root_path(app: Quart) -> None:
    response = await app.test_client().get("/", base_url="https://example.com/app")

    found = await response.get_json()
    assert found["url"] == "https://example.com/app/"
    assert found["root_path"] == "/app"


async def test_a_whole_url_gives_scheme_and_host(app: Quart) -> None:
    response = await app.test_client().get("https://example.com/?a=1")

    assert (await response.get_json())["url"] == "https://example.com/?a=1"


async def test_the_application_root_is_put_before_the_path(app: Quart) -> None:
    app.config["APPLICATION_ROOT"] = "/root"

    response = await app.test_client().get("/")

    found = await response.get_json()
    assert (found["url"], found["root_path"]) == ("http://localhost/root/", "/root")


async def test_the_response_knows_its_request(app: Quart) -> None:
    response = await app.test_client().post("/", data="body")

    assert response.request.path == "/"
    assert await response.request.get_data() == b"body"


async def test_the_names_of_flask_are_accepted(app: Quart) -> None:
    class Mine(Response):
        is_mine = True

    client = QuartClient(application=app, response_wrapper=Mine)

    response = await client.get("/")

    assert client.application is app
    assert isinstance(response, Mine)
    assert isinstance(response, ClientResponse)


def test_a_client_needs_an_application() -> None:
    with pytest.raises(TypeError, match="needs the application"):
        QuartClient()


async def test_the_response_is_of_the_class_of_the_application(app: Quart) -> None:
    class Mine(Response):
        def shout(self) -> str:
            return "!"

    app.response_class = Mine

    response = await app.test_client().get("/")

    assert isinstance(response, Mine)
    assert response.shout() == "!"


async def test_headers_are_those_that_were_sent(app: Quart) -> None:
    @app.get("/stream")
    async def stream() -> Any:
        async def parts() -> Any:
            yield b"a"
            yield b"b"

        return parts()

    response = await app.test_client().get("/stream")

    assert await response.get_data() == b"ab"
    assert "Content-Length" not in response.headers


# Errors table: propagation


def _failing(**config: Any) -> Quart:
    app = Quart(__name__)
    app.config.update(config)

    @app.get("/")
    async def index() -> str:
        raise KeyError("from the view")

    @app.get("/abort")
    async def stop() -> str:
        abort(418)

    return app


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"TESTING": True, "PROPAGATE_EXCEPTIONS": False},
        {"DEBUG": True, "PROPAGATE_EXCEPTIONS": False},
    ],
)
async def test_an_exception_is_a_500_where_it_does_not_propagate(
    config: dict[str, Any],
) -> None:
    response = await _failing(**config).test_client().get("/")

    assert response.status_code == 500


@pytest.mark.parametrize(
    "config", [{"TESTING": True}, {"DEBUG": True}, {"PROPAGATE_EXCEPTIONS": True}]
)
async def test_an_exception_reaches_the_test_where_it_propagates(
    config: dict[str, Any],
) -> None:
    app = _failing(**config)

    with pytest.raises(KeyError, match="from the view"):
        await app.test_client().get("/")


async def test_an_http_exception_is_a_response_nevertheless() -> None:
    response = await _failing(TESTING=True).test_client().get("/abort")

    assert response.status_code == 418


async def test_an_exception_in_a_stream_reaches_the_test(app: Quart) -> None:
    @app.get("/stream")
    async def stream() -> Any:
        async def parts() -> Any:
            yield b"a"
            raise KeyError("in the stream")

        return parts()

    with pytest.raises(KeyError, match="in the stream"):
        await app.test_client().get("/stream")


# Contexts


async def test_entered_the_client_keeps_the_context_of_the_last_request(
    app: Quart,
) -> None:
    torn_down: list[str] = []

    @app.before_request
    async def note() -> None:
        g.noted = request.args["a"]
        session["a"] = request.args["a"]

    @app.teardown_request
    async def tear_down(_error: BaseException | None) -> None:
        torn_down.append(request.args["a"])

    async with app.test_client() as client:
        await client.get("/?a=1")
        assert (g.noted, session["a"], request.path) == ("1", "1", "/")
        assert torn_down == []
        await client.get("/?a=2")
        assert (g.noted, torn_down) == ("2", ["1"])

    assert torn_down == ["1", "2"]
    assert not has_request_context()
    assert not has_app_context()


async def test_without_entering_no_context_is_kept(app: Quart) -> None:
    await app.test_client().get("/")

    assert not has_request_context()


async def test_a_client_is_not_entered_twice(app: Quart) -> None:
    async with app.test_client() as client:
        with pytest.raises(RuntimeError, match="Cannot nest"):
            async with client:
                pytest.fail("entered twice")


async def test_two_clients_in_turn_keep_the_last_context_only(app: Quart) -> None:
    async with app.test_client() as one, app.test_client() as other:
        await one.get("/?a=1")
        await other.get("/?a=2")
        assert request.args["a"] == "2"

    assert not has_request_context()


async def test_the_context_of_a_request_in_steps_is_kept(app: Quart) -> None:
    async with app.test_client() as client:
        async with client.request("/?a=1") as connection:
            await connection.send_complete()
            await connection.as_response()
        assert request.args["a"] == "1"

    assert not has_request_context()


async def test_the_context_of_a_failed_request_is_kept(app: Quart) -> None:
    app.testing = True

    @app.get("/fail")
    async def fail() -> str:
        raise KeyError

    async with app.test_client() as client:
        with pytest.raises(KeyError):
            await client.get("/fail")
        assert request.path == "/fail"

    assert not has_request_context()


@pytest.fixture
async def entered(app: Quart) -> Any:
    async with app.test_client() as client:
        yield client


async def test_a_fixture_may_enter_the_client(entered: QuartClient) -> None:
    await entered.get("/?a=1")

    assert request.args["a"] == "1"


# Sessions


async def test_a_session_transaction_changes_the_session(app: Quart) -> None:
    @app.get("/session")
    async def read() -> str:
        return f"{session.get('a')}"

    client = app.test_client()
    async with client.session_transaction() as changed:
        changed["a"] = "1"
    async with client.session_transaction() as read_back:
        assert dict(read_back) == {"a": "1"}

    response = await client.get("/session")
    assert await response.get_data() == b"1"


async def test_a_session_transaction_that_fails_saves_nothing(app: Quart) -> None:
    client = app.test_client()

    with pytest.raises(KeyError):
        async with client.session_transaction() as changed:
            changed["a"] = "1"
            raise KeyError

    assert client.get_cookie("session") is None


async def test_a_session_transaction_leaves_the_kept_context(app: Quart) -> None:
    async with app.test_client() as client:
        await client.get("/?a=1")
        async with client.session_transaction() as changed:
            changed["b"] = "2"
            assert request.args["a"] == "1"
        assert request.args["a"] == "1"


async def test_a_session_transaction_needs_cookies(app: Quart) -> None:
    client = app.test_client(use_cookies=False)

    with pytest.raises(RuntimeError, match="Cookies are disabled"):
        async with client.session_transaction():
            pytest.fail("there are no cookies")


async def test_a_session_transaction_needs_a_secret_key(app: Quart) -> None:
    app.secret_key = None

    with pytest.raises(RuntimeError, match="secret key"):
        async with app.test_client().session_transaction():
            pytest.fail("there is no key")


async def test_a_session_transaction_knows_the_application_root(app: Quart) -> None:
    app.config["APPLICATION_ROOT"] = "/root"
    client = app.test_client()

    async with client.session_transaction() as changed:
        changed["a"] = "1"
    async with client.session_transaction() as read_back:
        assert read_back["a"] == "1"


# Push promises


@pytest.mark.parametrize(("version", "count"), [("1.1", 0), ("2", 1), ("3", 1)])
async def test_push_promises_are_kept_where_they_can_be_sent(
    app: Quart, version: str, count: int
) -> None:
    @app.get("/push")
    async def push() -> str:
        await make_push_promise("/style.css")
        return "pushed"

    client = app.test_client()
    await client.get("/push", http_version=version, headers={"Accept": "text/css"})

    assert len(client.push_promises) == count
    for path, headers in client.push_promises:
        assert path == "/style.css"
        assert isinstance(headers, Headers)
        assert headers["Accept"] == "text/css"

    await client.get("/", http_version=version)
    assert client.push_promises == []


# Replaceable


async def test_extensions_override_how_a_request_is_made(app: Quart) -> None:
    seen: list[tuple[Any, ...]] = []

    class Client(QuartClient):
        async def _make_request(  # type: ignore[override]
            self,
            path: str,
            method: str,
            headers: Any,
            data: Any,
            form: Any,
            files: Any,
            query_string: Any,
            json: Any,
            scheme: str,
            root_path: str,
            http_version: str,
            scope_base: Any,
            auth: Any,
            subdomain: Any,
        ) -> Any:
            seen.append((path, method, json is sentinel))
            return await super()._make_request(
                path,
                method,
                headers,
                data,
                form,
                files,
                query_string,
                {"replaced": True},
                scheme,
                root_path,
                http_version,
                scope_base,
                auth,
                subdomain,
            )

    app.test_client_class = Client

    response = await app.test_client().post("/", timeout=5, chunk_size=4)

    assert seen == [("/", "POST", True)]
    assert "replaced" in (await response.get_json())["body"]


async def test_a_connection_class_with_the_public_methods_only_will_do(
    app: Quart,
) -> None:
    calls: list[str] = []

    class Connection:
        push_promises: list[Any] = []

        def __init__(self, app: Any, scope: Any, _preserve_context: bool) -> None:
            pass

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            pass

        async def send(self, data: bytes) -> None:
            calls.append(f"send {data!r}")

        async def send_complete(self) -> None:
            calls.append("complete")

        async def as_response(self) -> Response:
            return Response("canned", headers={"Set-Cookie": "kept=yes"})

    client = app.test_client()
    client.http_connection_class = Connection

    response = await client.post("/", data="x")

    assert await response.get_data() == b"canned"
    assert client.cookie_jar is not None
    assert [cookie.name for cookie in client.cookie_jar] == ["kept"]
    assert calls == ["send b'x'", "complete"]


async def test_the_context_of_the_application_has_its_request_context_kept_apart(
    app: Quart,
) -> None:
    async with app.test_request_context("/?a=1", method="POST", json={"b": 2}):
        assert request.args["a"] == "1"
        assert await request.get_json() == {"b": 2}

    assert not has_request_context()


async def test_path_base_url_and_url_scheme_are_as_in_flask(app: Quart) -> None:
    client = app.test_client()
    response = await client.get("/", "https://example.com/app", url_scheme="ftp")
    assert response.request.url == "https://example.com/app/"
    assert (await client.get(url_scheme="https")).request.url == "https://localhost/"
    context = app.test_request_context("/a", "https://example.com/app")
    assert context.request.url == "https://example.com/app/a"
    assert context.request.root_path == "/app"
    assert app.test_request_context(url_scheme="ws").request.url == "ws://localhost/"
