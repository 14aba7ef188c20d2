"""Test client table: cookies, kept and sent by RFC 6265, and the ways to set them."""

from __future__ import annotations

import time
from http.cookiejar import CookieJar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core import Quart, Response, request
from quart_testing import QuartClient
from quart_testing.cookies import (
    cookie_header,
    find_cookie,
    remove_cookie,
    store_cookies,
)


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.route("/", defaults={"path": ""})
    @app.route("/<path:path>")
    async def index(path: str) -> Response:
        response = Response(request.headers.get("Cookie", ""))
        for value in request.args.getlist("set"):
            response.headers.add("Set-Cookie", value)
        return response

    return app


async def _sent(client: QuartClient, path: str = "/", **kwargs: Any) -> str:
    return (await client.get(path, **kwargs)).text


async def _set(client: QuartClient, *cookies: str, path: str = "/") -> None:
    await client.get(path, query_string={"set": list(cookies)})


async def test_a_cookie_comes_back(app: Quart) -> None:
    client = app.test_client()

    await _set(client, "a=1; Path=/", "b=2; Path=/")

    assert await _sent(client) == "a=1; b=2"


async def test_without_cookies_none_comes_back(app: Quart) -> None:
    client = app.test_client(use_cookies=False)

    await _set(client, "a=1")

    assert client.cookie_jar is None
    assert await _sent(client) == ""


async def test_cookies_of_the_test_go_first(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie("a", "1")

    assert await _sent(client, headers={"Cookie": "b=2"}) == "b=2; a=1"


async def test_the_jar_is_one_of_http_cookiejar(app: Quart) -> None:
    client = app.test_client()
    await _set(client, "a=1; Path=/")

    assert isinstance(client.cookie_jar, CookieJar)
    assert [(each.name, each.value) for each in client.cookie_jar] == [("a", "1")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a", "x=1"),
        ("/a/", "x=1"),
        ("/a/b", "x=1"),
        ("/ab", ""),
        ("/", ""),
    ],
)
async def test_a_path_is_honoured(app: Quart, path: str, expected: str) -> None:
    client = app.test_client()
    await _set(client, "x=1; Path=/a")

    assert await _sent(client, path) == expected


async def test_without_a_path_a_cookie_is_for_the_folder(app: Quart) -> None:
    client = app.test_client()
    await _set(client, "x=1", path="/a/b")

    assert await _sent(client, "/a/c") == "x=1"
    assert await _sent(client, "/c") == ""


async def test_longer_paths_go_first(app: Quart) -> None:
    client = app.test_client()
    await _set(client, "x=1; Path=/", "x=2; Path=/a")

    assert await _sent(client, "/a") == "x=2; x=1"


@pytest.mark.parametrize(
    ("domain", "host", "expected"),
    [
        ("", "example.com", "x=1"),
        ("", "www.example.com", ""),
        ("example.com", "example.com", "x=1"),
        ("example.com", "www.example.com", "x=1"),
        (".example.com", "www.example.com", "x=1"),
        ("example.com", "anexample.com", ""),
        ("example.com", "example.com:8000", "x=1"),
        ("other.com", "other.com", ""),
        ("www.example.com", "www.example.com", ""),
    ],
)
async def test_a_domain_is_honoured(
    app: Quart, domain: str, host: str, expected: str
) -> None:
    client = app.test_client()
    attribute = f"; Domain={domain}" if domain else ""
    await client.get(
        "/",
        query_string={"set": f"x=1; Path=/{attribute}"},
        headers={"host": "example.com"},
    )

    assert await _sent(client, headers={"host": host}) == expected


async def test_localhost_may_be_a_domain(app: Quart) -> None:
    client = app.test_client()
    await _set(client, "x=1; Path=/; Domain=localhost")

    assert await _sent(client) == "x=1"


def test_no_address_is_below_another() -> None:
    jar = CookieJar()

    store_cookies(jar, ["x=1; Domain=0.0.1"], "127.0.0.1")

    assert list(jar) == []


