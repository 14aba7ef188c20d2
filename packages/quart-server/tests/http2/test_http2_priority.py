"""Priorities and turns: RFC 9218."""

from __future__ import annotations

import itertools

import pytest
from http2_peer import Server, data, get, of, raw, settings, window
from hyperframe.frame import DataFrame
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.http2_priority import read_priority


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", (3, False)),
        (b"u=5", (5, False)),
        (b"u=5, i", (5, True)),
        (b"i,u=0", (0, True)),
        (b"i=?0", (3, False)),
        (b"i=?1;x=y, u=1;z", (1, True)),
        (b"u=8", (3, False)),
        (b"u=-1", (3, False)),
        (b"u=1.5", (3, False)),
        (b"u", (3, False)),
        (b"u=1,u=2", (2, False)),
        (b"unknown=1, u=6", (6, False)),
        (b"\xff\x00;;;=,,", (3, False)),
    ],
)
def test_the_value_is_read_and_what_is_malformed_ignored(value, expected):
    assert read_priority(value) == expected


@given(st.binary(max_size=400))
def test_any_value_gives_a_priority(value):
    urgency, incremental = read_priority(value)
    assert 0 <= urgency <= 7
    assert incremental in {True, False}


def make_server(*priorities: bytes, size: int = 300_000) -> Server:
    server = Server()
    server.feed(settings(initial_window_size=2**30))
    for index, priority in enumerate(priorities):
        fields = get(b"/", (b"priority", priority)) if priority else get()
        stream = server.request(2 * index + 1, fields)
        server.http2.sender.send_head(stream, 200, [], None, is_head=False)
        server.http2.sender.send_body(stream, b"x" * size, end=True)
    server.frames()
    return server


def shares(server: Server, allowed: int) -> dict[int, int]:
    """Return what each stream sends when the connection's window opens."""
    server.feed(window(0, allowed))
    sent: dict[int, int] = {}
    for frame in of(DataFrame, server.frames()):
        sent[frame.stream_id] = sent.get(frame.stream_id, 0) + len(frame.data)
    return sent


def test_streams_without_a_word_share_alike():
    sent = shares(make_server(b"", b"", b""), 200_000)
    assert set(sent) == {1, 3, 5}
    assert max(sent.values()) - min(sent.values()) <= 65_535 + 16_384


def test_urgent_streams_get_most():
    sent = shares(make_server(b"u=6,i", b"u=1,i"), 250_000)
    assert sent[3] > 10 * sent.get(1, 1)


def test_no_stream_starves_whatever_its_urgency():
    sent = shares(make_server(b"u=0,i", b"u=7,i", size=10_000_000), 8_000_000)
    assert sent[3] >= 30_000


def test_one_that_is_of_no_use_in_part_gets_longer_turns():
    server = make_server(b"u=3", b"u=3", size=1_000_000)
    server.feed(window(0, 400_000))
    frames = [frame.stream_id for frame in of(DataFrame, server.frames())]
    changes = sum(a != b for a, b in itertools.pairwise(frames))
    assert changes <= len(frames) // 3


def test_who_comes_late_has_no_claim_to_turns_before():
    server = make_server(b"u=3,i", size=1_000_000)
    shares(server, 500_000)
    stream = server.request(3, get(b"/", (b"priority", b"u=3,i")))
    server.http2.sender.send_head(stream, 200, [], None, is_head=False)
    server.http2.sender.send_body(stream, b"x" * 500_000, end=True)
    sent = shares(server, 200_000)
    assert abs(sent[1] - sent[3]) <= 32_768


def test_priority_update_before_and_behind_the_request():
    server = Server()
    server.feed(raw(0x10, 0, 0, (1).to_bytes(4) + b"u=6, i"))
    stream = server.request(1, get(b"/", (b"priority", b"u=1")))
    assert (stream.urgency, stream.incremental) == (6, True)
    server.feed(raw(0x10, 0, 0, (1).to_bytes(4) + b"u=0"))
    assert (stream.urgency, stream.incremental) == (0, False)


@pytest.mark.parametrize(
    "frame",
    [
        raw(0x10, 0, 1, b"\0\0\0\1u=1"),
        raw(0x10, 0, 0, b"\0\0\0\0u=1"),
        raw(0x10, 0, 0, b"\0\0"),
    ],
)
def test_a_broken_priority_update_ends_the_connection(frame):
    server = Server()
    server.feed(frame)
    assert server.failure is not None


def test_priority_update_of_a_closed_stream_is_ignored():
    server = Server()
    stream = server.request(1)
    server.http2.sender.send_head(stream, 200, [], 0, is_head=False, end=True)
    server.feed(raw(0x10, 0, 0, (1).to_bytes(4) + b"u=1"))
    assert server.failure is None
    server.feed(data(1, b"x"))
    assert server.failure is not None
