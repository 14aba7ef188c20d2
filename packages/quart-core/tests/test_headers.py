"""Headers between text and ASGI's bytes; no string begins a second header line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.headers import (
    MAX_CACHED_NAMES,
    _encoded_names,
    check_header_value,
    decode_headers,
    encode_headers,
)
from werkzeug.datastructures import Headers

CONTROLS = [chr(code) for code in [*range(9), *range(10, 32), 127]]


def raw(*pairs: tuple[str, str]) -> Headers:
    """Make headers around werkzeug's checks, as a careless subclass could."""
    headers = Headers()
    headers._list.extend(pairs)
    return headers


def test_names_are_lower_case_and_values_utf_8() -> None:
    encoded = encode_headers(Headers([("X-Name", "grün"), ("ETag", '"x"')]))
    assert encoded == [(b"x-name", "grün".encode()), (b"etag", b'"x"')]


def test_repeated_names_stay_apart_and_in_order() -> None:
    encoded = encode_headers(Headers([("Set-Cookie", "b=1"), ("Set-Cookie", "a=2")]))
    assert encoded == [(b"set-cookie", b"b=1"), (b"set-cookie", b"a=2")]


def test_a_tab_is_part_of_a_value() -> None:
    assert encode_headers(raw(("A", "b\tc"))) == [(b"a", b"b\tc")]


@pytest.mark.parametrize("control", CONTROLS)
def test_h1_15_control_characters_in_values_are_refused(control: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        encode_headers(raw(("Name", f"a{control}b")))


@pytest.mark.parametrize("char", [*CONTROLS, "\t", " ", ":", "é", '"', "(", ""])
def test_h1_15_names_that_are_no_token_are_refused(char: str) -> None:
    with pytest.raises(ValueError, match="header name"):
        encode_headers(raw((f"X{char}Y" if char else "", "value")))


@given(st.text(), st.text())
def test_f_48_no_text_makes_another_header_line(name: str, value: str) -> None:
    try:
        ((sent_name, sent_value),) = encode_headers(raw((name, value)))
    except (ValueError, UnicodeEncodeError):
        return
    line = sent_name + b": " + sent_value
    assert not any(byte in line for byte in b"\r\n\0")
    assert b":" not in sent_name


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True),
            st.text(st.characters(exclude_categories=["C"])),
        )
    )
)
def test_encoding_and_decoding_gives_the_same_headers(
    pairs: list[tuple[str, str]],
) -> None:
    decoded = decode_headers(encode_headers(Headers(pairs)))
    assert list(decoded) == [(name.lower(), value) for name, value in pairs]


def test_bytes_that_are_no_utf_8_are_read_as_latin_1() -> None:
    assert decode_headers([(b"X-A", b"\xe9")])["X-A"] == "é"


def test_the_memory_for_names_is_bounded() -> None:
    for number in range(MAX_CACHED_NAMES + 10):
        encode_headers(raw((f"X-{number}", "")))
    assert len(_encoded_names) <= MAX_CACHED_NAMES


def test_the_message_names_header_and_position() -> None:
    with pytest.raises(ValueError, match=r"'Location'.*'\\r'.*position 3"):
        check_header_value("Location", "/a?\r\nX: y")
