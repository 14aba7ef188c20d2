"""Helpers of views: abort, flash, make_response, url_for, environment flags."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from quart_core import Blueprint, Quart, Response, helpers
from quart_core.globals import session
from quart_core.helpers import (
    abort,
    flash,
    get_debug_flag,
    get_flashed_messages,
    get_load_dotenv,
    get_template_attribute,
    locked_cached_property,
    make_push_promise,
    make_response,
    url_for,
)
from quart_core.missing import MissingPackageError
from quart_core.signals import message_flashed
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Aborter, BadRequest, HTTPException, NotFound


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__, static_folder=None)
    app.secret_key = "key"
    return app


def make_request(app: Quart, pushed: list[Any] | None = None) -> Any:
    async def push(path: str, headers: Headers) -> None:
        if pushed is not None:
            pushed.append((path, headers))

    headers = Headers({"Host": "localhost", "User-Agent": "tester"})
    scope: Any = {"type": "http", "headers": [(b"host", b"localhost")]}
    return app.request_class(
        "GET", "http", "/", b"", headers, "", "1.1", scope, send_push_promise=push
    )


# Environment variables

FLAGS = [
    (None, False),
    ("", False),
    ("0", False),
    ("false", False),
    ("False", False),
    ("no", False),
    ("NO", False),
    ("1", True),
    ("true", True),
    ("x", True),
]


@pytest.mark.parametrize(("value", "debug"), FLAGS)
def test_quart_debug_is_false_for_a_few_words(
    monkeypatch: pytest.MonkeyPatch, value: str | None, debug: bool
) -> None:
    monkeypatch.delenv("QUART_DEBUG", raising=False)
    monkeypatch.setenv("FLASK_DEBUG", "1")
    if value is not None:
        monkeypatch.setenv("QUART_DEBUG", value)
    assert get_debug_flag() is debug


@pytest.mark.parametrize(
    ("value", "load"),
    [("0", True), ("false", True), ("No", True), ("1", False), ("x", False)],
)
def test_quart_skip_dotenv_says_whether_files_are_loaded(
    monkeypatch: pytest.MonkeyPatch, value: str, load: bool
) -> None:
    monkeypatch.setenv("QUART_SKIP_DOTENV", value)
    assert get_load_dotenv() is get_load_dotenv(default=False) is load


@pytest.mark.parametrize("value", [None, ""])
def test_without_quart_skip_dotenv_the_default_decides(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("QUART_SKIP_DOTENV", raising=False)
    if value is not None:
        monkeypatch.setenv("QUART_SKIP_DOTENV", value)
    assert get_load_dotenv() is True
    assert get_load_dotenv(default=False) is False


# abort


def test_abort_works_outside_of_an_app() -> None:
    with pytest.raises(NotFound, match="gone fishing"):
        abort(404, description="gone fishing")


async def test_abort_uses_the_aborter_of_the_app(app: Quart) -> None:
    class Teapot(HTTPException):
        code = 499

    app.aborter = Aborter(extra={499: Teapot})
    async with app.app_context():
        with pytest.raises(Teapot):
            abort(499)
        with pytest.raises(BadRequest):
            abort(400)
        with pytest.raises(LookupError):
            abort(999)


async def test_abort_takes_a_response(app: Quart) -> None:
    response = Response("mine", 418)
    async with app.app_context():
        with pytest.raises(HTTPException) as caught:
            abort(response)  # type: ignore[arg-type]
    assert caught.value.get_response() is response


# make_response


async def test_make_response_without_arguments_is_an_empty_response(app: Quart) -> None:
    async with app.app_context():
        response: Any = await make_response()
    assert await response.get_data() == b""
    assert response.headers["Content-Length"] == "0"
    assert response.status_code == 200


async def test_make_response_takes_a_value_or_the_parts_of_a_tuple(app: Quart) -> None:
    async with app.app_context():
        one: Any = await make_response("text")
        packed: Any = await make_response(("text", 201))
        parts: Any = await make_response("text", 202, {"X": "y"})
    assert (one.status_code, packed.status_code, parts.status_code) == (200, 201, 202)
    assert parts.headers["X"] == "y"
    assert await parts.get_data() == b"text"


async def test_make_response_calls_the_apps(app: Quart) -> None:
    class App(Quart):
        async def make_response(self, result: Any, **kwargs: Any) -> Any:
            return ("mine", result)

    async with App(__name__, static_folder=None).app_context():
        made: Any = await make_response("a", 1)
    assert made == ("mine", ("a", 1))


# url_for


async def test_url_for_passes_everything_to_the_app() -> None:
    class App(Quart):
        def url_for(self, endpoint: str, **values: Any) -> str:
            return f"{endpoint} {sorted(values.items(), key=str)}"

    async with App(__name__, static_folder=None).app_context():
        url = url_for(
            "view", _anchor="a", _external=True, _method="GET", _scheme="x", b=1
        )
    assert url == (
        "view [('_anchor', 'a'), ('_external', True), ('_method', 'GET'),"
        " ('_scheme', 'x'), ('b', 1)]"
    )


# URLs table


@pytest.fixture
def routed(app: Quart) -> Quart:
    async def view(**kwargs: Any) -> str:
        return ""

    app.add_url_rule("/view/<int:number>", "view", view)
    blueprint = Blueprint("blue", __name__)
    blueprint.add_url_rule("/blue", "inner", view)
    app.register_blueprint(blueprint)
    return app


async def test_url_for_builds_urls_in_a_request(routed: Quart) -> None:
    async with routed.request_context(make_request(routed)):
        assert url_for("view", number=5) == "/view/5"
        assert url_for("view", number=5, a=[1, 2], b=None) == "/view/5?a=1&a=2"
        assert url_for("view", number=5, _anchor="x y") == "/view/5#x%20y"
        assert url_for("blue.inner") == "/blue"
        assert url_for("blue.inner", _external=True) == "http://localhost/blue"
        assert url_for("blue.inner", _scheme="https") == "https://localhost/blue"


# flash


async def test_flashed_messages_are_taken_out_of_the_session(app: Quart) -> None:
    async with app.request_context(make_request(app)) as context:
        await flash("one")
        await flash("two", "error")
        assert session["_flashes"] == [("message", "one"), ("error", "two")]
        assert get_flashed_messages() == ["one", "two"]
        assert "_flashes" not in session
        # Remembered for the rest of the request.
        assert get_flashed_messages() == ["one", "two"]
        assert context.flashes == [("message", "one"), ("error", "two")]


async def test_flashed_messages_can_be_filtered(app: Quart) -> None:
    async with app.request_context(make_request(app)):
        await flash("one")
        await flash("two", "error")
        await flash("three", "info")
        assert get_flashed_messages(with_categories=True) == [
            ("message", "one"),
            ("error", "two"),
            ("info", "three"),
        ]
        assert get_flashed_messages(category_filter=["error"]) == ["two"]
        assert get_flashed_messages(category_filter=iter(["info", "error"])) == [
            "two",
            "three",
        ]
        assert get_flashed_messages(category_filter="error") == ["two"]
        assert get_flashed_messages(True, ["message"]) == [("message", "one")]
        assert get_flashed_messages(category_filter=["other"]) == []


async def test_looking_for_messages_does_not_change_the_session(app: Quart) -> None:
    async with app.request_context(make_request(app)):
        assert get_flashed_messages() == []
        assert session.modified is False
        assert session.accessed is True


async def test_flashing_marks_the_session_as_changed(app: Quart) -> None:
    async with app.request_context(make_request(app)):
        await flash("one")
        session.modified = False
        await flash("two")
        assert session.modified is True


async def test_without_a_secret_key_messages_can_be_looked_for(app: Quart) -> None:
    app.secret_key = None
    async with app.request_context(make_request(app)):
        assert get_flashed_messages() == []
        with pytest.raises(RuntimeError, match="no secret key was set"):
            await flash("one")


async def test_flashing_sends_a_signal(app: Quart) -> None:
    received = []

    def receiver(sender: Any, **keywords: Any) -> None:
        received.append((sender, keywords))

    async with app.request_context(make_request(app)):
        with message_flashed.connected_to(receiver, app):
            await flash("one", "info")
    assert received == [(app, {"message": "one", "category": "info"})]


def test_flashed_messages_need_a_request() -> None:
    with pytest.raises(RuntimeError, match="outside of request context"):
        get_flashed_messages()


# The rest


async def test_a_push_promise_goes_to_the_server(app: Quart) -> None:
    pushed: list[Any] = []
    async with app.request_context(make_request(app, pushed)):
        await make_push_promise("/style.css")
    [(path, headers)] = pushed
    assert path == "/style.css"
    assert headers["User-Agent"] == "tester"


class Environment:
    """What is needed of a Jinja environment."""

    def __init__(self, *, enable_async: bool = True) -> None:
        self.is_async = enable_async

    def overlay(self, *, enable_async: bool) -> Environment:
        return Environment(enable_async=enable_async)

    def get_template(self, name: str) -> Any:
        def macro() -> str:
            return f"{name} async={self.is_async}"

        return SimpleNamespace(module=SimpleNamespace(macro=macro))


async def test_a_macro_of_a_template_can_be_called_without_awaiting(
    app: Quart,
) -> None:
    environment: Any = Environment()
    app.jinja_env = environment
    async with app.app_context():
        macro = get_template_attribute("macros.html", "macro")
        assert macro() == "macros.html async=False"
        with pytest.raises(AttributeError):
            get_template_attribute("macros.html", "other")


async def test_without_templates_a_macro_asks_for_the_package(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "quart_templating", None)
    async with app.app_context():
        with pytest.raises(MissingPackageError, match="pip install quart-templating"):
            get_template_attribute("macros.html", "macro")


def test_a_locked_cached_property_is_worked_out_once_by_many_threads() -> None:
    barrier = threading.Barrier(8)
    calls = []

    class Owner:
        @locked_cached_property
        def value(self) -> int:
            """The value."""
            calls.append(threading.current_thread())
            return len(calls)

    owner = Owner()
    results = []

    def ask() -> None:
        barrier.wait(10)
        results.append(owner.value)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert results == [1] * 8
    assert Owner.value.__doc__ == "The value."


def test_a_locked_cached_property_can_be_set_and_deleted() -> None:
    class Owner:
        @locked_cached_property
        def value(self) -> int:
            return 1

    owner = Owner()
    owner.value = 5
    assert owner.value == 5
    del owner.value
    assert owner.value == 1


def test_files_and_roots_are_found_here_too() -> None:
    for name in ("find_package", "get_root_path", "send_file", "send_from_directory"):
        assert callable(getattr(helpers, name))
    assert helpers.DEFAULT_MIMETYPE == "application/octet-stream"
    assert set(helpers.__all__) <= set(dir(helpers))
