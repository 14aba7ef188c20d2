"""Texts of values: bounded, masked, and never an exception."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.debug.masking import Masker
from quart_core.debug.representation import MAX_CHARACTERS, Representation, text_of
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.local import LocalProxy


class Login(NamedTuple):
    name: str
    password: str


represent = Representation(Masker({"known secret"}))


@pytest.mark.parametrize(
    "value",
    [
        1,
        None,
        "text",
        b"bytes",
        1.5,
        [],
        [1],
        (),
        (1,),
        (1, 2),
        (1, 2, 3),
        {},
        {1: 2},
        set(),
        {1},
        frozenset(),
    ],
)
def test_small_values_look_as_their_repr(value):
    assert represent("x", value) == repr(value)


def test_a_variable_with_a_secret_name_is_masked():
    assert represent("password", "hunter2") == "***"
    assert represent("api_key", ["a", "b"]) == "***"
    assert represent("password", None) == "None"


def test_secret_names_inside_containers_are_masked():
    assert represent("x", {"password": "a", "n": 1}) == "{'password': ***, 'n': 1}"
    assert represent("x", [(b"cookie", b"a=b")]) == "[(b'cookie', ***)]"
    assert represent("x", Login("Ada", "a")) == "Login(name='Ada', password=***)"
    assert (
        represent("x", {"a": {"b": [{"token": 1}]}}) == "{'a': {'b': [{'token': ***}]}}"
    )


def test_known_secrets_are_masked_in_any_value():
    assert represent("x", "the known secret!") == "'the ***!'"
    assert "known" not in represent("x", b"the known secret!")
    assert "known" not in represent("x", {"known secret": 1})


def test_a_secret_at_the_cut_is_not_shown_half():
    text = "a" * (MAX_CHARACTERS - 55) + "known secret" + "b" * 1_000
    assert "known" not in represent("x", text)


def test_classes_of_werkzeug_are_masked():
    assert "Bearer" not in represent("x", Headers([("Authorization", "Bearer abc")]))
    assert "hunter2" not in represent("x", MultiDict([("password", "hunter2")]))
    assert "hunter2" not in represent("x", OrderedDict(password="hunter2"))


@pytest.mark.parametrize(
    "value",
    [
        "a" * 10_000_000,
        b"a" * 10_000_000,
        list(range(1_000_000)),
        dict.fromkeys(range(1_000_000)),
        set(range(1_000_000)),
        10**100_000,
        [[[[list(range(100))] * 100] * 100] * 100] * 100,
        {str(n): {str(m): {"a" * 1_000} for m in range(50)} for n in range(50)},
    ],
    ids=lambda value: type(value).__name__,
)
def test_huge_values_are_bounded(value):
    assert len(represent("x", value)) <= MAX_CHARACTERS


def test_a_long_text_tells_its_length_beyond_what_is_read():
    assert represent("x", "a" * 200_000).endswith("... (200000 characters)")


def test_recursive_values_end():
    value: list = [1]
    value.append(value)
    assert represent("x", value) == "[1, ...]"
    mapping: dict = {}
    mapping["self"] = mapping
    assert represent("x", mapping) == "{'self': ...}"


class Raising:
    def __init__(self, error):
        self.error = error

    def __repr__(self):
        raise self.error


@pytest.mark.parametrize(
    "error", [ValueError(), RecursionError(), SystemExit(), asyncio.CancelledError()]
)
def test_a_repr_that_raises_is_named(error):
    name = type(error).__name__
    assert represent("x", [Raising(error)]) == f"[<Raising whose repr raised {name}>]"


def test_a_repr_that_recurses_forever_is_named():
    class Endless:
        def __repr__(self):
            return repr(self)

    assert represent("x", Endless()) == "<Endless whose repr raised RecursionError>"


def test_a_huge_repr_is_not_shown():
    class Huge:
        def __repr__(self):
            return "a" * 1_000_000

    assert represent("x", Huge()) == "<Huge whose repr has 1000000 characters>"


def test_methods_that_subclasses_of_containers_override_are_not_called():
    class Trap(dict):
        def items(self):
            raise AssertionError

        __iter__ = __len__ = __repr__ = items

    assert represent("x", Trap(a=1)) == "Trap({'a': 1})"


def test_an_unbound_proxy_is_shown():
    def find():
        raise RuntimeError("unbound")

    assert "unbound" in represent("x", LocalProxy(find))


def test_what_a_terminal_acts_on_is_escaped():
    class Colourful:
        def __repr__(self):
            return "\x1b[31m\u202e\r"

    assert represent("x", Colourful()) == "\\x1b[31m\\u202e\\r"


def test_a_message_that_cannot_be_made_is_named():
    class Silent(Exception):
        def __str__(self):
            raise KeyError

    assert "KeyError" in text_of(Silent())
    assert len(text_of(ValueError("a" * 1_000_000))) == 100_000


values = st.recursive(
    st.none() | st.integers() | st.text() | st.binary() | st.floats(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner)
    ),
)


@given(name=st.text(), value=values)
def test_any_value_gets_a_bounded_printable_text(name, value):
    text = represent(name, value)
    assert len(text) <= MAX_CHARACTERS
    assert text.isprintable()
