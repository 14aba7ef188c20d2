"""JSON providers: what they write and read, and how responses are made of it."""

from __future__ import annotations

import dataclasses
import gc
import json
import math
import sys
import time
import weakref
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.json import provider as provider_module
from quart_core.json.provider import DefaultJSONProvider, JSONProvider


@dataclasses.dataclass
class Point:
    x: int
    y: Any


class Page:
    def __html__(self) -> str:
        return "<p>"


class Response:
    """What the provider needs of a response class."""

    def __init__(self, response: str, mimetype: str) -> None:
        self.text = response
        self.mimetype = mimetype


class App:
    """What the provider needs of an app."""

    debug = False
    response_class = Response


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def provider(app: App) -> DefaultJSONProvider:
    return DefaultJSONProvider(app)  # type: ignore[arg-type]


# JSON table: types


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2020, 1, 2), '"Thu, 02 Jan 2020 00:00:00 GMT"'),
        (datetime(2020, 1, 2, 3, 4, 5), '"Thu, 02 Jan 2020 03:04:05 GMT"'),
        (
            datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
            '"Thu, 02 Jan 2020 01:04:05 GMT"',
        ),
        (Decimal("1.20"), '"1.20"'),
        (UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        (Point(1, Decimal(2)), '{"x": 1, "y": "2"}'),
        (Page(), '"<p>"'),
        ("é<", '"\\u00e9<"'),
        ((1, 2), "[1, 2]"),
        ({"b": 1, "a": None}, '{"a": null, "b": 1}'),
        ({}, "{}"),
        (1.5, "1.5"),
        (math.inf, "Infinity"),
        (True, "true"),
        ("text", '"text"'),
    ],
)
def test_values_are_written_as_flask_writes_them(
    provider: DefaultJSONProvider, value: Any, text: str
) -> None:
    assert provider.dumps(value) == text


@pytest.mark.parametrize("value", [object(), {1, 2}, Point, 1j, b"bytes"])
def test_values_that_json_lacks_are_refused(
    provider: DefaultJSONProvider, value: Any
) -> None:
    with pytest.raises(TypeError, match="is not JSON serializable"):
        provider.dumps(value)


def test_keys_of_different_types_cannot_be_sorted(
    provider: DefaultJSONProvider,
) -> None:
    with pytest.raises(TypeError, match="not supported between"):
        provider.dumps({1: 1, "a": 2})
    provider.sort_keys = False
    assert provider.dumps({1: 1, "a": 2}) == '{"1": 1, "a": 2}'


class Size(IntEnum):
    BIG = 3


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text()
    | st.just(Size.BIG),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values, st.booleans(), st.booleans(), st.sampled_from([None, (",", ":")]))
def test_the_prepared_encoder_writes_what_json_dumps_writes(
    value: Any, sort_keys: bool, ensure_ascii: bool, separators: Any
) -> None:
    app = App()
    provider = DefaultJSONProvider(app)  # type: ignore[arg-type]
    provider.sort_keys = sort_keys
    provider.ensure_ascii = ensure_ascii
    written = provider.dumps(value, separators=separators)
    assert written == json.dumps(
        value, sort_keys=sort_keys, ensure_ascii=ensure_ascii, separators=separators
    )


@given(json_values)
def test_without_the_c_encoder_the_output_is_the_same(value: Any) -> None:
    app = App()
    provider = DefaultJSONProvider(app)  # type: ignore[arg-type]
    expected = provider.dumps(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provider_module, "_c_make_encoder", None)
        assert DefaultJSONProvider(app).dumps(value) == expected  # type: ignore[arg-type]


def test_settings_may_change_at_any_time(provider: DefaultJSONProvider) -> None:
    value = {"b": "é", "a": 1}
    assert provider.dumps(value) == '{"a": 1, "b": "\\u00e9"}'
    provider.ensure_ascii = False
    provider.sort_keys = False
    assert provider.dumps(value) == '{"b": "é", "a": 1}'
    provider.default = lambda o: "?"
    assert provider.dumps(object()) == '"?"'


def test_the_encoders_kept_are_bounded(provider: DefaultJSONProvider) -> None:
    for indent in range(50):
        provider.dumps([1], indent=indent)
    assert len(provider._encoders) == provider_module._ENCODERS_KEPT


