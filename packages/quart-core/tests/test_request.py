"""Requests: what the scope tells, the body, forms, JSON, limits, push."""

from __future__ import annotations

import asyncio
import json as stdlib_json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from quart_contexts.globals import _cv_app
from quart_core.datastructures import FileStorage
from quart_core.formparser import FormDataParser
from quart_core.json.provider import DefaultJSONProvider
from quart_core.wrappers import BaseRequestWebsocket, Body, Request
from quart_core.wrappers.scope_headers import ScopeHeaders
from werkzeug.datastructures import (
    Headers,
    ImmutableDict,
    ImmutableMultiDict,
    MultiDict,
)
from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    RequestTimeout,
    SecurityError,
    UnsupportedMediaType,
)
from werkzeug.routing import Rule
from werkzeug.sansio.request import Request as SansIORequest

JSON = [("content-type", "application/json")]
URLENCODED = [("content-type", "application/x-www-form-urlencoded")]
MULTIPART = [("content-type", "multipart/form-data; boundary=b")]
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\n\r\n'
    b"data\r\n--b--\r\n"
)


async def no_push(path: str, headers: Headers) -> None:
    raise RuntimeError(f"pushed {path}")


def make_request(
    method: str = "POST",
    path: str = "/",
    *,
    query_string: bytes = b"",
    headers: list[tuple[str, str]] | None = None,
    chunks: list[bytes] | None = None,
    declared: bool = False,
    root_path: str = "",
    cls: type[Request] = Request,
    scope: dict[str, Any] | None = None,
    **options: Any,
) -> Request:
    """Return a request whose body comes from an ASGI receive, chunk by chunk."""
    chunks = [] if chunks is None else chunks
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers or []]
    if declared:
        raw.append((b"content-length", str(sum(map(len, chunks))).encode()))
    full_scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": raw,
        "client": ("192.0.2.1", 50_000),
        "server": ("server.example", 8000),
        **(scope or {}),
    }
    options.setdefault("send_push_promise", no_push)
    request = cls(
        method,
        full_scope.get("scheme", "http"),
        path,
        query_string,
        ScopeHeaders(full_scope),
        root_path,
        full_scope.get("http_version", "1.1"),
        full_scope,  # type: ignore[arg-type]
        **options,
    )
    messages = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append({"type": "http.request"})
    taken = full_scope["taken"] = []

    async def receive() -> dict[str, Any]:
        taken.append(messages[0])
        return messages.pop(0)

    request.set_receive(receive)
    return request


def taken_bytes(request: Request) -> int:
    taken: list[dict[str, Any]] = request.scope["taken"]  # type: ignore[typeddict-item]
    return sum(len(message.get("body", b"")) for message in taken)


class StandIn:
    """What a request needs of an app."""

    def __init__(self, *, debug: bool, config: dict[str, Any]) -> None:
        self.debug = debug
        self.config = config
        self.json: Any = DefaultJSONProvider(self)  # type: ignore[arg-type]


@contextmanager
def app_context(*, debug: bool = False, **config: Any) -> Iterator[StandIn]:
    """Make a stand-in the current app."""
    app = StandIn(debug=debug, config={"MAX_CONTENT_LENGTH": None} | config)
    token = _cv_app.set(SimpleNamespace(app=app))  # type: ignore[arg-type]
    try:
        yield app
    finally:
        _cv_app.reset(token)


# Request table: attributes


def test_a_request_is_a_request_of_werkzeug() -> None:
    request = make_request()
    assert isinstance(request, BaseRequestWebsocket)
    assert isinstance(request, SansIORequest)


