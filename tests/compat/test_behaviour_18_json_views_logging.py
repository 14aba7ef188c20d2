"""JSON, class-based views, logging and the name of the application."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import io
import logging
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import quart
from quart import Quart, jsonify, request
from quart import json as quart_json
from quart.json.provider import DefaultJSONProvider, JSONProvider
from quart.views import MethodView, View


@dataclasses.dataclass
class Record:
    a: int


class Page:
    def __html__(self) -> str:
        return "<p>"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
        ("ü", '"\\u00fc"'),
        (dt.date(2026, 1, 2), '"Fri, 02 Jan 2026 00:00:00 GMT"'),
        (
            dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
            '"Fri, 02 Jan 2026 03:04:05 GMT"',
        ),
        (decimal.Decimal("1.50"), '"1.50"'),
        (uuid.UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        (Record(1), '{"a": 1}'),
        (Page(), '"<p>"'),
    ],
)
async def test_provider_writes(value: Any, text: str) -> None:
    app = Quart("views")
    assert app.json.dumps(value) == text
    assert quart_json.dumps(value, sort_keys=True) == text
    async with app.app_context():
        assert quart_json.dumps(value) == text


def test_provider_and_its_settings() -> None:
    app = Quart("views")
    provider = app.json
    assert type(provider) is DefaultJSONProvider
    assert isinstance(provider, JSONProvider)
    assert (provider.sort_keys, provider.ensure_ascii, provider.compact) == (
        True,
        True,
        None,
    )
    assert provider.mimetype == "application/json"
    file = io.StringIO()
    provider.dump({"a": 1}, file)
    assert provider.load(io.StringIO(file.getvalue())) == {"a": 1}
    assert provider.loads('{"a": 1}') == provider.loads(b'{"a": 1}') == {"a": 1}
    provider.sort_keys, provider.ensure_ascii = False, False
    assert provider.dumps({"b": "ü", "a": 1}) == '{"b": "ü", "a": 1}'


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((1,), {}, b"1\n"),
        ((1, 2), {}, b"[1,2]\n"),
        ((), {"a": 1}, b'{"a":1}\n'),
        ((), {}, b"null\n"),
        (([1],), {}, b"[1]\n"),
    ],
)
async def test_jsonify(args: Any, kwargs: Any, text: bytes) -> None:
    async with Quart("views").app_context():
        response = jsonify(*args, **kwargs)
        assert await response.get_data() == text
        assert response.mimetype == "application/json"


async def test_jsonify_of_both_is_a_type_error() -> None:
    async with Quart("views").app_context():
        with pytest.raises(TypeError):
            jsonify(1, a=2)


async def test_module_functions_use_the_provider_of_the_app() -> None:
    class Own(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return "own"

    app = Quart("views")
    app.json = Own(app)
    assert quart_json.dumps(obj=1) == "1"
    async with app.app_context():
        assert quart_json.dumps(1) == "own"
    assert quart_json.loads(s="[1]") == [1]
    file = io.StringIO()
    quart_json.dump(obj=[1], fp=file)
    assert quart_json.load(io.StringIO(file.getvalue())) == [1]


# Views


async def _text(app: Quart, method: str = "GET") -> str:
    response = await app.test_client().open("/", method=method)
    text = await response.get_data(as_text=True)
    return text if response.status_code == 200 else str(response.status_code)


@pytest.mark.parametrize("is_async", [False, True])
async def test_view_class(is_async: bool) -> None:
    order = []

    def decorator(name: str) -> Any:
        def decorate(function: Any) -> Any:
            order.append(name)
            return function

        return decorate

    class Sync(View):
        methods = ("GET", "POST")
        decorators = (decorator("first"), decorator("second"))

        def __init__(self, *args: str, **kwargs: str) -> None:
            self.args = f"{args} {kwargs}"

        def dispatch_request(self) -> str:
            return f"{request.method} {self.args}"

    class Async(Sync):
        async def dispatch_request(self) -> str:  # type: ignore[override]
            return f"{request.method} {self.args}"

    cls = Async if is_async else Sync
    app = Quart("views")
    function = cls.as_view("name", "a", key="b")
    assert function.view_class is cls
    assert function.methods == ("GET", "POST")
    assert order == ["first", "second"]
    app.add_url_rule("/", view_func=function)
    assert await _text(app) == "GET ('a',) {'key': 'b'}"
    assert await _text(app, "POST") == "POST ('a',) {'key': 'b'}"
    assert await _text(app, "PUT") == "405"
    assert "name" in app.view_functions


@pytest.mark.parametrize("every", [True, False])
async def test_init_every_request(every: bool) -> None:
    made = []

    class Counted(View):
        init_every_request = every

        def __init__(self) -> None:
            made.append(self)

        async def dispatch_request(self) -> str:
            return ""

    app = Quart("views")
    app.add_url_rule("/", view_func=Counted.as_view("c"))
    count = len(made)
    await _text(app)
    await _text(app)
    assert len(made) - count == (2 if every else 0)


async def test_method_view_has_the_methods_of_its_bases_and_head() -> None:
    class Base(MethodView):
        async def get(self) -> str:
            return "got"

    class Item(Base):
        def post(self) -> str:
            return "posted"

    app = Quart("views")
    app.add_url_rule("/", view_func=Item.as_view("item"))
    assert Item.methods == {"GET", "POST"}
    assert await _text(app) == "got"
    assert await _text(app, "POST") == "posted"
    assert await _text(app, "HEAD") == ""
    assert await _text(app, "PUT") == "405"
    response = await app.test_client().options("/")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


async def test_provide_automatic_options_of_a_view() -> None:
    class Plain(View):
        provide_automatic_options = False
        methods = ("GET",)

        async def dispatch_request(self) -> str:
            return ""

    app = Quart("views")
    app.add_url_rule("/", view_func=Plain.as_view("plain"))
    assert await _text(app, "OPTIONS") == "405"


# Logging and the name


def test_logger_has_the_name_of_the_app_and_debug_level_in_debug() -> None:
    app = Quart("logged_by_name")
    assert app.logger.name == "logged_by_name"
    assert app.logger is app.logger
    debugging = Quart("logged_in_debug")
    debugging.debug = True
    assert debugging.logger.level == logging.DEBUG


def test_logger_has_a_handler_unless_one_handles_its_level() -> None:
    handled = logging.getLogger("logged_with_handler")
    handler = logging.NullHandler()
    handled.addHandler(handler)
    assert Quart("logged_with_handler").logger.handlers == [handler]


def test_name_of_the_main_module_is_that_of_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:

    monkeypatch.setattr(
        sys.modules["__main__"], "__file__", str(tmp_path / "site.py"), raising=False
    )
    assert Quart("__main__").name == "site"
    assert Quart("module").name == Quart("module").import_name == "module"
    assert quart.Quart is Quart
