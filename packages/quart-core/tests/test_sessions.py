"""Sessions table: cookies, signatures, what is saved when, what caches are told."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest
from core_driver import Driver
from hypothesis import given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode
from markupsafe import Markup
from quart_core import Quart
from quart_core.globals import session
from quart_core.json.tag import TaggedJSONSerializer
from quart_core.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
    SessionMixin,
)
from quart_core.wrappers import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.http import parse_cookie

KEY = "correct horse battery staple"

# Cookies that Flask 3.1.3 has signed with KEY, at this time.
SIGNED_AT = 1_800_000_000
FLASK_COOKIES = {
    "eyJhIjoxfQ.a0nSAA.u4DA4wfVZUt77LPV7_9mh7aIlHU": {"a": 1},
    "eyJhIjoyLCJiIjoxfQ.a0nSAA.xE00gIyhfCnMsiyr8TS8FkgoXfY": {"a": 2, "b": 1},
    ".eJw1yTsOgCAQBcCrkFdT0Bm5ChpD4vOTCJpdqQh3l8Z2pqIoZTlX-MFieSgpZuYX_pXCLtsV9aDChwr"
    "TOSBRNe6ExXFibvZ3itzSNd9mKs5x7Dm3DzVVH5c.a0nSAA.Ty19GZ7f1b7678Tfb2kH7_Q6BZc": {
        "user_id": 7,
        "_permanent": True,
        "_flashes": [("message", "hi"), ("error", "no é")],
    },
    ".eJyrVkpSsqpWUgCSSo4BFrZKtTpKuWARIKlkk2RXYaOfZAcSLQWLAkklQyNjE1MzcwtcNEh1Clg1kFQKT"
    "izRUTCyVHBLTVIwMjAyUDA0sjI2sDIwUHD3DQEpLQErBZLRhjpQhpGOUoVSbG0sUDY_BWpUJkRZfDxIYWxtb"
    "S0AiG4u4g.a0nSAA.-5AJdnpYwlo8xc5VAqQ01aexRzU": {
        "b": b"\x00\xff",
        "m": Markup("<b>x</b>"),
        "u": UUID("12345678123456781234567812345678"),
        "d": datetime(2020, 2, 29, 12, 30, tzinfo=UTC),
        "t": (1, (2, "x")),
        "odd": {" t": [1]},
    },
    ".eJyrVsrJz0tXslJKTBqFgwkq1QIA_U2bww.a0nSAA.iSw3k5FL0Stzs3qU2isxHEDZsTc": {
        "long": "ab" * 200
    },
}


def make_app(**config: Any) -> Quart:
    app = Quart(__name__, static_folder=None)
    app.config.update({"SECRET_KEY": KEY, **config})
    return app


async def unused_push_promise(path: str, headers: Headers) -> None:
    raise AssertionError("No push promise was to be sent.")


def make_request(app: Quart, cookie: str | None = None, path: str = "/") -> Request:
    headers = Headers({"Host": "localhost"})
    if cookie is not None:
        headers["Cookie"] = cookie
    scope: Any = {
        "type": "http",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    return app.request_class(
        "GET",
        "http",
        path,
        b"",
        headers,
        "",
        "1.1",
        scope,
        send_push_promise=unused_push_promise,
    )


View = Callable[[], Any] | Callable[[], Awaitable[Any]]


async def visit(app: Quart, view: View, cookie: str | None = None) -> Response:
    """Give the response of an app that has just this view."""
    app.view_functions.pop("view", None)
    if not list(app.url_map.iter_rules()):
        app.add_url_rule("/", "view", lambda: None)
    app.view_functions["view"] = view
    return await app.handle_request(make_request(app, cookie))


def cookie_of(response: Response, name: str = "session") -> str | None:
    """Give ``name=value`` of the cookie the response sets, None if it sets none."""
    for header in response.headers.getlist("Set-Cookie"):
        if header.startswith(f"{name}="):
            return header.partition(";")[0]
    return None


def value_of(cookie: str | None) -> str:
    assert cookie is not None
    return cookie.partition("=")[2]


def stock_serializer(*keys: str) -> URLSafeTimedSerializer:
    """What Flask signs with, made of itsdangerous directly; the last key signs."""
    return URLSafeTimedSerializer(
        list(keys),
        salt="cookie-session",
        serializer=TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )


def at(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(time, "time", lambda: seconds)


async def opened(app: Quart, value: str) -> dict[str, Any]:
    """Open a session from a cookie with this value, which no header need carry."""
    request: Any = SimpleNamespace(cookies={"session": value})
    read = await SecureCookieSessionInterface().open_session(app, request)
    assert read is not None
    return dict(read)


def signed(app: Quart, value: Any) -> str:
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return serializer.dumps(value)


# Cookies are Flask's


@pytest.mark.parametrize(
    ("cookie", "values"), FLASK_COOKIES.items(), ids=range(len(FLASK_COOKIES))
)
async def test_flasks_cookies_are_read(
    monkeypatch: pytest.MonkeyPatch, cookie: str, values: dict[str, Any]
) -> None:
    at(monkeypatch, SIGNED_AT + 60)
    read = await opened(make_app(), cookie)
    assert read == values
    assert [type(value) for value in read.values()] == [
        type(value) for value in values.values()
    ]


@pytest.mark.parametrize(
    ("cookie", "values"),
    # The compressed ones depend on the version of zlib.
    [item for item in FLASK_COOKIES.items() if not item[0].startswith(".")],
)
def test_cookies_are_written_as_flask_writes_them(
    monkeypatch: pytest.MonkeyPatch, cookie: str, values: dict[str, Any]
) -> None:
    at(monkeypatch, SIGNED_AT)
    assert signed(make_app(), values) == cookie


@pytest.mark.parametrize(
    "values", FLASK_COOKIES.values(), ids=range(len(FLASK_COOKIES))
)
async def test_cookies_go_both_ways_between_itsdangerous_and_us(values: Any) -> None:
    app = make_app()
    assert await opened(app, stock_serializer(KEY).dumps(values)) == values
    assert stock_serializer(KEY).loads(signed(app, values)) == values


session_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.uuids(),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=9), session_values, max_size=4))
async def test_a_session_comes_back_as_it_was_signed(
    values: dict[str, Any],
) -> None:
    app = make_app()
    assert await opened(app, signed(app, values)) == values


# Signatures


def mutations(cookie: str) -> Iterator[str]:
    """Every cookie that is one letter away, and every beginning and end of it."""
    for position in range(len(cookie) + 1):
        before, after = cookie[:position], cookie[position:]
        for letter in "ABCDabcd0189-_.=/+ é\x00\n":
            yield before + letter + after
            yield before + letter + after[1:]
        yield before + after[1:]
        yield before
        yield after


async def test_f_43_no_mutated_cookie_is_accepted() -> None:
    app = make_app()
    cookie = signed(app, {"user_id": 7})
    accepted = [
        mutated
        for mutated in mutations(cookie)
        if mutated != cookie and await opened(app, mutated)
    ]
    assert accepted == []


@given(st.integers(0), st.integers(0, 7))
async def test_f_43_no_cookie_with_a_flipped_bit_is_accepted(
    byte: int, bit: int
) -> None:
    app = make_app()
    raw = bytearray(signed(app, {"user_id": 7}).encode())
    raw[byte % len(raw)] ^= 1 << bit
    assert await opened(app, raw.decode("latin-1")) == {}


@given(
    st.text(max_size=200) | st.binary(max_size=99).map(lambda raw: raw.decode("cp437"))
)
async def test_tp_04_no_random_text_is_a_session(text: str) -> None:
    assert await opened(make_app(), text) == {}


@pytest.mark.parametrize(
    ("salt", "derivation", "digest", "key"),
    [
        ("other-salt", "hmac", hashlib.sha1, KEY),
        ("cookie-session", "django-concat", hashlib.sha1, KEY),
        ("cookie-session", "hmac", hashlib.sha256, KEY),
        ("cookie-session", "hmac", hashlib.sha1, "other key"),
    ],
)
async def test_tp_04_another_salt_key_or_hash_is_refused(
    salt: str, derivation: str, digest: Any, key: str
) -> None:
    serializer = URLSafeTimedSerializer(
        key,
        salt=salt,
        serializer=TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": derivation, "digest_method": digest},
    )
    assert await opened(make_app(), serializer.dumps({"a": 1})) == {}


@pytest.mark.parametrize("payload", [[1], "text", 5, None, ({"a": 1},)])
async def test_a_signed_value_that_is_no_session_is_refused(payload: Any) -> None:
    app = make_app()
    assert await opened(app, signed(app, payload)) == {}


@pytest.mark.parametrize("text", [b'{" t":5}', b'{" u":"zz"}', b"{", b'{" b":[]}'])
async def test_a_signed_payload_that_cannot_be_read_is_refused(text: bytes) -> None:
    app = make_app()

    class Raw:
        @staticmethod
        def dumps(value: bytes) -> bytes:
            return value

        @staticmethod
        def loads(value: bytes) -> bytes:
            return value

    serializer = stock_serializer(KEY)
    serializer.serializer = Raw
    serializer.is_text_serializer = False
    assert await opened(app, serializer.dumps(text)) == {}


# Age

LIFETIME = timedelta(hours=1)


@pytest.mark.parametrize(
    ("seconds_later", "accepted"),
    [(0, True), (3600, True), (3601, False), (-60, True), (-61, False), (-3600, False)],
)
async def test_f_31_a_cookie_is_accepted_for_its_lifetime_and_a_minute_of_skew(
    monkeypatch: pytest.MonkeyPatch, seconds_later: int, accepted: bool
) -> None:
    app = make_app(PERMANENT_SESSION_LIFETIME=LIFETIME)
    at(monkeypatch, SIGNED_AT)
    cookie = signed(app, {"a": 1})
    at(monkeypatch, SIGNED_AT + seconds_later + 0.9)
    assert bool(await opened(app, cookie)) is accepted


@pytest.mark.parametrize(
    "stamp", [b"", b"\x00", b"\x01" * 7, b"\xff" * 8, b"\xff" * 99]
)
async def test_tp_04_far_timestamps_are_refused(stamp: bytes) -> None:
    app = make_app()
    signer = stock_serializer(KEY).make_signer("cookie-session")
    [payload, *_] = signed(app, {"a": 1}).encode().split(b".")
    value = payload + b"." + base64_encode(stamp)
    cookie = value + b"." + signer.get_signature(value)
    assert await opened(app, cookie.decode()) == {}


# Keys


async def test_fw_03_the_newest_key_signs_and_all_verify() -> None:
    app = make_app(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older", "oldest"])
    for key in ("new", "older", "oldest"):
        assert await opened(app, stock_serializer(key).dumps({"a": 1})) == {"a": 1}
    cookie = signed(app, {"a": 1})
    assert stock_serializer("new").loads(cookie) == {"a": 1}
    for key in ("older", "oldest"):
        assert await opened(make_app(SECRET_KEY=key), cookie) == {}


async def test_fw_03_a_key_that_was_dropped_verifies_no_more() -> None:
    app = make_app(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older"])
    cookie = stock_serializer("older").dumps({"a": 1})
    assert await opened(app, cookie) == {"a": 1}
    app.config["SECRET_KEY_FALLBACKS"] = []
    assert await opened(app, cookie) == {}


async def test_fw_03_a_session_of_an_old_key_is_signed_with_the_new_one() -> None:
    app = make_app(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"])

    async def view() -> str:
        session["b"] = 2
        return ""

    old = stock_serializer("old").dumps({"a": 1})
    response = await visit(app, view, f"session={old}")
    value = value_of(cookie_of(response))
    assert stock_serializer("new").loads(value) == {"a": 1, "b": 2}


def test_the_serializer_is_made_once_for_the_same_settings() -> None:
    interface = SecureCookieSessionInterface()
    app = make_app()
    first = interface.get_signing_serializer(app)
    assert interface.get_signing_serializer(app) is first
    app.config["SECRET_KEY_FALLBACKS"] = ["old"]
    second = interface.get_signing_serializer(app)
    assert second is not first
    app.config["SECRET_KEY_FALLBACKS"].append("older")
    assert interface.get_signing_serializer(app) is not second
    app.config["SECRET_KEY_FALLBACKS"] = None
    assert interface.get_signing_serializer(app) is first


def test_the_serializers_kept_are_bounded() -> None:
    interface = SecureCookieSessionInterface()
    for number in range(100):
        interface.get_signing_serializer(make_app(SECRET_KEY=str(number)))
    assert len(interface._serializers) == 8


def test_a_changed_salt_gives_another_serializer() -> None:
    interface = SecureCookieSessionInterface()
    app = make_app()
    first = interface.get_signing_serializer(app)
    interface.salt = "other"
    second = interface.get_signing_serializer(app)
    assert first is not None
    assert second is not None
    assert (first.salt, second.salt) == (b"cookie-session", b"other")


def test_a_serializer_signs_with_another_salt_when_asked() -> None:
    serializer = SecureCookieSessionInterface().get_signing_serializer(make_app())
    assert serializer is not None
    text = serializer.dumps({"a": 1}, salt="other")
    assert serializer.loads(text, salt="other") == {"a": 1}
    assert serializer.loads_unsafe(text) == (False, {"a": 1})


@pytest.mark.parametrize(
    "config",
    [{"SECRET_KEY": 1234}, {"SECRET_KEY_FALLBACKS": [1234]}],
    ids=["key", "fallback"],
)
def test_a_key_that_is_a_number_is_explained(config: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="is of type int, expected str or bytes"):
        SecureCookieSessionInterface().get_signing_serializer(make_app(**config))


async def test_bytes_are_a_key() -> None:
    app = make_app(SECRET_KEY=b"\xff\x00key")
    assert await opened(app, signed(app, {"a": 1})) == {"a": 1}


# No secret key

FIX = (
    "The session is unavailable because no secret key was set. Set app.secret_key to a"
    " random text, such as 'quart doctor --secret' prints."
)
CHANGES: dict[str, Callable[[Any], Any]] = {
    "set": lambda target: target.__setitem__("a", 1),
    "delete": lambda target: target.__delitem__("a"),
    "clear": lambda target: target.clear(),
    "pop": lambda target: target.pop("a", None),
    "popitem": lambda target: target.popitem(),
    "update": lambda target: target.update(a=1),
    "setdefault": lambda target: target.setdefault("a", 1),
    "merge": lambda target: target.__ior__({"a": 1}),
    "permanent": lambda target: setattr(target, "permanent", True),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_null_session_tells_the_fix_when_it_is_changed(
    change: Callable[[Any], Any],
) -> None:
    with pytest.raises(RuntimeError) as caught:
        change(NullSession())
    assert str(caught.value) == FIX


async def test_without_a_secret_key_the_session_reads_as_empty() -> None:
    seen: list[Any] = []

    async def view() -> str:
        seen.append((dict(session), session.get("a"), "a" in session, len(session)))
        seen.append((session.permanent, session.modified, session.new))
        return ""

    response = await visit(make_app(SECRET_KEY=None), view, "session=x")
    assert seen == [({}, None, False, 0), (False, False, False)]
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers


# The session itself


def test_a_session_notices_changes_at_its_own_level() -> None:
    for change in (
        lambda target: target.__setitem__("a", 1),
        lambda target: target.update(b=1),
        lambda target: target.pop("list"),
        lambda target: target.setdefault("c", 1),
        lambda target: target.clear(),
        lambda target: target.__ior__({"a": 1}),
    ):
        values = SecureCookieSession({"list": []})
        assert values.modified is False
        change(values)
        assert values.modified is True


def test_a_session_does_not_notice_nested_changes() -> None:
    values = SecureCookieSession({"list": []})
    values["list"].append(1)
    assert values.modified is False
    values.modified = True
    assert values.modified is True


def test_permanence_is_kept_in_the_session() -> None:
    values = SecureCookieSession()
    assert values.permanent is False
    values.permanent = True
    assert values == {"_permanent": True}
    assert values.permanent is True


def test_a_session_has_the_attributes_of_the_mixin() -> None:
    values = SecureCookieSession()
    assert (values.new, values.accessed) == (False, False)
    assert SessionMixin.modified is True
    assert isinstance(values, SessionMixin)
    assert isinstance(values, dict)


# Saved when


async def change_session() -> str:
    session["a"] = 1
    return ""


async def read_session() -> str:
    session.get("a")
    return ""


async def make_permanent() -> str:
    session["a"] = 1
    session.permanent = True
    return ""


async def clear_session() -> str:
    session.clear()
    return ""


async def ignore_session() -> str:
    return ""


async def test_a_changed_session_is_saved_and_read_again() -> None:
    app = make_app()
    cookie = cookie_of(await visit(app, change_session))
    assert cookie is not None
    seen = []

    async def view() -> str:
        seen.append(dict(session))
        return ""

    await visit(app, view, cookie)
    assert seen == [{"a": 1}]


async def test_a_session_that_was_only_read_is_not_saved() -> None:
    app = make_app()
    cookie = cookie_of(await visit(app, change_session))
    assert cookie_of(await visit(app, read_session, cookie)) is None


@pytest.mark.parametrize("view", [read_session, ignore_session])
@pytest.mark.parametrize("refresh", [True, False])
async def test_a_permanent_session_is_sent_again_if_configured(
    view: View, refresh: bool
) -> None:
    app = make_app(SESSION_REFRESH_EACH_REQUEST=refresh)
    cookie = cookie_of(await visit(app, make_permanent))
    response = await visit(app, view, cookie)
    assert (cookie_of(response) is not None) is refresh
    if refresh:
        assert "Cookie" in response.vary
        assert "Expires=" in response.headers["Set-Cookie"]


async def test_a_permanent_cookie_expires_after_the_lifetime(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = make_app(PERMANENT_SESSION_LIFETIME=3600)
    before = datetime.now(UTC).replace(microsecond=0)
    response = await visit(app, make_permanent)
    expires = SecureCookieSessionInterface().get_expiration_time(
        app, SecureCookieSession({"_permanent": True})
    )
    assert expires is not None
    hour = timedelta(seconds=3600)
    assert before + hour <= expires <= datetime.now(UTC) + hour
    assert "Expires=" in response.headers["Set-Cookie"]


async def test_other_cookies_end_with_the_browser() -> None:
    app = make_app()
    header = (await visit(app, change_session)).headers["Set-Cookie"]
    assert "Expires" not in header
    assert "Max-Age" not in header


async def test_an_emptied_session_deletes_its_cookie() -> None:
    app = make_app()
    cookie = cookie_of(await visit(app, change_session))
    for sent in (cookie, None):
        response = await visit(app, clear_session, sent)
        assert cookie_of(response) == "session="
        assert "Max-Age=0" in response.headers["Set-Cookie"]
        assert "Cookie" in response.vary


async def test_an_unused_session_costs_no_cookie_and_no_header() -> None:
    app = make_app()
    cookie = cookie_of(await visit(app, change_session))
    for sent in (None, cookie, "session=invalid", "other=1"):
        response = await visit(app, ignore_session, sent)
        assert "Set-Cookie" not in response.headers
        assert "Vary" not in response.headers
        assert "Cache-Control" not in response.headers


async def test_a_bad_signature_gives_a_new_empty_session() -> None:
    seen = []

    async def view() -> str:
        seen.append(dict(session))
        session["a"] = 2
        return ""

    response = await visit(make_app(), view, "session=eyJhIjoxfQ.a0nSAA.AAAA")
    assert seen == [{}]
    assert cookie_of(response) is not None


# Cookie attributes


async def test_cookie_attributes_have_defaults() -> None:
    response = await visit(make_app(), change_session)
    attributes = response.headers["Set-Cookie"].split("; ")[1:]
    assert sorted(attributes) == ["HttpOnly", "Path=/"]


async def test_cookie_attributes_come_from_the_config() -> None:
    app = make_app(
        SESSION_COOKIE_NAME="sid",
        SESSION_COOKIE_DOMAIN="example.com",
        SESSION_COOKIE_PATH="/p",
        SESSION_COOKIE_HTTPONLY=False,
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PARTITIONED=True,
    )
    expected = [
        "Domain=example.com",
        "Partitioned",
        "Path=/p",
        "SameSite=Lax",
        "Secure",
    ]
    for view, extra in (
        (change_session, []),
        (clear_session, ["Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Max-Age=0"]),
    ):
        header = (await visit(app, view)).headers["Set-Cookie"]
        assert header.startswith("sid=")
        assert sorted(header.split("; ")[1:]) == sorted([*expected, *extra])


async def test_the_cookie_path_falls_back_on_the_application_root() -> None:
    response = await visit(make_app(APPLICATION_ROOT="/app"), change_session)
    assert "Path=/app" in response.headers["Set-Cookie"]


@pytest.mark.parametrize(
    "config",
    [
        {"SESSION_COOKIE_SAMESITE": "Lax; Domain=evil.example"},
        {"SESSION_COOKIE_SAMESITE": "Never"},
    ],
)
async def test_st_19_cookie_attributes_are_validated(config: dict[str, Any]) -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=True, **config)
    with pytest.raises(ValueError, match="SameSite"):
        await visit(app, change_session)


async def test_st_19_a_path_adds_no_attribute() -> None:
    app = make_app(SESSION_COOKIE_PATH="/; Domain=evil.example")
    header = (await visit(app, change_session)).headers["Set-Cookie"]
    assert "Domain=evil.example" not in header.split("; ")


# Vary: Cookie

TOUCHES: dict[str, Callable[[], Any]] = {
    "getitem": lambda: session["a"],
    "get": lambda: session.get("a"),
    "contains": lambda: "a" in session,
    "len": lambda: len(session),
    "iter": lambda: list(session),
    "bool": lambda: bool(session),
    "keys": lambda: session.keys(),
    "values": lambda: session.values(),
    "items": lambda: session.items(),
    "eq": lambda: session == {},
    "copy": lambda: dict(session),
    "permanent": lambda: session.permanent,
    "modified": lambda: session.modified,
    "new": lambda: session.new,
    "setitem": lambda: session.__setitem__("a", 2),
    "delitem": lambda: session.__delitem__("a"),
    "pop": lambda: session.pop("a"),
    "popitem": lambda: session.popitem(),
    "clear": lambda: session.clear(),
    "update": lambda: session.update(b=1),
    "setdefault": lambda: session.setdefault("b", 1),
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES.keys())
async def test_fw_02_any_touch_of_the_session_adds_vary_cookie(
    touch: Callable[[], Any],
) -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=True)
    cookie = cookie_of(await visit(app, change_session))

    async def view() -> str:
        touch()
        return ""

    response = await visit(app, view, cookie)
    assert response.headers["Vary"] == "Cookie"


async def test_fw_02_vary_keeps_what_the_app_has_set() -> None:
    async def view() -> Any:
        session["a"] = 1
        return "", {"Vary": "Accept"}

    response = await visit(make_app(), view)
    assert response.headers["Vary"] == "Accept, Cookie"


@pytest.mark.parametrize("view", [change_session, clear_session, make_permanent])
async def test_fw_02_a_session_cookie_keeps_the_response_out_of_shared_caches(
    view: View,
) -> None:
    response = await visit(make_app(), view)
    assert response.headers["Cache-Control"] == "private"


async def test_f_52_the_apps_own_cache_control_stays() -> None:
    async def view() -> Any:
        session["a"] = 1
        return "", {"Cache-Control": "no-store"}

    response = await visit(make_app(), view)
    assert response.headers.getlist("Cache-Control") == ["no-store"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("public, max-age=60", "private, max-age=60"),
        ("max-age=60, public, s-maxage=9", "max-age=60, private"),
        ("no-cache", "no-cache"),
    ],
)
async def test_f_52_a_session_cookie_is_never_sent_for_shared_caches(
    given: str, sent: str
) -> None:
    async def view() -> Any:
        session["a"] = 1
        return "", {"Cache-Control": given}

    response = await visit(make_app(), view)
    assert response.headers.getlist("Cache-Control") == [sent]


async def test_f_52_reading_alone_adds_no_cache_control() -> None:
    response = await visit(make_app(), read_session)
    assert "Cache-Control" not in response.headers


# Interfaces


async def test_a_websocket_that_was_accepted_logs_a_lost_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = make_app()
    interface = SecureCookieSessionInterface()
    values = SecureCookieSession({"a": 1})
    await interface.save_session(app, values, None)
    assert caplog.records == []
    values["b"] = 1
    await interface.save_session(app, values, None)
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "already accepted, and the change is lost" in record.getMessage()


async def test_without_a_key_nothing_is_opened() -> None:
    app = make_app(SECRET_KEY=None)
    interface = SecureCookieSessionInterface()
    request = make_request(app)
    assert await interface.open_session(app, request) is None
    assert isinstance(interface._open(app, request), NullSession)
    assert isinstance(await interface.make_null_session(app), NullSession)


async def test_a_null_session_is_never_saved() -> None:
    app = make_app()
    response = app.response_class("")
    null = NullSession()
    null.accessed = True
    null.modified = True
    await SecureCookieSessionInterface().save_session(app, null, response)
    assert "Set-Cookie" not in response.headers
    assert "Vary" not in response.headers


async def test_saving_after_the_key_was_removed_tells_the_fix() -> None:
    app = make_app(SECRET_KEY=None)
    values = SecureCookieSession()
    values["a"] = 1
    with pytest.raises(RuntimeError, match="no secret key was set"):
        await SecureCookieSessionInterface().save_session(
            app, values, app.response_class("")
        )


def test_null_sessions_are_recognised_under_both_names() -> None:
    interface = SessionInterface()
    assert interface.is_null_session(NullSession()) is True
    assert interface.is_null_session(instance=NullSession()) is True
    assert interface.is_null_session(obj=NullSession()) is True
    assert interface.is_null_session(obj=SecureCookieSession()) is False
    assert interface.is_null_session(None) is False
    assert interface.pickle_based is False


async def test_an_interface_says_what_to_define() -> None:
    app = make_app()
    interface: Any = SessionInterface()
    with pytest.raises(NotImplementedError, match="must define open_session"):
        await interface.open_session(app, make_request(app))
    with pytest.raises(NotImplementedError, match="must define save_session"):
        await interface.save_session(app, SecureCookieSession(), Response())


class OpensItself(SecureCookieSessionInterface):
    async def open_session(self, app: Any, request: Any) -> Any:
        return None


class MakesNullItself(SecureCookieSessionInterface):
    async def make_null_session(self, app: Any) -> Any:
        return NullSession()


class SavesItself(SecureCookieSessionInterface):
    async def save_session(self, app: Any, session: Any, response: Any) -> None:
        response.headers["Saved"] = str(dict(session))


def test_only_the_stock_way_of_opening_is_lazy() -> None:
    patched = SecureCookieSessionInterface()
    patched.open_session = None  # type: ignore[assignment, method-assign]
    assert SecureCookieSessionInterface().opens_lazily is True
    assert SavesItself().opens_lazily is True
    assert OpensItself().opens_lazily is False
    assert MakesNullItself().opens_lazily is False
    assert SessionInterface().opens_lazily is False
    assert patched.opens_lazily is False


class Memory(SessionInterface):
    """Sessions in memory, by plain functions."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}

    def open_session(self, app: Any, request: Any) -> Any:
        return SecureCookieSession(self.stored)

    def save_session(self, app: Any, session: Any, response: Any) -> None:  # type: ignore[override]
        self.stored = dict(session)