def test_the_attributes_say_what_the_scope_says() -> None:
    request = make_request(
        "post",
        "/a b/\u00e4",
        query_string=b"x=1&x=2&y=%C3%A4",
        headers=[
            ("host", "example.com:8080"),
            ("user-agent", "tester/1"),
            ("accept", "text/html;q=0.5, application/json"),
            ("accept-language", "de, en;q=0.1"),
            ("accept-encoding", "gzip"),
            ("content-type", "Text/Plain; charset=utf-8"),
            ("content-encoding", "br"),
            ("cookie", "k=v"),
            ("cookie", "l=w"),
            ("authorization", "Bearer secret"),
            ("if-none-match", '"e"'),
            ("if-modified-since", "Mon, 01 Jan 2024 00:00:00 GMT"),
            ("range", "bytes=0-1"),
            ("origin", "http://o.example"),
            ("referer", "http://r.example/"),
        ],
        root_path="/root/",
        scope={"http_version": "2", "scheme": "https"},
    )
    assert request.method == "POST"
    assert request.path == "/a b/\u00e4"
    assert request.full_path == "/a b/\u00e4?x=1&x=2&y=%C3%A4"
    assert request.url == "https://example.com:8080/root/a%20b/\u00e4?x=1&x=2&y=\u00e4"
    assert request.base_url == "https://example.com:8080/root/a%20b/\u00e4"
    assert request.root_url == request.url_root == "https://example.com:8080/root/"
    assert request.root_path == request.script_root == "/root"
    assert (request.host, request.host_url) == (
        "example.com:8080",
        "https://example.com:8080/",
    )
    assert (request.scheme, request.is_secure) == ("https", True)
    assert request.query_string == b"x=1&x=2&y=%C3%A4"
    assert request.args == MultiDict([("x", "1"), ("x", "2"), ("y", "\u00e4")])
    assert request.cookies == MultiDict([("k", "v"), ("l", "w")])
    assert request.authorization is not None
    assert request.authorization.token == "secret"
    assert request.remote_addr == "192.0.2.1"
    assert request.access_route == ["192.0.2.1"]
    assert request.server == ("server.example", 8000)
    assert request.http_version == "2"
    assert request.scope["path"] == "/a b/\u00e4"
    assert str(request.user_agent) == "tester/1"
    assert (request.mimetype, request.mimetype_params) == (
        "text/plain",
        {"charset": "utf-8"},
    )
    assert request.content_type == "Text/Plain; charset=utf-8"
    assert request.content_encoding == "br"
    assert request.accept_mimetypes.best == "application/json"
    assert request.accept_languages.best == "de"
    assert request.accept_encodings.best == "gzip"
    assert request.if_none_match.contains("e")
    assert request.if_modified_since is not None
    assert request.range is not None
    assert request.origin == "http://o.example"
    assert request.referrer == "http://r.example/"


def test_a_request_that_matched_nothing_has_no_endpoint() -> None:
    request = make_request()
    assert (request.endpoint, request.blueprint, request.blueprints) == (None, None, [])
    assert (request.url_rule, request.view_args) == (None, None)
    assert request.routing_exception is None


@pytest.mark.parametrize(
    ("endpoint", "blueprint", "blueprints"),
    [
        ("view", None, []),
        ("a.view", "a", ["a"]),
        ("a.b.c.view", "a.b.c", ["a.b.c", "a.b", "a"]),
    ],
)
def test_blueprints_are_named_inner_first(
    endpoint: str, blueprint: str | None, blueprints: list[str]
) -> None:
    request = make_request()
    request.url_rule = Rule("/", endpoint=endpoint)
    assert request.endpoint == endpoint
    assert request.blueprint == blueprint
    assert request.blueprints == blueprints
    request.blueprints.append("changed")
    assert request.blueprints == blueprints


def test_the_remote_address_can_be_set() -> None:
    request = make_request()
    request.remote_addr = "198.51.100.7"
    assert request.remote_addr == "198.51.100.7"


def test_a_scope_with_nothing_optional_is_enough() -> None:
    bare = {"type": "http", "method": "GET", "path": "/"}
    request = Request(
        "GET",
        "http",
        "/",
        b"",
        ScopeHeaders(bare),
        "",
        "1.1",
        bare,  # type: ignore[arg-type]
        send_push_promise=no_push,
    )
    assert request.remote_addr == "<local>"
    assert request.server is None
    assert request.host == ""
    assert request.content_length is None
    assert dict(request.args) == dict(request.cookies) == {}


