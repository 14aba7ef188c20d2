"""Exceptions as a development server keeps them, and what it adds to the page."""

from __future__ import annotations

import json

import pytest
from debug_failures import failure_of, load_module
from quart_core import Quart
from quart_core.debug import (
    DEVELOPMENT_EXTENSION,
    Development,
    error_response,
    keep_error,
)

SOURCE = """\
def boom():
    values = {"a": 1}
    return values["b"]
"""


@pytest.fixture
def error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return failure_of(load_module(tmp_path, SOURCE, "failing").boom)


@pytest.fixture
def app():
    app = Quart("kept", root_path="/nowhere")
    app.debug = True
    app.secret_key = "correct horse battery"
    return app


def scope(*headers, **values):
    return {
        "type": "http", "method": "POST", "path": "/boom", "query_string": b"x=1",
        "headers": [(b"host", b"localhost"), *headers], "client": ("127.0.0.1", 1),
        "scheme": "http", "http_version": "1.1", **values,
    }  # fmt: skip


def kept_body(app, error, body, kind):
    request = scope((b"content-type", kind), (b"content-length", b"1"))
    return keep_error(app, request, error, body=body).body


def test_the_exception_is_kept_as_text_and_page(app, error):
    kept = keep_error(app, scope((b"cookie", b"session=abcdefgh")), error)
    assert kept.summary == "KeyError: 'b'"
    assert kept.place == "failing.py:3 in boom"
    assert "> 3      return values[\"b\"]\n    KeyError: 'b'" in kept.text
    assert kept.page.count(f'nonce="{kept.nonce}"') == 2
    assert "abcdefgh" not in kept.page
    assert kept.request.url == "http://localhost/boom?x=1"
    assert kept.body is None


def test_secrets_in_bodies_are_masked(app, error):
    data = {"user": "Ann", "password": "x1", "list": [{"api_key": "k"}, "a"], "n": 3}
    body = kept_body(app, error, json.dumps(data).encode(), b"application/json")
    assert json.loads(body) == {
        "user": "Ann", "password": "***", "list": [{"api_key": "***"}, "a"], "n": 3,
    }  # fmt: skip
    form = kept_body(
        app, error, b"name=a+b&password=x1", b"application/x-www-form-urlencoded"
    )
    assert form == "name=a+b&password=***"
    text = kept_body(app, error, b"key: correct horse battery", b"text/plain")
    assert text == "key: ***"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{not json", b"application/json"),
        (b"[" * 60_000, b"application/json"),
        (b"\xff\xfe", b"text/plain"),
        (b"a" * 70_000, b"text/plain"),
        (b"--x\r\n", b"multipart/form-data; boundary=x"),
    ],
)
def test_bodies_that_secrets_are_not_found_in_are_not_kept(app, error, body, kind):
    assert kept_body(app, error, body, kind) is None


@pytest.mark.parametrize("path", ["", "/_quart/error/3"])
async def test_the_page_has_what_the_development_server_offers(app, error, path):
    development = Development(
        connects=True, error_path=path, test_command="quart error 3 --pytest"
    )
    if not path:
        development.test_command = ""
    request = scope(
        (b"accept", b"text/html"), extensions={DEVELOPMENT_EXTENSION: development}
    )
    response = error_response(app, request, error)
    assert response.headers["Content-Security-Policy"].endswith("; connect-src 'self'")
    text = await response.get_data(as_text=True)
    assert ("Save as test" in text) is bool(path)
    assert text.count(f'href="{path}') == 2 * bool(path)
    assert ("quart error 3 --pytest" in text) is bool(path)


async def test_other_servers_offer_nothing(app, error):
    request = scope(
        (b"accept", b"text/html"), extensions={DEVELOPMENT_EXTENSION: {"error_path": 1}}
    )
    response = error_response(app, request, error)
    assert "connect-src" not in response.headers["Content-Security-Policy"]
    assert "Save as test" not in await response.get_data(as_text=True)
