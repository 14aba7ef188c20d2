"""The cases that h2spec makes of RFC 9113 (7540 where it differs), by section.

Each case sends something and names the errors that may answer it. As in h2spec, a
stream error may be answered by ending the connection, not the other way round.
"""

from __future__ import annotations

import struct
from typing import Any

import pytest
from h2.errors import ErrorCodes
from http2_peer import (
    GET,
    POST,
    PREFACE,
    SocketClient,
    data,
    get,
    goaway,
    ping,
    raw,
    reset,
    settings,
    window,
    without,
)
from hyperframe.frame import (
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

PROTOCOL = ErrorCodes.PROTOCOL_ERROR
CLOSED = ErrorCodes.STREAM_CLOSED
SIZE = ErrorCodes.FRAME_SIZE_ERROR
FLOW = ErrorCodes.FLOW_CONTROL_ERROR
COMPRESSION = ErrorCodes.COMPRESSION_ERROR
REFUSED = ErrorCodes.REFUSED_STREAM

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = (
    range(10)
)


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message["more_body"]:
            break
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"Hello, World!"})


def expect(section: str, frames: Any, *codes: ErrorCodes) -> Any:
    return pytest.param(frames, codes, id=section)


def setting(code: int, value: int) -> bytes:
    return raw(SETTINGS, 0, 0, struct.pack(">HL", code, value))


def priority(depends_on: int, weight: int = 0) -> bytes:
    return struct.pack(">LB", depends_on, weight)


