"""Content-Disposition after RFC 6266 and RFC 5987."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.content_disposition import content_disposition
from werkzeug.http import parse_options_header


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (None, "attachment"),
        ("report.pdf", "attachment; filename=report.pdf"),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        (
            "né.txt",
            "attachment; filename=ne.txt; filename*=UTF-8''n%C3%A9.txt",
        ),
        (
            "日本.pdf",
            "attachment; filename=__.pdf; filename*=UTF-8''%E6%97%A5%E6%9C%AC.pdf",
        ),
        (
            'a"b.txt',
            'attachment; filename="a\\"b.txt"; filename*=UTF-8\'\'a%22b.txt',
        ),
        ("50%.txt", "attachment; filename=50%.txt; filename*=UTF-8''50%25.txt"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a__X%3A%20y"),
    ],
)
def test_names(filename: str | None, expected: str) -> None:
    assert content_disposition("attachment", filename) == expected


def test_a_name_that_is_no_unicode_is_sent_with_a_mark_in_its_place() -> None:
    assert content_disposition("inline", "a\udcff") == (
        "inline; filename=a_; filename*=UTF-8''a%3F"
    )


@given(st.text(min_size=1))
def test_f_48_st_17_names_come_back_exactly_and_in_one_line(filename: str) -> None:
    header = content_disposition("attachment", filename)
    assert header.isascii()
    assert header.isprintable()
    kind, parameters = parse_options_header(header)
    assert kind == "attachment"
    assert set(parameters) == {"filename"}
    exact = header.partition("filename*=UTF-8''")[2]
    safe = "".join("_" if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in filename)
    assert (unquote(exact) if exact else parameters["filename"]) == safe
