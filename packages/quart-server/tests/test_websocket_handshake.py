"""Handshakes: RFC 6455, 4.2.1; RFC 8441, 5."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.websocket_handshake import accept_value, read_handshake

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


def fields(**changes):
    headers = [(b"host", b"a")]
    for name, value in {"key": KEY, "version": b"13", **changes}.items():
        values = value if isinstance(value, list) else [value]
        field = b"sec-websocket-" + name.encode()
        headers += [(field, each) for each in values if each is not None]
    return headers


def refused(**changes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        read_handshake(fields(**changes), needs_key=True)
    return caught.value


def test_example_of_the_rfc_is_accepted_with_its_value() -> None:
    handshake = read_handshake(fields(), needs_key=True)
    assert accept_value(handshake.key) == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert handshake.subprotocols == []
    assert handshake.offers == []


@pytest.mark.parametrize(
    "key",
    [
        None, b"", b"abc", [KEY, KEY], b"dGhlIHNhbXBsZSBub25jZQ=", KEY + b"=",
        b"dGhlIHNhbXBsZSBub25jZQ", b"dGhlIHNhbXBsZSBub25jZXg=", b" " + KEY,
        b"dGhlIHNhbXBsZSBub25jZ\xff==", b"dGhl!HNhbXBsZSBub25jZQ==", KEY + KEY,
    ],
)  # fmt: skip
def test_key_that_is_not_16_bytes_in_base64_is_refused(key: bytes | None) -> None:
    assert refused(key=key).status == 400


@pytest.mark.parametrize("version", [None, b"", b"8", b"0", b"013", b"13, 8", b"14"])
def test_other_versions_are_answered_426_with_ours(version: bytes | None) -> None:
    error = refused(version=version)
    assert error.status == 426
    assert (b"sec-websocket-version", b"13") in error.fields
    assert (b"upgrade", b"websocket") in error.fields


def test_two_versions_are_refused() -> None:
    assert refused(version=[b"13", b"13"]).status == 400


@pytest.mark.parametrize(
    ("values", "subprotocols"),
    [
        (b"chat", ["chat"]),
        (b"chat, superchat", ["chat", "superchat"]),
        ([b"b,a", b" C "], ["b", "a", "C"]),
        (b"a,,b", ["a", "b"]),
    ],
)
def test_subprotocols_are_read_in_the_clients_order(values, subprotocols) -> None:
    handshake = read_handshake(fields(protocol=values), needs_key=True)
    assert handshake.subprotocols == subprotocols


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b",",
        b"a b",
        b"a,b c",
        b"a;b",
        b"a, a",
        b'"a"',
        b"\x80",
        b"a\xc3\xbc",
        b"a/b",
    ],
)
def test_subprotocols_that_are_no_tokens_are_refused(value: bytes) -> None:
    assert refused(protocol=value).status == 400


def test_extensions_of_several_lines_are_one_list() -> None:
    handshake = read_handshake(fields(extensions=[b"a; b", b"c"]), needs_key=True)
    assert [offer.name for offer in handshake.offers] == [b"a", b"c"]


def test_malformed_extensions_are_refused() -> None:
    assert refused(extensions=b"a;").status == 400


def test_http2_has_no_key() -> None:
    headers = [(b"sec-websocket-version", b"13"), (b"sec-websocket-protocol", b"p")]
    handshake = read_handshake(headers, needs_key=False)
    assert handshake.key == b""
    assert handshake.subprotocols == ["p"]


names = st.sampled_from([b"key", b"version", b"protocol", b"extensions", b"accept"])


@given(st.lists(st.tuples(names, st.binary(max_size=40)), max_size=6))
def test_h1_18_no_bytes_in_any_field_raise_anything_else(pairs) -> None:
    headers = [(b"sec-websocket-" + name, value) for name, value in pairs]
    verdict = 0
    try:
        verdict = len(read_handshake(headers, needs_key=True).key)
    except ProtocolError as error:
        verdict = error.status
    assert verdict in {24, 400, 426}
