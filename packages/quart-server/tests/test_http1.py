"""One HTTP/1 connection without sockets: bytes in, requests and bodies out."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_server.protocols.errors import HTTP2PrefaceError, ProtocolError
from quart_server.protocols.http1 import HTTP1Connection
from quart_server.protocols.limits import HTTP1Limits
from quart_server.protocols.readers import (
    HttptoolsReader,
    ReferenceReader,
    StrictReader,
)

LIMITS = HTTP1Limits()
READERS = [ReferenceReader, StrictReader]
if HttptoolsReader is not None:
    READERS.append(HttptoolsReader)


@pytest.fixture(params=READERS, ids=lambda reader: reader.name)
def connect(request):
    def make(limits: HTTP1Limits = LIMITS) -> HTTP1Connection:
        return HTTP1Connection(request.param(limits), limits)

    return make


def read_all(connection: HTTP1Connection, segments) -> list[tuple]:
    """Feed segments and return what was read: (path, body) pairs, or a status."""
    found: list[tuple] = []
    path, body = None, b""
    try:
        for segment in segments:
            connection.receive_data(segment)
            while True:
                if path is None:
                    head = connection.next_request()
                    if head is None:
                        break
                    path, body = head.path, b""
                body += connection.read_body()
                if not connection.body_complete:
                    break
                found.append((path, body))
                path = None
                connection.next_cycle()
    except ProtocolError as error:
        found.append(("refused", error.status))
    return found


def cut(data: bytes, *places: int) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


GET = b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: z\r\n\r\n"
)

# Conversations and what must be read from them, however they are cut.
CONVERSATIONS = {
    "get": (GET % 1, [("/1", b"")]),
    "pipelined": (GET % 1 + GET % 2 + GET % 3, [("/1", b""), ("/2", b""), ("/3", b"")]),
    "post": (POST + GET % 1, [("/p", b"hello"), ("/1", b"")]),
    "chunked": (CHUNKED + GET % 1, [("/c", b"hello world"), ("/1", b"")]),
    "empty lines": (b"\r\n\r\n" + GET % 1 + b"\r\n" + GET % 2, [("/1", b""), ("/2", b"")]),  # noqa: E501
    "many empty lines": (b"\r\n" * 9 + GET % 1, [("refused", 400)]),
    "bare LF": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", [("refused", 400)]),
    "bare LF later": (GET % 1 + b"GET / HTTP/1.1\r\nHost: a\n\n", [("/1", b""), ("refused", 400)]),  # noqa: E501
    "http/2 line": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", [("refused", 505)]),
    "no host": (b"GET / HTTP/1.1\r\n\r\n" + GET % 1, [("refused", 400)]),
    "both framings": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET % 1,
        [("refused", 400)],
    ),
    "chunk without CRLF": (
        CHUNKED.partition(b"5\r\n")[0] + b"5\r\nhelloXX0\r\n\r\n" + GET % 1,
        [("refused", 400)],
    ),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [("refused", 400)]),  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_h1_12_cut_at_every_byte_the_verdict_is_the_same(connect, name: str) -> None:
    data, expected = CONVERSATIONS[name]
    assert read_all(connect(), [data]) == expected
    for place in range(1, len(data)):
        assert read_all(connect(), cut(data, place)) == expected, place
    assert read_all(connect(), cut(data, *range(1, len(data)))) == expected


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_h1_12_cut_at_random_the_verdict_is_the_same(data) -> None:
    name = data.draw(st.sampled_from(sorted(CONVERSATIONS)))
    conversation, expected = CONVERSATIONS[name]
    places = data.draw(st.sets(st.integers(1, len(conversation) - 1), max_size=8))
    connection = HTTP1Connection(StrictReader(LIMITS), LIMITS)
    assert read_all(connection, cut(conversation, *places)) == expected


# F-12: limits of the head
def long_line(size: int) -> bytes:
    start, end = b"GET /", b" HTTP/1.1"
    return start + b"x" * (size - len(start) - len(end)) + end


def field(size: int, name: bytes = b"X-Long: ") -> bytes:
    return name + b"v" * (size - len(name))


LIMIT_CASES = {
    "line at the limit": (long_line(8192) + b"\r\nHost: a\r\n\r\n", 200),
    "line over the limit": (long_line(8193) + b"\r\nHost: a\r\n\r\n", 414),
    "line without end": (b"GET /" + b"x" * 9000, 414),
    "line of 40 KiB": (long_line(40_000) + b"\r\nHost: a\r\n\r\n", 414),
    "field at the limit": (b"GET / HTTP/1.1\r\nHost: a\r\n" + field(8192) + b"\r\n\r\n", 200),  # noqa: E501
    "field over the limit": (b"GET / HTTP/1.1\r\nHost: a\r\n" + field(8193) + b"\r\n\r\n", 431),  # noqa: E501
    "field without end": (b"GET / HTTP/1.1\r\nHost: a\r\n" + field(9000), 431),
    "head over the limit": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + (field(8000) + b"\r\n") * 5 + b"\r\n", 431,
    ),
    "100 fields": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 99 + b"\r\n", 200),
    "101 fields": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 100 + b"\r\n", 431),
    "10000 fields": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 10_000, 431),
    "bad line, then over the limit": (b"G@T / HTTP/1.1\r\n" + field(9000) + b"\r\n\r\n", 431),  # noqa: E501
    "over the limit, then bare LF": (
        b"GET / HTTP/1.1\r\n" + field(9000) + b"\r\na\n\r\n\r\n", 431,
    ),
    "bare LF, then over the limit": (
        b"GET / HTTP/1.1\r\na: b\n" + field(9000) + b"\r\n\r\n", 400,
    ),
    "length of 5000 digits": (
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: " + b"1" * 5000 + b"\r\n\r\n", 400,  # noqa: E501
    ),
}  # fmt: skip


def status_of(found: list[tuple]) -> int:
    assert len(found) == 1
    return found[0][1] if found[0][0] == "refused" else 200


@pytest.mark.parametrize("name", LIMIT_CASES)
def test_f_12_limits_whatever_the_segments(connect, name: str) -> None:
    data, status = LIMIT_CASES[name]
    assert status_of(read_all(connect(), [data])) == status
    for size in (1, 7, 1460, 8191, 8193):
        places = range(size, len(data), size)
        assert status_of(read_all(connect(), cut(data, *places))) == status, size


def test_f_12_limits_can_be_set(connect) -> None:
    limits = HTTP1Limits(request_line=100, field=100, head=200, fields=3)
    assert status_of(read_all(connect(limits), [GET % 1])) == 200
    assert status_of(read_all(connect(limits), [long_line(101) + b"\r\n\r\n"])) == 414
    many = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 3 + b"\r\n"
    assert status_of(read_all(connect(limits), [many])) == 431


def test_f_38_head_in_single_bytes_costs_linear_time() -> None:
    def seconds(size: int) -> float:
        limits = HTTP1Limits(request_line=2**22, field=2**22, head=2**22)
        connection = HTTP1Connection(StrictReader(limits), limits)
        connection.receive_data(b"GET / HTTP/1.1\r\nX: ")
        connection.next_request()
        begin = time.process_time()
        for _ in range(size):
            connection.receive_data(b"x")
            connection.next_request()
        return time.process_time() - begin

    small = min(seconds(10_000) for _ in range(3))
    large = min(seconds(40_000) for _ in range(3))
    assert large < 4 * 2.5 * small


# RFC 9112, 9
def test_bytes_after_the_end_are_dropped(connect) -> None:
    """RFC 9112, 9.6: nothing is read after the last request."""
    connection = connect()
    connection.receive_data(GET % 1)
    assert connection.next_request() is not None
    connection.close()
    connection.receive_data(GET % 2)
    connection.next_cycle()
    assert connection.next_request() is None
    assert connection.buffered == 0


def test_h1_03_refusal_names_no_byte_of_the_client(connect) -> None:
    connection = connect()
    connection.receive_data(b"GET /secret\nHost: a\r\n\r\nGET /other HTTP/1.1\r\n")
    with pytest.raises(ProtocolError) as caught:
        connection.next_request()
    assert "secret" not in str(caught.value)
    assert "other" not in str(caught.value)


def test_request_behind_an_unread_body_is_not_seen_before_its_end(connect) -> None:
    """RFC 9112, 6.3: a body's bytes are never a request."""
    connection = connect()
    hidden = GET % 666
    connection.receive_data(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    )
    assert connection.next_request() is not None
    connection.receive_data(hidden)
    connection.next_cycle()
    assert connection.next_request() is None
    assert connection.read_body() == hidden
    connection.next_cycle()
    assert connection.next_request() is None