def test_a_list_of_separators_may_change_afterwards(
    provider: DefaultJSONProvider,
) -> None:
    separators = [",", ":"]
    assert provider.dumps([1, 2], separators=separators) == "[1,2]"
    separators[0] = ";"
    assert provider.dumps([1, 2], separators=separators) == "[1;2]"


class Encoder(json.JSONEncoder):
    def default(self, o: object) -> Any:
        return "encoder"


def test_keywords_win_over_attributes(provider: DefaultJSONProvider) -> None:
    assert provider.dumps({"b": 1, "a": 2}, sort_keys=False) == '{"b": 1, "a": 2}'
    assert provider.dumps("é", ensure_ascii=False) == '"é"'
    assert provider.dumps(object(), default=lambda o: 1) == "1"
    assert provider.dumps([object()], cls=Encoder, default=None) == '["encoder"]'
    assert provider.dumps([1], indent=1) == "[\n 1\n]"
    with pytest.raises(ValueError, match="not JSON compliant"):
        provider.dumps(math.nan, allow_nan=False)


def test_a_circle_is_told_from_depth(provider: DefaultJSONProvider) -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="Circular reference"):
        provider.dumps(circle)
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        provider.dumps(deep)
    # Taken apart by hand: freeing 200,000 levels at once may exhaust the C stack.
    while deep:
        deep = deep.pop()


def test_an_error_while_writing_does_not_spoil_the_next_value(
    provider: DefaultJSONProvider,
) -> None:
    value: dict[str, Any] = {"a": [object()]}
    with pytest.raises(TypeError):
        provider.dumps(value)
    value["a"] = [1]
    assert provider.dumps(value) == '{"a": [1]}'


def test_dump_and_load_use_files(provider: DefaultJSONProvider) -> None:
    file = StringIO()
    provider.dump({"b": Decimal(1), "a": 2}, file)
    assert file.getvalue() == '{"a": 2, "b": "1"}'
    file.seek(0)
    assert provider.load(file) == {"a": 2, "b": "1"}


def test_loads_takes_text_bytes_and_keywords(provider: DefaultJSONProvider) -> None:
    assert provider.loads('{"a": 1.5}') == {"a": 1.5}
    assert provider.loads('"é"'.encode()) == "é"
    assert provider.loads("1.5", parse_float=Decimal) == Decimal("1.5")
    assert math.isnan(provider.loads("NaN"))


# JSON from outside

