"""Set-Cookie: what werkzeug writes, and nothing that was smuggled in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.cookies import make_cookie

KNOWN = {
    "domain",
    "expires",
    "max-age",
    "secure",
    "httponly",
    "path",
    "samesite",
    "partitioned",
}


def cookie(key: str = "k", **arguments: Any) -> str:
    return make_cookie(key, max_size=0, **arguments)


def test_all_attributes_are_written() -> None:
    text = cookie(
        value="v",
        max_age=timedelta(minutes=1),
        expires=datetime(2030, 1, 1, tzinfo=UTC),
        path="/p",
        domain="example.com",
        httponly=True,
        samesite="lax",
        partitioned=True,
    )
    assert text == (
        "k=v; Domain=example.com; Expires=Tue, 01 Jan 2030 00:00:00 GMT; Max-Age=60; "
        "Secure; HttpOnly; Path=/p; SameSite=Lax; Partitioned"
    )


def test_values_are_quoted() -> None:
    assert cookie(value="é; x") == r'k="\303\251\073 x"; Path=/'


def test_a_key_beyond_ascii_is_written_as_it_is() -> None:
    assert cookie("ключ", value="1") == "ключ=1; Path=/"


@pytest.mark.parametrize(
    "key", ["", "a b", "a;b", "a=b", "a,b", 'a"b', "a\r\nb", "a\0", "a\tb", "a\x7f"]
)
def test_st_19_keys_that_are_no_token_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        cookie(key)


@pytest.mark.parametrize(
    "domain", ["a;b", "a b", "a\r\nb", "a\0b", "a,b", "a; HttpOnly", "a=b", "a/b"]
)
def test_st_19_domains_cannot_add_an_attribute(domain: str) -> None:
    with pytest.raises(ValueError, match="domain"):
        cookie(domain=domain)


@pytest.mark.parametrize("expires", ["x; Path=/", "x\r\nSet-Cookie: a=b", "x\0"])
def test_st_19_a_text_for_expires_cannot_add_an_attribute(expires: str) -> None:
    with pytest.raises(ValueError, match="expires"):
        cookie(expires=expires)


def test_st_19_a_path_cannot_add_an_attribute() -> None:
    text = cookie(path="/; HttpOnly\r\nX: y")
    assert text == "k=; Path=/%3B%20HttpOnly%0D%0AX:%20y"


@pytest.mark.parametrize(
    "arguments", [{"max_age": "1; HttpOnly"}, {"samesite": "Lax; HttpOnly"}]
)
def test_st_19_other_attributes_are_held_to_their_types(
    arguments: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match=r"int|SameSite"):
        cookie(**arguments)


def test_st_19_flags_are_flags() -> None:
    assert cookie(secure="x; Path=/y", httponly="z") == "k=; Secure; HttpOnly; Path=/"


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_st_19_no_text_makes_an_attribute_that_was_not_asked_for(
    key: str, value: str, path: str, domain: str, expires: str
) -> None:
    try:
        text = cookie(key, value=value, path=path, domain=domain, expires=expires)
    except (ValueError, UnicodeError):
        return
    assert text.isprintable() or "\t" in text or not text.isascii()
    assert not any(char in text for char in "\r\n\0")
    first, *attributes = text.split("; ")
    assert first.startswith(f"{key}=")
    names = [attribute.partition("=")[0].lower() for attribute in attributes]
    assert set(names) <= {"path", "domain", "expires"}
    assert len(names) == len(set(names))
