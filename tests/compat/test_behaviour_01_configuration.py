"""Configuration: keys, their defaults and effects, and ways to load them."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from quart import Config, Quart, abort, flash, redirect, request, session, url_for

DEFAULTS = {
    "APPLICATION_ROOT": "/",
    "BACKGROUND_TASK_SHUTDOWN_TIMEOUT": 5,
    "BODY_TIMEOUT": 60,
    "DEBUG": None,
    "ENV": None,
    "EXPLAIN_TEMPLATE_LOADING": False,
    "MAX_CONTENT_LENGTH": 16_777_216,
    "MAX_COOKIE_SIZE": 4093,
    "MAX_FORM_MEMORY_SIZE": 500_000,
    "MAX_FORM_PARTS": 1000,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "PREFERRED_URL_SCHEME": "http",
    "PREFER_SECURE_URLS": False,
    "PRESERVE_CONTEXT_ON_EXCEPTION": None,
    "PROPAGATE_EXCEPTIONS": None,
    "PROVIDE_AUTOMATIC_OPTIONS": True,
    "RESPONSE_TIMEOUT": 60,
    "SECRET_KEY": None,
    "SECRET_KEY_FALLBACKS": None,
    "SEND_FILE_MAX_AGE_DEFAULT": timedelta(hours=12),
    "SERVER_NAME": None,
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_SAMESITE": None,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_REFRESH_EACH_REQUEST": True,
    "TEMPLATES_AUTO_RELOAD": None,
    "TESTING": False,
    "TRAP_BAD_REQUEST_ERRORS": None,
    "TRAP_HTTP_EXCEPTIONS": False,
    "TRUSTED_HOSTS": None,
    "USE_X_SENDFILE": False,
}
MULTIPART = "multipart/form-data; boundary=b"


@pytest.mark.parametrize("key", DEFAULTS)
def test_default_of_each_key(key: str) -> None:
    assert Quart.default_config[key] == DEFAULTS[key]


def test_debug_is_false_after_construction_where_nothing_asks_for_it() -> None:
    assert Quart(__name__).config["DEBUG"] is False


async def test_application_root_is_the_default_cookie_path() -> None:
    app = Quart(__name__)
    app.secret_key = "k"
    app.config["APPLICATION_ROOT"] = "/mount"

    @app.get("/")
    async def index() -> str:
        session["a"] = 1
        return ""

    response = await app.test_client().get("/")
    assert "Path=/mount" in response.headers["Set-Cookie"]


def _reading_app() -> Quart:
    app = Quart(__name__)

    @app.post("/<what>")
    async def read(what: str) -> str:
        if what == "data":
            return str(len(await request.get_data()))
        return str(len(await getattr(request, what)))

    return app


@pytest.mark.parametrize("what", ["data", "form", "files"])
async def test_max_content_length_is_a_413(what: str) -> None:
    app = _reading_app()
    app.config["MAX_CONTENT_LENGTH"] = 10
    client = app.test_client()
    response = await client.post(
        f"/{what}", data=b"x" * 11, headers={"Content-Type": MULTIPART}
    )
    assert response.status_code == 413


def _part(name: str, content: str, filename: str = "") -> str:
    of_file = f"; filename={filename}" if filename else ""
    return (
        f"--b\r\nContent-Disposition: form-data; name={name}{of_file}\r\n\r\n"
        f"{content}\r\n"
    )


async def _post_multipart(app: Quart, *parts: str) -> int:
    body = "".join(parts) + "--b--\r\n"
    response = await app.test_client().post(
        "/form", data=body, headers={"Content-Type": MULTIPART}
    )
    return response.status_code


async def test_max_form_memory_size_limits_fields_that_are_no_files() -> None:
    app = _reading_app()
    app.config["MAX_FORM_MEMORY_SIZE"] = 10
    assert await _post_multipart(app, _part("a", "x" * 10)) == 200
    assert await _post_multipart(app, _part("a", "x" * 11)) == 413
    assert await _post_multipart(app, _part("a", "x" * 100, "f.txt")) == 200


async def test_max_form_parts_limits_fields_and_files() -> None:
    app = _reading_app()
    app.config["MAX_FORM_PARTS"] = 2
    assert await _post_multipart(app, _part("a", "1"), _part("b", "2", "f")) == 200
    three = [_part("a", "1"), _part("b", "2", "f"), _part("c", "3")]
    assert await _post_multipart(app, *three) == 413


async def test_max_cookie_size_is_warned_about() -> None:
    app = Quart(__name__)
    app.config["MAX_COOKIE_SIZE"] = 100

    @app.get("/")
    async def index() -> tuple[str, int]:
        response = await app.make_response("")
        response.set_cookie("large", "x" * 200)
        return response

    with pytest.warns(UserWarning, match="large"):
        await app.test_client().get("/")


async def test_permanent_session_lifetime_sets_the_expiry() -> None:
    app = Quart(__name__)
    app.secret_key = "k"
    app.permanent_session_lifetime = 60
    assert app.permanent_session_lifetime == timedelta(seconds=60)

    @app.get("/")
    async def index() -> str:
        session.permanent = True
        return ""

    response = await app.test_client().get("/")
    assert "Expires=" in response.headers["Set-Cookie"]


async def test_prefer_secure_urls_outside_of_requests() -> None:
    app = Quart(__name__)
    app.config.update(PREFER_SECURE_URLS=True, SERVER_NAME="example.com")
    app.add_url_rule("/a", "a")
    async with app.app_context():
        assert url_for("a") == "https://example.com/a"


async def test_provide_automatic_options_can_be_turned_off() -> None:
    app = Quart(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False

    @app.get("/")
    async def index() -> str:
        return ""

    client = app.test_client()
    assert (await client.options("/")).status_code == 405


async def test_rules_ask_for_automatic_options_themselves() -> None:
    app = Quart(__name__)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/", "a", lambda: "", provide_automatic_options=True)
    assert (await app.test_client().options("/")).headers["Allow"] == (
        "GET, HEAD, OPTIONS"
    )


async def test_secret_key_fallbacks_are_for_reading_only() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    app.secret_key = "old"
    client = app.test_client()
    await client.get("/")
    app.config.update(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"])
    assert await (await client.get("/")).get_data(as_text=True) == "2"
    app.config["SECRET_KEY_FALLBACKS"] = None
    assert await (await client.get("/")).get_data(as_text=True) == "3"


async def test_session_refresh_each_request_re_sends_permanent_sessions() -> None:
    app = Quart(__name__)
    app.secret_key = "k"

    @app.get("/set")
    async def set_it() -> str:
        session.permanent = True
        return ""

    @app.get("/")
    async def index() -> str:
        return ""

    client = app.test_client()
    await client.get("/set")
    assert "Set-Cookie" in (await client.get("/")).headers
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    assert "Set-Cookie" not in (await client.get("/")).headers


async def test_trap_http_exceptions_treats_them_as_unhandled() -> None:
    app = Quart(__name__)
    app.config["TRAP_HTTP_EXCEPTIONS"] = True

    @app.get("/")
    async def index() -> str:
        abort(404)

    app.logger.setLevel(logging.CRITICAL)
    assert (await app.test_client().get("/")).status_code == 500


async def test_trusted_hosts_are_enforced() -> None:
    app = Quart(__name__)
    app.config["TRUSTED_HOSTS"] = ["example.com", ".example.org"]

    @app.get("/")
    async def index() -> str:
        return request.host

    client = app.test_client()
    for host, status in [
        ("example.com", 200),
        ("example.com:5000", 200),
        ("a.example.org", 200),
        ("evil.com", 400),
        ("example.com.evil.com", 400),
    ]:
        response = await client.get("/", headers={"Host": host})
        assert (host, response.status_code) == (host, status)


def test_config_loads_objects_files_mappings_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(str(tmp_path))
    (tmp_path / "c.py").write_text("PY = 1\nlower = 2")
    (tmp_path / "c.json").write_text('{"JSON": 1, "lower": 2}')
    assert config.from_pyfile("c.py") is True
    assert config.from_file("c.json", load=json.load) is True
    with (tmp_path / "c.json").open("rb") as file:
        assert json.load(file)["JSON"] == 1
    assert config.from_file("c.json", json.load, text=False) is True
    assert config.from_file("none.json", json.load, silent=True) is False
    assert config.from_mapping({"MAP": 1}, KEY=2, lower=3) is True
    config.from_object(type("Settings", (), {"OBJECT": 1, "lower": 2}))
    monkeypatch.setenv("SETTINGS_FILE", str(tmp_path / "c.py"))
    assert config.from_envvar("SETTINGS_FILE") is True
    with pytest.raises(RuntimeError, match="NO_SUCH_VARIABLE"):
        config.from_envvar("NO_SUCH_VARIABLE")
    assert config == {"PY": 1, "JSON": 1, "MAP": 1, "KEY": 2, "OBJECT": 1}


def test_prefixed_environment_gives_json_values_and_nested_dicts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "QUART_A__B": "1",
        "QUART_TEXT": "not json",
        "QUART_LIST": "[1, 2]",
        "QUART_A__C": "true",
        "OTHER_X": "5",
    }.items():
        monkeypatch.setenv(name, value)
    config = Config(".")
    assert config.from_prefixed_env() is True
    expected = {"A": {"B": 1, "C": True}, "TEXT": "not json", "LIST": [1, 2]}
    assert {key: config[key] for key in expected} == expected
    config = Config(".")
    config.from_prefixed_env("OTHER", loads=lambda text: text * 2)
    assert config == {"X": "55"}


def test_namespace_of_keys() -> None:
    config = Config(".", {"STORE_KIND": "fs", "STORE_PATH": "/p", "X": 1})
    assert config.get_namespace("STORE_") == {"kind": "fs", "path": "/p"}
    assert config.get_namespace("STORE_", lowercase=False, trim_namespace=False) == {
        "STORE_KIND": "fs",
        "STORE_PATH": "/p",
    }


def test_config_backed_attributes() -> None:
    app = Quart(__name__)
    app.secret_key, app.testing, app.debug = "k", True, True
    assert (app.config["SECRET_KEY"], app.config["TESTING"]) == ("k", True)
    assert app.config["DEBUG"] is True
    app.config["TESTING"] = False
    assert app.testing is False


async def test_max_content_length_none_is_no_limit() -> None:
    app = _reading_app()
    app.config["MAX_CONTENT_LENGTH"] = None
    response = await app.test_client().post("/data", data=b"x" * 20_000_000)
    assert await response.get_data(as_text=True) == "20000000"


async def test_flash_and_redirect_work_together() -> None:
    app = Quart(__name__)
    app.secret_key = "k"

    @app.get("/")
    async def index():  # type: ignore[no-untyped-def]
        await flash("seen")
        return redirect("/other")

    assert (await app.test_client().get("/")).status_code == 302
