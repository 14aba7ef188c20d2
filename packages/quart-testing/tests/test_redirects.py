"""Test client table: redirects, which stay in the application."""

from __future__ import annotations

from typing import Any

import pytest
from quart_core import Quart, Response, redirect, request, session
from quart_testing import QuartClient, RedirectError
from quart_testing.redirects import MAX_REDIRECTS

METHODS = ["GET", "POST", "PUT", "DELETE"]


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.route("/to", methods=METHODS)
    async def to() -> Any:
        return redirect(request.args["url"], int(request.args.get("code", "302")))

    @app.route("/echo", methods=METHODS)
    async def echo() -> dict[str, Any]:
        return {
            "method": request.method,
            "url": request.url,
            "body": (await request.get_data()).decode(),
            "type": request.headers.get("Content-Type"),
            "length": request.headers.get("Content-Length"),
            "authorization": request.headers.get("Authorization"),
            "cookie": request.headers.get("Cookie"),
            "mine": request.headers.get("X-Mine"),
        }

    @app.get("/loop")
    async def loop() -> Any:
        return redirect("/loop")

    @app.get("/count/<int:number>")
    async def count(number: int) -> Any:
        return redirect(f"/count/{number - 1}") if number else "done"

    return app


async def _follow(client: QuartClient, url: str, **kwargs: Any) -> dict[str, Any]:
    code = kwargs.pop("code", 302)
    response = await client.open(
        "/to",
        query_string={"url": url, "code": code},
        follow_redirects=True,
        **kwargs,
    )
    found: dict[str, Any] = await response.get_json()
    return found


async def test_a_redirect_is_a_response_where_it_is_not_followed(app: Quart) -> None:
    response = await app.test_client().get("/to?url=/echo")

    assert (response.status_code, response.location) == (302, "/echo")


@pytest.mark.parametrize("code", [301, 302, 303])
async def test_a_post_becomes_a_get_without_its_body(app: Quart, code: int) -> None:
    found = await _follow(
        app.test_client(), "/echo", code=code, method="POST", json={"a": 1}
    )

    assert (found["method"], found["body"]) == ("GET", "")
    assert (found["type"], found["length"]) == (None, None)


@pytest.mark.parametrize("code", [307, 308])
async def test_method_and_body_are_kept_where_the_code_says_so(
    app: Quart, code: int
) -> None:
    found = await _follow(
        app.test_client(), "/echo", code=code, method="POST", data="body"
    )

    assert (found["method"], found["body"], found["length"]) == ("POST", "body", "4")


async def test_head_stays_head(app: Quart) -> None:
    response = await app.test_client().head("/to?url=/echo", follow_redirects=True)

    assert response.request.method == "HEAD"
    assert response.request.path == "/echo"


@pytest.mark.parametrize("code", [300, 305])
async def test_other_codes_are_not_followed(app: Quart, code: int) -> None:
    response = await app.test_client().get(
        f"/to?url=/echo&code={code}", follow_redirects=True
    )

    assert response.history == ()


async def test_without_a_location_nothing_is_followed(app: Quart) -> None:
    @app.get("/nowhere")
    async def nowhere() -> Response:
        return Response("nowhere", status=302)

    response = await app.test_client().get("/nowhere", follow_redirects=True)

    assert response.status_code == 302


async def test_the_history_has_the_responses_on_the_way(app: Quart) -> None:
    response = await app.test_client().get("/count/2", follow_redirects=True)

    assert response.text == "done"
    assert [each.status_code for each in response.history] == [302, 302]
    assert [each.request.path for each in response.history] == ["/count/2", "/count/1"]
    assert response.request.path == "/count/0"


async def test_a_location_is_relative_to_the_request(app: Quart) -> None:
    @app.get("/a/b")
    async def here() -> Response:
        return Response("", 302, {"Location": "c?d=e#f"})

    @app.get("/a/c")
    async def there() -> str:
        return request.url

    response = await app.test_client().get("/a/b", follow_redirects=True)

    assert response.text == "http://localhost/a/c?d=e"


async def test_an_encoded_location_stays_what_it_is(app: Quart) -> None:
    @app.get("/a/<path:name>")
    async def named(name: str) -> str:
        return f"{name} {request.args['q']}"

    response = await app.test_client().get(
        "/to", query_string={"url": "/a/%C3%BC%3Fx%20y?q=%26"}, follow_redirects=True
    )

    assert response.text == "ü?x y &"


