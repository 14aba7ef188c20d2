"""Test client table: the helper functions."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core import Quart, request
from quart_core.datastructures import FileStorage
from quart_testing import (
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
)
from quart_testing.utils import make_client_scope, make_test_request
from werkzeug.datastructures import Headers


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", ("/", b"")),
        ("/a?b=c", ("/a", b"b=c")),
        ("/a?", ("/a", b"")),
        ("/a?b=c?d", ("/a", b"b=c?d")),
        ("/ü/%20x", ("/ü/ x", b"")),
        ("http://example.com/p?x=1", ("/p", b"x=1")),
        ("http://example.com", ("/", b"")),
    ],
)
def test_path_and_query_are_told_apart(
    app: Quart, path: str, expected: tuple[str, bytes]
) -> None:
    _, *found = make_test_headers_path_and_query_string(app, path)

    assert tuple(found) == expected


def test_headers_are_completed_and_not_replaced(app: Quart) -> None:
    given_headers = Headers({"Host": "mine"})

    headers, _, _ = make_test_headers_path_and_query_string(app, "/", given_headers)

    assert list(headers) == [("Host", "mine"), ("User-Agent", "Quart")]
    assert list(given_headers) == [("Host", "mine")]


def test_a_query_is_encoded(app: Quart) -> None:
    query = {"x": ["1", "2"], "y": "ü", "z": None}

    _, _, found = make_test_headers_path_and_query_string(app, "/", None, query)

    assert found == b"x=1&x=2&y=%C3%BC"


def test_a_subdomain_is_before_the_host(app: Quart) -> None:
    headers, _, _ = make_test_headers_path_and_query_string(app, "/", subdomain="www")

    assert headers["host"] == "www.localhost"


def test_bodies_have_their_headers() -> None:
    assert make_test_body_with_headers() == (b"", Headers())
    assert make_test_body_with_headers(data="x") == (b"x", Headers())
    assert make_test_body_with_headers(form={"a": "b"}) == (
        b"a=b",
        Headers({"Content-Type": "application/x-www-form-urlencoded"}),
    )
    body, headers = make_test_body_with_headers(json=None)
    assert (body, headers["Content-Type"]) == (b"null", "application/json")


def test_json_is_made_by_the_provider_of_the_application(app: Quart) -> None:
    app.json.sort_keys = True  # type: ignore[attr-defined]

    body, _ = make_test_body_with_headers(json={"b": 1, "a": 2}, app=app)

    assert body.index(b"a") < body.index(b"b")


def test_files_are_multipart_with_a_known_boundary() -> None:
    upload = FileStorage(io.BytesIO(b"abc"), "n.txt")

    body, headers = make_test_body_with_headers(files={"f": upload}, form={"a": "b"})

    assert headers["Content-Type"] == "multipart/form-data; boundary=----QuartBoundary"
    assert body.count(b"------QuartBoundary") == 3
    assert b'name="f"; filename="n.txt"' in body
    assert body.rstrip().endswith(b"------QuartBoundary--")


def test_a_scope_is_that_of_quart() -> None:
    scope = make_test_scope(
        "http",
        "/root/ü",
        "GET",
        Headers({"X-A": "1"}),
        b"q=1",
        "http",
        "/root",
        "1.1",
        {"extra": 1},
    )

    assert scope == {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"spec_version": "2.1"},
        "method": "GET",
        "scheme": "http",
        "path": "/root/ü",
        "raw_path": b"/root/%C3%BC",
        "query_string": b"q=1",
        "root_path": "/root",
        "headers": [(b"x-a", b"1")],
        "extensions": {},
        "_quart._preserve_context": False,
        "extra": 1,
    }


@pytest.mark.parametrize(
    ("kind", "version", "extension"),
    [
        ("http", "1.1", None),
        ("http", "2", "http.response.push"),
        ("http", "3", "http.response.push"),
        ("websocket", "1.1", "websocket.http.response"),
        ("websocket", "2", "websocket.http.response"),
    ],
)
def test_extensions_are_those_of_the_version(
    kind: Any, version: str, extension: str | None
) -> None:
    scope: Any = make_test_scope(
        kind, "/", "GET", Headers(), b"", "http", "", version, None
    )

    assert set(scope["extensions"]) == ({extension} if extension else set())


def test_the_scope_of_a_client_has_exceptions_raised_unless_it_says_otherwise() -> None:
    arguments = ("http", "/", "GET", Headers(), b"", "http", "", "1.1")
    scope = make_client_scope(*arguments, scope_base={"extra": 1})
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.4"}
    assert scope["extensions"] == {"quart.raise_exceptions": {}}
    assert scope["extra"] == 1
    base: Any = {"extensions": {}}
    assert make_client_scope(*arguments, scope_base=base)["extensions"] == {}


def test_a_scope_may_ask_for_the_context_to_be_kept() -> None:
    scope: Any = make_test_scope(
        "http",
        "/",
        "GET",
        Headers(),
        b"",
        "http",
        "",
        "1.1",
        None,
        _preserve_context=True,
    )

    assert scope["_quart._preserve_context"] is True


async def test_no_op_push_does_nothing() -> None:
    await no_op_push("/", Headers())
    assert sentinel is not None


async def test_a_request_has_its_body(app: Quart) -> None:
    made = make_test_request(
        app,
        "/?a=1",
        method="POST",
        json={"b": 2},
        headers={"X-A": "1"},
        root_path="",
        auth=("u", "p"),
    )

    assert (made.method, made.args["a"], made.headers["X-A"]) == ("POST", "1", "1")
    assert await made.get_json() == {"b": 2}
    assert made.authorization is not None
    assert made.authorization.username == "u"


async def test_a_request_outside_of_its_root_is_not_found(app: Quart) -> None:
    made = make_test_request(app, "/elsewhere", root_path="/root")

    assert made.routing_exception is not None


_app = Quart(__name__)


@given(
    st.dictionaries(
        # Control characters cannot stand in the header of a part.
        st.text(min_size=1).filter(lambda name: name.isprintable() and "%" not in name),
        st.one_of(st.text(), st.binary().map(lambda data: (io.BytesIO(data), "n"))),
        max_size=4,
    )
)
async def test_a_form_is_read_as_it_was_given(fields: dict[str, Any]) -> None:
    files = {
        name: value[0].getvalue()
        for name, value in fields.items()
        if isinstance(value, tuple)
    }
    texts = {name: value for name, value in fields.items() if name not in files}

    async with _app.test_request_context("/", method="POST", data=fields):
        assert (await request.form).to_dict() == texts
        read = {name: file.read() for name, file in (await request.files).items()}
        assert read == files


def test_a_file_has_the_type_its_name_tells_and_no_other() -> None:
    def body_of(name: str) -> bytes:
        file = FileStorage(io.BytesIO(b"c"), filename=name)
        return make_test_body_with_headers(files={"f": file})[0]

    assert b"Content-Type: text/plain" in body_of("a.txt")
    assert b"Content-Type" not in body_of("Quart")
    body, _ = make_test_body_with_headers(data={"f": (io.BytesIO(b"c"), "Quart")})
    assert b"Content-Type: application/octet-stream" in body
