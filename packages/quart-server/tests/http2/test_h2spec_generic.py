"""The generic cases of h2spec: what every client does must work, by its sections."""

from __future__ import annotations

import struct

import pytest
from http2_peer import (
    GET,
    POST,
    PREFACE,
    data,
    get,
    goaway,
    ping,
    raw,
    reset,
    settings,
    window,
)
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, SettingsFrame


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body or b"Hello, World!"})


def priority(stream_id: int, depends_on: int, weight: int) -> bytes:
    return raw(2, 0, stream_id, struct.pack(">LB", depends_on, weight))


PADDED_HEADERS = 0xD
HEADERS_WITH_PRIORITY = 0x25

# Something before a request that must not disturb it.
BEFORE = [
    ("2-1 PRIORITY on an idle stream", lambda: priority(1, 0, 255)),
    ("3.3-1 PRIORITY with weight 1", lambda: priority(1, 0, 0)),
    ("3.3-2 PRIORITY with weight 256", lambda: priority(1, 0, 255)),
    ("3.3-3 PRIORITY with a dependency", lambda: priority(1, 3, 16)),
    ("3.3-4 PRIORITY, exclusive", lambda: priority(1, 2**31 + 3, 16)),
    ("3.3-5 PRIORITY, then lower streams", lambda: priority(7, 0, 16)),
    ("3.5-1 SETTINGS", lambda: settings(initial_window_size=100_000)),
    ("3.7-1 PING", ping),
    ("3.9-1 WINDOW_UPDATE of the connection", lambda: window(0, 1)),
]

# Something behind a request that must not disturb it.
BEHIND = [
    ("2-2 WINDOW_UPDATE on a half-closed stream", lambda: window(1, 1)),
    ("2-3 PRIORITY on a half-closed stream", lambda: priority(1, 0, 255)),
    ("3.9-2 WINDOW_UPDATE of the stream", lambda: window(1, 100)),
    ("3.8-1 GOAWAY", goaway),
]


@pytest.mark.parametrize(("name", "frames"), BEFORE, ids=[name for name, _ in BEFORE])
async def test_a_frame_before_a_request_does_not_disturb_it(connect, name, frames):
    client = await connect(app)
    await client.send(frames(), client.headers(1))
    head, body = await client.response(1)
    assert (head[b":status"], body) == (b"200", b"Hello, World!")


@pytest.mark.parametrize(("name", "frames"), BEHIND, ids=[name for name, _ in BEHIND])
async def test_a_frame_behind_a_request_does_not_disturb_it(connect, name, frames):
    client = await connect(app)
    await client.send(client.headers(1), frames())
    head, body = await client.response(1)
    assert (head[b":status"], body) == (b"200", b"Hello, World!")


async def test_1_1_the_preface_is_answered_by_settings(connect):
    client = await connect(app, greet=False)
    await client.send(PREFACE, settings())
    assert isinstance(await client.next(), SettingsFrame)


async def test_2_4_rst_stream_on_a_half_closed_stream_is_taken(connect):
    client = await connect(app)
    await client.send(client.headers(1), reset(1))
    assert await client.is_alive()


async def test_2_5_priority_on_a_closed_stream_is_taken(connect):
    client = await connect(app)
    await client.send(client.headers(1))
    await client.response(1)
    await client.send(priority(1, 0, 255))
    assert await client.is_alive()


@pytest.mark.parametrize(
    "frames",
    [
        [(0x1, b"test")],
        [(0x0, b"te"), (0x1, b"st")],
        [(0x9, b"\x06test" + b"\0" * 6)],
    ],
    ids=["3.1-1 DATA", "3.1-2 several DATA", "3.1-3 DATA with padding"],
)
async def test_3_1_data_is_taken(connect, frames):
    client = await connect(app)
    await client.send(
        client.headers(1, POST, end=False),
        *(raw(0, flags, 1, payload) for flags, payload in frames),
    )
    assert (await client.response(1))[1] == b"test"


