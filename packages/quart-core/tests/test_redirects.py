"""Redirects, and the URLs they may lead to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core import Quart, Response
from quart_core.redirects import redirect, safe_redirect
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response as WerkzeugResponse


@pytest.fixture
def app() -> Quart:
    return Quart(__name__, static_folder=None)


def make_request(app: Quart, host: str = "example.com", scheme: str = "https") -> Any:
    headers = Headers({"Host": host})
    scope: Any = {"type": "http", "headers": [(b"host", host.encode())]}

    async def no_push(path: str, headers: Headers) -> None:
        raise AssertionError("No push promise was to be sent.")

    return app.request_class(
        "GET",
        scheme,
        "/login",
        b"",
        headers,
        "",
        "1.1",
        scope,
        send_push_promise=no_push,
    )


def location(response: Any) -> str:
    return str(response.headers["Location"])


# redirect


def test_a_redirect_is_found_by_default() -> None:
    response = redirect("/x")
    assert (response.status_code, location(response)) == (302, "/x")
    assert isinstance(response, Response)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_has_the_code_inside_and_outside_of_an_app(
    app: Quart, code: int
) -> None:
    assert redirect("/x", code).status_code == code
    async with app.app_context():
        assert redirect("/x", code=code).status_code == code


async def test_within_an_app_the_app_redirects() -> None:
    class App(Quart):
        def redirect(self, location: str, code: int = 302) -> Any:
            return f"{code} {location}"

    async with App(__name__, static_folder=None).app_context():
        result: Any = redirect("/é", 301)
    assert result == "301 /%C3%A9"


async def test_the_class_of_the_response_can_be_chosen(app: Quart) -> None:
    async with app.app_context():
        response = redirect("/x", Response=WerkzeugResponse)
    assert isinstance(response, WerkzeugResponse)
    assert response.headers["Location"] == "/x"


@pytest.mark.parametrize(
    ("given_url", "sent"),
    [
        ("/x y", "/x%20y"),
        ("http://é.example/é?x=<", "http://xn--9ca.example/%C3%A9?x=%3C"),
        ("/already%20quoted?a=%C3%A9&b=+", "/already%20quoted?a=%C3%A9&b=+"),
        ("page#part", "page#part"),
        ("?a=1", "?a=1"),
    ],
)
def test_a_location_is_ascii(given_url: str, sent: str) -> None:
    assert location(redirect(given_url)) == sent


@pytest.mark.parametrize("control", ["\r\n", "\n", "\r", "\t", "\x00", "\x7f"])
def test_a_location_with_control_characters_is_refused(control: str) -> None:
    with pytest.raises(ValueError, match="cannot contain control characters"):
        redirect(f"/a{control}Set-Cookie: b=c")


# safe_redirect

HERE = [
    "/",
    "/next",
    "/next?a=//evil.example",
    "/next#//evil.example",
    "/a//evil.example",
    "/@evil.example",
    "/https://evil.example",
    "/é",
    "https://example.com",
    "https://example.com/next",
    "https://EXAMPLE.com/next?a=1",
    "https://example.com#x",
    "HTTPS://example.com/",
]

WHITE = ["", " ", "\t", "\n", "\r", "\x00", "\x0b", "\x1f"]
SLASHES = [
    "//",
    "///",
    "////",
    "/\\",
    "\\/",
    "\\\\",
    "\\",
    "/\t/",
    "/\n/",
    "/\r/",
    "/ /",
]
SCHEMES = ["", "https:", "http:", "ftp:", "HTTP:", "h\tttps:", "https:/", "javascript:"]
HOSTS = [
    "evil.example",
    "example.com@evil.example",
    "example.com:80@evil.example",
    "evil.example\\@example.com",
    "example.com.evil.example",
    "evil.example#@example.com",
    "[::1]",
    "2130706433",
    "exa\u200bmple.com",
    "\uff45xample.com",
]
ELSEWHERE = [
    f"{white}{scheme}{slashes}{host}{end}"
    for white in WHITE
    for scheme in SCHEMES
    for slashes in SLASHES
    for host in HOSTS
    for end in ("", "/next")
    # What these give is a path of this site.
    if not (white == scheme == "" and slashes in {"/", ""})
] + [
    "",
    "next",
    "evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,<script>",
    "vbscript:x",
    "mailto:a@evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:example.com",
    "https://",
    "https:///evil.example",
    "https://example.com:8443/",
    "https://example.com:443@evil.example/",
    "https://example.com%2eevil.example/",
    "https://example.com%00.evil.example/",
    "https://example.com\\.evil.example/",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "http://example.com/",
    "//example.com/",
    "https://example.com\uff0fevil.example/",
    "https://example.com\u3002evil.example/",
]


@pytest.mark.parametrize("target", HERE)
async def test_fw_19_a_target_on_this_site_is_followed(app: Quart, target: str) -> None:
    async with app.request_context(make_request(app)):
        response = safe_redirect(target)
    sent = location(response)
    if "://" in target.partition("?")[0][:8]:
        assert sent.lower() == target.lower()
    else:
        assert sent == target.replace("é", "%C3%A9")


async def test_f_46_no_target_leaves_this_site(app: Quart) -> None:
    assert len(ELSEWHERE) > 500
    async with app.request_context(make_request(app)):
        left = [
            target
            for target in ELSEWHERE
            if location(safe_redirect(target, fallback="/home")) != "/home"
        ]
    assert left == []


async def test_fw_19_further_hosts_can_be_allowed(app: Quart) -> None:
    allow = ["www.example.com", "Example.org:8443"]
    async with app.request_context(make_request(app)):
        for target in ("https://www.example.com/x", "https://example.org:8443"):
            assert location(safe_redirect(target, allow=allow)) == target
        for target in ("https://example.org", "https://evil.example", "//example.org"):
            assert location(safe_redirect(target, allow=allow)) == "/"


async def test_fw_19_to_https_and_back_is_not_the_same(app: Quart) -> None:
    async with app.request_context(make_request(app, scheme="http")):
        assert (
            location(safe_redirect("https://example.com/x")) == "https://example.com/x"
        )
        assert location(safe_redirect("http://example.com/x")) == "http://example.com/x"
    async with app.request_context(make_request(app, scheme="https")):
        assert location(safe_redirect("http://example.com/x")) == "/"


def test_fw_19_outside_of_a_request_only_paths_and_allowed_hosts_are_safe() -> None:
    assert location(safe_redirect("/x")) == "/x"
    assert location(safe_redirect("https://example.com/x")) == "/"
    allowed = safe_redirect("https://example.com/x", allow={"example.com"}, code=303)
    assert (location(allowed), allowed.status_code) == ("https://example.com/x", 303)


@pytest.mark.parametrize("target", [None, ""])
def test_fw_19_without_a_target_the_fallback_is_used(target: str | None) -> None:
    assert location(safe_redirect(target, fallback="/home")) == "/home"


@given(st.text(alphabet="/\\:@?#.%a\t\n é", max_size=12))
def test_f_46_what_is_followed_is_a_path_of_this_site(target: str) -> None:
    sent = location(safe_redirect(target, fallback="/home"))
    assert sent.startswith("/")
    assert not sent.startswith(("//", "/\\"))
