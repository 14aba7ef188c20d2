"""Server-sent events: the rules of the HTML standard, 9.2.6."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from quart_testing import EventStreamParser, ServerSentEvent


def _parse(*chunks: bytes) -> list[ServerSentEvent]:
    parser = EventStreamParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def _data(stream: bytes) -> list[str]:
    return [event.data for event in _parse(stream)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_in_any_of_three_ways(end: bytes) -> None:
    stream = end.join([b"data: 1", b"data: 2", b"", b"data: 3", b"", b""])

    assert _data(stream) == ["1\n2", "3"]


def test_the_examples_of_the_standard() -> None:
    assert _data(b"data: YHOO\ndata: +2\ndata: 10\n\n") == ["YHOO\n+2\n10"]
    assert _parse(
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
        b"data:  third event\n\n"
    ) == [
        ServerSentEvent("first event", id="1"),
        ServerSentEvent("second event", id=""),
        ServerSentEvent(" third event", id=""),
    ]
    # The last block has no end, so it is no event.
    assert _data(b"data\n\ndata\ndata\n\ndata:") == ["", "\n"]
    assert _data(b"data:test\n\ndata: test\n\n") == ["test", "test"]


def test_a_byte_order_mark_is_ignored_at_the_beginning_only() -> None:
    assert _data(b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n") == ["1"]


def test_the_type_is_that_of_its_block() -> None:
    events = _parse(b"event: a\ndata: 1\n\ndata: 2\n\nevent: b\n\ndata: 3\n\n")

    assert [event.event for event in events] == ["a", "message", "message"]


def test_the_last_id_stays() -> None:
    events = _parse(b"id: 1\ndata: 1\n\ndata: 2\n\n")

    assert [event.id for event in events] == ["1", "1"]


def test_an_id_with_a_null_is_ignored() -> None:
    assert _parse(b"id: 1\ndata: 1\nid: \x00\n\n") == [ServerSentEvent("1", id="1")]


def test_a_block_without_data_still_sets_the_id() -> None:
    parser = EventStreamParser()

    assert list(parser.feed(b"id: 7\n\n")) == []
    assert parser.last_event_id == "7"


def test_retry_is_a_number_of_digits() -> None:
    parser = EventStreamParser()

    (event,) = parser.feed(b"retry: 10\nretry: 1.5\nretry: -1\nretry: x\ndata\n\n")

    assert event.retry == parser.retry == 10


@pytest.mark.parametrize("value", ["1" * 5000, "\u00b2", "\u0661"])
def test_a_retry_that_is_no_time_is_ignored(value: str) -> None:
    parser = EventStreamParser()

    list(parser.feed(f"retry: {value}\n\n".encode()))

    assert parser.retry is None


def test_unknown_fields_are_ignored() -> None:
    assert _data(b"Data: 1\nfoo: 2\n data: 3\ndata: 4\n\n") == ["4"]


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert _data(b"data: \xff\n\n") == ["\ufffd"]


# Properties, against the rules applied to the whole text at once


def _by_the_rules(stream: bytes) -> list[tuple[str, str, str]]:
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    *lines, _unfinished = re.split(r"\r\n|\n|\r", text)
    events: list[tuple[str, str, str]] = []
    data, kind, last_id, next_id = "", "", "", ""
    for line in lines:
        if line == "":
            last_id = next_id
            if data:
                events.append((data.removesuffix("\n"), kind or "message", last_id))
            data, kind = "", ""
        elif match := re.fullmatch(r"([^:]*)(?:: ?(.*))?", line, re.DOTALL):
            field, value = match[1], match[2] or ""
            if field == "data":
                data += value + "\n"
            elif field == "event":
                kind = value
            elif field == "id" and "\0" not in value:
                next_id = value
    return events


_pieces = st.sampled_from(
    ["data", "event", "id", ":", ": ", " ", "\n", "\r", "\r\n", "\n\n", "x", "ü", "\0"]
)
_streams = st.lists(_pieces, max_size=40).map(lambda parts: "".join(parts).encode())
_cuts = st.lists(st.integers(0, 80), max_size=8).map(sorted)


def _as_tuples(events: list[ServerSentEvent]) -> list[tuple[Any, ...]]:
    return [(event.data, event.event, event.id) for event in events]


@given(_streams | st.binary(max_size=60), _cuts)
@example(b"data: 1\r\n\r\n", [8])
@example(b"data: 1\r\r\ndata: 2\n\n", [9])
@example(b"\xef\xbb\xbfdata: 1\n\n", [1])
def test_however_it_is_cut_the_stream_is_read_by_the_rules(
    stream: bytes, cuts: list[int]
) -> None:
    edges = [0, *(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(edges)]

    assert _as_tuples(_parse(*chunks)) == _by_the_rules(stream)