def test_headers_of_werkzeug_work_too() -> None:
    headers = Headers({"Remote-Addr": "203.0.113.9", "Content-Length": "5"})
    request = Request(
        "GET",
        "http",
        "a",
        b"",
        headers,
        "",
        "1.1",
        {"type": "http"},  # type: ignore[typeddict-item]
        send_push_promise=no_push,
    )
    assert (request.path, request.remote_addr) == ("/a", "203.0.113.9")
    assert request.content_length == 5


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([("content-length", "12")], 12),
        ([("content-length", "0")], 0),
        ([("content-length", "abc")], 0),
        ([("content-length", "-5")], 0),
        ([("content-length", "1" + "0" * 40)], 10**40),
        ([("content-length", "12"), ("transfer-encoding", "chunked")], None),
        ([("content-length", "12"), ("transfer-encoding", "gzip")], 12),
    ],
)
def test_the_content_length_is_what_the_headers_announce(
    headers: list[tuple[str, str]], expected: int | None
) -> None:
    assert make_request(headers=headers).content_length == expected


@pytest.mark.parametrize("query_string", [b"a=%FF", b"a=\xff"])
def test_a_query_of_other_bytes_than_utf_8_stays_encoded(query_string: bytes) -> None:
    request = make_request(query_string=query_string)
    assert request.args["a"] == "%FF"
    assert request.full_path == "/?a=%FF"
    assert "%FF" in request.url


def test_subclasses_can_have_other_containers() -> None:
    class Plain(Request):
        parameter_storage_class = ImmutableDict  # type: ignore[assignment]

    request = make_request(query_string=b"a=1&a=2", cls=Plain)
    assert type(request.args) is ImmutableDict


def test_nothing_is_made_before_it_is_read() -> None:
    request = make_request(headers=JSON, query_string=b"a=1")
    lazy = {"args", "host", "url", "remote_addr", "_body", "_parsing_lock", "cookies"}
    assert not lazy & vars(request).keys()
    assert "_list" not in vars(request.headers)


def test_no_asyncio_object_is_made_where_a_subclass_brings_its_own() -> None:
    class NoLock(Request):
        @staticmethod
        def lock_class() -> Any:
            raise RuntimeError("a lock was made")

        class body_class(Body):
            @staticmethod
            def event_class() -> Any:
                raise RuntimeError("an event was made")

    request = make_request(chunks=[b"{}"], headers=JSON, cls=NoLock)
    with pytest.raises(StopIteration) as end:
        request.get_json().send(None)
    assert end.value.value == {}


# Hosts and paths


@pytest.mark.parametrize("host", ["evil.example", "sub.app.example", "appXexample", ""])
def test_st_14_untrusted_hosts_are_refused_where_hosts_are_configured(
    host: str,
) -> None:
    request = make_request(headers=[("host", host)])
    request.trusted_hosts = ["app.example"]
    with pytest.raises(SecurityError):
        assert request.host
    with pytest.raises(SecurityError):
        assert request.url


@pytest.mark.parametrize("host", ["app.example", "app.example:8000", "a.sub.example"])
def test_trusted_hosts_are_let_in(host: str) -> None:
    request = make_request(headers=[("host", host)])
    request.trusted_hosts = ["app.example", ".sub.example"]
    assert request.host == host


host_texts = st.text(
    st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"),
    max_size=12,
)
path_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@given(host=host_texts, path=path_texts)
@example(host="evil.example/admin?", path="/x")
@example(host="a@evil.example", path="/x")
@example(host="a#", path="/@b")
@example(host="a\\b", path="//evil.example/x")
@example(host="a", path="@evil.example")
def test_st_06_st_07_the_url_has_the_path_that_was_routed_whatever_the_host(
    host: str, path: str
) -> None:
    request = make_request("GET", path, headers=[("host", host)])
    assert request.path[:1] == "/"
    parts = urlsplit(request.url)
    assert parts.netloc == request.host.lower()
    assert request.host in {host, host.removesuffix(":80"), ""}
    quoted = quote(request.path, safe="!$&'()*+,/:;=@%")
    assert unquote(parts.path) == unquote("/" + quoted.lstrip("/"))
    assert not parts.query
    assert not parts.fragment


@pytest.mark.parametrize(
    ("path", "expected"), [("a", "/a"), ("//a", "/a"), ("", "/"), ("@b", "/@b")]
)
def test_st_07_paths_begin_with_one_slash(path: str, expected: str) -> None:
    assert make_request(path=path).path == expected


def test_fw_09_cookies_without_a_name_are_dropped() -> None:
    request = make_request(headers=[("cookie", "=__Host-x=bad; =y; a=b; ; c")])
    assert dict(request.cookies) == {"a": "b", "c": ""}


