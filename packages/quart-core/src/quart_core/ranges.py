"""Byte ranges: what a Range header asks for, and what of it there is to give.

Pure arithmetic over RFC 9110, 14. The set of ranges may come in any order and overlap;
werkzeug's parser refuses such sets, so the header is read here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from werkzeug.exceptions import RequestedRangeNotSatisfiable

__all__ = (
    "ByteRange",
    "content_range",
    "merge_ranges",
    "parse_range_header",
    "resolve_ranges",
    "select_ranges",
)

MAX_RANGES: Final = 10
"""How many separate parts one response may have; a request for more gets 416."""

MAX_RANGE_SPECS: Final = 1000
"""How many ranges a header may name before they are merged."""

MAX_DIGITS: Final = 18
"""Positions with more digits count as lying behind the end of anything."""

_BEYOND_ANYTHING: Final = 10**MAX_DIGITS


class RangeSpec(NamedTuple):
    """One range as it was asked for; `last` is inclusive, None means the end.

    Without `first`, `last` is the length of a suffix.
    """

    first: int | None
    last: int | None


class ByteRange(NamedTuple):
    """The bytes from `begin` up to, not including, `end`."""

    begin: int
    end: int


def select_ranges(header: str, size: int) -> list[ByteRange] | None:
    """Decide which ranges of `size` bytes answer a Range header.

    Returns:
        The separate ranges in the order they were asked for, at least one; or None
        where the header is to be ignored: a unit that is not ours, nothing to divide.

    Raises:
        RequestedRangeNotSatisfiable: The header is malformed, names nothing that is
            there, or asks for too many parts (RFC 9110, 14.2 and 15.5.17).
    """
    if size == 0 or _has_other_unit(header):
        return None
    try:
        specs = parse_range_header(header)
    except ValueError as error:
        raise RequestedRangeNotSatisfiable(size) from error
    ranges = merge_ranges(resolve_ranges(specs, size))
    if not 1 <= len(ranges) <= MAX_RANGES:
        raise RequestedRangeNotSatisfiable(size)
    return ranges


def parse_range_header(header: str) -> list[RangeSpec]:
    """Read the set of a ``bytes=...`` header.

    Raises:
        ValueError: The header does not follow the grammar of RFC 9110, 14.1.1, or
            names more than `MAX_RANGE_SPECS` ranges.
    """
    unit, equals, range_set = header.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes":
        raise ValueError(f"Expected bytes=..., found {header[:40]!r}")
    if range_set.count(",") >= MAX_RANGE_SPECS:
        raise ValueError(f"More than {MAX_RANGE_SPECS} ranges")
    # RFC 9110, 5.6.1.2: empty elements of a list are skipped.
    items = [item.strip(" \t") for item in range_set.split(",")]
    specs = [_parse_spec(item) for item in items if item]
    if not specs:
        raise ValueError("The set of ranges is empty")
    return specs


def resolve_ranges(specs: list[RangeSpec], size: int) -> list[ByteRange]:
    """Give the part of each range that lies inside of `size` bytes, if there is one."""
    resolved = []
    for first, last in specs:
        if first is None:
            # RFC 9110, 14.1.2: a suffix longer than all there is means all there is.
            begin, end = max(size - (last or 0), 0), size
        else:
            begin, end = first, size if last is None else min(last + 1, size)
        if begin < end:
            resolved.append(ByteRange(begin, end))
    return resolved


def merge_ranges(ranges: list[ByteRange]) -> list[ByteRange]:
    """Join ranges that overlap or touch, in n log n steps.

    The result keeps the order in which its parts were asked for first, as RFC 9110,
    15.3.7.2 wishes.
    """
    merged: list[tuple[int, ByteRange]] = []
    by_begin = sorted(range(len(ranges)), key=lambda place: ranges[place].begin)
    for place in by_begin:
        begin, end = ranges[place]
        if merged and begin <= merged[-1][1].end:
            earlier, previous = merged[-1]
            joined = ByteRange(previous.begin, max(previous.end, end))
            merged[-1] = (min(earlier, place), joined)
        else:
            merged.append((place, ByteRange(begin, end)))
    return [byte_range for _place, byte_range in sorted(merged)]


def content_range(byte_range: ByteRange, size: int) -> str:
    """Write the Content-Range value of a part (RFC 9110, 14.4)."""
    return f"bytes {byte_range.begin}-{byte_range.end - 1}/{size}"


def _has_other_unit(header: str) -> bool:
    # RFC 9110, 14.2: a unit that is not understood must be ignored.
    unit, equals, _range_set = header.partition("=")
    return bool(equals) and unit.strip(" \t").lower() != "bytes"


def _parse_spec(item: str) -> RangeSpec:
    first, dash, last = item.partition("-")
    first, last = first.strip(" \t"), last.strip(" \t")
    if not dash or not (first or last):
        raise ValueError(f"Expected first-last, first- or -length, found {item[:40]!r}")
    spec = RangeSpec(
        _parse_position(first) if first else None,
        _parse_position(last) if last else None,
    )
    if spec.first is None and spec.last == 0:
        raise ValueError("A suffix of no bytes is no range")
    if spec.first is not None and spec.last is not None and spec.first > spec.last:
        raise ValueError(f"The range {item[:40]!r} ends before it begins")
    return spec


def _parse_position(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"Expected a position in digits, found {digits[:40]!r}")
    significant = digits.lstrip("0")
    return _BEYOND_ANYTHING if len(significant) > MAX_DIGITS else int(significant or 0)