@pytest.mark.parametrize("end", range(len(CHUNKED) - CHUNKED.index(b"5\r\n")))
def test_h1_17_end_of_input_within_a_chunked_body_is_an_error(connect, end) -> None:
    connection = connect()
    start = CHUNKED.index(b"5\r\n")
    connection.receive_data(CHUNKED[: start + end])
    assert connection.next_request() is not None
    connection.receive_eof()
    with pytest.raises(ProtocolError):
        connection.read_body()


def test_h1_17_end_of_input_before_the_length_is_an_error(connect) -> None:
    connection = connect()
    connection.receive_data(POST[:-1])
    assert connection.next_request() is not None
    connection.receive_eof()
    with pytest.raises(ProtocolError):
        connection.read_body()


# HTTP/2 by prior knowledge (RFC 9113, 3.4)
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def test_preface_of_http2_is_told_and_its_bytes_kept(connect) -> None:
    """RFC 9113, 3.4: connection preface."""
    for place in range(1, len(PREFACE)):
        connection = connect()
        connection.receive_data(PREFACE[:place])
        assert connection.next_request() is None
        connection.receive_data(PREFACE[place:] + b"frames")
        with pytest.raises(HTTP2PrefaceError):
            connection.next_request()
        assert connection.unread() == PREFACE + b"frames"


def test_preface_counts_at_the_beginning_only(connect) -> None:
    connection = connect()
    assert read_all(connection, [GET % 1 + PREFACE]) == [("/1", b""), ("refused", 505)]


def test_broken_preface_is_refused(connect) -> None:
    assert read_all(connect(), [b"PRI * HTTP/2.0\r\n\r\nXX"]) == [("refused", 505)]


def test_bytes_behind_an_upgrade_are_kept(connect) -> None:
    connection = connect()
    connection.receive_data(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        b"\r\nframes"
    )
    assert connection.next_request().upgrade == b"websocket"
    assert connection.unread() == b"frames"


def test_h1_13_chunks_cut_within_their_framing_do_not_pile_up(connect) -> None:
    connection = connect()
    connection.receive_data(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert connection.next_request() is not None
    # Each segment ends in the middle of a line end.
    connection.receive_data(b"3e8\r\n" + b"x" * 1000 + b"\r")
    for _ in range(1000):
        assert connection.read_body() == b"x" * 1000
        connection.receive_data(b"\n3e8\r\n" + b"x" * 1000 + b"\r")
    assert len(connection._buffer) < 10_000