@pytest.mark.parametrize(
    "make",
    [
        lambda block: raw(1, 0x5, 1, block),
        lambda block: raw(1, PADDED_HEADERS, 1, b"\x06" + block + b"\0" * 6),
        lambda block: raw(1, HEADERS_WITH_PRIORITY, 1, b"\0\0\0\0\xff" + block),
    ],
    ids=["3.2-1 HEADERS", "3.2-2 with padding", "3.2-3 with priority"],
)
async def test_3_2_headers_are_taken(connect, make):
    client = await connect(app)
    await client.send(make(client.block(GET)))
    assert (await client.response(1))[1] == b"Hello, World!"


async def test_3_4_rst_stream_is_taken(connect):
    client = await connect(app)
    await client.send(client.headers(1, POST, end=False), reset(1))
    assert await client.is_alive()


async def test_3_7_ping_is_answered(connect):
    client = await connect(app)
    await client.send(ping(b"12345678"))
    assert (await client.until(PingFrame)).opaque_data == b"12345678"


@pytest.mark.parametrize("pieces", [1, 2, 5])
async def test_3_10_continuation_is_taken(connect, pieces):
    client = await connect(app)
    await client.send(client.continued(1, get(b"/", (b"x-long", b"a" * 200)), pieces))
    assert (await client.response(1))[1] == b"Hello, World!"


async def test_4_1_get_is_answered(connect):
    client = await connect(app)
    await client.send(client.headers(1))
    assert (await client.response(1))[0][b":status"] == b"200"


async def test_4_2_head_is_answered_without_data(connect):
    client = await connect(app)
    await client.send(client.headers(1, [(b":method", b"HEAD"), *GET[1:]]))
    head = await client.until(HeadersFrame, 1)
    assert "END_STREAM" in head.flags
    assert (b"content-length", b"13") in head.fields


async def test_4_3_post_is_answered(connect):
    client = await connect(app)
    fields = [*POST, (b"content-length", b"4")]
    await client.send(client.headers(1, fields, end=False), data(1, b"test", end=True))
    assert (await client.response(1))[1] == b"test"


async def test_4_4_post_with_trailers_is_answered(connect):
    client = await connect(app)
    await client.send(
        client.headers(1, POST, end=False),
        data(1, b"test"),
        client.headers(1, [(b"x-trailer", b"ok")]),
    )
    assert (await client.response(1))[1] == b"test"


# HPACK

NAME, VALUE = b"\x05x-foo", b"\x03bar"
BLOCKS = [
    ("5-1 indexed fields", b""),
    ("5-2 literal with indexing, indexed name", b"\x7a" + VALUE),
    ("5-3 literal with indexing, new name", b"\x40" + NAME + VALUE),
    ("5-4 literal without indexing, indexed name", b"\x0f\x2b" + VALUE),
    ("5-5 literal without indexing, new name", b"\x00" + NAME + VALUE),
    ("5-6 literal never indexed, indexed name", b"\x1f\x2b" + VALUE),
    ("5-7 literal never indexed, new name", b"\x10" + NAME + VALUE),
    ("5-8 several kinds", b"\x40" + NAME + VALUE + b"\x00" + NAME + VALUE),
    ("5-9 Huffman coding", b"\x00" + NAME + b"\x82\x94\xe7"),
]


@pytest.mark.parametrize(("name", "block"), BLOCKS, ids=[name for name, _ in BLOCKS])
async def test_5_header_blocks_are_read(connect, name, block):
    client = await connect(app)
    await client.send(client.headers(1, block=client.block(GET) + block))
    assert (await client.response(1))[0][b":status"] == b"200"


@pytest.mark.parametrize("updates", [b"\x20", b"\x3f\xe1\x1f", b"\x20\x3f\xe1\x1f"])
async def test_5_10_table_size_updates_are_taken(connect, updates):
    client = await connect(app)
    await client.send(client.headers(1, block=updates + client.block(GET)))
    frame = await client.until(DataFrame, 1)
    assert frame.data == b"Hello, World!"
