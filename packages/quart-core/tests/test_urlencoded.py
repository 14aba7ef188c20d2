"""Urlencoded text is read as the standard library reads it."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.urlencoded import parse_urlencoded
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

ERRORS = "werkzeug.url_quote"

texts = st.text(alphabet="ab=&+%;2fFg\u00e9\x00 ") | st.text()


@given(texts | st.binary().map(lambda data: data.decode("latin-1")))
def test_it_is_read_as_by_the_standard_library(text: str) -> None:
    expected = parse_qsl(text, keep_blank_values=True, errors=ERRORS)
    found = parse_urlencoded(text.encode("utf-8", "surrogatepass"), MultiDict)
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert list(found.items(multi=True)) == list(MultiDict(expected).items(multi=True))


def test_bytes_that_are_no_utf_8_stay_encoded() -> None:
    found = parse_urlencoded(b"a=\xff&b=%ff", MultiDict)
    assert found.to_dict() == {"a": "%FF", "b": "%FF"}


@pytest.mark.parametrize("cls", [MultiDict, ImmutableMultiDict])
def test_repeated_names_are_kept_in_order(cls: type[MultiDict[str, str]]) -> None:
    found = parse_urlencoded(b"a=1&b=&a=2", cls)
    assert type(found) is cls
    assert found == cls([("a", "1"), ("b", ""), ("a", "2")])


def test_other_classes_are_made_of_pairs() -> None:
    assert parse_urlencoded(b"a=1&a=2", dict) == {"a": "2"}
    assert parse_urlencoded(b"", dict) == {}
