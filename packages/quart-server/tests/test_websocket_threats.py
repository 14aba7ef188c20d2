"""What clients may try on a WebSocket, by number (WS-01 to WS-08) and figure (F-36).

More of WS-01 stands in test_websocket_deflate.py, of WS-06 in test_websocket_origin.py.
WS-05 (timing of authentication) has no place here: this server compares no secrets.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import socket
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest
from quart_server.protocols.websocket import WebsocketConnection
from quart_server.protocols.websocket_events import Failed
from quart_server.protocols.websocket_limits import WebsocketLimits

_spec = importlib.util.spec_from_file_location(
    "quart_server_websocket_peer", Path(__file__).with_name("websocket_peer.py")
)
peer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(peer)

text, frame, close, request = peer.text, peer.frame, peer.close, peer.request

MIB = 1 << 20
DEFLATE_OFFER = b"Sec-WebSocket-Extensions: permessage-deflate"


async def sleep(scope, receive, send):
    """Accept and never receive a message."""
    await receive()
    await send({"type": "websocket.accept"})
    await asyncio.Event().wait()


async def take_all(scope, receive, send):
    """Accept and receive until the end."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        pass


async def upgraded(worker, *fields):
    client = await worker.connect()
    await client.send(request(b"/", *fields))
    status, _, _ = await client.response()
    assert status == 101
    return client


async def ended_with(client) -> int:
    """Return the code of the close frame that is all the server says."""
    [(first, payload)] = peer.read_frames(await client.rest())
    assert first == 0x88
    return int.from_bytes(payload[:2], "big")


def bomb(size: int) -> bytes:
    """Return what inflates to zeros: one block that refers to no other, repeated."""
    compressor = zlib.compressobj(9, wbits=-15)
    block = compressor.compress(bytes(1 << 20))
    block += compressor.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20)


async def test_ws_01_bomb_is_1009_within_cap_and_1_mib(start_worker) -> None:
    worker = await start_worker(take_all, lifespan="off")
    client = await upgraded(worker, DEFLATE_OFFER)
    payload = bomb((1 << 30) - (32 << 20))
    data = frame(peer.BINARY, payload, rsv=peer.RSV1, mask=bytes(4))
    assert MIB // 2 < len(payload) < MIB
    gc.collect()
    tracemalloc.start()
    try:
        client.writer.write(data)
        assert await ended_with(client) == 1009
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The client's own copy of what it sends is not the server's.
    assert peak - len(data) < 2 * MIB


async def test_ws_02_length_of_2_to_the_63_is_refused_before_payload(
    start_worker,
) -> None:
    worker = await start_worker(take_all, lifespan="off")
    for size in ((1 << 63) - 1, MIB + 1):
        client = await upgraded(worker)
        await client.send(frame(peer.BINARY, b"", size=size))
        assert await ended_with(client) == 1009


async def test_ws_02_message_limit_counts_over_fragments(start_worker) -> None:
    worker = await start_worker(take_all, lifespan="off")
    client = await upgraded(worker)
    half = bytes(MIB // 2)
    await client.send(frame(peer.BINARY, half, fin=False))
    await client.send(frame(peer.CONTINUATION, half, fin=False))
    await client.send(frame(peer.CONTINUATION, b"", size=1)[:6])
    assert await ended_with(client) == 1009


@pytest.mark.parametrize("payload", [b"", b"x"])
async def test_ws_03_million_continuations_end_at_1024(start_worker, payload) -> None:
    worker = await start_worker(take_all, lifespan="off")
    client = await upgraded(worker)
    continuation = frame(peer.CONTINUATION, payload, fin=False)
    flood = frame(peer.TEXT, payload, fin=False) + continuation * 1_000_000
    client.writer.write(flood)
    assert await ended_with(client) == 1009
    client.abort()


@pytest.mark.parametrize("opcode", [peer.TEXT, peer.BINARY])
def test_ws_03_frame_in_tiny_reads_costs_linear_time_and_its_size(opcode: int) -> None:
    def read(size: int) -> float:
        websocket = WebsocketConnection(WebsocketLimits())
        data = frame(opcode, b"x" * size, mask=bytes(4))
        pieces = [data[i : i + 2] for i in range(0, len(data), 2)]
        start = time.process_time()
        for piece in pieces:
            websocket.receive_data(piece)
            event = websocket.next_event()
        used = time.process_time() - start
        assert len(event) == size
        return used

    assert min(read(40_000) for _ in range(3)) < 8 * min(read(10_000) for _ in range(3))


def test_ws_03_partial_message_holds_little_more_than_its_bytes() -> None:
    websocket = WebsocketConnection(WebsocketLimits())
    data = frame(peer.TEXT, b"x" * 30_000, mask=bytes(4))[:-1]
    pieces = [data[i : i + 2] for i in range(0, len(data), 2)]
    tracemalloc.start()
    try:
        for piece in pieces:
            websocket.receive_data(piece)
            assert websocket.next_event() is None
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 60_000


def test_ws_04_header_bits_are_what_was_negotiated() -> None:
    good = set()
    for first in range(256):
        for masked in (0, 0x80):
            mask = bytes(4) if masked else b""
            data = bytes((first, masked)) + mask + frame(peer.PING)
            websocket = WebsocketConnection(WebsocketLimits())
            websocket.receive_data(data)
            event = websocket.next_event()
            if isinstance(event, Failed):
                assert event.code == 1002
            else:
                good.add((first, masked))
    # Messages, first fragments, close, ping, pong; all masked and without RSV.
    firsts = {0x81, 0x82, 0x01, 0x02, 0x88, 0x89, 0x8A}
    assert good == {(first, 0x80) for first in firsts}


async def test_ws_04_frame_without_mask_is_1002(start_worker) -> None:
    worker = await start_worker(take_all, lifespan="off")
    client = await upgraded(worker)
    await client.send(frame(peer.TEXT, b"a", mask=None))
    assert await ended_with(client) == 1002


def test_ws_05_no_secret_is_compared_here() -> None:
    """Authentication is the app's; a server that compares nothing leaks nothing."""
    source = Path(__file__).parents[1] / "src" / "quart_server"
    for path in sorted(source.glob("*/websocket*.py")):
        assert "authorization" not in path.read_text().lower()


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        (b"http://a", 101),
        (b"https://a", 101),
        (b"http://evil.test", 403),
        (b"null", 403),
        (b"http://a.evil.test", 403),
    ],
)
async def test_ws_06_foreign_origin_is_refused(start_worker, origin, status) -> None:
    worker = await start_worker(take_all, lifespan="off")
    client = await worker.connect()
    fields = [] if origin is None else [b"Origin: " + origin]
    await client.send(request(b"/", *fields))
    assert (await client.response())[0] == status