# Answered by a connection error.
CONNECTION_ERRORS = [
    expect(
        "4.2-3 HEADERS over the frame size",
        lambda c: raw(HEADERS, 5, 1, c.block(GET) + b"\x00" * 16_384),
        SIZE,
    ),
    expect(
        "4.3-1 an invalid block", lambda c: raw(HEADERS, 5, 1, b"\x40"), COMPRESSION
    ),
    expect(
        "4.3-2 PRIORITY inside a block",
        lambda c: c.headers(1, end_headers=False) + raw(PRIORITY, 0, 1, priority(0)),
        PROTOCOL,
    ),
    expect(
        "4.3-3 HEADERS of another stream inside a block",
        lambda c: c.headers(1, end_headers=False) + c.headers(3),
        PROTOCOL,
    ),
    expect("5.1-1 idle: DATA", lambda c: data(1, b"test", end=True), PROTOCOL),
    expect("5.1-2 idle: RST_STREAM", lambda c: reset(1), PROTOCOL),
    expect("5.1-3 idle: WINDOW_UPDATE", lambda c: window(1, 100), PROTOCOL),
    expect("5.1-4 idle: CONTINUATION", lambda c: raw(CONTINUATION, 4, 1), PROTOCOL),
    expect("5.1.1-1 an even id", lambda c: c.headers(2), PROTOCOL),
    expect(
        "5.1.1-2 an id below the last",
        lambda c: c.headers(5) + c.headers(3),
        PROTOCOL,
    ),
    expect("5.4.1-1 an invalid PING", lambda c: raw(PING, 0, 0, b"1234567"), SIZE),
    expect(
        "5.5-2 an extension inside a block",
        lambda c: c.headers(1, end_headers=False) + raw(0x16, 0, 0, b"12345678"),
        PROTOCOL,
    ),
    expect("6.1-1 DATA on stream 0", lambda c: raw(DATA, 1, 0, b"test"), PROTOCOL),
    expect(
        "6.1-3 DATA with invalid padding",
        lambda c: c.headers(1, POST, end=False) + raw(DATA, 9, 1, b"\x06Test"),
        PROTOCOL,
    ),
    expect(
        "6.2-1 PRIORITY instead of CONTINUATION",
        lambda c: c.headers(1, end_headers=False) + raw(PRIORITY, 0, 1, priority(0)),
        PROTOCOL,
    ),
    expect(
        "6.2-2 HEADERS of another stream instead of CONTINUATION",
        lambda c: c.headers(1, end_headers=False) + c.headers(3),
        PROTOCOL,
    ),
    expect("6.2-3 HEADERS on stream 0", lambda c: c.headers(0), PROTOCOL),
    expect(
        "6.2-4 HEADERS with invalid padding",
        lambda c: raw(HEADERS, 0xD, 1, b"\xff" + c.block(GET)),
        PROTOCOL,
    ),
    expect(
        "6.3-1 PRIORITY on stream 0",
        lambda c: raw(PRIORITY, 0, 0, priority(1)),
        PROTOCOL,
    ),
    expect("6.4-1 RST_STREAM on stream 0", lambda c: reset_zero(), PROTOCOL),
    expect("6.4-2 RST_STREAM on an idle stream", lambda c: reset(1), PROTOCOL),
    expect(
        "6.4-3 RST_STREAM of another length",
        lambda c: c.headers(1, POST, end=False) + raw(RST, 0, 1, b"\x00" * 3),
        SIZE,
    ),
    expect(
        "6.5-1 SETTINGS ACK with a payload",
        lambda c: raw(SETTINGS, 1, 0, b"\x00" * 6),
        SIZE,
    ),
    expect("6.5-2 SETTINGS on a stream", lambda c: raw(SETTINGS, 0, 1), PROTOCOL),
    expect(
        "6.5-3 SETTINGS of another length",
        lambda c: raw(SETTINGS, 0, 0, b"\x00" * 3),
        SIZE,
    ),
    expect("6.5.2-1 ENABLE_PUSH is 2", lambda c: setting(2, 2), PROTOCOL),
    expect("6.5.2-2 INITIAL_WINDOW_SIZE", lambda c: setting(4, 2**31), FLOW),
    expect(
        "6.5.2-3 MAX_FRAME_SIZE too small", lambda c: setting(5, 2**14 - 1), PROTOCOL
    ),
    expect("6.5.2-4 MAX_FRAME_SIZE too large", lambda c: setting(5, 2**24), PROTOCOL),
    expect(
        "6.7-3 PING on a stream", lambda c: raw(PING, 0, 1, b"h2spec\0\0"), PROTOCOL
    ),
    expect("6.7-4 PING of another length", lambda c: raw(PING, 0, 0, b"h2"), SIZE),
    expect(
        "6.8-1 GOAWAY on a stream", lambda c: raw(GOAWAY, 0, 1, b"\0" * 8), PROTOCOL
    ),
    expect("6.9-1 WINDOW_UPDATE by 0", lambda c: window(0, 0), PROTOCOL),
    expect(
        "6.9-3 WINDOW_UPDATE of another length",
        lambda c: raw(WINDOW, 0, 0, b"\0" * 3),
        SIZE,
    ),
    expect(
        "6.9.1-2 windows over the maximum",
        lambda c: window(0, 2**31 - 1) + window(0, 2**31 - 1),
        FLOW,
    ),
    expect("6.9.2-3 INITIAL_WINDOW_SIZE too large", lambda c: setting(4, 2**31), FLOW),
    expect(
        "6.10-2 CONTINUATION and then another frame",
        lambda c: (
            c.headers(1, end_headers=False)
            + raw(CONTINUATION, 0, 1, c.block([(b"a", b"b")]))
            + data(1, b"test", end=True)
        ),
        PROTOCOL,
    ),
    expect(
        "6.10-3 CONTINUATION on stream 0",
        lambda c: c.headers(1, end_headers=False) + raw(CONTINUATION, 4, 0),
        PROTOCOL,
    ),
    expect(
        "6.10-4 CONTINUATION behind END_HEADERS",
        lambda c: c.headers(1, POST, end=False) + raw(CONTINUATION, 4, 1),
        PROTOCOL,
    ),
    expect(
        "6.10-5 CONTINUATION behind CONTINUATION with END_HEADERS",
        lambda c: (
            c.headers(1, POST, end=False, end_headers=False)
            + raw(CONTINUATION, 4, 1)
            + raw(CONTINUATION, 4, 1)
        ),
        PROTOCOL,
    ),
    expect(
        "6.10-6 CONTINUATION behind DATA",
        lambda c: c.headers(1, POST, end=False) + data(1, b"test") + raw(9, 4, 1),
        PROTOCOL,
    ),
    expect(
        "8.2-1 PUSH_PROMISE",
        lambda c: (
            c.headers(1, POST, end=False)
            + raw(PUSH, 4, 1, b"\0\0\0\x03" + c.block(GET))
        ),
        PROTOCOL,
    ),
]

