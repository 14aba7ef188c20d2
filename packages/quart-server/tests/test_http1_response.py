"""Responses as bytes (RFC 9110, 6 and 8; RFC 9112, 4 and 7)."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.http1_response import (
    BodyLengthError,
    InvalidFieldError,
    ResponseEncoder,
    encode_early_hints,
)


def encode(status=200, headers=(), body=b"", encoder=None, **facts) -> bytes:
    facts = {"is_head": False, "is_http10": False, "keep_alive": True, **facts}
    encoder = encoder or ResponseEncoder()
    return encoder.encode_response(status, headers, body, **facts)[0]


def stream(headers=(), status=200, **facts):
    facts = {"is_head": False, "is_http10": False, "keep_alive": True, **facts}
    return ResponseEncoder().encode_head(status, headers, **facts)


def test_head_and_body_are_one_piece() -> None:
    assert encode(200, [(b"content-type", b"text/plain")], b"hello") == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
    )


def test_every_status_has_a_reason_phrase_or_a_space() -> None:
    """RFC 9112, 4: the status line."""
    assert encode(404).startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert encode(299).startswith(b"HTTP/1.1 299 \r\n")


@pytest.mark.parametrize("length", [b"5", b"05"])
def test_content_length_of_the_app_is_sent_once(length: bytes) -> None:
    data = encode(200, [(b"Content-Length", length)], b"hello")
    assert data.lower().count(b"content-length: 5\r\n") == 1


@pytest.mark.parametrize("length", [b"4", b"6"])
def test_whole_body_of_another_length_is_refused(length: bytes) -> None:
    with pytest.raises(BodyLengthError):
        encode(200, [(b"content-length", length)], b"hello")


@pytest.mark.parametrize("length", [b"-1", b"+5", b"5 ", b"five", b"", b"1" * 21])
def test_content_length_that_is_no_number_is_refused(length: bytes) -> None:
    with pytest.raises(InvalidFieldError):
        encode(200, [(b"content-length", length)], b"hello")


@pytest.mark.parametrize("status", [204, 304])
def test_responses_without_body_have_none(status: int) -> None:
    """RFC 9112, 6.3: 204 and 304."""
    data = encode(status, [(b"content-type", b"a/b")], b"dropped")
    assert data.endswith(b"\r\n\r\n")
    assert b"content-length" not in data
    assert b"transfer-encoding" not in data


def test_204_has_no_content_length_even_if_the_app_sets_it() -> None:
    """RFC 9110, 8.6."""
    assert b"content-length" not in encode(204, [(b"content-length", b"0")])


def test_304_keeps_the_content_length_of_the_app() -> None:
    """RFC 9110, 8.6."""
    assert b"content-length: 9\r\n" in encode(304, [(b"content-length", b"9")])


def test_head_has_the_fields_of_get_and_no_body() -> None:
    """RFC 9110, 9.3.2."""
    data = encode(200, [], b"hello", is_head=True)
    assert b"content-length: 5\r\n" in data
    assert data.endswith(b"\r\n\r\n")
    data = encode(200, [(b"content-length", b"99")], b"", is_head=True)
    assert b"content-length: 99\r\n" in data


def test_head_says_no_length_where_the_app_says_none_and_leaves_the_body_out() -> None:
    """RFC 9110, 8.6: only a length that is that of the GET may be sent."""
    assert b"content-length" not in encode(200, [], b"", is_head=True)


def test_stream_is_chunked() -> None:
    """RFC 9112, 7.1."""
    head, body = stream()
    assert b"transfer-encoding: chunked\r\n" in head
    assert body.encode(b"hello", more=True) == b"5\r\nhello\r\n"
    assert body.encode(b"", more=True) == b""
    assert (
        body.encode(b"x" * 16, more=False) == b"10\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n"
    )


def test_stream_with_a_length_is_not_chunked() -> None:
    head, body = stream([(b"content-length", b"6")])
    assert b"transfer-encoding" not in head
    assert body.encode(b"abc", more=True) == b"abc"
    assert body.is_short
    assert body.encode(b"def", more=False) == b"def"
    assert not body.is_short
    with pytest.raises(BodyLengthError):
        body.encode(b"g", more=True)


def test_stream_to_http_1_0_ends_with_the_connection() -> None:
    """RFC 9112, 7.1: no chunks to HTTP/1.0."""
    head, body = stream(is_http10=True)
    assert b"transfer-encoding" not in head
    assert b"connection: close\r\n" in head
    assert body.must_close
    assert body.encode(b"hello", more=False) == b"hello"


def test_http_1_0_is_told_that_the_connection_lives_on() -> None:
    """RFC 9112, 9.3."""
    assert b"connection: keep-alive\r\n" in encode(is_http10=True)
    assert b"connection: close\r\n" in encode(is_http10=True, keep_alive=False)


def test_transfer_encoding_of_the_app_is_not_sent_twice() -> None:
    head, _ = stream([(b"transfer-encoding", b"chunked")])
    assert head.count(b"transfer-encoding") == 1
    assert b"transfer-encoding" not in encode(
        200, [(b"transfer-encoding", b"chunked")], b"x"
    )


@pytest.mark.parametrize("value", [b"close", b"Close", b"x, close"])
def test_connection_close_of_the_app_is_honoured(value: bytes) -> None:
    data, must_close = ResponseEncoder().encode_response(
        200, [(b"connection", value)], b"", is_head=False, is_http10=False,
        keep_alive=True,
    )  # fmt: skip
    assert must_close
    assert data.count(b"connection: close\r\n") == 1


def test_trailers_end_the_chunks() -> None:
    """RFC 9112, 7.1.2."""
    _, body = stream(trailers=True)
    assert body.encode(b"a", more=False, trailers=True) == b"1\r\na\r\n"
    assert body.encode_trailers([(b"x", b"1")], more=True) == b"0\r\nx: 1\r\n"
    assert body.encode_trailers([(b"y", b"2")], more=False) == b"y: 2\r\n\r\n"


def test_date_and_server_are_there_once() -> None:
    encoder = ResponseEncoder()
    encoder.set_default_fields([(b"date", b"now"), (b"server", b"us")])
    data = encode(200, [], b"", encoder)
    assert data.count(b"date: now\r\n") == data.count(b"server: us\r\n") == 1
    data = encode(200, [(b"Date", b"then"), (b"SERVER", b"them")], b"", encoder)
    assert data.lower().count(b"date: ") == data.lower().count(b"server: ") == 1
    assert b"Date: then\r\n" not in data or b"now" not in data
    assert b"them" in data


def test_default_fields_are_renewed() -> None:
    encoder = ResponseEncoder()
    encoder.set_default_fields([(b"date", b"one")])
    assert b"one" in encode(encoder=encoder)
    encoder.set_default_fields([(b"date", b"two")])
    assert b"one" not in encode(encoder=encoder)


# H1-15: no text of the app makes a second line
BAD = [b"\r", b"\n", b"\r\n", b"\x00", b"\x0b", b"\x0c", b"\x1b", b"\x7f"]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", [b"x-a", b"date", b"connection", b"content-length"])
def test_h1_15_control_characters_in_values(name: bytes, bad: bytes) -> None:
    for value in (bad, b"a" + bad, bad + b"a", b"a" + bad + b"b"):
        with pytest.raises(InvalidFieldError):
            encode(200, [(name, value)], b"")


@pytest.mark.parametrize("bad", [*BAD, b" ", b":", b"\t", b"(", b"\x80", b""])
def test_h1_15_names_that_are_no_tokens(bad: bytes) -> None:
    with pytest.raises(InvalidFieldError):
        encode(200, [(b"a" + bad if bad else b"", b"value")], b"")


@pytest.mark.parametrize("bad", BAD)
def test_h1_15_early_hints_and_trailers(bad: bytes) -> None:
    with pytest.raises(InvalidFieldError):
        encode_early_hints([b"</a>" + bad])
    _, body = stream(trailers=True)
    with pytest.raises(InvalidFieldError):
        body.encode_trailers([(b"x", b"a" + bad)], more=False)


@pytest.mark.parametrize("field", [("a", b"b"), (b"a", "b"), (b"a", None), (1, b"b")])
def test_h1_15_fields_that_are_no_bytes(field) -> None:
    with pytest.raises(InvalidFieldError, match="two bytes objects"):
        encode(200, [field], b"")


@given(st.binary(min_size=1, max_size=20), st.binary(max_size=40))
def test_h1_15_whatever_the_app_sets_is_one_field(name: bytes, value: bytes) -> None:
    try:
        data = encode(200, [(name, value)], b"")
    except InvalidFieldError:
        return
    assert data.count(b"\r\n") <= 5
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    client.receive_data(data)
    response = client.next_event()
    assert isinstance(response, h11.Response)
    names = [found for found, _ in response.headers]
    assert set(names) <= {name.lower(), b"content-length", b"connection"}
    assert len(names) <= 2


def test_lines_remembered_are_bounded() -> None:
    encoder = ResponseEncoder()
    for number in range(3000):
        encode(200, [(b"x-number", b"%d" % number)], b"", encoder)
        encode(200, [(b"set-cookie", b"secret=%d" % number)], b"", encoder)
    assert len(encoder._lines) <= 1024
    assert not any(name == b"set-cookie" for name, _ in encoder._lines)