HOSTILE = {
    "depth": "[" * 100_000,
    "closed depth": "[" * 100_000 + "]" * 100_000,
    "objects": '{"a":' * 100_000,
    "digits": "1" * 1_000_000,
    "negative digits": "-" + "1" * 1_000_000,
    "NaN": "NaN",
    "nested NaN": '{"a": [NaN]}',
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "bad UTF-8": b'"\xff\xfe\xfd"',
    "surrogate in UTF-8": b'"\xed\xa0\x80"',
    "cut UTF-16": b'"\x00a',
    "empty": "",
    "blank": b"  ",
    "two values": "1 2",
    "byte order mark": "\ufeff1",
    "trailing comma": "[1,]",
    "single quotes": "{'a': 1}",
    "control character": '"\n"',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_f_54_hostile_json_is_a_value_error_at_once(
    provider: DefaultJSONProvider, text: str | bytes
) -> None:
    start = time.perf_counter()
    with pytest.raises(ValueError):
        provider.loads_strict(text)
    # 10 ms on an idle machine; the bound allows for a busy one.
    assert time.perf_counter() - start < 0.5


def test_f_54_of_duplicate_keys_the_last_one_wins(
    provider: DefaultJSONProvider,
) -> None:
    assert provider.loads_strict('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_strict_reading_detects_the_encoding(
    provider: DefaultJSONProvider, encoding: str
) -> None:
    assert provider.loads_strict('{"a": "é"}'.encode(encoding)) == {"a": "é"}


def test_strict_reading_asks_a_subclass_with_its_own_loads(app: App) -> None:
    class Provider(DefaultJSONProvider):
        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            if s == "deep":
                raise RecursionError
            return ("mine", s)

    provider = Provider(app)  # type: ignore[arg-type]
    assert provider.loads_strict("NaN") == ("mine", "NaN")
    with pytest.raises(ValueError, match="nested too deeply"):
        provider.loads_strict("deep")


@given(json_values.filter(lambda value: "N" not in json.dumps(value)))
def test_strict_reading_reads_what_loads_reads(value: Any) -> None:
    text = json.dumps(value, allow_nan=True)
    if "Infinity" in text:
        return
    app = App()
    provider = DefaultJSONProvider(app)  # type: ignore[arg-type]
    assert provider.loads_strict(text) == json.loads(text)
    assert provider.loads_strict(text.encode()) == json.loads(text)


# JSON table: jsonify


def respond(provider: JSONProvider, *args: Any, **kwargs: Any) -> str:
    response: Any = provider.response(*args, **kwargs)
    return str(response.text)


@pytest.mark.parametrize(
    ("args", "kwargs", "text"),
    [
        ((), {}, "null\n"),
        ((None,), {}, "null\n"),
        ((1,), {}, "1\n"),
        (([],), {}, "[]\n"),
        ((1, 2), {}, "[1,2]\n"),
        ((), {"b": 1, "a": [1, 2]}, '{"a":[1,2],"b":1}\n'),
    ],
)
def test_a_response_holds_a_value_a_list_or_a_dict(
    provider: DefaultJSONProvider, args: Any, kwargs: Any, text: str
) -> None:
    assert respond(provider, *args, **kwargs) == text


def test_a_response_takes_positional_or_keyword_arguments(
    provider: DefaultJSONProvider,
) -> None:
    with pytest.raises(TypeError, match="not both"):
        provider.response(1, a=2)


INDENTED = '{\n  "a": [\n    1\n  ]\n}\n'
COMPACT = '{"a":[1]}\n'


@pytest.mark.parametrize(
    ("debug", "compact", "text"),
    [
        (False, None, COMPACT),
        (True, None, INDENTED),
        (False, True, COMPACT),
        (True, True, COMPACT),
        (False, False, INDENTED),
        (True, False, INDENTED),
    ],
)
def test_responses_are_compact_unless_in_debug_mode(
    app: App,
    provider: DefaultJSONProvider,
    debug: bool,
    compact: bool | None,
    text: str,
) -> None:
    app.debug = debug
    provider.compact = compact
    assert respond(provider, {"a": [1]}) == text


def test_the_mimetype_can_be_changed(provider: DefaultJSONProvider) -> None:
    response: Any = provider.response(1)
    assert response.mimetype == "application/json"
    provider.mimetype = "application/vnd.api+json"
    response = provider.response(1)
    assert response.mimetype == "application/vnd.api+json"


# Providers of one's own


class OwnProvider(JSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return f"dumped {obj} {kwargs}"

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return f"loaded {s!r} {kwargs}"


def test_a_provider_of_ones_own_defines_dumps_and_loads(app: App) -> None:
    provider = OwnProvider(app)  # type: ignore[arg-type]
    file = StringIO()
    provider.dump(1, file, a=2)
    assert file.getvalue() == "dumped 1 {'a': 2}"
    assert provider.load(StringIO("x"), b=3) == "loaded 'x' {'b': 3}"
    assert provider.loads_strict("x") == "loaded 'x' {}"
    response: Any = provider.response(1, 2)
    assert (response.text, response.mimetype) == (
        "dumped (1, 2) {}",
        "application/json",
    )


def test_a_provider_without_functions_says_what_to_define(app: App) -> None:
    provider = JSONProvider(app)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="must define dumps"):
        provider.dumps(1)
    with pytest.raises(NotImplementedError, match="must define loads"):
        provider.loads("1")


def test_a_subclass_may_replace_dumps_for_responses(app: App) -> None:
    class Provider(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return f"mine {kwargs}"

    provider = Provider(app)  # type: ignore[arg-type]
    assert respond(provider, 1) == "mine {'separators': (',', ':')}\n"


def test_a_provider_does_not_keep_its_app_alive() -> None:
    app = App()
    provider = DefaultJSONProvider(app)  # type: ignore[arg-type]
    provider.dumps({})
    reference = weakref.ref(app)
    gc.disable()
    try:
        del app
        assert reference() is None
    finally:
        gc.enable()


def test_the_digit_limit_of_the_interpreter_is_on() -> None:
    assert sys.get_int_max_str_digits() > 0