# Request table: body


async def test_get_data_can_be_repeated() -> None:
    request = make_request(chunks=[b"one ", b"two"])
    assert await request.get_data() == b"one two"
    assert await request.get_data() == b"one two"
    assert await request.data == b"one two"
    assert await request.body == b"one two"


async def test_get_data_without_cache_empties_the_body() -> None:
    request = make_request(chunks=[b"data"])
    assert await request.get_data(cache=False) == b"data"
    assert await request.get_data() == b""


async def test_get_data_as_text_decodes_utf_8() -> None:
    request = make_request(chunks=["\u00e4".encode()])
    assert await request.get_data(as_text=True) == "\u00e4"
    with pytest.raises(UnicodeDecodeError):
        await make_request(chunks=[b"\xff"]).get_data(as_text=True)


async def test_the_body_can_be_iterated_over() -> None:
    request = make_request(chunks=[b"one", b"two"])
    assert [chunk async for chunk in request.body] == [b"one", b"two"]
    assert await request.get_data() == b""


async def test_get_data_after_iterating_in_part_gives_the_rest() -> None:
    request = make_request(chunks=[b"one", b"two", b"three"])
    assert await anext(request.body) == b"one"
    assert await request.get_data() == b"twothree"


async def test_there_is_no_stream() -> None:
    with pytest.raises(NotImplementedError, match=r"request\.body"):
        await make_request().stream


async def test_a_body_that_is_pushed_needs_no_source() -> None:
    request = make_request()
    request.body = Body(None, None)
    request.body.set_result(b"data")
    assert await request.data == b"data"


async def test_the_source_can_be_given_after_the_body_was_made() -> None:
    request = make_request(chunks=[b"data"])
    receive = request._receive
    request._receive = None
    body = request.body
    assert receive is not None
    request.set_receive(receive)
    assert await body == b"data"


async def test_the_class_of_the_body_can_be_replaced() -> None:
    made: list[tuple[int | None, int | None]] = []

    class OtherBody(Body):
        def __init__(self, expected: int | None, maximum: int | None) -> None:
            made.append((expected, maximum))
            super().__init__(expected, maximum)

    class Other(Request):
        body_class = OtherBody

    request = make_request(
        chunks=[b"data"], declared=True, cls=Other, max_content_length=7
    )
    assert await request.get_data() == b"data"
    assert made == [(4, 7)]


# Request table: form, files, values


async def test_an_urlencoded_form_is_parsed_once_and_stays_readable() -> None:
    request = make_request(headers=URLENCODED, chunks=[b"a=1", b"&b=2"])
    form = await request.form
    assert form == ImmutableMultiDict({"a": "1", "b": "2"})
    assert await request.form is form
    assert not await request.files
    assert await request.get_data() == b"a=1&b=2"


async def test_a_multipart_form_is_consumed() -> None:
    request = make_request(headers=MULTIPART, chunks=[FORM[:50], FORM[50:]])
    assert (await request.form)["a"] == "1"
    stored = (await request.files)["f"]
    assert (stored.filename, stored.read()) == ("x.txt", b"data")
    assert isinstance(stored, FileStorage)
    assert await request.get_data() == b""
    await request.close()


async def test_data_parses_forms_and_get_data_only_if_asked_to() -> None:
    request = make_request(headers=MULTIPART, chunks=[FORM])
    assert await request.get_data() == FORM
    assert (await request.form)["a"] == "1"
    await request.close()
    request = make_request(headers=MULTIPART, chunks=[FORM])
    assert await request.get_data(parse_form_data=True) == b""
    await request.close()
    request = make_request(headers=MULTIPART, chunks=[FORM])
    assert await request.data == b""
    await request.close()


async def test_a_body_of_another_type_is_no_form_and_stays() -> None:
    request = make_request(headers=[("content-type", "text/plain")], chunks=[b"a=1"])
    assert type(await request.form) is ImmutableMultiDict
    assert not await request.form
    assert not await request.files
    assert await request.get_data() == b"a=1"


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=c"]
)
async def test_an_unparsable_form_is_empty(content_type: str) -> None:
    request = make_request(headers=[("content-type", content_type)], chunks=[FORM])
    assert not await request.form
    assert not await request.files


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", ["q"]), ("POST", ["q", "f"]), ("PUT", ["q", "f"])]
)
async def test_values_are_those_of_the_url_and_unless_get_of_the_form(
    method: str, expected: list[str]
) -> None:
    request = make_request(
        method, query_string=b"a=q", headers=URLENCODED, chunks=[b"a=f"]
    )
    values = await request.values
    assert values.getlist("a") == expected
    assert values["a"] == "q"


