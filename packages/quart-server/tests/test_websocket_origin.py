"""Origins: whose pages may open a WebSocket (WS-06)."""

from __future__ import annotations

import pytest
from quart_server.protocols.websocket_origin import OriginPolicy


def allows(allowed: tuple[str, ...], origin: bytes | None, host: bytes = b"a.test"):
    headers = [(b"host", host)]
    if origin is not None:
        headers.append((b"origin", origin))
    return OriginPolicy(allowed).allows(headers)


@pytest.mark.parametrize(
    ("origin", "host", "verdict"),
    [
        (None, b"a.test", True),
        (b"http://a.test", b"a.test", True),
        (b"https://a.test", b"a.test", True),
        (b"HTTP://A.test", b"a.TEST", True),
        (b"http://a.test:80", b"a.test", True),
        (b"http://a.test", b"a.test:80", True),
        (b"https://a.test", b"a.test:443", True),
        (b"http://a.test:8000", b"a.test:8000", True),
        (b"http://[::1]:8000", b"[::1]:8000", True),
        (b"https://a.test", b"a.test:80", False),
        (b"http://a.test", b"a.test:8000", False),
        (b"http://a.test:8000", b"a.test", False),
        (b"http://b.test", b"a.test", False),
        (b"http://x.a.test", b"a.test", False),
        (b"http://a.test.evil", b"a.test", False),
        (b"http://a.test@evil", b"a.test", False),
        (b"http://evil/a.test", b"a.test", False),
        (b"http://a.test/", b"a.test", False),
        (b"null", b"a.test", False),
        (b"", b"a.test", False),
        (b"a.test", b"a.test", False),
        (b"http://a.test\xff", b"a.test", False),
    ],
)
def test_ws_06_same_origin_is_the_default(origin, host, verdict) -> None:
    assert allows(("same-origin",), origin, host) is verdict


def test_ws_06_listed_origins_are_the_only_ones() -> None:
    allowed = ("https://app.test", "http://dev.test:3000")
    assert allows(allowed, b"https://app.test")
    assert allows(allowed, b"https://app.test:443")
    assert allows(allowed, b"http://dev.test:3000")
    assert not allows(allowed, b"http://app.test")
    assert not allows(allowed, b"http://dev.test")
    assert not allows(allowed, b"http://a.test")
    assert allows(allowed, None)


def test_ws_06_star_allows_all_and_nothing_allows_no_browser() -> None:
    assert allows(("*",), b"null")
    assert not allows((), b"http://a.test")
    assert allows((), None)


def test_ws_06_two_origins_are_refused() -> None:
    origin = (b"origin", b"http://a.test")
    headers = [(b"host", b"a.test"), origin, origin]
    assert not OriginPolicy(["same-origin"]).allows(headers)
