"""WebSockets on streams of HTTP/2 (RFC 8441)."""

from __future__ import annotations

import asyncio

import pytest
from h2.errors import ErrorCodes
from http2_peer import CONNECT_WEBSOCKET, GET, data, get, reset, settings, window
from hyperframe.frame import (
    DataFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

MASK = b"\x01\x02\x03\x04"


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """Return a masked frame of a client."""
    masked = bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))
    size = len(payload)
    if size > 125:
        head = bytes((0x80 | opcode, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 0x80 | size))
    return head + MASK + masked


def text(message: str) -> bytes:
    return frame(1, message.encode())


def close(code: int = 1000) -> bytes:
    return frame(8, code.to_bytes(2))


def make_echo(events: list):
    async def echo(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"plain"})
        if scope["type"] != "websocket":
            return
        events.append(scope)
        await receive()
        await send({"type": "websocket.accept", "headers": [(b"x-own", b"1")]})
        while True:
            message = await receive()
            events.append(message)
            if message["type"] == "websocket.disconnect":
                return
            if message["text"] == "close":
                await send({"type": "websocket.close", "code": 3001})
            elif message["text"] == "raise":
                raise RuntimeError("boom")
            else:
                await send({"type": "websocket.send", "text": message["text"]})

    return echo


async def open_socket(client, stream_id=1, fields=CONNECT_WEBSOCKET):
    await client.send(client.headers(stream_id, fields, end=False))
    head = await client.until(HeadersFrame, stream_id)
    assert head.fields[0] == (b":status", b"200")
    return head


async def bytes_of(client, count: int, stream_id=1) -> bytes:
    received = b""
    while len(received) < count:
        received += (await client.until(DataFrame, stream_id)).data
    return received


async def test_settings_offer_extended_connect(connect):
    client = await connect(make_echo([]), greet=False)
    await client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings())
    offered = (await client.until(SettingsFrame)).settings
    assert offered[SettingsFrame.ENABLE_CONNECT_PROTOCOL] == 1


async def test_messages_go_both_ways(connect):
    events: list = []
    client = await connect(make_echo(events))
    fields = [*CONNECT_WEBSOCKET, (b"sec-websocket-protocol", b"chat")]
    head = await open_socket(client, fields=fields)
    assert (b"x-own", b"1") in head.fields
    assert "END_STREAM" not in head.flags
    scope = events[0]
    assert (scope["type"], scope["scheme"]) == ("websocket", "ws")
    assert scope["http_version"] == "2"
    assert scope["subprotocols"] == ["chat"]
    await client.send(data(1, text("hello")))
    assert await bytes_of(client, 7) == b"\x81\x05hello"


async def test_frames_may_be_cut_anywhere(connect):
    client = await connect(make_echo([]))
    await open_socket(client)
    await client.send(*(data(1, bytes((byte,))) for byte in text("hello")))
    assert await bytes_of(client, 7) == b"\x81\x05hello"


async def test_the_closing_handshake_of_the_client_ends_the_stream(connect):
    events: list = []
    client = await connect(make_echo(events))
    await open_socket(client)
    await client.send(data(1, close(1001)))
    received, last = b"", None
    while last is None or "END_STREAM" not in last.flags:
        last = await client.until(DataFrame, 1)
        received += last.data
    assert received == b"\x88\x02\x03\xe9"
    assert events[-1] == {"type": "websocket.disconnect", "code": 1001, "reason": ""}
    await client.send(data(1, b"", end=True))
    (connection,) = client.worker.context.connections
    await client.worker.settled(lambda: not connection._http2.streams)
    assert await client.is_alive()


async def test_the_closing_handshake_of_the_app_ends_the_stream(connect):
    client = await connect(make_echo([]))
    await open_socket(client)
    await client.send(data(1, text("close")))
    assert await bytes_of(client, 4) == b"\x88\x02\x0b\xb9"
    await client.send(data(1, close(3001)))
    last = await client.until(DataFrame, 1)
    assert "END_STREAM" in last.flags


async def test_a_client_that_does_not_end_its_side_is_reset(connect):
    client = await connect(make_echo([]), drain_timeout=0.2)
    await open_socket(client)
    await client.send(data(1, close()))
    ended = await client.until(RstStreamFrame, 1)
    assert ended.error_code == ErrorCodes.NO_ERROR
    assert await client.is_alive()


async def test_end_stream_of_the_client_is_a_disconnect(connect):
    events: list = []
    client = await connect(make_echo(events))
    await open_socket(client)
    await client.send(data(1, b"", end=True))
    last = await client.until(DataFrame, 1)
    assert "END_STREAM" in last.flags
    assert events[-1] == {"type": "websocket.disconnect", "code": 1006, "reason": ""}
    assert await client.is_alive()


async def test_a_reset_is_a_disconnect(connect):
    events: list = []
    client = await connect(make_echo(events))
    await open_socket(client)
    await client.send(reset(1))
    await client.worker.settled(lambda: len(events) == 2)
    assert events[-1]["code"] == 1006
    assert not client.worker.context.exchanges
    assert await client.is_alive()