async def test_ws_06_origins_may_be_listed(start_worker) -> None:
    allowed = ("https://app.test", "same-origin")
    worker = await start_worker(
        take_all, lifespan="off", websocket_allowed_origins=allowed
    )
    for origin, status in ((b"https://app.test", 101), (b"https://b.test", 403)):
        client = await worker.connect()
        await client.send(request(b"/", b"Origin: " + origin))
        assert (await client.response())[0] == status


async def test_ws_07_random_frames_never_hurt_the_worker(start_worker, caplog) -> None:
    worker = await start_worker(take_all, lifespan="off")
    for number in range(40):
        client = await worker.connect()
        fields = [DEFLATE_OFFER] if number % 2 else []
        await client.send(request(b"/", *fields) + os.urandom(2000))
        client.end()
        await client.rest()
    await worker.settled(lambda: not worker.context.connections)
    await worker.settled(lambda: not worker.context.exchanges)
    assert caplog.text == ""


async def test_ws_08_empty_messages_arrive_and_floods_are_held_back(
    start_worker,
) -> None:
    messages = []
    may_go_on = asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        messages.extend([await receive(), await receive()])
        await may_go_on.wait()

    worker = await start_worker(app, lifespan="off")
    client = await upgraded(worker)
    await client.send(frame(peer.BINARY, b"") + text(""))
    await worker.settled(lambda: len(messages) == 2)
    assert messages[0]["bytes"] == b""
    assert messages[1]["text"] == ""
    client.writer.write(text("x") * 2_000_000)
    await worker.settled(lambda: not reading(worker))
    may_go_on.set()
    client.abort()


def reading(worker) -> bool:
    [connection] = worker.context.connections
    return connection.transport.is_reading()


@pytest.mark.parametrize("size", [1, 100, 10_000, 200_000, 1_000_000])
async def test_f_36_flood_at_a_sleeping_app_is_bounded(start_worker, size) -> None:
    worker = await start_worker(sleep, lifespan="off")
    client = await upgraded(worker)
    message = frame(peer.BINARY, bytes(size), mask=bytes(4))
    flood = message * (6 * MIB // len(message))
    client.writer.write(flood)
    await worker.settled(lambda: not reading(worker))
    [connection] = worker.context.connections
    session = connection._session
    held = sum(map(len, session._queue)) + session._websocket.buffered
    held += session._websocket.partial_size
    assert len(session._queue) <= 16
    assert held <= MIB + 256 * 1024
    client.abort()


async def test_f_36_flood_of_pings_costs_no_memory(start_worker) -> None:
    worker = await start_worker(sleep, lifespan="off")
    client = await upgraded(worker)
    client.writer.transport.pause_reading()
    client.writer.write(frame(peer.PING, bytes(125)) * 50_000)
    [connection] = worker.context.connections
    await worker.settled(lambda: connection.is_writing_paused)
    await worker.settled(lambda: connection._session._pong_due is not None)
    assert connection.transport.get_write_buffer_size() < 512 * 1024
    client.abort()


async def test_f_03_idle_socket_holds_less_than_20_kib(start_worker) -> None:
    worker = await start_worker(sleep, lifespan="off")
    await upgraded(worker)
    fields = [b"X-Field-%d: something that browsers send" % i for i in range(12)]
    gc.collect()
    tracemalloc.start()
    try:
        sockets = [await raw_socket(worker, request(b"/", *fields)) for _ in range(100)]
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] / len(sockets)
    finally:
        tracemalloc.stop()
    for sock in sockets:
        sock.close()
    assert held < 20 * 1024


async def raw_socket(worker, data: bytes) -> socket.socket:
    """Return an open WebSocket of a client that costs nearly nothing itself."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    async with asyncio.timeout(10):
        await loop.sock_connect(sock, ("127.0.0.1", worker.port))
        await loop.sock_sendall(sock, data)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += await loop.sock_recv(sock, 1000)
    assert b" 101 " in answer
    return sock
