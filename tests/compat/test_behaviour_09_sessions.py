"""Sessions and flashed messages."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import URLSafeTimedSerializer
from markupsafe import Markup
from quart import Quart, Response, flash, get_flashed_messages, request, session
from quart.json.tag import TaggedJSONSerializer
from quart.sessions import (
    NullSession,
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
)


def _app(view: Any = None, **config: Any) -> Quart:
    app = Quart("sessions")
    app.secret_key = "k"
    app.config.update(config)
    if view is not None:
        app.add_url_rule("/", "view", view)
    return app


async def _headers_of(view: Any, cookie: str | None = None) -> Any:
    headers = {} if cookie is None else {"Cookie": cookie}
    return (
        await _app(view).test_client(use_cookies=False).get("/", headers=headers)
    ).headers


def _cookie(values: dict[str, Any], key: str = "k") -> str:

    serializer = URLSafeTimedSerializer(
        key,
        salt="cookie-session",
        serializer=TaggedJSONSerializer(),
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha1},
    )
    return f"session={serializer.dumps(values)}"


def test_interface_is_the_signed_cookie_with_flasks_parameters() -> None:
    interface = Quart("sessions").session_interface
    assert type(interface) is SecureCookieSessionInterface
    assert interface.salt == "cookie-session"
    assert interface.key_derivation == "hmac"
    assert interface.digest_method().name == "sha1"


async def test_without_secret_key_reading_works_and_writing_raises() -> None:
    app = Quart("sessions")
    app.testing = True

    @app.get("/read")
    async def read() -> str:
        return f"{session.get('a')} {'a' in session} {len(session)}"

    @app.get("/write")
    async def write() -> str:
        session["a"] = 1
        return ""

    response = await app.test_client().get("/read")
    assert await response.get_data(as_text=True) == "None False 0"
    with pytest.raises(RuntimeError, match="secret"):
        await app.test_client().get("/write")
    async with app.test_request_context("/"):
        assert isinstance(session._get_current_object(), NullSession)


async def test_read_session_is_not_saved() -> None:
    headers = await _headers_of(lambda: str(session.get("a")), _cookie({"a": 1}))
    assert "Set-Cookie" not in headers


async def test_nested_change_needs_modified() -> None:
    async def nested() -> str:
        session["list"].append(1)
        return ""

    async def told() -> str:
        session["list"].append(1)
        session.modified = True
        return ""

    cookie = _cookie({"list": []})
    assert "Set-Cookie" not in await _headers_of(nested, cookie)
    assert "Set-Cookie" in await _headers_of(told, cookie)


async def test_emptied_session_deletes_the_cookie() -> None:
    async def clear() -> str:
        session.clear()
        return ""

    headers = await _headers_of(clear, _cookie({"a": 1}))
    assert "session=;" in headers["Set-Cookie"]
    assert "Max-Age=0" in headers["Set-Cookie"]


@pytest.mark.parametrize(
    "cookie",
    [
        "session=rubbish",
        _cookie({"a": 1}, key="other"),
        _cookie({"a": 1})[:-2],
        "session=",
    ],
    ids=["rubbish", "other key", "cut", "empty"],
)
async def test_bad_signature_gives_a_new_empty_session(cookie: str) -> None:
    app = _app(lambda: str(dict(session)))
    response = await app.test_client().get("/", headers={"Cookie": cookie})
    assert await response.get_data(as_text=True) == "{}"


async def test_expired_session_is_empty() -> None:
    app = _app(lambda: str(dict(session)), PERMANENT_SESSION_LIFETIME=-10)
    response = await app.test_client().get("/", headers={"Cookie": _cookie({"a": 1})})
    assert await response.get_data(as_text=True) == "{}"


@pytest.mark.parametrize("is_async", [False, True])
async def test_interface_methods_may_be_sync_or_async(is_async: bool) -> None:
    stored: dict[str, Any] = {}

    class Sync(SessionInterface):
        def open_session(self, app, request):  # type: ignore[no-untyped-def]
            return SecureCookieSession(stored)

        def save_session(self, app, session, response):  # type: ignore[no-untyped-def]
            stored.update(session)

    class Async(SessionInterface):
        async def open_session(self, app, request):  # type: ignore[no-untyped-def]
            return SecureCookieSession(stored)

        async def save_session(self, app, session, response):  # type: ignore[no-untyped-def]
            stored.update(session)

    async def view() -> str:
        session["count"] = session.get("count", 0) + 1
        return ""

    app = _app(view)
    app.session_interface = Async() if is_async else Sync()
    client = app.test_client()
    await client.get("/")
    await client.get("/")
    assert stored == {"count": 2}


@pytest.mark.parametrize(
    ("use", "varies"),
    [
        (lambda: "", False),
        (lambda: str(session.get("a")), True),
        (lambda: str("a" in session), True),
        (lambda: str(len(session)), True),
        (lambda: session.setdefault("a", "1"), True),
        (lambda: str(bool(session)), True),
        (lambda: str(list(session)), True),
    ],
)
async def test_vary_cookie_on_what_used_the_session(use: Any, varies: bool) -> None:
    headers = await _headers_of(use)
    assert ("Cookie" in headers.get("Vary", "")) is varies


async def test_attributes_of_the_session() -> None:
    async with _app().test_request_context("/"):
        assert session.new is False
        assert (session.modified, session.permanent) == (False, False)
        session["a"] = 1
        session.permanent = True
        assert (session.modified, session.accessed, session.permanent) == (
            True,
            True,
            True,
        )


async def test_cookie_attributes() -> None:
    async def view() -> str:
        session["a"] = 1
        return ""

    app = _app(
        view,
        SESSION_COOKIE_NAME="sid",
        SESSION_COOKIE_DOMAIN="localhost.example",
        SESSION_COOKIE_PATH="/p",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_PARTITIONED=True,
    )
    header = (await app.test_client(use_cookies=False).get("/")).headers["Set-Cookie"]
    parts = {part.strip() for part in header.split(";")[1:]}
    assert header.startswith("sid=")
    assert parts == {
        "Domain=localhost.example",
        "Path=/p",
        "SameSite=Lax",
        "Secure",
        "HttpOnly",
        "Partitioned",
    }


# Flash


async def test_flash_keeps_messages_for_the_next_request_once() -> None:
    app = _app()

    @app.get("/flash")
    async def flashing() -> str:
        await flash("one")
        await flash("two", "error")
        return ""

    @app.get("/show")
    async def show() -> dict[str, Any]:
        return {
            "all": get_flashed_messages(),
            "pairs": get_flashed_messages(with_categories=True),
            "errors": get_flashed_messages(category_filter=["error"]),
        }

    client = app.test_client()
    await client.get("/flash")
    shown = await (await client.get("/show")).get_json()
    assert shown == {
        "all": ["one", "two"],
        "pairs": [["message", "one"], ["error", "two"]],
        "errors": ["two"],
    }
    assert (await (await client.get("/show")).get_json())["all"] == []


async def test_flashes_are_stored_in_the_session() -> None:
    async with _app().test_request_context("/"):
        await flash("one")
        assert session["_flashes"] == [("message", "one")]


# The serializer


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, "x", None, True, 1.5]},
        (1, (2, 3)),
        {"t": (1, 2), "l": [(1,), [2]]},
        b"\x00\xff",
        Markup("<b>"),
        uuid.UUID(int=5),
        dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        {" t": [1], "a": {" di": 3}},
        {" t": 1},
    ],
    ids=repr,
)
def test_tagged_values_come_back_as_they_were(value: Any) -> None:
    serializer = TaggedJSONSerializer()
    back = serializer.loads(serializer.dumps(value))
    assert back == value
    assert type(back) is type(value)


def test_tags_in_their_order() -> None:
    assert [tag.key for tag in TaggedJSONSerializer().order if tag.key] == [
        " di",
        " t",
        " b",
        " m",
        " u",
        " d",
    ]


async def test_session_transaction_and_request_agree() -> None:
    async def view() -> str:
        return session["a"]

    client = _app(view).test_client()
    async with client.session_transaction() as opened:
        opened["a"] = "in"
    response: Response = await client.get("/")
    assert await response.get_data(as_text=True) == "in"
    assert not request


async def test_a_static_file_that_refreshes_a_session_is_not_for_shared_caches(
    tmp_path: Path,
) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.css").write_text("")
    app = Quart(__name__, root_path=str(tmp_path))
    app.secret_key = "k"

    @app.get("/")
    async def index() -> str:
        session.permanent = True
        return ""

    client = app.test_client()
    anonymous = await client.get("/static/a.css")
    assert anonymous.headers["Cache-Control"] == "public, max-age=43200"
    await client.get("/")
    response = await client.get("/static/a.css")
    assert "Set-Cookie" in response.headers
    assert response.headers["Cache-Control"] == "private, max-age=43200"
    assert response.headers["Vary"] == "Cookie"