async def test_values_work_with_containers_that_are_plain_dicts() -> None:
    class Plain(Request):
        parameter_storage_class = ImmutableDict  # type: ignore[assignment]

    request = make_request(
        query_string=b"a=q", headers=URLENCODED, chunks=[b"a=f&b=g"], cls=Plain
    )
    assert dict(await request.values) == {"a": "q", "b": "g"}


async def test_two_tasks_parse_the_form_once() -> None:
    made: list[Request] = []

    class Counting(Request):
        def make_form_data_parser(self) -> FormDataParser:
            made.append(self)
            return super().make_form_data_parser()

    request = make_request(cls=Counting, headers=URLENCODED)
    body = request.body = Body(None, None)

    async def read(what: str) -> Any:
        return await getattr(request, what)

    tasks = [asyncio.create_task(read(what)) for what in ("form", "files", "form")]
    await asyncio.sleep(0)
    body.set_result(b"a=1")
    form, _, again = await asyncio.gather(*tasks)
    assert form is again
    assert len(made) == 1


async def test_the_parser_can_be_replaced() -> None:
    class Parser(FormDataParser):
        async def parse(self, *args: Any, **kwargs: Any) -> Any:
            return self.cls({"limits": str(self.max_form_parts)}), self.cls()

    class Other(Request):
        form_data_parser_class = Parser
        parameter_storage_class = MultiDict

    request = make_request(cls=Other)
    request.max_form_parts = 3
    assert type(await request.form) is MultiDict
    assert (await request.form)["limits"] == "3"


async def test_closing_closes_the_uploaded_files() -> None:
    request = make_request(headers=MULTIPART, chunks=[FORM])
    stored = (await request.files)["f"]
    await request.close()
    assert stored.stream.closed
    await request.close()
    await make_request().close()


async def test_closing_closes_files_of_any_class() -> None:
    request = make_request()
    stream = BytesIO()
    request._form = MultiDict()
    request._files = MultiDict({"f": FileStorage(stream)})
    await request.close()
    assert stream.closed


# Request table: over the limit

Reader = Callable[[Request], Any]


async def iterate(request: Request) -> None:
    async for _ in request.body:
        pass


async def read_form(request: Request) -> Any:
    return await request.form


async def read_files(request: Request) -> Any:
    return await request.files


async def await_body(request: Request) -> bytes:
    return await request.body


READERS: dict[str, tuple[list[tuple[str, str]], Reader]] = {
    "get_data": ([], Request.get_data),
    "body": ([], await_body),
    "iterate": ([], iterate),
    "json": (JSON, Request.get_json),
    "form, urlencoded": (URLENCODED, read_form),
    "form, multipart": (MULTIPART, read_form),
    "files, multipart": (MULTIPART, read_files),
}


