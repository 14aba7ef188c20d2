"""Extension offers: grammar of RFC 6455, 9.1; agreement of RFC 7692, 5 and 7."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.websocket_extensions import (
    DeflatePolicy,
    Offer,
    agree_on_deflate,
    read_offers,
)


def agree(value: bytes, **policy):
    return agree_on_deflate(read_offers(value), DeflatePolicy(**policy))


# RFC 6455, 9.1


@pytest.mark.parametrize(
    ("value", "offers"),
    [
        (b"", []),
        (b"foo", [Offer(b"foo")]),
        (b"foo, bar; baz=2", [Offer(b"foo"), Offer(b"bar", ((b"baz", b"2"),))]),
        (b"foo;a;b=c;a", [Offer(b"foo", ((b"a", None), (b"b", b"c"), (b"a", None)))]),
        (b' foo ; a = "b" ', [Offer(b"foo", ((b"a", b"b"),))]),
        (rb'foo;a="\b\c"', [Offer(b"foo", ((b"a", b"bc"),))]),
        (b",foo,,bar,", [Offer(b"foo"), Offer(b"bar")]),
    ],
)
def test_offers_are_read(value: bytes, offers: list[Offer]) -> None:
    assert read_offers(value) == offers


@pytest.mark.parametrize(
    "value",
    [
        b";", b"=", b"foo;", b"foo;=1", b"foo;a=", b"foo;a=;b", b'foo;a="',
        b'foo;a=""', b'foo;a="b c"', b'foo;a="b', rb'foo;a="b\"', b"foo bar",
        b"foo;a=b c", b"foo;a b", b"f\x80o", b"foo;a=\x00", b"foo/1", b'"foo"',
        b'foo;a="b"c', b"foo;;a", b'foo;a="b,c"',
    ],
)  # fmt: skip
def test_offers_that_break_the_grammar_are_refused(value: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_offers(value)
    assert caught.value.status == 400


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    try:
        offers = read_offers(value)
    except ProtocolError:
        return
    again = b",".join(
        offer.name
        + b"".join(
            b";" + name + (b"" if content is None else b"=" + content)
            for name, content in offer.parameters
        )
        for offer in offers
    )
    assert read_offers(again) == offers


@pytest.mark.parametrize(
    "piece",
    [b",", b" ", b"a,", b"a;b=", b'a;b="c', b";", b'\\"', b"a;b;", b'a;b="\\c"'],
)
def test_f_38_reading_offers_takes_linear_time(piece: bytes) -> None:
    def seconds(count: int) -> float:
        value = b"a;b=c," + piece * (count // len(piece))
        best = 1.0
        for _ in range(3):
            start = time.process_time()
            with contextlib.suppress(ProtocolError):
                read_offers(value)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(80_000) <= 8 * max(seconds(20_000), 0.001)


# RFC 7692, 7.1: what is agreed

BOTH = b"server_max_window_bits=12; client_max_window_bits=12"


@pytest.mark.parametrize(
    ("offer", "response"),
    [
        (b"", b"; server_max_window_bits=12"),
        (b"; client_max_window_bits", b"; " + BOTH),
        (b"; client_max_window_bits=15", b"; " + BOTH),
        (
            b"; client_max_window_bits=10",
            b"; server_max_window_bits=12; client_max_window_bits=10",
        ),
        (
            b"; client_max_window_bits=8",
            b"; server_max_window_bits=12; client_max_window_bits=8",
        ),
        (b"; server_max_window_bits=9", b"; server_max_window_bits=9"),
        (b'; server_max_window_bits="10"', b"; server_max_window_bits=10"),
        (b"; server_max_window_bits=15", b"; server_max_window_bits=12"),
        (
            b"; server_no_context_takeover",
            b"; server_no_context_takeover; server_max_window_bits=12",
        ),
        (
            b"; client_no_context_takeover",
            b"; client_no_context_takeover; server_max_window_bits=12",
        ),
    ],
)
def test_offer_is_answered(offer: bytes, response: bytes) -> None:
    agreed = agree(b"permessage-deflate" + offer)
    assert agreed is not None
    assert agreed.response == b"permessage-deflate" + response


@pytest.mark.parametrize(
    "parameters",
    [
        b"unknown", b"server_no_context_takeover=1", b"client_no_context_takeover=",
        b"server_no_context_takeover; server_no_context_takeover",
        b"server_max_window_bits", b"server_max_window_bits=7",
        b"server_max_window_bits=16", b"server_max_window_bits=010",
        b"server_max_window_bits=1e1", b"server_max_window_bits=+10",
        b"client_max_window_bits=0", b"client_max_window_bits=99",
        b"client_max_window_bits=10; client_max_window_bits=10",
        b"Client_max_window_bits=10", b"server_max_window_bits=8",
    ],
)  # fmt: skip
def test_offer_the_rfc_has_declined_is_declined(parameters: bytes) -> None:
    value = b"permessage-deflate; " + parameters
    if value.endswith(b"="):
        with pytest.raises(ProtocolError):
            agree(value)
    else:
        assert agree(value) is None


def test_first_acceptable_offer_is_taken() -> None:
    agreed = agree(
        b"x-webkit-deflate-frame, permessage-deflate; server_max_window_bits=7, "
        b"permessage-deflate; server_max_window_bits=10, permessage-deflate"
    )
    assert agreed is not None
    assert agreed.server_bits == 10


def test_client_without_window_parameter_may_use_32_kib() -> None:
    agreed = agree(b"permessage-deflate")
    assert agreed is not None
    assert agreed.client_bits == 15
    assert b"client_max_window_bits" not in agreed.response


def test_server_may_forgo_context_takeover_by_itself() -> None:
    agreed = agree(b"permessage-deflate", context_takeover=False)
    assert agreed is not None
    assert not agreed.server_takeover
    assert not agreed.client_takeover
    assert b"server_no_context_takeover; client_no_context_takeover" in agreed.response


def test_server_may_ask_for_smaller_windows() -> None:
    agreed = agree(b"permessage-deflate; client_max_window_bits", max_window_bits=9)
    assert agreed is not None
    assert (agreed.server_bits, agreed.client_bits) == (9, 9)


def test_nothing_else_is_agreed_on() -> None:
    assert agree(b"permessage-bzip2, foo; bar") is None