class AsyncMemory(Memory):
    async def open_session(self, app: Any, request: Any) -> Any:
        return SecureCookieSession(self.stored)

    async def save_session(self, app: Any, session: Any, response: Any) -> None:
        self.stored = dict(session)


@pytest.mark.parametrize("interface_class", [Memory, AsyncMemory])
async def test_the_methods_of_an_interface_may_be_sync_or_async(
    interface_class: type[Memory],
) -> None:
    app = make_app(SECRET_KEY=None)
    app.session_interface = interface_class()
    await visit(app, change_session)
    seen = []

    async def view() -> str:
        seen.append(dict(session))
        return ""

    await visit(app, view)
    assert seen == [{"a": 1}]


async def test_an_interface_may_replace_only_the_saving() -> None:
    app = make_app()
    app.session_interface = SavesItself()
    response = await visit(app, change_session)
    assert response.headers["Saved"] == "{'a': 1}"
    assert "Set-Cookie" not in response.headers


async def test_an_interface_that_opens_nothing_gives_a_null_session() -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=True)
    app.session_interface = OpensItself()
    with pytest.raises(RuntimeError, match="no secret key was set"):
        await visit(app, change_session)


def test_the_cookie_can_be_parsed_as_any_other() -> None:
    cookie = f"session={signed(make_app(), {'a': 1})}"
    assert list(parse_cookie(cookie)) == ["session"]


async def test_functions_put_on_an_interface_are_called() -> None:
    app = Quart(__name__)
    app.secret_key = "k"
    calls = []

    async def save(*args: Any) -> None:
        calls.append("save")

    # One of its own: the stock one is shared by all applications.
    app.session_interface = SecureCookieSessionInterface()
    app.session_interface.save_session = save  # type: ignore[method-assign]

    @app.get("/")
    async def index() -> str:
        session["a"] = 1
        return ""

    answer = await Driver(app).get("/")
    assert calls == ["save"]
    assert "Set-Cookie" not in answer.headers


async def test_a_mock_of_an_interface_is_called() -> None:
    app = Quart(__name__)
    app.session_interface = AsyncMock(spec=SessionInterface)
    app.session_interface.open_session.return_value = SecureCookieSession()
    app.session_interface.is_null_session.return_value = False

    @app.get("/")
    async def index() -> str:
        session["a"] = 1
        return ""

    await Driver(app).get("/")
    app.session_interface.open_session.assert_called_once()
    app.session_interface.save_session.assert_called_once()
