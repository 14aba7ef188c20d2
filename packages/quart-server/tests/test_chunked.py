"""Bodies in chunks (RFC 9112, 7.1)."""

from __future__ import annotations

import importlib.util
import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_server.protocols.chunked import FORBIDDEN_TRAILERS, ChunkedDecoder
from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.limits import HTTP1Limits

_spec = importlib.util.spec_from_file_location(
    "quart_server_differential", Path(__file__).with_name("differential.py")
)
differential = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(differential)

LIMITS = HTTP1Limits()


def decode(data: bytes) -> tuple[bytes, int]:
    decoder = ChunkedDecoder(LIMITS)
    body, position = decoder.decode(data, 0)
    assert decoder.done
    return body, position


def refused(data: bytes) -> int:
    with pytest.raises(ProtocolError) as caught:
        ChunkedDecoder(LIMITS).decode(data, 0)
    return caught.value.status


def test_chunks_are_joined_and_what_follows_is_left() -> None:
    assert decode(b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nnext") == (b"hello!", 21)


def test_sizes_are_hexadecimal_in_any_case() -> None:
    assert decode(b"a\r\n0123456789\r\nB\r\n0123456789a\r\n00\r\n\r\n")[0] == (
        b"01234567890123456789a"
    )


def test_h1_01_every_byte_pair_other_than_crlf_after_a_chunk() -> None:
    for pair in itertools.product(range(0, 256, 5), range(256)):
        data = b"1\r\nx" + bytes(pair) + b"0\r\n\r\n"
        if pair != (0x0D, 0x0A):
            assert refused(data) == 400
    assert refused(b"1\r\nx\r\r0\r\n\r\n") == 400
    assert refused(b"1\r\nx\n\n0\r\n\r\n") == 400


@pytest.mark.parametrize(
    "size",
    [
        b"", b" 1", b"1 ", b"1\t", b"+1", b"-1", b"0x1", b"1_0", b"g", b"\xd9\xa1", b"1,",  # noqa: E501
        b"1\x00", b"1\x0b", b"10000000000000000f", b"0" * 17, b"1.", b'"1"', b"1\r",
    ],
)  # fmt: skip
def test_h1_01_size_that_is_none(size: bytes) -> None:
    assert refused(size + b"\r\nx\r\n0\r\n\r\n") == 400


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\r\n", b"\n\r\n"])
def test_h1_03_line_ends_in_the_framing(end: bytes) -> None:
    assert refused(b"1" + end + b"x\r\n0\r\n\r\n  ") == 400
    assert refused(b"1\r\nx" + end + b"0\r\n\r\n   ") == 400
    assert refused(b"1\r\nx\r\n0\r\nA: b" + end + b"C: d\n\r\n") == 400


@pytest.mark.parametrize(
    "extension",
    [b";a", b";a=b", b';a="b c"', b';a="b\\"c"', b";a;b=c;d", b";" + b"x" * 1023],
)
def test_h1_07_extension_is_read_and_ignored(extension: bytes) -> None:
    assert decode(b"1" + extension + b"\r\nx\r\n0\r\n\r\n")[0] == b"x"


@pytest.mark.parametrize(
    "extension",
    [
        b";", b";a=", b";=b", b" ;a", b"; a", b";a =b", b";a\n", b";a\nb", b";a\rb", b";a\x00",  # noqa: E501
        b';a="b', b';a="b\n"', b";a=b c", b";\x80", b";a,b", b';a="\x7f"', b"\t;a",
    ],
)  # fmt: skip
def test_h1_07_extension_outside_the_grammar(extension: bytes) -> None:
    assert refused(b"1" + extension + b"\r\nx\r\n0\r\n\r\n") == 400


def test_h1_07_extensions_are_bounded_over_the_whole_body() -> None:
    assert refused(b"1;" + b"x" * 1024 + b"\r\nx\r\n") == 400
    assert refused(b"1;" + b"x" * 5000) == 400
    assert refused(b"1;abc\r\nx\r\n" * 300) == 400


def test_h1_08_trailers_are_kept_apart() -> None:
    decoder = ChunkedDecoder(LIMITS)
    decoder.decode(b"0\r\nX-One: 1\r\nx-two:\t2 \r\n\r\n", 0)
    assert decoder.trailers == [(b"x-one", b"1"), (b"x-two", b"2")]


@pytest.mark.parametrize("name", sorted(FORBIDDEN_TRAILERS))
def test_h1_08_forbidden_trailer(name: bytes) -> None:
    assert refused(b"0\r\n" + name.upper() + b": x\r\n\r\n") == 400


@pytest.mark.parametrize(
    "line", [b"a", b": b", b"a : b", b" a: b", b"a: b\r\n c", b"a: \x00", b"\x80: b"]
)
def test_h1_08_malformed_trailer(line: bytes) -> None:
    assert refused(b"0\r\n" + line + b"\r\n\r\n") == 400


def test_h1_08_trailers_are_bounded() -> None:
    assert refused(b"0\r\n" + b"a: b\r\n" * 101 + b"\r\n") == 431
    assert refused(b"0\r\n" + b"a: b\r\n" * 1_000_000) == 431
    assert refused(b"0\r\na: " + b"b" * 9000) == 431
    assert refused(b"0\r\n" + (b"a: " + b"b" * 8000 + b"\r\n") * 5) == 431


def test_h1_13_many_tiny_chunks_end_early() -> None:
    decoder = ChunkedDecoder(LIMITS)
    piece = b"1\r\nx\r\n" * 10_000
    taken = 0
    with pytest.raises(ProtocolError):
        for _ in range(100):
            taken += len(decoder.decode(piece, 0)[0])
    assert taken <= LIMITS.chunk_overhead


def test_h1_13_small_chunks_in_moderation_are_fine() -> None:
    assert decode(b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")[0] == b"x" * 10_000
    assert len(decode(b"8\r\n01234567\r\n" * 50_000 + b"0\r\n\r\n")[0]) == 400_000


def test_f_38_chunks_cost_linear_time() -> None:
    def seconds(count: int) -> float:
        data = b"8\r\n01234567\r\n" * count
        begin = time.process_time()
        ChunkedDecoder(LIMITS).decode(data, 0)
        return time.process_time() - begin

    small = min(seconds(10_000) for _ in range(3))
    large = min(seconds(40_000) for _ in range(3))
    assert large < 4 * 2.5 * small


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=40), max_size=8),
    st.sets(st.integers(1, 300), max_size=10),
)
def test_cut_anywhere_the_body_is_the_same(parts: list[bytes], places) -> None:
    data = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    data += b"0\r\n\r\n"
    decoder, body, rest = ChunkedDecoder(LIMITS), b"", b""
    edges = [0, *sorted(place for place in places if place < len(data)), len(data)]
    for start, stop in itertools.pairwise(edges):
        buffer = rest + data[start:stop]
        piece, position = decoder.decode(buffer, 0)
        body, rest = body + piece, buffer[position:]
    assert (body, rest, decoder.done) == (b"".join(parts), b"", True)


def test_h11_reads_what_we_take_in_the_same_way() -> None:
    assert differential.run_bodies(8_000, seed=20_240) > 500