async def test_a_secure_cookie_is_sent_as_nothing_leaves_the_process(
    app: Quart,
) -> None:
    client = app.test_client()
    await _set(client, "x=1; Path=/; Secure")

    assert await _sent(client) == "x=1"


@pytest.mark.parametrize(
    "expiry",
    [
        "Max-Age=0",
        "Max-Age=-1",
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "Expires=Fri, 01 Jan 2100 00:00:00 GMT; Max-Age=0",
    ],
)
async def test_an_expired_cookie_removes_the_one_before(
    app: Quart, expiry: str
) -> None:
    client = app.test_client()
    await _set(client, "x=1; Path=/")
    await _set(client, f"x=2; Path=/; {expiry}")

    assert await _sent(client) == ""
    assert client.get_cookie("x") is None


@pytest.mark.parametrize(
    "expiry", ["Max-Age=60", "Expires=Fri, 01 Jan 2100 00:00:00 GMT", "Max-Age=x"]
)
async def test_a_cookie_that_will_expire_is_sent(app: Quart, expiry: str) -> None:
    client = app.test_client()
    await _set(client, f"x=1; Path=/; {expiry}")

    assert await _sent(client) == "x=1"


async def test_a_cookie_is_gone_when_its_time_is_over(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    await _set(client, "x=1; Path=/; Max-Age=60")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)

    assert await _sent(client) == ""


async def test_a_deleted_cookie_is_gone(app: Quart) -> None:
    @app.get("/delete")
    async def delete() -> Response:
        response = Response("")
        response.delete_cookie("x")
        return response

    client = app.test_client()
    client.set_cookie("x", "1")
    await client.get("/delete")

    assert await _sent(client) == ""


@pytest.mark.parametrize("header", ["", "=1", "no equals sign", ";", "; Path=/"])
def test_what_is_no_cookie_is_ignored(header: str) -> None:
    jar = CookieJar()

    store_cookies(jar, [header], "localhost")

    assert list(jar) == []


async def test_values_are_sent_as_they_came(app: Quart) -> None:
    client = app.test_client()
    await _set(client, 'x="a b\\054c"; Path=/')

    assert await _sent(client) == 'x="a b\\054c"'


async def test_text_beyond_ascii_comes_back(app: Quart) -> None:
    @app.get("/set")
    async def set_it() -> Response:
        response = Response("")
        response.set_cookie("x", 'ü "b";c')
        return response

    @app.get("/read")
    async def read() -> str:
        return request.cookies["x"]

    client = app.test_client()
    await client.get("/set")

    assert await _sent(client, "/read") == 'ü "b";c'
    cookie = client.get_cookie("x")
    assert cookie is not None
    assert cookie.decoded_value == 'ü "b";c'


