"""Header lists as requests: RFC 9113, 8.2 and 8.3; RFC 8441, 4."""

from __future__ import annotations

import pytest
from http2_peer import CONNECT_WEBSOCKET, GET, POST, get, without
from quart_server.protocols.http2_limits import HTTP2Limits
from quart_server.protocols.http2_request import (
    MalformedError,
    check_trailers,
    read_request,
)

LIMITS = HTTP2Limits(body=1_000)


def read(fields):
    return read_request([tuple(field) for field in fields], LIMITS)


@pytest.mark.parametrize(
    "fields",
    [
        without(b":method"),
        without(b":scheme"),
        without(b":path"),
        [(b":method", b""), *GET[1:]],
        [(b":method", b"G T"), *GET[1:]],
        [*GET, GET[0]],
        [(b":status", b"200"), *GET],
        [(b":", b"x"), *GET],
        [(b"x", b"y"), *GET],
        [*GET, (b"x", b"y"), (b":path", b"/")],
        get(b""),
        get(b"relative"),
        get(b"http://localhost/"),
        get(b"*"),
        get(b"/a\0b"),
        get(b" /a"),
        get(b"/", (b"", b"empty")),
        get(b"/", (b"Name", b"upper")),
        get(b"/", (b"na me", b"blank")),
        get(b"/", (b"name:", b"colon")),
        get(b"/", (b"n\xe4me", b"not ascii")),
        get(b"/", (b"x", b" front")),
        get(b"/", (b"x", b"back\t")),
        get(b"/", (b"x", b"a\rb")),
        get(b"/", (b"connection", b"close")),
        get(b"/", (b"keep-alive", b"1")),
        get(b"/", (b"proxy-connection", b"close")),
        get(b"/", (b"transfer-encoding", b"chunked")),
        get(b"/", (b"upgrade", b"h2c")),
        get(b"/", (b"te", b"gzip")),
        get(b"/", (b"host", b"localhost"), (b"host", b"localhost")),
        [*POST, (b"content-length", b"1"), (b"content-length", b"1")],
        [*POST, (b"content-length", b"+1")],
        [*POST, (b"content-length", b"")],
        [*POST, (b"content-length", b"1, 1")],
        [*POST, (b"content-length", b"1" * 21)],
        [(b":method", b"CONNECT"), *GET[1:]],
        [(b":method", b"CONNECT")],
        [*GET, (b":protocol", b"websocket")],
        without(b":path", CONNECT_WEBSOCKET),
        without(b":scheme", CONNECT_WEBSOCKET),
        without(b":authority", CONNECT_WEBSOCKET),
    ],
)
def test_malformed_lists(fields):
    with pytest.raises(MalformedError):
        read(fields)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([*GET[:3]], 400),
        ([*GET[:3], (b":authority", b"")], 400),
        ([*GET[:3], (b":authority", b"a/b")], 400),
        ([*GET[:3], (b":authority", b"u@h")], 400),
        (get(b"/", (b"host", b"other")), 400),
        (get(b"/#fragment"), 400),
        (get(b"/a b"), 400),
        (get(b"/" + b"a" * 8_192), 414),
        (get(b"/", (b"x", b"a" * 8_192)), 431),
        (get(b"/", (b"expect", b"more")), 417),
        ([(b":method", b"CONNECT"), GET[3]], 501),
        ([CONNECT_WEBSOCKET[0], (b":protocol", b"other"), *GET[1:]], 501),
        ([*POST, (b"content-length", b"1001")], 413),
    ],
)
def test_requests_that_are_answered_by_the_server(fields, status):
    assert read(fields).refusal.status == status


@pytest.mark.parametrize(
    "fields",
    [
        get(),
        [(b":method", b"OPTIONS"), GET[1], (b":path", b"*"), GET[3]],
        get(b"/", (b"te", b"trailers")),
        get(b"/", (b"te", b"Trailers")),
        get(b"/", (b"host", b"LOCALHOST")),
        get(b"/", (b"x", b"")),
        get(b"/", (b"x", b"a\tb\xff")),
        [*GET[:3], (b":authority", b"[::1]:8000")],
        [*GET[:3], (b"host", b"localhost")],
        [*POST, (b"content-length", b"1000")],
        CONNECT_WEBSOCKET,
    ],
)
def test_requests_that_are_served(fields):
    assert read(fields).refusal is None


def test_what_a_request_says():
    request = read(
        [
            *POST[:2],
            (b":path", b"/a%2Fb%20c?d"),
            (b":authority", b"h:1"),
            (b"cookie", b"a"),
            (b"expect", b"100-Continue"),
            (b"content-length", b"5"),
            (b"cookie", b"b"),
            (b"te", b"trailers"),
            (b"priority", b"u=1"),
        ]
    )
    head = request.make_head(ended=False)
    assert (head.method, head.path, head.raw_path) == ("POST", "/a/b c", b"/a%2Fb%20c")
    assert head.query_string == b"d"
    assert head.http_version == "2"
    assert head.headers == [
        (b"host", b"h:1"),
        (b"expect", b"100-Continue"),
        (b"content-length", b"5"),
        (b"te", b"trailers"),
        (b"priority", b"u=1"),
        (b"cookie", b"a; b"),
    ]
    assert (head.body_length, head.expects_continue) == (5, True)
    assert head.accepts_trailers
    assert request.priority == b"u=1"
    assert request.make_head(ended=False).headers is not head.headers


def test_a_length_needs_a_body():
    request = read([*POST, (b"content-length", b"5")])
    with pytest.raises(MalformedError):
        request.make_head(ended=True)
    assert read([*POST, (b"content-length", b"0")]).make_head(ended=True)


def test_trailers():
    check_trailers([(b"x-checksum", b"1")])
    for field in [
        (b":path", b"/"),
        (b"host", b"h"),
        (b"content-length", b"1"),
        (b"te", b"trailers"),
        (b"connection", b"close"),
        (b"X", b"upper"),
        (b"x", b"a\nb"),
    ]:
        with pytest.raises(MalformedError):
            check_trailers([field])
