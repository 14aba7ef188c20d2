"""JSON table: the functions of ``quart.json``, inside and outside of an app."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO, StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from quart_contexts.globals import _cv_app
from quart_core import json
from quart_core.json.provider import JSONProvider


class Provider(JSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return f"dumped {obj} {kwargs}"

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return f"loaded {s!r} {kwargs}"

    def response(self, *args: Any, **kwargs: Any) -> Any:
        return ("response", args, kwargs)


class App:
    def __init__(self) -> None:
        self.json = Provider(self)  # type: ignore[arg-type]


@pytest.fixture
def current_app() -> Iterator[App]:
    app = App()
    token = _cv_app.set(SimpleNamespace(app=app))  # type: ignore[arg-type]
    yield app
    _cv_app.reset(token)


def test_outside_of_an_app_the_standard_library_writes() -> None:
    assert json.dumps({"b": Decimal(1), "a": "é"}) == '{"b": "1", "a": "\\u00e9"}'
    assert json.dumps({"b": 1}, indent=0) == '{\n"b": 1\n}'
    file = StringIO()
    json.dump([Decimal(1)], file)
    assert file.getvalue() == '["1"]'


def test_outside_of_an_app_the_standard_library_reads() -> None:
    assert json.loads(b"[1.5]") == [1.5]
    assert json.loads("1.5", parse_float=Decimal) == Decimal("1.5")
    assert json.load(BytesIO(b"{}")) == {}


def test_inside_of_an_app_its_provider_writes(current_app: App) -> None:
    assert json.dumps(1, a=2) == "dumped 1 {'a': 2}"
    file = StringIO()
    json.dump(1, file, a=2)
    assert file.getvalue() == "dumped 1 {'a': 2}"


def test_inside_of_an_app_its_provider_reads(current_app: App) -> None:
    assert json.loads("1", a=2) == "loaded '1' {'a': 2}"
    assert json.load(StringIO("1")) == "loaded '1' {}"


def test_jsonify_makes_the_response_of_the_provider(current_app: App) -> None:
    response: Any = json.jsonify(1, 2)
    assert response == ("response", (1, 2), {})
    response = json.jsonify(a=1)
    assert response == ("response", (), {"a": 1})


def test_jsonify_needs_an_app() -> None:
    with pytest.raises(RuntimeError, match="outside of application context"):
        json.jsonify(1)


def test_the_names_of_quart_and_of_flask_are_taken_as_keywords() -> None:
    assert json.dumps(object_=1) == json.dumps(obj=1) == "1"
    assert json.loads(object_="1") == json.loads(s="1") == 1
    file = StringIO()
    json.dump(object_=1, fp=file)
    json.dump(obj=2, fp=file)
    assert file.getvalue() == "12"
    assert json.dumps(None) == "null"


def test_a_value_is_needed_exactly_once() -> None:
    with pytest.raises(TypeError, match="takes one value, got 0"):
        json.dumps()
    with pytest.raises(TypeError, match="takes one value, got 2"):
        json.dumps(1, obj=2)
    with pytest.raises(TypeError, match="takes one value, got 0"):
        json.loads()
    with pytest.raises(TypeError, match="needs a file"):
        json.dump(1)