# Answered by a stream error; the connection may go on.
STREAM_ERRORS = [
    expect(
        "4.2-2 DATA over the frame size",
        lambda c: c.headers(1, POST, end=False) + raw(DATA, 1, 1, b"x" * 16_385),
        SIZE,
    ),
    expect(
        "5.1-5 half-closed: DATA",
        lambda c: c.headers(1, get(b"/wait")) + data(1, b"test", end=True),
        CLOSED,
    ),
    expect(
        "5.1-6 half-closed: HEADERS",
        lambda c: c.headers(1, get(b"/wait")) + c.headers(1),
        CLOSED,
    ),
    expect(
        "5.1-7 half-closed: CONTINUATION",
        lambda c: c.headers(1, get(b"/wait")) + raw(CONTINUATION, 4, 1),
        CLOSED,
        PROTOCOL,
    ),
    expect(
        "5.1-8 closed by RST_STREAM: DATA",
        lambda c: c.headers(1, POST, end=False) + reset(1) + data(1, b"test", end=True),
        CLOSED,
    ),
    expect(
        "5.1-9 closed by RST_STREAM: HEADERS",
        lambda c: c.headers(1, POST, end=False) + reset(1) + c.headers(1),
        CLOSED,
    ),
    expect(
        "5.1-10 closed by RST_STREAM: CONTINUATION",
        lambda c: c.headers(1, POST, end=False) + reset(1) + raw(CONTINUATION, 4, 1),
        CLOSED,
        PROTOCOL,
    ),
    expect(
        "5.3.1-1 HEADERS that depend on themselves",
        lambda c: raw(HEADERS, 0x25, 1, priority(1) + c.block(GET)),
        PROTOCOL,
    ),
    expect(
        "5.3.1-2 PRIORITY that depends on itself",
        lambda c: raw(PRIORITY, 0, 1, priority(1)),
        PROTOCOL,
    ),
    expect(
        "6.1-2 DATA on a stream that is not open",
        lambda c: c.headers(1, get(b"/wait")) + data(1, b"test", end=True),
        CLOSED,
    ),
    expect(
        "6.3-2 PRIORITY of another length",
        lambda c: c.headers(1, POST, end=False) + raw(PRIORITY, 0, 1, b"\x80\0\0\1"),
        SIZE,
    ),
    expect(
        "6.9-2 WINDOW_UPDATE by 0 on a stream",
        lambda c: c.headers(1, POST, end=False) + window(1, 0),
        PROTOCOL,
    ),
    expect(
        "6.9.1-3 windows of a stream over the maximum",
        lambda c: (
            c.headers(1, POST, end=False) + window(1, 2**31 - 1) + window(1, 2**31 - 1)
        ),
        FLOW,
    ),
    expect(
        "8.1-1 a second HEADERS without END_STREAM",
        lambda c: (
            c.headers(1, POST, end=False)
            + c.headers(1, [(b"x-test", b"ok")], end=False)
        ),
        PROTOCOL,
    ),
    expect(
        "8.1.2-1 an upper-case name",
        lambda c: c.headers(1, get(b"/", (b"X-TEST", b"ok"))),
        PROTOCOL,
    ),
    expect(
        "8.1.2.1-1 an unknown pseudo-header field",
        lambda c: c.headers(1, [(b":test", b"ok"), *GET]),
        PROTOCOL,
    ),
    expect(
        "8.1.2.1-2 a pseudo-header field of responses",
        lambda c: c.headers(1, [*GET, (b":status", b"200")]),
        PROTOCOL,
    ),
    expect(
        "8.1.2.1-3 a pseudo-header field in trailers",
        lambda c: (
            c.headers(1, POST, end=False)
            + c.headers(1, [(b":method", b"GET"), (b"x-test", b"ok")])
        ),
        PROTOCOL,
    ),
    expect(
        "8.1.2.1-4 a pseudo-header field behind others",
        lambda c: c.headers(1, [*without(b":path"), (b"x-test", b"ok"), GET[2]]),
        PROTOCOL,
    ),
    expect(
        "8.1.2.2-1 a connection-specific field",
        lambda c: c.headers(1, get(b"/", (b"connection", b"keep-alive"))),
        PROTOCOL,
    ),
    expect(
        "8.1.2.2-2 TE other than trailers",
        lambda c: c.headers(1, get(b"/", (b"te", b"trailers, deflate"))),
        PROTOCOL,
    ),
    expect("8.1.2.3-1 an empty :path", lambda c: c.headers(1, get(b"")), PROTOCOL),
    *(
        expect(
            f"8.1.2.3 no {name.decode()}",
            lambda c, name=name: c.headers(1, without(name)),
            PROTOCOL,
        )
        for name in (b":method", b":scheme", b":path")
    ),
    *(
        expect(
            f"8.1.2.3 {field[0].decode()} twice",
            lambda c, field=field: c.headers(1, [field, *GET]),
            PROTOCOL,
        )
        for field in GET[:3]
    ),
    expect(
        "8.1.2.6-1 another content-length than DATA",
        lambda c: (
            c.headers(1, [*POST, (b"content-length", b"1")], end=False)
            + data(1, b"test", end=True)
        ),
        PROTOCOL,
    ),
    expect(
        "8.1.2.6-2 another content-length than several DATA",
        lambda c: (
            c.headers(1, [*POST, (b"content-length", b"1")], end=False)
            + data(1, b"t")
            + data(1, b"t", end=True)
        ),
        PROTOCOL,
    ),
]


