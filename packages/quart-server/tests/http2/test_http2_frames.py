"""Frames are delimited whatever the segments; RFC 9113, 4.1 and 4.2."""

from __future__ import annotations

import pytest
from http2_peer import PREFACE, Blocks, Frames, data, of, ping, raw
from hyperframe.frame import HeadersFrame
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.http2_errors import ConnectionFailed, ErrorCodes
from quart_server.protocols.http2_frames import FrameReader, pack_block, pack_data


def read(reader: FrameReader, received: bytes) -> list:
    reader.receive_data(received)
    frames = []
    while (frame := reader.next_frame()) is not None:
        frames.append(frame)
    return frames


KINDS = st.sampled_from([0, 1, 4, 7, 9, 0x42])
FRAME = st.tuples(
    KINDS, st.integers(0, 255), st.integers(0, 2**31 - 1), st.binary(max_size=60)
)


@given(st.lists(FRAME, max_size=8), st.lists(st.integers(1, 40), max_size=60))
def test_frames_are_the_same_in_any_segments(frames, cuts):
    stream = PREFACE + b"".join(raw(*frame) for frame in frames)
    reader = FrameReader(16_384)
    received, position = [], 0
    for cut in cuts:
        received += read(reader, stream[position : position + cut])
        position += cut
    received += read(reader, stream[position:])
    assert received == frames
    assert not reader.is_partial


def test_one_byte_at_a_time_costs_no_more_than_a_copy():
    reader = FrameReader(16_384)
    read(reader, PREFACE)
    received = []
    for byte in data(1, b"x" * 16_384):
        received += read(reader, bytes((byte,)))
    assert [len(frame[3]) for frame in received] == [16_384]


def test_a_partial_frame_says_what_it_is():
    reader = FrameReader(16_384)
    read(reader, PREFACE + data(7, b"x" * 100)[:3])
    assert reader.partial_kind == -1
    read(reader, data(7, b"x" * 100)[3:20])
    assert (reader.partial_kind, reader.partial_stream) == (0, 7)
    read(reader, data(7, b"x" * 100)[20:])
    assert reader.partial_kind is None


@pytest.mark.parametrize("kind", [3, 6, 8])
def test_frames_of_one_length_have_it(kind):
    reader = FrameReader(16_384)
    with pytest.raises(ConnectionFailed) as caught:
        read(reader, PREFACE + raw(kind, 0, 1, b"12345"))
    assert caught.value.code == ErrorCodes.FRAME_SIZE_ERROR


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nXX"]
)
def test_what_is_no_preface_is_refused(garbage):
    with pytest.raises(ConnectionFailed):
        read(FrameReader(16_384), garbage)


def test_the_reserved_bit_is_ignored():
    reader = FrameReader(16_384)
    (frame,) = read(reader, PREFACE + raw(6, 0, 2**31 + 5, b"12345678"))
    assert frame[2] == 5


@given(st.binary(min_size=1, max_size=500), st.integers(10, 100), st.booleans())
def test_blocks_are_continued_over_the_frame_size(block, limit, ends):
    reader = FrameReader(limit)
    frames = read(reader, PREFACE + pack_block(3, 1 if ends else 0, block, limit))
    assert b"".join(frame[3] for frame in frames) == block
    assert {frame[2] for frame in frames} == {3}
    assert [frame[0] for frame in frames] == [1] + [9] * (len(frames) - 1)
    assert [bool(frame[1] & 4) for frame in frames[:-1]] == [False] * (len(frames) - 1)
    assert frames[-1][1] & 4
    assert bool(frames[0][1] & 1) == ends


def test_hyperframe_reads_what_is_packed_by_hand():
    frames = Frames().feed(
        pack_block(1, 1, Blocks().block([(b":status", b"200")]), 16_384)
        + pack_data(3, 4, end=True)
        + b"body"
        + ping()
    )
    (head,) = of(HeadersFrame, frames)
    assert head.fields == [(b":status", b"200")]
    assert sorted(head.flags) == ["END_HEADERS", "END_STREAM"]
    assert (frames[1].data, sorted(frames[1].flags)) == (b"body", ["END_STREAM"])
