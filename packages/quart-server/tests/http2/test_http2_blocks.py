"""Header blocks: we read what hpack reads, and hpack reads what we write."""

from __future__ import annotations

import pytest
from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError
from hpack.hpack import decode_integer, encode_integer
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.http1_response import BodyLengthError, InvalidFieldError
from quart_server.protocols.http2_blocks import BlockDecoder, BlockEncoder
from quart_server.protocols.http2_errors import ConnectionFailed
from quart_server.protocols.http2_limits import HTTP2Limits
from quart_server.protocols.http2_response import FieldRules, HeadEncoder

NAMES = st.sampled_from(
    [b"content-type", b"x-one", b"x-two", b"etag", b"set-cookie", b"cookie", b"vary"]
)
VALUES = st.one_of(
    st.sampled_from([b"", b"text/html", b"a=b", b"x" * 100]),
    st.binary(max_size=30).map(bytes.hex).map(str.encode),
)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=12)


@given(st.lists(st.tuples(FIELDS, st.booleans()), max_size=6))
def test_blocks_of_hpack_are_read(lists):
    encoder, decoder = Encoder(), BlockDecoder(HTTP2Limits())
    for fields, huffman in lists:
        block = encoder.encode(fields, huffman=huffman)
        assert decoder.read(block) == fields


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes_are_read_as_hpack_reads_them(blocks):
    plain, ours = Decoder(), BlockDecoder(HTTP2Limits())
    for block in blocks:
        try:
            expected = [tuple(field) for field in plain.decode(block, raw=True)]
        except (HPACKError, IndexError):
            with pytest.raises(ConnectionFailed):
                ours.read(block)
            return
        if starts_with_three_updates(block):
            with pytest.raises(ConnectionFailed):  # stricter on purpose
                ours.read(block)
            return
        assert ours.read(block) == expected


def starts_with_three_updates(block: bytes) -> bool:
    """Return whether a block begins with more table size updates than make sense."""
    position = 0
    for _ in range(3):
        if block[position : position + 1] == b"" or block[position] & 0xE0 != 0x20:
            return False
        _, used = decode_integer(block[position:], 5)
        position += used
    return True


def test_a_block_is_remembered_until_the_table_changes():
    encoder, decoder = Encoder(), BlockDecoder(HTTP2Limits())
    decoder.read(encoder.encode([(b"x", b"1")]))
    block = encoder.encode([(b"x", b"1")])
    decoder.remembered[block] = "something"
    decoder.read(block)
    assert decoder.remembered
    decoder.read(encoder.encode([(b"y", b"2")]))
    assert not decoder.remembered


# Responses


class Wire:
    """An encoder of ours, and what hpack reads on the other side."""

    def __init__(self, defaults=((b"date", b"now"), (b"server", b"us"))) -> None:
        self.rules = FieldRules()
        self.rules.set_default_fields(list(defaults))
        self.encoder = BlockEncoder()
        self.heads = HeadEncoder(self.encoder, self.rules)
        self.decoder = Decoder()

    def send(self, status, headers, size=None, *, is_head=False):
        block, body = self.heads.encode_head(status, headers, size, is_head=is_head)
        return [tuple(f) for f in self.decoder.decode(block, raw=True)], body


@given(
    st.lists(
        st.tuples(st.sampled_from([200, 201, 304, 404, 599]), FIELDS, st.booleans()),
        max_size=12,
    ),
    st.lists(st.tuples(st.integers(0, 11), st.sampled_from([0, 100, 4096]))),
)
def test_heads_are_read_by_hpack_as_they_were_meant(responses, resizes):
    wire = Wire()
    for index, (status, fields, sized) in enumerate(responses):
        for when, size in resizes:
            if when == index:
                wire.encoder.header_table_size = size
                wire.decoder.max_allowed_table_size = 4096
        received, _ = wire.send(status, fields, 5 if sized else None)
        expected = [(b":status", b"%d" % status), *fields]
        if sized and status != 304:
            expected.append((b"content-length", b"5"))
        assert received == [*expected, (b"date", b"now"), (b"server", b"us")]


def test_a_field_seen_again_becomes_one_byte():
    wire = Wire(())
    headers = [(b"content-type", b"text/html; charset=utf-8")]
    sizes = [
        len(wire.heads.encode_head(200, headers, None, is_head=False)[0])
        for _ in range(4)
    ]
    assert sizes[0] > 20
    assert sizes[2:] == [2, 2]


def test_values_that_never_come_back_leave_the_table_alone():
    wire = Wire(())
    for index in range(50):
        wire.send(200, [(b"x-id", b"%d" % index), (b"etag", b"e"), (b"a", b"b")], index)
    assert len(wire.encoder.header_table.dynamic_entries) == 1


def test_secrets_stay_out_of_the_table():
    wire = Wire(())
    for _ in range(3):
        block, _ = wire.heads.encode_head(
            200, [(b"set-cookie", b"a=secret")], None, is_head=False
        )
        assert b"a=secret" in block
    assert not wire.encoder.header_table.dynamic_entries


def test_a_field_that_is_refused_leaves_both_tables_equal():
    wire = Wire(())
    good = [(b"x-one", b"1")]
    for _ in range(3):
        wire.send(200, good)
        with pytest.raises(InvalidFieldError):
            wire.send(200, [(b"x-new", b"2"), (b"x-new", b"2"), (b"bad", b"a\nb")])
    assert wire.send(200, good)[0][1:] == good


@pytest.mark.parametrize(
    ("status", "headers", "size", "is_head", "expected"),
    [
        (200, [(b"Content-Length", b"5")], 5, False, b"5"),
        (200, [], 5, False, b"5"),
        (200, [], None, False, None),
        (200, [(b"content-length", b"9")], None, False, b"9"),
        (200, [(b"content-length", b"9")], 0, True, b"9"),
        (204, [(b"content-length", b"9")], 0, False, None),
        (304, [], 0, False, None),
        (304, [(b"content-length", b"9")], 0, False, b"9"),
    ],
)
def test_the_length_of_a_response(status, headers, size, is_head, expected):
    received, _ = Wire(()).send(status, headers, size, is_head=is_head)
    assert dict(received).get(b"content-length") == expected


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"5"), (b"content-length", b"6")],
        [(b"content-length", b"five")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"1" * 30)],
    ],
)
def test_a_length_that_is_none_is_refused(headers):
    with pytest.raises(InvalidFieldError):
        Wire().send(200, headers, 5)


def test_a_body_of_another_length_is_refused():
    with pytest.raises(BodyLengthError, match="less body"):
        Wire().send(200, [(b"content-length", b"6")], 5)
    with pytest.raises(BodyLengthError, match="more body"):
        Wire().send(200, [(b"content-length", b"4")], 5)
    _, size = Wire().send(200, [(b"content-length", b"4")])
    size.count(3, more=True)
    with pytest.raises(BodyLengthError, match="more body"):
        size.count(2, more=True)


# F-48: no string of the app makes a second field


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_f_48_no_bytes_of_an_app_make_another_field(name, value):
    wire = Wire(())
    try:
        received, _ = wire.send(200, [(name, value)])
    except InvalidFieldError:
        return
    assert len(received) <= 2
    for field in received:
        assert not set(b"\r\n\0") & set(b"".join(field))
        assert not field[0].startswith(b":") or field[0] == b":status"


def test_integers_are_those_of_hpack():
    assert bytes(encode_integer(1337, 5)) == b"\x1f\x9a\x0a"