async def test_headers_of_the_test_are_sent_again(app: Quart) -> None:
    found = await _follow(app.test_client(), "/echo", headers={"X-Mine": "1"})

    assert found["mine"] == "1"


async def test_redirects_in_a_circle_end(app: Quart) -> None:
    with pytest.raises(RedirectError, match="in circles"):
        await app.test_client().get("/loop", follow_redirects=True)


async def test_the_last_redirect_that_is_followed(app: Quart) -> None:
    client = app.test_client()

    response = await client.get(f"/count/{MAX_REDIRECTS}", follow_redirects=True)
    assert response.text == "done"
    with pytest.raises(RedirectError):
        await client.get(f"/count/{MAX_REDIRECTS + 1}", follow_redirects=True)


async def test_cookies_on_the_way_are_kept(app: Quart) -> None:
    app.secret_key = "secret"

    @app.get("/login")
    async def login() -> Any:
        session["user"] = "me"
        return redirect("/who")

    @app.get("/who")
    async def who() -> str:
        return str(session.get("user"))

    response = await app.test_client().get("/login", follow_redirects=True)

    assert response.text == "me"


async def test_entered_the_client_keeps_the_context_of_the_last(app: Quart) -> None:
    async with app.test_client() as client:
        await client.get("/count/2", follow_redirects=True)
        assert request.path == "/count/0"


async def test_below_an_application_root_redirects_are_followed(app: Quart) -> None:
    app.config["APPLICATION_ROOT"] = "/root"

    @app.get("/here")
    async def here() -> Any:
        return redirect(app.url_for("echo"))

    response = await app.test_client().get("/here", follow_redirects=True)

    assert (await response.get_json())["url"] == "http://localhost/root/echo"


async def test_a_missing_slash_is_followed(app: Quart) -> None:
    @app.post("/folder/")
    async def folder() -> bytes:
        return await request.get_data()

    response = await app.test_client().post(
        "/folder", data="body", follow_redirects=True
    )

    assert response.text == "body"


async def test_the_scheme_may_change(app: Quart) -> None:
    found = await _follow(app.test_client(), "https://localhost/echo")

    assert found["url"] == "https://localhost/echo"


# Other hosts


async def test_f_47_another_host_is_the_same_application(app: Quart) -> None:
    found = await _follow(app.test_client(), "http://example.com/echo")

    assert found["url"] == "http://example.com/echo"


@pytest.mark.parametrize(
    "proof", [{"auth": ("a", "b")}, {"headers": {"Authorization": "Bearer x"}}]
)
async def test_f_47_another_host_does_not_get_credentials(
    app: Quart, proof: dict[str, Any]
) -> None:
    client = app.test_client()
    client.set_cookie("a", "1")

    elsewhere = await _follow(client, "http://example.com/echo", **proof)
    here = await _follow(client, "http://localhost/echo", **proof)

    assert (elsewhere["authorization"], elsewhere["cookie"]) == (None, None)
    assert here["authorization"] is not None
    assert here["cookie"] == "a=1"


@pytest.mark.parametrize("allowed", [True, False])
async def test_f_47_a_strict_client_does_not_leave_its_host(
    app: Quart, allowed: bool
) -> None:
    client = app.test_client(allow_subdomain_redirects=allowed)

    with pytest.raises(RedirectError, match=r"leaves the application"):
        await _follow(client, "http://example.com/echo")


async def test_f_47_a_strict_client_follows_to_subdomains_if_allowed(
    app: Quart,
) -> None:
    url = "http://www.localhost/echo"

    found = await _follow(app.test_client(allow_subdomain_redirects=True), url)

    assert found["url"] == url
    with pytest.raises(RedirectError, match="allow_subdomain_redirects=True"):
        await _follow(app.test_client(allow_subdomain_redirects=False), url)


@pytest.mark.parametrize("url", ["ftp://localhost/x", "file:///etc/passwd", "data:,x"])
async def test_f_47_other_schemes_are_not_followed(app: Quart, url: str) -> None:
    with pytest.raises(RedirectError, match="no HTTP URL"):
        await _follow(app.test_client(), url)
