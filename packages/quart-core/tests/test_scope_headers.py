"""Headers read lazily from an ASGI scope."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.wrappers.scope_headers import ScopeHeaders
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequestKeyError

RAW = [
    (b"host", b"example.com"),
    (b"x-api-key", b"caf\xe9"),
    (b"cookie", b"a=1"),
    (b"cookie", b"b=2"),
]
LISTED = [
    ("Remote-Addr", "192.0.2.1"),
    ("Host", "example.com"),
    ("X-Api-Key", "caf\u00e9"),
    ("Cookie", "a=1"),
    ("Cookie", "b=2"),
]


def scope(**entries: Any) -> dict[str, Any]:
    return {"headers": RAW, "client": ("192.0.2.1", 4), "http_version": "1.1"} | entries


# Request table: headers


def test_names_are_title_cased_and_values_latin_1_after_the_remote_address() -> None:
    assert list(ScopeHeaders(scope())) == LISTED


def test_without_a_client_the_remote_address_is_local() -> None:
    assert ScopeHeaders(scope(client=None))["Remote-Addr"] == "<local>"
    assert ScopeHeaders({"headers": []}).get("remote-addr") == "<local>"


def test_a_remote_address_that_the_client_sends_comes_second() -> None:
    headers = ScopeHeaders(scope(headers=[(b"remote-addr", b"127.0.0.1")]))
    assert headers.get("Remote-Addr") == "192.0.2.1"
    assert headers.getlist("Remote-Addr") == ["192.0.2.1", "127.0.0.1"]
    assert headers.get("Remote-Addr") == "192.0.2.1"


@pytest.mark.parametrize("version", ["1.0", "0.9"])
def test_http_1_0_without_a_host_gets_the_default_host(version: str) -> None:
    bare = scope(headers=[(b"a", b"b")], http_version=version)
    assert ScopeHeaders(bare, "app.example")["Host"] == "app.example"
    assert ScopeHeaders(bare).get("host") == ""
    assert ScopeHeaders(bare).getlist("host") == [""]
    assert list(ScopeHeaders(bare, "h"))[-1] == ("Host", "h")


def test_http_1_0_with_a_host_keeps_it() -> None:
    headers = ScopeHeaders(scope(http_version="1.0"), "app.example")
    assert headers.getlist("Host") == ["example.com"]


@pytest.mark.parametrize("version", ["1.1", "2", "3"])
def test_later_versions_get_no_default_host(version: str) -> None:
    assert "Host" not in ScopeHeaders(scope(headers=[], http_version=version), "h")


def test_a_scope_without_headers_has_only_the_remote_address() -> None:
    assert list(ScopeHeaders({})) == [("Remote-Addr", "<local>")]


# Laziness


def test_looking_a_header_up_does_not_build_the_list() -> None:
    headers = ScopeHeaders(scope())
    assert headers.get("HOST") == "example.com"
    assert headers["x-api-key"] == "caf\u00e9"
    assert headers.getlist("Cookie") == ["a=1", "b=2"]
    assert headers.get("Content-Type") is None
    assert headers.get("Content-Length", type=int) is None
    assert "Cookie" in headers
    assert "Authorization" not in headers
    assert headers.get("Remote-Addr") == "192.0.2.1"
    assert "_list" not in vars(headers)


def test_names_in_upper_case_are_found_although_servers_must_not_send_them() -> None:
    raw = [(b"Content-Type", b"text/plain"), (b"X-A", b"1"), (b"x-a", b"2")]
    headers = ScopeHeaders(scope(headers=raw))
    assert headers.get("content-type") == "text/plain"
    assert ScopeHeaders(scope(headers=raw)).getlist("X-A") == ["1", "2"]


def test_any_iterable_of_headers_is_read_once() -> None:
    headers = ScopeHeaders(scope(headers=iter(RAW)))
    assert headers.get("Host") == "example.com"
    assert list(headers) == LISTED
    assert list(ScopeHeaders(scope(headers=tuple(RAW)))) == LISTED


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'ScopeHeaders'.*'missing'"):
        ScopeHeaders(scope()).missing  # noqa: B018


# Being Headers


def test_they_are_headers_and_equal_to_the_same_headers() -> None:
    headers = ScopeHeaders(scope())
    assert isinstance(headers, Headers)
    assert headers == Headers(LISTED)
    assert Headers(LISTED) == headers
    assert headers == ScopeHeaders(scope())
    assert headers != Headers(LISTED[:-1])
    assert headers != LISTED


def test_they_cannot_be_hashed() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(ScopeHeaders(scope()))


def test_a_missing_header_raises_the_error_of_a_bad_request() -> None:
    with pytest.raises(BadRequestKeyError):
        ScopeHeaders(scope())["Missing"]


def test_values_are_converted_as_by_headers() -> None:
    headers = ScopeHeaders(scope(headers=[(b"n", b"1"), (b"n", b"x"), (b"n", b"3")]))
    assert headers.get("n", type=int) == 1
    assert headers.getlist("n", type=int) == [1, 3]
    bad = ScopeHeaders(scope(headers=[(b"n", b"x")]))
    assert bad.get("n", 7, int) == 7
    assert bad.get("m", 7, int) == 7


def test_changes_are_seen_by_every_way_of_reading() -> None:
    headers = ScopeHeaders(scope())
    assert headers.get("Cookie") == "a=1"
    headers["Cookie"] = "c=3"
    headers.add("X-New", "new")
    del headers["Host"]
    assert headers.get("Cookie") == "c=3"
    assert headers.getlist("Cookie") == ["c=3"]
    assert headers.get("x-new") == "new"
    assert "Host" not in headers
    assert [name for name, _ in headers] == [
        "Remote-Addr",
        "X-Api-Key",
        "Cookie",
        "X-New",
    ]


def test_a_remote_address_that_was_changed_is_found() -> None:
    headers = ScopeHeaders(scope())
    headers["Remote-Addr"] = "198.51.100.7"
    assert headers.get("Remote-Addr") == "198.51.100.7"


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize(
    "duplicate",
    [
        lambda headers: headers.copy(),
        copy.copy,
        copy.deepcopy,
        lambda headers: pickle.loads(pickle.dumps(headers)),
        lambda headers: headers[:],
    ],
    ids=["copy", "copy.copy", "deepcopy", "pickle", "slice"],
)
def test_copies_are_equal_and_independent(duplicate: Any, built: bool) -> None:
    headers = ScopeHeaders(scope() | {"extra": lambda: None})
    if built:
        assert len(headers) == 5
    other = duplicate(headers)
    assert isinstance(other, ScopeHeaders)
    assert list(other) == LISTED
    other["Host"] = "other.example"
    assert other.get("Host") == "other.example"
    assert headers.get("Host") == "example.com"


def test_indexes_give_pairs_and_slices_headers() -> None:
    headers = ScopeHeaders(scope())
    assert headers[1] == ("Host", "example.com")
    assert headers[1:2] == Headers([("Host", "example.com")])
    assert (headers | {"Host": "h"})["Host"] == "h"


names = st.sampled_from([b"host", b"cookie", b"x-a", b"remote-addr", b"content-type"])
keys = st.sampled_from(
    ["Host", "host", "Cookie", "X-A", "x-a", "Remote-Addr", "Content-Type", "x-\u0101"]
)


@given(
    raw=st.lists(
        st.tuples(
            names, st.binary(max_size=5).filter(lambda v: not set(v) & set(b"\r\n"))
        )
    ),
    asked=st.lists(keys, max_size=6),
    version=st.sampled_from(["1.0", "1.1"]),
)
def test_lookups_agree_with_those_of_built_headers(
    raw: list[tuple[bytes, bytes]], asked: list[str], version: str
) -> None:
    lazy = ScopeHeaders(scope(headers=raw, http_version=version), "default")
    built = Headers(
        list(ScopeHeaders(scope(headers=raw, http_version=version), "default"))
    )
    for key in asked:
        assert lazy.get(key) == built.get(key)
        assert lazy.getlist(key) == built.getlist(key)
        assert (key in lazy) == (key in built)
    assert list(lazy) == list(built)