async def test_a_request_in_steps_sends_and_keeps_cookies(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie("a", "1")

    async with client.request("/", query_string={"set": "b=2; Path=/"}) as connection:
        await connection.send_complete()
        response = await connection.as_response()

    assert await response.get_data() == b"a=1"
    assert await _sent(client) == "a=1; b=2"


# Setting them in the test


async def test_the_form_of_quart_begins_with_the_server(app: Quart) -> None:
    client = app.test_client()

    client.set_cookie("localhost", "a", "1")
    client.set_cookie(server_name="localhost", key="b", value="2")
    client.set_cookie("localhost", "c", value="3")
    client.set_cookie("localhost", "empty")

    assert await _sent(client) == "a=1; b=2; c=3; empty="


async def test_the_form_of_flask_begins_with_the_key(app: Quart) -> None:
    client = app.test_client()

    client.set_cookie("a", "1")
    client.set_cookie(key="b", value="2")
    client.set_cookie("c", value="3")
    client.set_cookie("empty")

    assert await _sent(client) == "a=1; b=2; c=3; empty="


async def test_a_cookie_of_the_test_is_for_the_server_name(app: Quart) -> None:
    app.config["SERVER_NAME"] = "example.com:8000"
    client = app.test_client()

    client.set_cookie("a", "1")
    client.set_cookie("example.com", "b")

    assert await _sent(client) == "a=1; b="


async def test_a_cookie_of_the_test_has_a_path_and_a_domain(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie("a", "1", path="/a")
    client.set_cookie("b", "2", domain="example.com")
    client.set_cookie("c", "3", domain="example.com", origin_only=False)
    client.set_cookie("example.com", "d", "4", domain="example.com")

    assert await _sent(client, "/a") == "a=1"
    assert await _sent(client, headers={"host": "example.com"}) == "b=2; c=3; d=4"
    assert await _sent(client, headers={"host": "x.example.com"}) == "c=3; d=4"


def test_get_cookie_tells_all_of_it(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie(
        "a", "x y", max_age=60, httponly=True, secure=True, samesite="Lax"
    )

    cookie = client.get_cookie("a")

    assert cookie is not None
    assert (cookie.key, cookie.value, cookie.decoded_value) == ("a", '"x y"', "x y")
    assert (cookie.domain, cookie.path, cookie.origin_only) == ("localhost", "/", True)
    assert (cookie.secure, cookie.http_only, cookie.same_site) == (True, True, "Lax")
    assert cookie.max_age == 60
    assert cookie.expires is not None


def test_get_cookie_looks_at_domain_and_path(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie("a", "1", domain="example.com", path="/x")

    assert client.get_cookie("a") is None
    assert client.get_cookie("a", "example.com") is None
    assert client.get_cookie("a", "example.com", "/x") is not None


@pytest.mark.parametrize(
    "arguments", [("a",), ("localhost", "a"), ("localhost", "a", "/")]
)
def test_delete_cookie_takes_both_forms(app: Quart, arguments: Any) -> None:
    client = app.test_client()
    client.set_cookie("a", "1")
    client.set_cookie("b", "2")

    client.delete_cookie(*arguments)

    assert [cookie.name for cookie in client.cookie_jar or ()] == ["b"]


def test_delete_cookie_looks_at_domain_and_path(app: Quart) -> None:
    client = app.test_client()
    client.set_cookie("a", "1", domain="example.com", path="/x")

    client.delete_cookie("a")
    client.delete_cookie("a", domain="example.com")
    assert client.get_cookie("a", "example.com", "/x") is not None
    client.delete_cookie("a", domain="example.com", path="/x")
    assert client.get_cookie("a", "example.com", "/x") is None


def test_deleting_what_is_not_there_is_no_error(app: Quart) -> None:
    client = app.test_client()

    client.delete_cookie("a")

    assert list(client.cookie_jar or ()) == []


def test_without_cookies_setting_one_says_so(app: Quart) -> None:
    client = app.test_client(use_cookies=False)

    for use in (
        lambda: client.set_cookie("a", "1"),
        lambda: client.get_cookie("a"),
        lambda: client.delete_cookie("a"),
    ):
        with pytest.raises(RuntimeError, match="use_cookies=True"):
            use()


def test_a_cookie_needs_a_key(app: Quart) -> None:
    client = app.test_client()

    with pytest.raises(TypeError, match="needs the key"):
        client.set_cookie()
    with pytest.raises(TypeError, match="needs the key"):
        client.delete_cookie()


# Properties


_paths = st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3).map(
    lambda parts: "/" + "/".join(parts)
)


@given(_paths, _paths)
def test_a_path_matches_by_whole_segments(cookie_path: str, path: str) -> None:
    jar = CookieJar()
    store_cookies(jar, [f"x=1; Path={cookie_path}"], "localhost")

    segments = [part for part in cookie_path.split("/") if part]
    below = path.split("/")[1:][: len(segments)] == segments
    assert (cookie_header(jar, "localhost", path) == "x=1") is below


@given(st.text(), st.text(alphabet=st.characters(codec="ascii")), _paths)
def test_any_header_is_taken_or_ignored(header: str, host: str, path: str) -> None:
    jar = CookieJar()

    store_cookies(jar, [header], host, path)

    for cookie in list(jar):
        assert find_cookie(jar, cookie.name, cookie.domain, cookie.path) is not None
        remove_cookie(jar, cookie.name, cookie.domain, cookie.path)
    assert list(jar) == []
