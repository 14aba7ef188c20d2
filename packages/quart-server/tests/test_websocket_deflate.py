"""Compression: RFC 7692, 7.2, and its bounds (WS-01)."""

from __future__ import annotations

import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.websocket_deflate import Deflater, InflateError, Inflater
from quart_server.protocols.websocket_extensions import Deflate
from quart_server.protocols.websocket_limits import WebsocketLimits

TAIL = b"\x00\x00\xff\xff"


def agreed(*, server_takeover=True, client_takeover=True, bits=15) -> Deflate:
    return Deflate(bits, bits, server_takeover, client_takeover, b"")


def inflater(limits: WebsocketLimits | None = None, **settings) -> Inflater:
    return Inflater(agreed(**settings), limits or WebsocketLimits())


@pytest.mark.parametrize(
    "payload",
    [
        b"\xf2\x48\xcd\xc9\xc9\x07\x00",  # 7.2.3.1: one block
        b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",  # 7.2.3.3: not compressed
        b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00",  # 7.2.3.4: a final block
        b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",  # 7.2.3.5: two blocks
    ],
)
def test_examples_of_the_rfc_inflate_to_hello(payload: bytes) -> None:
    assert inflater().inflate(payload, last=True) == b"Hello"
    in_bytes = inflater()
    parts = [
        in_bytes.inflate(payload[i : i + 1], last=False) for i in range(len(payload))
    ]
    parts.append(in_bytes.inflate(b"", last=True))
    assert b"".join(parts) == b"Hello"


def test_second_message_refers_to_the_first() -> None:
    # RFC 7692, 7.2.3.2
    one = inflater()
    assert one.inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", last=True) == b"Hello"
    assert one.inflate(b"\xf2\x00\x11\x00\x00", last=True) == b"Hello"


def test_without_takeover_nothing_is_remembered() -> None:
    one = inflater(client_takeover=False)
    assert one.inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", last=True) == b"Hello"
    with pytest.raises(InflateError) as caught:
        one.inflate(b"\xf2\x00\x11\x00\x00", last=True)
    assert caught.value.code == 1007


def test_message_after_a_final_block_begins_afresh() -> None:
    one = inflater()
    for _ in range(3):
        assert one.inflate(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", last=True) == b"Hello"


def test_blocks_after_a_final_block_are_refused() -> None:
    payload = b"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x48\xcd\xc9\xc9\x07\x00"
    with pytest.raises(InflateError) as caught:
        inflater().inflate(payload, last=True)
    assert caught.value.code == 1007


@pytest.mark.parametrize("payload", [b"\xff\xff\xff", b"\x06", b"\x07" * 20])
def test_what_is_no_deflate_is_refused_with_1007(payload: bytes) -> None:
    with pytest.raises(InflateError) as caught:
        inflater().inflate(payload, last=True)
    assert caught.value.code == 1007


@pytest.mark.parametrize("size", [32_767, 32_768, 32_769, 65_536, 131_072, 500_001])
@pytest.mark.parametrize("content", [b"\x00", bytes(range(256)), b"not quite so plain"])
def test_messages_as_long_as_the_steps_come_out_whole(
    size: int, content: bytes
) -> None:
    message = (content * size)[:size]
    one = inflater(WebsocketLimits(inflate_ratio=10_000))
    deflater = Deflater(agreed())
    for _ in range(2):
        assert one.inflate(deflater.deflate(message), last=True) == message


def test_long_message_that_does_not_compress_comes_out_whole() -> None:
    message = random.Random(5).randbytes(300_000)
    payload = Deflater(agreed()).deflate(message)
    one = inflater()
    assert one.inflate(payload, last=True) == message
    parts = [payload[i : i + 70_000] for i in range(0, len(payload), 70_000)]
    pieces = [one.inflate(part, last=False) for part in parts]
    assert b"".join(pieces) + one.inflate(b"", last=True) == message


@given(st.lists(st.binary(min_size=1, max_size=2000), max_size=6), st.booleans())
def test_what_is_deflated_inflates_to_the_same(messages, takeover) -> None:
    settings = {"server_takeover": takeover, "client_takeover": takeover, "bits": 9}
    deflater, one = Deflater(agreed(**settings)), inflater(**settings)
    for message in messages:
        payload = deflater.deflate(message)
        assert not payload.endswith(TAIL)
        assert one.inflate(payload, last=True) == message


def bomb(size: int) -> bytes:
    """Return what inflates to zeros: one block that refers to no other, repeated."""
    compressor = zlib.compressobj(9, wbits=-15)
    block = compressor.compress(bytes(1 << 20))
    block += compressor.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20)


def test_ws_01_bomb_of_1_gib_stops_at_the_cap_without_the_memory() -> None:
    payload = bomb(1 << 30)
    assert len(payload) < 1100 * 1024
    limits = WebsocketLimits(inflate_ratio=10_000)
    tracemalloc.start()
    try:
        with pytest.raises(InflateError) as caught:
            inflater(limits).inflate(payload, last=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == 1009
    assert peak < limits.message + (1 << 20)


def test_ws_01_ratio_of_25_is_the_cap_from_128_kib_on() -> None:
    fine = bytes(128 * 1024)
    deflater = Deflater(agreed())
    assert inflater().inflate(deflater.deflate(fine), last=True) == fine
    with pytest.raises(InflateError) as caught:
        inflater().inflate(bomb(1 << 20), last=True)
    assert caught.value.code == 1009


def test_ws_01_ratio_is_counted_over_the_whole_message() -> None:
    one = inflater()
    payload = Deflater(agreed()).deflate(bytes(512 * 1024))
    with pytest.raises(InflateError) as caught:
        for index in range(len(payload)):
            one.inflate(payload[index : index + 1], last=False)
    assert caught.value.code == 1009


def test_message_of_exactly_the_limit_inflates() -> None:
    limits = WebsocketLimits(message=1000)
    payload = Deflater(agreed()).deflate(bytes(1000))
    assert inflater(limits).inflate(payload, last=True) == bytes(1000)
    payload = Deflater(agreed()).deflate(bytes(1001))
    with pytest.raises(InflateError) as caught:
        inflater(limits).inflate(payload, last=True)
    assert caught.value.code == 1009