def reset_zero() -> bytes:
    return raw(RST, 0, 0, b"\0\0\0\x08")


async def waiting_app(scope, receive, send):
    if scope["type"] == "http" and scope["path"] == "/wait":
        await receive()
        await receive()  # the disconnect
        return
    await app(scope, receive, send)


@pytest.mark.parametrize(("frames", "codes"), CONNECTION_ERRORS)
async def test_a_connection_error_is_answered_by_goaway(connect, frames, codes):
    client = await connect(waiting_app)
    await client.send(frames(client))
    ended = [frame for frame in await client.rest() if isinstance(frame, GoAwayFrame)]
    assert [frame.error_code for frame in ended] == list(codes)


@pytest.mark.parametrize(("frames", "codes"), STREAM_ERRORS)
async def test_a_stream_error_is_answered(connect, frames, codes):
    client = await connect(waiting_app)
    await client.send(frames(client))
    _, code = await client.error()
    assert code in codes


# 5.1: closed by END_STREAM on both sides


@pytest.mark.parametrize("kind", ["DATA", "HEADERS", "CONTINUATION"])
async def test_5_1_a_frame_on_a_closed_stream_is_a_connection_error(connect, kind):
    client = await connect(app)
    await client.send(client.headers(1))
    await client.response(1)
    frames = {
        "DATA": data(1, b"test", end=True),
        "HEADERS": client.headers(1),
        "CONTINUATION": raw(CONTINUATION, 4, 1),
    }
    await client.send(frames[kind])
    where, code = await client.error()
    assert where == "connection"
    assert code == (PROTOCOL if kind == "CONTINUATION" else CLOSED)


async def test_5_1_2_a_stream_too_many_is_refused(connect):
    client = await connect(waiting_app, h2_max_concurrent_streams=10)
    await client.send(*(client.headers(2 * i + 1, get(b"/wait")) for i in range(11)))
    refused = await client.until(RstStreamFrame)
    assert (refused.stream_id, refused.error_code) == (21, REFUSED)
    assert await client.is_alive()


async def test_3_5_an_invalid_preface_ends_the_connection(connect):
    client = await connect(app, greet=False)
    await client.send(b"INVALID CONNECTION PREFACE\r\n\r\n")
    assert b"400" in await client.client.rest()


async def test_3_5_a_preface_without_settings_ends_the_connection(connect):
    client = await connect(app, greet=False)
    await client.send(PREFACE, client.headers(1))
    assert await client.error() == ("connection", PROTOCOL)


async def test_3_5_the_server_begins_with_settings(connect):
    client = await connect(app, greet=False)
    await client.send(PREFACE, settings())
    assert isinstance(await client.next(), SettingsFrame)


# What must be taken


async def answers(client: SocketClient, stream_id: int = 1) -> None:
    head, body = await client.response(stream_id)
    assert head[b":status"] == b"200"
    assert body == b"Hello, World!"