@pytest.mark.parametrize("size", [10, 1_000, 65_536])
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(("headers", "read"), READERS.values(), ids=READERS)
async def test_f_09_a_body_over_the_limit_is_413_however_it_is_read(
    headers: list[tuple[str, str]], read: Reader, declared: bool, size: int
) -> None:
    limit = 5_000
    head = FORM[: FORM.index(b"data")] if headers is MULTIPART else b""
    chunks = [head, *[b"x" * size] * (70_000 // size + 1)]
    request = make_request(
        headers=headers, chunks=chunks, declared=declared, max_content_length=limit
    )
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await read(request)
    assert taken_bytes(request) <= (0 if declared else limit + size)
    await request.close()


async def test_a_body_over_the_limit_that_is_not_used_is_no_error() -> None:
    request = make_request(chunks=[bytes(100)], declared=True, max_content_length=10)
    assert not await request.form
    assert await request.get_json() is None
    assert taken_bytes(request) == 0


async def test_the_limit_of_the_request_can_be_changed_before_and_after_reading() -> (
    None
):
    request = make_request(chunks=[bytes(100)], declared=True, max_content_length=10)
    with pytest.raises(RequestEntityTooLarge):
        await request.get_data()
    request.max_content_length = 100
    assert len(await request.get_data()) == 100
    request = make_request(chunks=[bytes(100)], max_content_length=1_000)
    request.max_content_length = 10
    with pytest.raises(RequestEntityTooLarge):
        await request.get_data()
    request = make_request(chunks=[bytes(100)], max_content_length=10)
    request.max_content_length = None
    assert len(await request.get_data()) == 100


async def test_limits_are_those_of_the_app_unless_set() -> None:
    config = {
        "MAX_CONTENT_LENGTH": 50,
        "MAX_FORM_MEMORY_SIZE": 20,
        "MAX_FORM_PARTS": 3,
    }
    with app_context(**config):
        request = make_request()
        assert request.max_content_length == 50
        assert request.max_form_memory_size == 20
        assert request.max_form_parts == 3
        request.max_content_length = None
        request.max_form_memory_size = 1
        request.max_form_parts = None
        assert request.max_content_length is None
        assert request.max_form_memory_size == 1
        assert request.max_form_parts is None
        with pytest.raises(RequestEntityTooLarge):
            await make_request(chunks=[bytes(51)]).get_data()


def test_outside_of_an_app_forms_are_limited_all_the_same() -> None:
    request = make_request()
    assert request.max_content_length is None
    assert request.max_form_memory_size == 500_000
    assert request.max_form_parts == 1_000


@pytest.mark.parametrize("headers", [URLENCODED, MULTIPART])
async def test_st_08_the_limits_of_forms_hold_for_both_types(
    headers: list[tuple[str, str]],
) -> None:
    body = FORM if headers is MULTIPART else b"a=1&b=2"
    request = make_request(headers=headers, chunks=[body])
    request.max_form_parts = 1
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await request.form
    request = make_request(headers=headers, chunks=[body])
    request.max_form_memory_size = 0
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await request.files


# Request table: timeouts


class Waiting(Request):
    """A request whose body never ends."""


def waiting_request(headers: list[tuple[str, str]], first: bytes = b"") -> Request:
    request = make_request(headers=headers, body_timeout=0.01)
    request.body = Body(None, None)
    request.body.append(first)
    return request


TIMED = {name: READERS[name] for name in READERS if name not in {"body", "iterate"}}


@pytest.mark.parametrize(("headers", "read"), TIMED.values(), ids=TIMED)
async def test_f_10_a_client_that_sends_too_slowly_is_a_408(
    headers: list[tuple[str, str]], read: Reader
) -> None:
    request = waiting_request(headers)
    with pytest.raises(RequestTimeout):
        await read(request)


async def test_iterating_is_not_timed() -> None:
    request = waiting_request([])

    async def finish() -> None:
        await asyncio.sleep(0.05)
        request.body.set_result(b"data")

    finishing = asyncio.create_task(finish())
    assert [chunk async for chunk in request.body] == [b"data"]
    await finishing


async def test_the_timeout_can_be_changed_per_request() -> None:
    request = waiting_request([])
    request.body_timeout = None

    async def finish() -> None:
        await asyncio.sleep(0.05)
        request.body.set_result(b"data")

    finishing = asyncio.create_task(finish())
    assert await request.get_data() == b"data"
    await finishing


async def test_data_that_came_too_late_can_still_be_read() -> None:
    request = waiting_request([], b"early ")
    with pytest.raises(RequestTimeout):
        await request.get_data()
    request.body.set_result(b"late")
    assert await request.get_data() == b"early late"


@pytest.mark.parametrize("cancel", [True, False])
async def test_a_form_that_was_read_in_part_is_never_parsed_from_the_middle(
    cancel: bool,
) -> None:
    request = waiting_request(MULTIPART, FORM[:80])
    if cancel:
        request.body_timeout = 10
        reading = asyncio.create_task(read_form(request))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    else:
        with pytest.raises(RequestTimeout):
            await request.form
    request.body.set_result(FORM)
    with pytest.raises(RequestTimeout):
        await request.form


# Request table: JSON


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/problem+json",
    ],
)
async def test_json_is_read_for_its_content_types(content_type: str) -> None:
    headers = [("content-type", content_type)]
    request = make_request(headers=headers, chunks=[b'{"a": ', b"[1, null]}"])
    assert await request.get_json() == {"a": [1, None]}
    assert await request.json == {"a": [1, None]}


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/jsonx"])
async def test_st_13_other_content_types_give_none_unless_forced(
    content_type: str,
) -> None:
    headers = [("content-type", content_type)] if content_type else []
    request = make_request(headers=headers, chunks=[b'{"a": 1}'])
    assert await request.get_json() is None
    assert await request.json is None
    assert await request.get_json(force=True) == {"a": 1}


