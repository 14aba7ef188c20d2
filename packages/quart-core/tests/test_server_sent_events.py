"""Server-sent events as text (HTML standard, 9.2.5 and 9.2.6)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from quart_core import Quart, ServerSentEvent


def test_data_is_one_line_and_an_empty_one() -> None:
    assert ServerSentEvent("hello").encode() == b"data: hello\n\n"


def test_fields_come_before_the_data() -> None:
    event = ServerSentEvent("a", event="news", id="7", retry=100, comment="why")
    assert event.encode() == b": why\nevent: news\nid: 7\nretry: 100\ndata: a\n\n"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_each_line_of_the_data_has_its_field(end: str) -> None:
    assert ServerSentEvent(f"a{end}{end}b").encode() == b"data: a\ndata: \ndata: b\n\n"


@pytest.mark.parametrize("inside", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_what_only_python_takes_for_an_end_of_line_stays_inside(inside: str) -> None:
    encoded = ServerSentEvent(f"a{inside}b").encode()
    assert encoded == f"data: a{inside}b\n\n".encode()


def test_newline_at_the_end_of_the_data_is_kept() -> None:
    assert ServerSentEvent("a\n").encode() == b"data: a\ndata: \n\n"


def test_empty_data_is_an_event() -> None:
    assert ServerSentEvent("").encode() == b"data: \n\n"


def test_space_at_the_beginning_of_the_data_is_kept() -> None:
    assert ServerSentEvent(" a").encode() == b"data:  a\n\n"


def test_text_is_sent_as_utf_8() -> None:
    assert ServerSentEvent("é", id="ü").encode() == "id: ü\ndata: é\n\n".encode()


def test_comment_may_have_several_lines() -> None:
    assert ServerSentEvent(comment="a\nb").encode() == b": a\n: b\n\n"


@pytest.mark.parametrize(
    ("value", "text"), [({"a": 1}, b'{"a": 1}'), (None, b"null"), ("a\n", b'"a\\n"')]
)
def test_json_is_any_value(value: Any, text: bytes) -> None:
    assert ServerSentEvent(json=value).encode() == b"data: " + text + b"\n\n"


def test_json_of_several_lines_has_several_fields() -> None:
    encoded = ServerSentEvent(json=[1]).encode(lambda _: "[\n1\n]")
    assert encoded == b"data: [\ndata: 1\ndata: ]\n\n"


async def test_json_is_written_as_the_app_does() -> None:
    app = Quart(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    async with app.app_context():
        encoded = ServerSentEvent(json={"b": date(2026, 1, 2), "a": 1}).encode()
    assert encoded == b'data: {"b": "Fri, 02 Jan 2026 00:00:00 GMT", "a": 1}\n\n'


def test_number_is_an_id_of_digits() -> None:
    assert ServerSentEvent("a", id=0).encode() == b"id: 0\ndata: a\n\n"


def test_empty_id_makes_the_client_forget_the_last() -> None:
    assert ServerSentEvent("a", id="").encode() == b"id: \ndata: a\n\n"


@pytest.mark.parametrize("field", ["event", "id"])
@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\r\n", "\n"])
def test_lines_in_a_field_of_one_line_are_refused(field: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{field} .* is a single line"):
        ServerSentEvent("", **{field: value})  # type: ignore[arg-type]


def test_nul_in_an_id_is_refused() -> None:
    with pytest.raises(ValueError, match="has no NUL"):
        ServerSentEvent("", id="a\0")


def test_data_and_json_together_are_refused() -> None:
    with pytest.raises(ValueError, match="data or json, not both"):
        ServerSentEvent("", json=None)


def test_type_without_data_is_refused_as_browsers_drop_it() -> None:
    with pytest.raises(ValueError, match="'news' has no data"):
        ServerSentEvent(event="news")


def test_empty_event_is_refused() -> None:
    with pytest.raises(ValueError, match="event is empty"):
        ServerSentEvent()


def test_id_alone_is_sent_for_the_client_to_keep() -> None:
    assert ServerSentEvent(id="9").encode() == b"id: 9\n\n"


@pytest.mark.parametrize("value", [1.5, "10", True])
def test_retry_that_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="whole number of milliseconds"):
        ServerSentEvent(retry=value)


def test_negative_retry_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0, not -1"):
        ServerSentEvent(retry=-1)


@pytest.mark.parametrize("value", [b"bytes", 1, {"a": 1}])
def test_data_that_is_no_text_is_refused_with_the_way_to_send_it(value: Any) -> None:
    with pytest.raises(TypeError, match="give values as json="):
        ServerSentEvent(value)


@pytest.mark.parametrize("field", ["event", "id", "comment"])
def test_bytes_in_other_fields_are_refused(field: str) -> None:
    with pytest.raises(TypeError, match=f"{field} of a server-sent event"):
        ServerSentEvent("", **{field: b"a"})  # type: ignore[arg-type]
