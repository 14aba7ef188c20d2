"""Byte ranges: reading the header, resolving, merging, the limits."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.ranges import (
    MAX_RANGE_SPECS,
    MAX_RANGES,
    ByteRange,
    RangeSpec,
    content_range,
    merge_ranges,
    parse_range_header,
    resolve_ranges,
    select_ranges,
)
from werkzeug.exceptions import RequestedRangeNotSatisfiable

DATA = bytes(range(256))

specs = st.one_of(
    st.tuples(st.integers(0, 300), st.none()),
    st.tuples(st.none(), st.integers(1, 300)),
    st.integers(0, 300).flatmap(
        lambda first: st.tuples(st.just(first), st.integers(first, 400))
    ),
)


def header_of(items: list[tuple[int | None, int | None]]) -> str:
    def text(position: int | None) -> str:
        return "" if position is None else str(position)

    return "bytes=" + ",".join(f"{text(first)}-{text(last)}" for first, last in items)


def naive_positions(items: list[tuple[int | None, int | None]], size: int) -> set[int]:
    """Go through all positions one by one."""
    positions = set()
    for position in range(size):
        for first, last in items:
            if first is None:
                inside = position >= size - (last or 0)
            else:
                inside = position >= first and (last is None or position <= last)
            if inside:
                positions.add(position)
    return positions


@given(specs, st.integers(1, 256))
def test_one_range_is_the_slice_that_python_makes(
    spec: tuple[int | None, int | None], size: int
) -> None:
    data = DATA[:size]
    first, last = spec
    if first is None:
        expected = data[-last:] if last else b""
    else:
        expected = data[first : None if last is None else last + 1]
    try:
        ranges = select_ranges(header_of([spec]), size)
    except RequestedRangeNotSatisfiable:
        assert expected == b""
        return
    assert ranges is not None
    ((begin, end),) = ranges
    assert data[begin:end] == expected


@given(st.lists(specs, min_size=1, max_size=MAX_RANGES), st.integers(1, 256))
def test_several_ranges_cover_exactly_what_was_asked_for(
    items: list[tuple[int | None, int | None]], size: int
) -> None:
    expected = naive_positions(items, size)
    try:
        ranges = select_ranges(header_of(items), size)
    except RequestedRangeNotSatisfiable:
        assert not expected
        return
    assert ranges is not None
    covered = [position for item in ranges for position in range(*item)]
    assert sorted(covered) == sorted(expected)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), max_size=20))
def test_merged_ranges_are_apart_and_in_the_order_of_asking(
    items: list[tuple[int, int]],
) -> None:
    ranges = [ByteRange(begin, begin + length) for begin, length in items]
    merged = merge_ranges(ranges)
    for before, after in zip(sorted(merged), sorted(merged)[1:], strict=False):
        assert before.end < after.begin

    def place(part: ByteRange) -> int:
        return min(
            index
            for index, item in enumerate(ranges)
            if part.begin <= item.begin and item.end <= part.end
        )

    assert merged == sorted(merged, key=place)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-3", [(0, 4)]),
        ("bytes=3-", [(3, 10)]),
        ("bytes=-3", [(7, 10)]),
        ("bytes=-99", [(0, 10)]),
        ("bytes=8-99", [(8, 10)]),
        ("bytes=0-0", [(0, 1)]),
        ("Bytes = 0-3", [(0, 4)]),
        ("bytes=0-1,4-5", [(0, 2), (4, 6)]),
        ("bytes=4-5, 0-1", [(4, 6), (0, 2)]),
        ("bytes=0-3,2-5", [(0, 6)]),
        ("bytes=0-3,4-5", [(0, 6)]),
        ("bytes=, 0-1 ,,", [(0, 2)]),
        ("bytes=99-,0-1", [(0, 2)]),
        ("bytes=0-" + "9" * 5000, [(0, 10)]),
        ("bytes=" + "0" * 5000 + "1-2", [(1, 3)]),
    ],
)
def test_headers_that_are_answered_with_parts(
    header: str, expected: list[tuple[int, int]]
) -> None:
    assert select_ranges(header, 10) == expected


@pytest.mark.parametrize(
    "header",
    [
        "bytes=10-",
        "bytes=10-12",
        "bytes=4-3",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=-0",
        "bytes=a-b",
        "bytes=1",
        "bytes=+1-2",
        "bytes=1_0-2",
        "bytes=٣-",
        "bytes=1-2-3",
        "bytes=--3",
        "bytes=0x1-",
        "bytes",
        "garbage",
        "",
        "bytes=" + "9" * 5000 + "-",
    ],
)
def test_headers_that_are_answered_with_416(header: str) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        select_ranges(header, 10)
    assert ("Content-Range", "bytes */10") in caught.value.get_headers()


@pytest.mark.parametrize("header", ["lines=0-3", "x=", "bytes2=0-3"])
def test_units_that_are_not_understood_are_ignored(header: str) -> None:
    assert select_ranges(header, 10) is None


def test_of_nothing_there_are_no_parts() -> None:
    assert select_ranges("bytes=0-3", 0) is None


def test_ten_parts_are_given_and_eleven_refused() -> None:
    parts = [f"{number * 10}-{number * 10 + 1}" for number in range(11)]
    allowed = select_ranges("bytes=" + ",".join(parts[:MAX_RANGES]), 1000)
    assert allowed is not None
    assert len(allowed) == MAX_RANGES
    with pytest.raises(RequestedRangeNotSatisfiable):
        select_ranges("bytes=" + ",".join(parts), 1000)


def test_the_limit_counts_after_merging() -> None:
    header = "bytes=" + ",".join(f"{number}-{number}" for number in range(500))
    assert select_ranges(header, 1000) == [(0, 500)]


def test_st_05_a_flood_of_ranges_is_refused_in_linear_time() -> None:
    def seconds(count: int) -> float:
        header = "bytes=" + ",".join(["0-"] * count)
        begin = time.perf_counter()
        with pytest.raises(RequestedRangeNotSatisfiable):
            select_ranges(header, 10**9)
        return time.perf_counter() - begin

    seconds(MAX_RANGE_SPECS + 1)
    small = min(seconds(50_000) for _ in range(5))
    large = min(seconds(100_000) for _ in range(5))
    assert large < 2.5 * small + 0.001


def test_st_05_the_most_ranges_a_header_may_name_merge_quickly() -> None:
    items = [f"{(number * 7919) % 100_000}-" for number in range(MAX_RANGE_SPECS)]
    begin = time.perf_counter()
    assert select_ranges("bytes=" + ",".join(items), 10**6) == [(0, 10**6)]
    assert time.perf_counter() - begin < 0.1


@given(st.text(max_size=60))
def test_any_header_is_answered_or_refused(header: str) -> None:
    try:
        ranges = select_ranges("bytes=" + header, 100)
    except RequestedRangeNotSatisfiable:
        return
    assert ranges
    assert all(0 <= begin < end <= 100 for begin, end in ranges)


def test_specs_are_read_as_they_stand() -> None:
    assert parse_range_header("bytes=1-2,3-,-4") == [
        RangeSpec(1, 2),
        RangeSpec(3, None),
        RangeSpec(None, 4),
    ]


def test_unsatisfiable_ranges_fall_away() -> None:
    assert resolve_ranges([RangeSpec(9, 12), RangeSpec(12, None)], 10) == [(9, 10)]


def test_content_range_is_inclusive() -> None:
    assert content_range(ByteRange(0, 4), 10) == "bytes 0-3/10"
