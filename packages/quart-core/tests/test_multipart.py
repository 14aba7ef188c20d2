"""The limited decoder of multipart forms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_core.multipart import (
    MAX_FRAME_BYTES,
    MAX_PART_HEADER_BYTES,
    MAX_PART_HEADERS,
    LimitedDecoder,
)
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Field, File

FIELD = b'Content-Disposition: form-data; name="a"'
FILE = b'Content-Disposition: form-data; name="a"; filename="f.txt"'


def form(*parts: tuple[bytes, bytes]) -> bytes:
    """Return a form of parts, each of which is a head and its data."""
    body = b"".join(
        b"--b\r\n" + head + b"\r\n\r\n" + data + b"\r\n" for head, data in parts
    )
    return body + b"--b--\r\n"


Part = tuple[str, str | None, bytes]


def decode(
    body: bytes, *, step: int = 65_536, max_parts: int | None = None
) -> list[Part]:
    """Return the name, filename and data of each part."""
    decoder = LimitedDecoder(b"b", max_parts)
    parts: list[Part] = []
    steps: Iterator[bytes | None] = (
        body[start : start + step] for start in range(0, len(body), step)
    )
    for data in [*steps, None]:
        for event in decoder.feed(data):
            if isinstance(event, (Field, File)):
                parts.append((event.name, getattr(event, "filename", None), b""))
            elif isinstance(event, Data):
                name, filename, before = parts[-1]
                parts[-1] = (name, filename, before + event.data)
    return parts


def test_fields_and_files_come_out_as_they_were_sent() -> None:
    assert decode(form((FIELD, b"value"), (FILE, b"\r\ndata\x00\r\n"))) == [
        ("a", None, b"value"),
        ("a", "f.txt", b"\r\ndata\x00\r\n"),
    ]


def test_a_form_without_parts_is_empty() -> None:
    assert decode(b"--b--\r\n") == []


@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from([FIELD, FILE]),
            st.binary(max_size=60).filter(lambda data: b"--b" not in data),
        ),
        max_size=6,
    ),
    step=st.integers(1, 80),
)
@settings(max_examples=150, deadline=None)
def test_the_parts_do_not_depend_on_the_steps(
    parts: list[tuple[bytes, bytes]], step: int
) -> None:
    expected = [("a", "f.txt" if head is FILE else None, data) for head, data in parts]
    assert decode(form(*parts), step=step) == expected


@given(
    padding=st.text(" \t", max_size=20),
    data=st.sampled_from([b"", b"x", b"\r", b"\n", b"x--b", b"\r\n--b -", b"x--b--"]),
    cuts=st.lists(st.integers(0, 200), max_size=5),
)
@settings(max_examples=300, deadline=None)
def test_a_boundary_that_arrives_in_pieces_leaves_nothing_in_the_data(
    padding: str, data: bytes, cuts: list[int]
) -> None:
    space = padding.encode()
    body = form((FIELD, data), (FIELD, data))
    body = body.replace(b"\r\n--b\r\n", b"\r\n--b" + space + b"\r\n")
    body = body.removesuffix(b"\r\n") + space + b"\r\n"
    decoder = LimitedDecoder(b"b", None)
    collected = [b""]
    edges = sorted({0, len(body), *(cut % len(body) for cut in cuts)})
    pieces = [body[start:end] for start, end in pairwise(edges)]
    for piece in [*pieces, None]:
        for event in decoder.feed(piece):
            if isinstance(event, Data):
                collected[-1] += event.data
                if not event.more_data:
                    collected.append(b"")
    assert collected == [data, data, b""]


@given(body=st.binary(max_size=200), step=st.integers(1, 80))
@settings(max_examples=200, deadline=None)
def test_anything_else_is_a_value_error(body: bytes, step: int) -> None:
    with pytest.raises(ValueError, match="form-data"):
        decode(body.replace(b"--b", b""), step=step)


@pytest.mark.parametrize("step", [1, 13, 65_536])
def test_st_16_a_form_cut_anywhere_ends_in_a_value_error(step: int) -> None:
    whole = form((FIELD, b"value"), (FILE, b"data"))
    end = whole.index(b"--b--") + len(b"--b--")
    assert len(decode(whole[:end], step=step)) == 2
    for length in range(end):
        with pytest.raises(ValueError, match="Invalid form-data"):
            decode(whole[:length], step=step)


# Names


@pytest.mark.parametrize(
    "parameters",
    [
        b"filename=\"x.txt\"; filename*=UTF-8''evil.sh",
        b"filename*=UTF-8''evil.sh; filename=\"x.txt\"",
        b'filename="x.txt"; filename*0=evil; filename*1=.sh',
        b"filename=x.txt; FILENAME*=UTF-8''evil.sh",
    ],
)
def test_st_12_the_plain_filename_wins_over_the_starred_one(parameters: bytes) -> None:
    head = b'Content-Disposition: form-data; name="a"; ' + parameters
    assert decode(form((head, b""))) == [("a", "x.txt", b"")]


def test_st_12_a_starred_name_in_quotes_is_just_text() -> None:
    head = b'Content-Disposition: form-data; name="a; filename*=x"; filename="b*.txt"'
    assert decode(form((head, b""))) == [("a; filename*=x", "b*.txt", b"")]


def test_a_starred_filename_alone_is_taken() -> None:
    head = b"Content-Disposition: form-data; name=a; filename*=UTF-8''%C3%A4.txt"
    assert decode(form((head, b""))) == [("a", "\u00e4.txt", b"")]


@pytest.mark.parametrize("encoded", [b"a%0d%0ab", b"a%00b", b"a%0ab"])
def test_st_17_control_characters_in_encoded_names_are_refused(encoded: bytes) -> None:
    head = b"Content-Disposition: form-data; name=a; filename*=UTF-8''" + encoded
    with pytest.raises(ValueError, match="control character"):
        decode(form((head, b"")))


def test_st_17_a_nul_in_a_name_is_refused() -> None:
    head = b'Content-Disposition: form-data; name="a\x00b"'
    with pytest.raises(ValueError, match="control character"):
        decode(form((head, b"")))


def test_a_part_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no name"):
        decode(form((b"Content-Disposition: form-data", b"value")))


# Limits


@pytest.mark.parametrize("step", [100, 65_536])
def test_fw_10_parts_are_counted(step: int) -> None:
    assert len(decode(form(*[(FIELD, b"")] * 5), step=step, max_parts=5)) == 5
    with pytest.raises(RequestEntityTooLarge):
        decode(form(*[(FIELD, b"")] * 6), step=step, max_parts=5)


@pytest.mark.parametrize("step", [100, 65_536])
@pytest.mark.parametrize("ended", [True, False])
def test_fw_10_the_head_of_a_part_is_limited_in_bytes(step: int, ended: bool) -> None:
    padding = b"x" * (MAX_PART_HEADER_BYTES - len(FIELD) - 100)
    assert decode(form((FIELD + b"\r\nX: " + padding, b"v")), step=step)
    body = form((FIELD + b"\r\nX: " + padding + b"x" * 200, b"v"))
    if not ended:
        body = body[: MAX_PART_HEADER_BYTES + 150]
    with pytest.raises(RequestEntityTooLarge):
        decode(body, step=step)


def test_fw_10_the_head_of_a_part_is_limited_in_fields() -> None:
    more = b"\r\nX: y" * (MAX_PART_HEADERS - 1)
    assert decode(form((FIELD + more, b"v"))) == [("a", None, b"v")]
    with pytest.raises(RequestEntityTooLarge):
        decode(form((FIELD + more + b"\r\nX: y", b"v")))


def test_fw_10_the_heads_of_all_parts_are_limited_together() -> None:
    head = FIELD + b"\r\nX: " + b"x" * 1_000
    assert len(decode(form(*[(head, b"")] * 10), max_parts=100)) == 10
    with pytest.raises(RequestEntityTooLarge):
        decode(form(*[(head, b"")] * 90), max_parts=100)


@pytest.mark.parametrize("step", [100, 65_536])
def test_st_12_preamble_and_epilogue_are_limited(step: int) -> None:
    body = form((FIELD, b"v"))
    short = b"x" * (MAX_FRAME_BYTES - 100)
    assert decode(short + b"\r\n" + body + short, step=step) == [("a", None, b"v")]
    with pytest.raises(RequestEntityTooLarge):
        decode(b"x" * (MAX_FRAME_BYTES + 1) + b"\r\n" + body, step=step)
    with pytest.raises(RequestEntityTooLarge):
        decode(body + b"x" * (MAX_FRAME_BYTES + 1), step=step)


# Time

HEAD = b"--b\r\n" + FILE + b"\r\n\r\n"
QUOTES = FIELD + b'; x="' + b'\\"' * 2_000 + b"*"
STARS = FIELD + b'; *="' * 800 + b"*"

WORST: dict[str, Callable[[int], bytes]] = {
    "carriage returns": lambda size: HEAD + b"\r" * size,
    "line feeds": lambda size: HEAD + b"\n" * size,
    "line breaks": lambda size: HEAD + b"\r\n" * (size // 2),
    "a line break, then a lot": lambda size: HEAD + b"\r\n" + b"x" * size,
    "almost boundaries": lambda size: HEAD + b"\r\n--bx" * (size // 6),
    "boundaries in a line": lambda size: HEAD + b"--b" * (size // 3),
    "boundaries and spaces": lambda size: (
        HEAD + (b"\r\n--b" + b" " * 100 + b"x") * (size // 106)
    ),
    "empty parts": lambda size: (HEAD + b"\r\n") * (size // len(HEAD)),
    "open quotes": lambda size: form(*[(QUOTES, b"")] * (size // len(QUOTES))),
    "stars": lambda size: form(*[(STARS, b"")] * (size // len(STARS))),
    "preamble": lambda size: b"\r\n--" * (size // 4),
}


def seconds_for(body: bytes, step: int) -> float:
    best = 60.0
    for _ in range(3):
        start = time.process_time()
        with suppress(ValueError, RequestEntityTooLarge):
            decode(body, step=step)
        best = min(best, time.process_time() - start)
    return best


@pytest.mark.parametrize("make", WORST.values(), ids=WORST)
@pytest.mark.parametrize("step", [64, 65_536])
def test_f_38_fw_11_time_grows_with_the_size(
    make: Callable[[int], bytes], step: int
) -> None:
    size = 16_384 if step == 64 else 65_536
    # Quadratic time would be 16 times as much; the rest is room for a busy machine.
    assert seconds_for(make(4 * size), step) <= 9 * seconds_for(make(size), step) + 0.02