async def test_json_is_cached_unless_asked_otherwise() -> None:
    request = make_request(headers=JSON, chunks=[b"[1]"])
    value = await request.get_json()
    assert await request.get_json() is value
    assert await request.get_json(silent=True) is value
    assert await request.get_data() == b"[1]"
    request = make_request(headers=JSON, chunks=[b"[1]"])
    assert await request.get_json(cache=False) == [1]
    assert await request.get_data() == b""


async def test_null_is_a_value_that_is_cached() -> None:
    request = make_request(headers=JSON, chunks=[b"null"])
    assert await request.get_json() is None
    request.body.clear()
    assert await request.get_json() is None


async def test_silence_is_cached_apart() -> None:
    request = make_request(headers=JSON, chunks=[b"[1"])
    assert await request.get_json(silent=True) is None
    with pytest.raises(BadRequest):
        await request.get_json()
    assert await request.get_json(silent=True) is None


NO_JSON: dict[str, bytes] = {
    "empty": b"",
    "cut": b"[1",
    "two values": b"1 2",
    "no UTF-8": b'"\xff"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "UTF-16 without a mark": '{"a": 1}'.encode("utf-16-le"),
    "UTF-32": '{"a": 1}'.encode("utf-32"),
    "deep list": b"[" * 100_000,
    "deep list, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000,
    "million digits": b"1" * 1_000_000,
    "not a number": b'{"a": NaN}',
    "infinity": b"[-Infinity]",
}


@pytest.mark.parametrize("data", NO_JSON.values(), ids=NO_JSON)
async def test_f_54_fw_01_what_is_no_json_is_a_400(data: bytes) -> None:
    request = make_request(headers=JSON, chunks=[data])
    with app_context():
        start = time.process_time()
        with pytest.raises(BadRequest) as caught:
            await request.get_json()
        assert time.process_time() - start < 0.5
        assert caught.value.description == BadRequest.description
        assert await request.get_json(silent=True) is None


async def test_outside_of_an_app_json_is_read_by_the_standard_library() -> None:
    for data in (b"", b"[" * 100_000, b"1" * 1_000_000, b'"\xff"'):
        with pytest.raises(BadRequest):
            await make_request(headers=JSON, chunks=[data]).get_json()
    request = make_request(headers=JSON, chunks=[b"[NaN]"])
    assert str(await request.get_json()) == "[nan]"


async def test_a_byte_order_mark_is_tolerated() -> None:
    request = make_request(headers=JSON, chunks=[b'\xef\xbb\xbf{"a": 1}'])
    assert await request.get_json() == {"a": 1}


async def test_of_a_key_that_occurs_twice_the_last_value_counts() -> None:
    request = make_request(headers=JSON, chunks=[b'{"a": 1, "a": 2}'])
    assert await request.get_json() == {"a": 2}


async def test_in_debug_mode_the_error_says_what_is_wrong() -> None:
    request = make_request(headers=JSON, chunks=[b"[1"])
    with app_context(debug=True), pytest.raises(BadRequest) as caught:
        await request.get_json()
    assert "Failed to decode JSON object: Expecting" in str(caught.value.description)


async def test_the_app_reads_the_json_in_its_way() -> None:
    request = make_request(headers=JSON, chunks=[b"[1]"])
    with app_context() as app:

        class Provider(DefaultJSONProvider):
            def loads(self, s: str | bytes, **kwargs: Any) -> Any:
                return f"provided {s!r}"

        app.json = Provider(app)
        assert await request.get_json() == "provided '[1]'"


async def test_a_request_class_can_have_a_json_module() -> None:
    class Other(Request):
        json_module = stdlib_json

    request = make_request(headers=JSON, chunks=[b"[NaN]"], cls=Other)
    with app_context():
        assert str(await request.get_json()) == "[nan]"