ACCEPTED = [
    pytest.param(lambda c: raw(0x16, 0, 0, b"12345678"), id="4.1-1 an unknown frame"),
    pytest.param(lambda c: raw(PING, 0x16, 0, b"h2spec\0\0"), id="4.1-2 an odd flag"),
    pytest.param(
        lambda c: raw(PING, 0, 2**31, b"h2spec\0\0"), id="4.1-3 the reserved bit"
    ),
    pytest.param(lambda c: raw(0x17, 0, 0, b"12345678"), id="5.5-1 an extension"),
    pytest.param(lambda c: setting(0x99, 1), id="6.5.2-5 an unknown setting"),
    pytest.param(lambda c: ping(ack=True), id="6.7-2 PING with ACK"),
    pytest.param(
        lambda c: c.headers(3, POST, end=False) + reset(3, 0xFF),
        id="7-2 RST_STREAM with an unknown code",
    ),
]


@pytest.mark.parametrize("frames", ACCEPTED)
async def test_what_is_allowed_is_taken(connect, frames):
    client = await connect(app)
    await client.send(client.headers(1))
    await answers(client)
    await client.send(frames(client))
    assert await client.is_alive()
    await client.send(client.headers(5))
    await answers(client, 5)


async def test_7_1_goaway_with_an_unknown_code_lets_streams_finish(connect):
    client = await connect(app)
    await client.send(client.headers(1, POST, end=False), goaway(0xFF))
    await client.send(data(1, b"x", end=True))
    await answers(client)


async def test_4_2_1_data_of_the_largest_frame_is_taken(connect):
    client = await connect(app)
    await client.send(
        client.headers(1, POST, end=False), data(1, b"x" * 16_384, end=True)
    )
    await answers(client)


async def test_5_4_1_the_connection_closes_behind_goaway(connect):
    client = await connect(app)
    await client.send(raw(PING, 0, 1, b"12345678"))
    frames = await client.rest()
    assert isinstance(frames[-1], GoAwayFrame)
    assert client.is_closed


async def test_6_5_3_1_the_last_of_several_values_holds(connect):
    client = await connect(app, greet=False)
    values = struct.pack(">HLHL", 4, 100, 4, 1)
    await client.send(PREFACE, raw(SETTINGS, 0, 0, values), client.headers(1))
    frame = await client.until(DataFrame, 1)
    assert len(frame.data) == 1


async def test_6_5_3_2_settings_are_acknowledged(connect):
    client = await connect(app, greet=False)
    await client.send(PREFACE, settings())
    frames = [await client.until(SettingsFrame), await client.until(SettingsFrame)]
    assert "ACK" in frames[1].flags


async def test_6_7_1_ping_is_answered(connect):
    client = await connect(app)
    await client.send(ping(b"h2spec!!"))
    frame = await client.until(PingFrame)
    assert frame.opaque_data == b"h2spec!!"
    assert "ACK" in frame.flags


async def test_6_9_1_1_a_window_of_one_byte_is_kept(connect):
    client = await connect(app)
    await client.send(settings(initial_window_size=1), client.headers(1))
    frame = await client.until(DataFrame, 1)
    assert len(frame.data) == 1


async def test_6_9_2_1_a_changed_window_lets_data_go(connect):
    client = await connect(app)
    await client.send(settings(initial_window_size=0), client.headers(1))
    await client.until(HeadersFrame, 1)
    await client.send(settings(initial_window_size=1))
    frame = await client.until(DataFrame, 1)
    assert len(frame.data) == 1


async def test_6_9_2_2_a_window_may_become_negative(connect):
    client = await connect(app)
    await client.send(settings(initial_window_size=3), client.headers(1))
    assert len((await client.until(DataFrame, 1)).data) == 3
    await client.send(settings(initial_window_size=2), window(1, 2))
    frame = await client.until(DataFrame, 1)
    assert len(frame.data) == 1


async def test_6_10_1_several_continuation_frames_are_taken(connect):
    client = await connect(app)
    fields = get(b"/", (b"x-dummy", b"d" * 60), (b"x-other", b"o" * 60))
    await client.send(client.continued(1, fields, 3))
    await answers(client)