async def test_a_protocol_error_fails_the_socket_only(connect):
    events: list = []
    client = await connect(make_echo(events))
    await open_socket(client)
    await client.send(data(1, b"\x81\x05hello"))  # not masked
    closing = await bytes_of(client, 4)
    assert (closing[:1], closing[2:4]) == (b"\x88", (1002).to_bytes(2))
    await client.send(client.headers(3, get()))
    assert (await client.response(3))[1] == b"plain"
    await client.worker.settled(lambda: len(events) == 2)
    assert events[-1]["code"] == 1002


async def test_an_app_that_fails_closes_its_socket_only(connect, caplog):
    client = await connect(make_echo([]))
    await open_socket(client)
    await client.send(data(1, text("raise")))
    assert (await bytes_of(client, 4)).startswith(b"\x88")
    await client.send(client.headers(3, get()))
    assert (await client.response(3))[1] == b"plain"
    assert [r.levelname for r in caplog.records] == ["ERROR"]


@pytest.mark.parametrize(
    ("fields", "end", "status"),
    [
        ([*CONNECT_WEBSOCKET[:1], (b":protocol", b"other"), *GET[1:]], False, b"501"),
        (CONNECT_WEBSOCKET[:-1], False, b"426"),
        (CONNECT_WEBSOCKET, True, b"400"),
        ([*CONNECT_WEBSOCKET, (b"origin", b"http://evil.example")], False, b"403"),
    ],
)
async def test_handshakes_that_are_refused(connect, fields, end, status):
    events: list = []
    client = await connect(make_echo(events))
    await client.send(client.headers(1, fields, end=end))
    head = await client.until(HeadersFrame, 1)
    assert head.fields[0] == (b":status", status)
    assert not events
    assert await client.is_alive()


async def test_protocol_without_connect_is_malformed(connect):
    client = await connect(make_echo([]))
    fields = [*GET, (b":protocol", b"websocket")]
    await client.send(client.headers(1, fields, end=False))
    assert (await client.error()) == ("stream", ErrorCodes.PROTOCOL_ERROR)


async def test_an_app_may_deny(connect):
    async def deny(scope, receive, send):
        if scope["type"] == "websocket":
            await receive()
            start = {"type": "websocket.http.response.start", "status": 401}
            await send({**start, "headers": [(b"x-why", b"no")]})
            await send({"type": "websocket.http.response.body", "body": b"denied"})

    client = await connect(deny)
    await client.send(client.headers(1, CONNECT_WEBSOCKET, end=False))
    head, body = await client.response(1)
    assert (head[b":status"], head[b"x-why"], body) == (b"401", b"no", b"denied")
    assert await client.is_alive()


async def test_sending_respects_the_windows(connect):
    sent = []

    async def flooding(scope, receive, send):
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(100):
            await send({"type": "websocket.send", "bytes": b"x" * 10_000})
            sent.append(10_000)

    client = await connect(flooding)
    await open_socket(client)
    await bytes_of(client, 65_535)
    assert await client.is_alive()
    assert sum(sent) < 65_535 + 64 * 1024 + 20_000
    await client.send(window(0, 2_000_000), window(1, 2_000_000))
    await bytes_of(client, 100 * 10_004 - 65_535)
    await client.worker.settled(lambda: len(sent) == 100)


async def test_a_socket_whose_window_stays_shut_is_given_up(connect):
    seen = []

    async def flooding(scope, receive, send):
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "bytes": b"x" * 10_000})
        except OSError:
            seen.append((await receive())["code"])

    client = await connect(flooding, h2_stalled_stream_timeout=0.4)
    await open_socket(client)
    ended = await client.until(RstStreamFrame, 1)
    assert ended.error_code == ErrorCodes.CANCEL
    await client.worker.settled(lambda: seen == [1006])
    assert await client.is_alive()


async def test_a_client_that_floods_is_held_back_by_its_window(connect):
    release = asyncio.Event()
    received = []

    async def slow(scope, receive, send):
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        await release.wait()
        while (message := await receive())["type"] == "websocket.receive":
            received.append(len(message["bytes"]))

    client = await connect(slow, websocket_queue_messages=4)
    await open_socket(client)
    message = frame(2, b"x" * 4_000)
    count = 65_535 // len(message)
    await client.send(*(data(1, message) for _ in range(count)))
    assert await client.is_alive()
    release.set()
    await client.until(WindowUpdateFrame, 1)
    await client.worker.settled(lambda: len(received) == count)
    assert received == [4_000] * count


async def test_shutdown_closes_sockets_with_1012(connect):
    events: list = []
    client = await connect(make_echo(events))
    await open_socket(client)
    client.worker.shutdown.set()
    assert (await bytes_of(client, 4))[2:4] == (1012).to_bytes(2)
    await client.send(data(1, close(1012), end=True))
    await client.rest()
    assert client.is_closed
    assert events[-1]["code"] == 1012
    assert await client.worker.stop() == 0


async def test_a_lost_connection_is_a_disconnect(connect):
    events: list = []
    client = await connect(make_echo(events))
    await open_socket(client)
    client.client.abort()
    await client.worker.settled(lambda: len(events) == 2)
    assert events[-1]["code"] == 1006