async def test_what_on_json_loading_failed_returns_is_the_value() -> None:
    class Lenient(Request):
        def on_json_loading_failed(  # type: ignore[override]
            self, error: Exception | None
        ) -> Any:
            return {"error": type(error).__name__}

    request = make_request(headers=JSON, chunks=[b"[1"], cls=Lenient)
    assert await request.get_json() == {"error": "JSONDecodeError"}
    assert await request.get_json(silent=True) is None


def test_on_json_loading_failed_without_an_error_is_a_415() -> None:
    request = make_request(headers=[("content-type", "text/plain")])
    with pytest.raises(UnsupportedMediaType, match=r"not text/plain.*application/json"):
        request.on_json_loading_failed(None)
    with pytest.raises(BadRequest):
        request.on_json_loading_failed(e=ValueError("Flask's name"))


# Server push


async def test_a_push_promise_repeats_the_headers_of_content_negotiation() -> None:
    pushed: list[tuple[str, list[tuple[str, str]]]] = []

    async def push(path: str, headers: Headers) -> None:
        pushed.append((path, list(headers)))

    request = make_request(
        headers=[
            ("host", "h"),
            ("accept", "text/css"),
            ("accept", "*/*"),
            ("accept-encoding", "br"),
            ("accept-language", "de"),
            ("cache-control", "no-cache"),
            ("user-agent", "tester"),
            ("cookie", "secret=1"),
            ("authorization", "Bearer secret"),
        ],
        send_push_promise=push,
    )
    await request.send_push_promise("/style.css")
    assert pushed == [
        (
            "/style.css",
            [
                ("accept", "text/css"),
                ("accept", "*/*"),
                ("accept-encoding", "br"),
                ("accept-language", "de"),
                ("cache-control", "no-cache"),
                ("user-agent", "tester"),
            ],
        )
    ]


# Time

HARD_COOKIES: list[Callable[[int], str]] = [
    lambda size: "a=b;" * (size // 4),
    lambda size: ";" * size,
    lambda size: 'a="' + '\\"' * (size // 2),
    lambda size: 'a="' * (size // 3),
    lambda size: "a" + " " * size,
    lambda size: "a=" + " " * size + "b",
]
HARD_QUERIES: list[Callable[[int], str]] = [
    lambda size: "a=b&" * (size // 4),
    lambda size: "%" * size,
    lambda size: "a=" + "%ff" * (size // 3),
    lambda size: "&" * size,
]
HARD_TYPES: list[Callable[[int], str]] = [
    lambda size: "a/b; " + "c=1; " * (size // 5),
    lambda size: 'a/b; c="' + '\\"' * (size // 2),
    lambda size: "a/b" + ";" * size,
    lambda size: "a/b; " + "c*0*=utf-8''%41; " * (size // 17),
    lambda size: "a/b;" + " " * size + "c",
]


def seconds_for(prepare: Callable[[int], Callable[[], Any]], size: int) -> float:
    best = 60.0
    for _ in range(3):
        run = prepare(size)
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def prepare_cookies(make: Callable[[int], str], size: int) -> Callable[[], Any]:
    request = make_request(headers=[("cookie", make(size))])
    return lambda: request.cookies


def prepare_args(make: Callable[[int], str], size: int) -> Callable[[], Any]:
    request = make_request(query_string=make(size).encode())
    return lambda: request.args


def prepare_mimetype(make: Callable[[int], str], size: int) -> Callable[[], Any]:
    request = make_request(headers=[("content-type", make(size))])
    return lambda: request.mimetype


@pytest.mark.parametrize(
    ("prepare", "make"),
    [
        *[(prepare_cookies, make) for make in HARD_COOKIES],
        *[(prepare_args, make) for make in HARD_QUERIES],
        *[(prepare_mimetype, make) for make in HARD_TYPES],
    ],
)
def test_f_38_st_10_time_grows_with_the_size_of_cookies_queries_and_types(
    prepare: Callable[..., Callable[[], Any]], make: Callable[[int], str]
) -> None:
    def at(size: int) -> float:
        return seconds_for(lambda size: prepare(make, size), size)

    # Quadratic time would be 16 times as much; the rest is room for a busy machine.
    assert at(262_144) <= 9 * at(65_536) + 0.02
