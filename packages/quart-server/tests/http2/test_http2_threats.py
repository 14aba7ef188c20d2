"""Attacks on HTTP/2, by the ids of the threat list (H2-01 to H2-14)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import time
import tracemalloc

import pytest
from h2.errors import ErrorCodes
from http2_peer import (
    GET,
    POST,
    PREFACE,
    Server,
    data,
    get,
    of,
    ping,
    raw,
    reset,
    settings,
    settings_ack,
    window,
)
from hyperframe.frame import (
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    WindowUpdateFrame,
)
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.http2_events import BodyReceived, RequestReceived
from quart_server.transport import http2_output

CALM = ErrorCodes.ENHANCE_YOUR_CALM


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


def make_waiting_app():
    """Return an app whose handlers count themselves and wait for the disconnect."""
    live = {"now": 0, "most": 0, "disconnects": 0}

    async def waiting(scope, receive, send):
        if scope["type"] != "http":
            return
        live["now"] += 1
        live["most"] = max(live["most"], live["now"])
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
            live["disconnects"] += 1
        finally:
            live["now"] -= 1

    return waiting, live


# H2-01


@pytest.mark.parametrize("count", [500, 1_900, 100_000])
def test_h2_01_a_bomb_of_references_ends_the_connection(count):
    server = Server(header_block=1024 * 1024, frame=1024 * 1024)
    block = server.block([*GET, (b"x-bomb", b"b" * 3_000)])
    tracemalloc.start()
    try:
        server.feed(server.headers(1, block=block + b"\xbe" * count))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert server.failure is not None
    assert server.failure.code == CALM
    assert peak < 1024 * 1024


def test_h2_01_a_list_over_the_limit_is_answered_431():
    server = Server()
    (event,) = server.feed(server.headers(1, get(b"/", *[(b"a", b"b")] * 97)))
    assert event.refusal.status == 431
    (event,) = server.feed(server.headers(3))
    assert event.refusal is None


def test_h2_01_32_bytes_are_counted_for_each_field():
    server = Server(fields=10_000)
    (event,) = server.feed(server.headers(1, get(b"/", *[(b"a", b"b")] * 1_000)))
    assert event.refusal.status == 431


# H2-02


def test_h2_02_cookie_crumbs_count_as_fields():
    server = Server()
    crumbs = [(b"cookie", b"a=b")] * 97
    (event,) = server.feed(server.headers(1, get(b"/", *crumbs)))
    assert event.refusal.status == 431


def test_h2_02_heads_of_one_connection_share_a_bounded_memory():
    server = Server()
    fields = get(b"/", *[(b"x-%d" % i, b"v" * 150) for i in range(80)])
    for stream_id in range(1, 200, 2):
        server.feed(server.headers(stream_id, fields))
    assert server.failure is None
    assert sum(stream.cost for stream in server.http2.streams.values()) < 512 * 1024
    refused = of(RstStreamFrame, server.frames())
    assert {frame.error_code for frame in refused} == {ErrorCodes.REFUSED_STREAM}


async def test_h2_02_the_bomb_costs_little_and_its_memory_returns(connect):
    blocked = asyncio.Event()

    async def slow(scope, receive, send):
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        blocked.set()
        await send({"type": "http.response.body", "body": b"x" * 1000})

    client = await connect(slow, h2_stalled_stream_timeout=0.5)
    await client.send(settings(initial_window_size=0))
    block = client.block([*GET, (b"x-bomb", b"b" * 200)]) + b"\xbe" * 90
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for stream_id in range(1, 200, 2):
            await client.send(client.headers(stream_id, block=block))
        async with asyncio.timeout(10):
            await blocked.wait()
        held, _ = tracemalloc.get_traced_memory()
        assert held - before < 1024 * 1024
        (connection,) = client.worker.context.connections
        await client.worker.settled(lambda: not connection._handlers)
        await client.worker.settled(lambda: not connection._http2.streams)
        assert not client.worker.context.exchanges
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        assert after - before < 256 * 1024
    finally:
        tracemalloc.stop()


# H2-03


async def test_h2_03_rapid_reset_ends_with_goaway(connect):
    waiting, live = make_waiting_app()
    client = await connect(waiting)
    other = await client.worker.connect()
    await other.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.worker.settled(lambda: live["now"] == 1)
    started = time.process_time()
    frames = []
    for stream_id in range(1, 20_000, 2):
        frames += [client.headers(stream_id), reset(stream_id)]
    with contextlib.suppress(ConnectionError):
        await client.send(*frames)
    ended = await client.until(GoAwayFrame)
    assert ended.error_code == CALM
    assert live["most"] <= 101
    assert time.process_time() - started < 1.0
    await client.worker.settled(lambda: live["now"] == 1)


async def test_h2_03_a_place_is_free_only_when_the_handler_has_ended(connect):
    release = asyncio.Event()
    live = {"now": 0, "most": 0}

    async def stubborn(scope, receive, send):
        if scope["type"] != "http":
            return
        live["now"] += 1
        live["most"] = max(live["most"], live["now"])
        await release.wait()
        live["now"] -= 1

    client = await connect(stubborn, h2_max_concurrent_streams=5)
    for count, stream_id in enumerate(range(1, 11, 2), 1):
        await client.send(client.headers(stream_id))
        await client.worker.settled(lambda count=count: live["now"] == count)
        await client.send(reset(stream_id))
    await client.send(client.headers(11))
    refused = await client.until(RstStreamFrame)
    assert (refused.stream_id, refused.error_code) == (11, ErrorCodes.REFUSED_STREAM)
    assert live["most"] == 5
    release.set()


@pytest.mark.parametrize("attack", [reset, lambda stream_id: window(stream_id, 0)])
def test_h2_03_flood_within_one_read_is_not_read_to_its_end(attack):
    """The places are taken by the first hundred: the rest would only be refused."""
    server = Server()
    frames = [
        frame
        for stream_id in range(1, 4_000, 2)
        for frame in (server.headers(stream_id, end=False), attack(stream_id))
    ]
    server.feed(b"".join(frames))
    assert server.failure is not None
    assert server.failure.code == CALM
    assert server.http2._engine.highest_inbound_stream_id < 2 * 210


def test_h2_03_resets_of_a_client_that_is_served_are_no_attack():
    server = Server()
    for index in range(300):
        stream = server.request(4 * index + 1)
        server.http2.sender.send_head(stream, 200, [], 0, is_head=False, end=True)
        server.request(4 * index + 3)
        server.feed(reset(4 * index + 3))
        server.frames()
    assert server.failure is None


def test_h2_03_the_budget_begins_anew_with_its_window():
    server = Server()
    for index in range(300):
        server.now = index * 0.2
        server.request(2 * index + 1)
        server.feed(reset(2 * index + 1))
    assert server.failure is None


# H2-04


MADE_RESETS = {
    "window by 0": lambda s, i: s.headers(i, POST, end=False) + window(i, 0),
    "window overflow": lambda s, i: (
        s.headers(i, POST, end=False) + window(i, 2**31 - 1) + window(i, 2**31 - 1)
    ),
    "DATA behind the end": lambda s, i: s.headers(i) + data(i, b"late data " * 2),
    "HEADERS behind the end": lambda s, i: s.headers(i) + s.headers(i),
    "PRIORITY of a wrong length": lambda s, i: (
        s.headers(i, POST, end=False) + raw(2, 0, i, b"1234")
    ),
    "content-length exceeded": lambda s, i: (
        s.headers(i, [*POST, (b"content-length", b"1")], end=False)
        + data(i, b"more than one byte")
    ),
    "malformed": lambda s, i: s.headers(i, [*GET, (b"Upper", b"case")]),
}


@pytest.mark.parametrize("attack", MADE_RESETS.values(), ids=MADE_RESETS)
def test_h2_04_resets_that_the_client_provokes_count_like_its_own(attack):
    server = Server()
    for index in range(101):
        assert server.failure is None, index
        server.feed(attack(server, 2 * index + 1))
        server.frames()
    assert server.failure is not None
    assert server.failure.code == CALM


async def test_h2_04_the_work_behind_a_provoked_reset_is_told(connect):
    waiting, live = make_waiting_app()
    client = await connect(waiting)
    await client.send(client.headers(1, POST, end=False))
    await client.worker.settled(lambda: live["now"] == 1)
    await client.send(window(1, 0))
    await client.until(RstStreamFrame, 1)
    await client.worker.settled(lambda: live["disconnects"] == 1)


# H2-05


@pytest.mark.parametrize("payload", [b"", b"\x00\x01a\x01b" * 10])
def test_h2_05_continuation_without_an_end_ends_the_connection(payload):
    server = Server()
    server.feed(server.headers(1, end_headers=False))
    assert flood(server, raw(9, 0, 1, payload), 20) == 8
    assert server.failure.code == CALM


def test_h2_05_a_block_over_its_size_ends_the_connection():
    server = Server()
    server.feed(server.headers(1, end_headers=False))
    server.feed(raw(9, 0, 1, b"x" * 16_384) * 4)
    assert server.failure.code == CALM


def test_h2_05_limits_that_are_set_are_the_ones_that_hold():
    server = Server(continuations=2, header_block=100)
    server.feed(server.headers(1, end_headers=False) + raw(9, 0, 1) * 2)
    assert server.failure is None
    server.feed(raw(9, 4, 1))
    assert server.failure.code == CALM
    server = Server(header_block=100)
    server.feed(server.headers(1, end_headers=False) + raw(9, 4, 1, b"x" * 100))
    assert server.failure.code == CALM


# H2-06: the floods of 2019, with the names of their advisories


def flood(server: Server, frame: bytes, count: int) -> int:
    """Send frames until the connection ends; return how many were taken."""
    for index in range(count):
        server.feed(frame)
        server.frames()
        if server.failure is not None:
            return index
    return count


def test_h2_06_data_dribble_cve_2019_9511():
    server = Server()
    server.feed(settings(initial_window_size=1))
    streams = [server.request(stream_id) for stream_id in range(1, 100, 2)]
    for stream in streams:
        server.http2.sender.send_head(stream, 200, [], None, is_head=False)
        server.http2.sender.send_body(stream, b"x" * 1000, end=True)
    server.frames()
    taken = 0
    while server.failure is None and taken < 20_000:
        for stream in streams:
            taken += 1
            server.feed(window(stream.stream_id, 1))
        server.frames()
    assert server.failure is not None
    assert server.failure.code == CALM


def test_h2_06_ping_flood_cve_2019_9512():
    server = Server()
    assert flood(server, ping(), 11_000) == 10_000 - 2
    assert server.failure.code == CALM


def test_h2_06_pings_whose_answers_are_not_read_cve_2019_9512():
    server = Server()
    server.feed(ping() * 1_500)
    assert server.failure.code == CALM


def test_h2_06_resource_loop_cve_2019_9513():
    server = Server()
    server.request(1)
    assert flood(server, raw(2, 0, 1, b"\0\0\0\0\1"), 11_000) < 10_001
    assert server.failure.code == CALM


def test_h2_06_reset_flood_cve_2019_9514():
    server = Server()
    for index in range(101):
        server.feed(server.headers(2 * index + 1, [(b"invalid", b"request")]))
        server.frames()
    assert server.failure.code == CALM


def test_h2_06_settings_flood_cve_2019_9515():
    server = Server()
    assert flood(server, settings(initial_window_size=1000), 11_000) < 10_001
    assert server.failure.code == CALM


def test_h2_06_empty_settings_flood_cve_2019_9515():
    server = Server()
    assert flood(server, settings(), 200) == 100
    assert server.failure.code == CALM


def test_h2_06_empty_header_leak_cve_2019_9516():
    server = Server()
    server.feed(server.headers(1, block=server.block(GET) + b"\x00\x00\x00" * 50))
    (frame,) = of(RstStreamFrame, server.frames())
    assert frame.error_code == ErrorCodes.PROTOCOL_ERROR


async def test_h2_06_internal_data_buffering_cve_2019_9517(connect):
    """The windows are open, but the client does not read from its socket."""
    body = b"x" * 1024 * 1024

    async def large(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})

    client = await connect(large, write_timeout=0.5)
    client.client.reader._transport.pause_reading()
    await client.send(window(0, 2**30), settings(initial_window_size=2**30))
    for stream_id in range(1, 200, 2):
        await client.send(client.headers(stream_id))
    (connection,) = client.worker.context.connections
    await client.worker.settled(lambda: connection.is_writing_paused)
    assert connection.transport.get_write_buffer_size() < 256 * 1024
    await client.worker.settled(lambda: connection.closed)
    assert not client.worker.context.exchanges


def test_h2_06_empty_frames_flood_cve_2019_9518():
    server = Server()
    server.request(1, POST, end=False)
    assert flood(server, data(1), 200) == 100
    assert server.failure.code == CALM


def test_h2_06_padding_alone_is_an_empty_frame():
    server = Server()
    server.request(1, POST, end=False)
    assert flood(server, raw(0, 8, 1, b"\x09" + b"\0" * 9), 200) == 100


def test_h2_06_tiny_data_frames_are_bounded():
    server = Server()
    stream = server.request(1, POST, end=False)
    taken = 0
    while server.failure is None and taken < 11_000:
        taken += 1
        server.feed(data(1, b"x"))
        server.http2.credit(stream, 1)
        server.frames()
    assert taken == 10_000 - 1


def test_h2_06_unknown_frames_are_bounded():
    server = Server()
    assert flood(server, raw(0x42, 0, 0, b"x" * 100), 11_000) < 10_001
    assert server.failure.code == CALM


def test_h2_06_windows_of_a_fast_download_are_no_flood():
    server = Server()
    stream = server.request(1)
    server.http2.sender.send_head(stream, 200, [], None, is_head=False)
    for _ in range(15_000):
        server.http2.sender.send_body(stream, b"x" * 8_000, end=False)
        server.feed(window(0, 8_000) + window(1, 8_000))
        server.http2.take()
    assert server.failure is None


# H2-07


def test_h2_07_priorities_of_many_streams_leave_no_trace():
    server = Server(frames=10**7)
    frames = b"".join(
        raw(2, 0, stream_id, b"\0\0\0\0\1") for stream_id in range(1, 20_001, 2)
    )
    updates = b"".join(
        raw(0x10, 0, 0, stream_id.to_bytes(4) + b"u=1")
        for stream_id in range(1, 20_001, 2)
    )
    server.feed(frames + updates)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        server.feed(frames + updates)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert server.failure is None
    assert after - before < 10_000


def test_h2_07_unknown_settings_leave_no_trace():
    server = Server(frames=10**7)
    payload = b"".join(code.to_bytes(2) + b"\0\0\0\1" for code in range(100, 2_800))
    server.feed(raw(4, 0, 0, payload))
    assert server.failure is None
    assert len(server.http2._engine.remote_settings) < 10


# H2-08


@pytest.mark.parametrize("first", [b"\xff", b"\x7f", b"\x0f", b"\x3f", b"\x00\x7f"])
def test_h2_08_an_integer_without_an_end_is_refused_at_once(first):
    server = Server(frame=2**20, header_block=2**20)
    payload = first + b"\xff" * 100_000
    started = time.perf_counter()
    server.feed(server.headers(1, block=payload))
    assert server.failure.code == ErrorCodes.COMPRESSION_ERROR
    assert time.perf_counter() - started < 0.1


@given(st.binary(max_size=200))
def test_h2_08_no_block_breaks_the_decoder(block):
    server = Server()
    server.feed(server.headers(1, block=block))
    assert server.failure is None or server.failure.code in {
        ErrorCodes.COMPRESSION_ERROR,
        ErrorCodes.ENHANCE_YOUR_CALM,
    }


# H2-09


ALLOWED = {9, *range(0x20, 0x7F), *range(0x80, 0x100)}


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_h2_09_no_control_character_passes_in_a_value(place):
    template = {"first": b"%cab", "middle": b"a%cb", "last": b"ab%c"}[place]
    for byte in range(256):
        server = Server()
        events = server.feed(server.headers(1, get(b"/", (b"x", template % byte))))
        is_blank_at_edge = byte in {9, 0x20} and place != "middle"
        assert bool(events) == (byte in ALLOWED and not is_blank_at_edge), byte


TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_h2_09_only_lower_case_tokens_pass_as_names(place):
    template = {"first": b"%cab", "middle": b"a%cb", "last": b"ab%c"}[place]
    for byte in range(256):
        server = Server()
        events = server.feed(server.headers(1, get(b"/", (template % byte, b"x"))))
        assert bool(events) == (byte in TOKEN), byte


@pytest.mark.parametrize("name", [b":path", b":authority", b":method", b":scheme"])
def test_h2_09_no_control_character_passes_in_a_pseudo_header_field(name):
    for byte in (0, 10, 13, 127):
        server = Server()
        fields = [(n, v + b"%c" % byte if n == name else v) for n, v in GET]
        assert not server.feed(server.headers(1, fields))
        assert of(RstStreamFrame, server.frames())


# H2-10


async def test_h2_10_a_handler_does_not_wait_for_a_window_for_ever(connect):
    outcomes = []

    async def large(scope, receive, send):
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await send({"type": "http.response.body", "body": b"x" * 200_000})
        except OSError as error:
            outcomes.append(type(error).__name__)
            raise

    client = await connect(large, h2_stalled_stream_timeout=0.5)
    await client.send(settings(initial_window_size=0), client.headers(1))
    ended = await client.until(RstStreamFrame, 1)
    assert ended.error_code == ErrorCodes.CANCEL
    await client.worker.settled(lambda: bool(outcomes))
    assert outcomes == ["ClientDisconnectedError"]
    assert not client.worker.context.exchanges
    assert await client.is_alive()


async def test_h2_10_a_client_that_opens_its_window_slowly_is_served(connect):
    async def large(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x" * 5})

    client = await connect(large, h2_stalled_stream_timeout=0.6)
    await client.send(settings(initial_window_size=0), client.headers(1))
    body = b""
    for _ in range(5):
        await asyncio.sleep(0.3)  # slower than the clock, faster than the timeout
        await client.send(window(1, 1))
        body += (await client.until(DataFrame, 1)).data
    assert body == b"xxxxx"


# H2-11


@pytest.mark.parametrize("kind", range(12))
def test_h2_11_a_frame_too_long_is_refused_by_its_header(kind):
    server = Server()
    server.feed(raw(kind, 0, 1, length=2**24 - 1))
    assert server.failure is not None
    assert server.failure.code == ErrorCodes.FRAME_SIZE_ERROR
    assert server.http2._reader.is_partial is False


def test_h2_11_a_frame_that_is_announced_is_held_only_as_it_comes():
    server = Server()
    server.request(1, POST, end=False)
    server.feed(raw(0, 0, 1, length=16_384))
    assert server.failure is None
    assert len(server.http2._reader._partial) == 9


# H2-12


def test_h2_12_little_is_remembered_of_streams_that_are_over():
    server = Server(resets=10**6)
    for index in range(2_000):
        server.feed(server.headers(2 * index + 1, POST, end=index % 2 == 0))
        server.feed(reset(2 * index + 1))
        server.frames()
    past = server.http2._intake.past
    assert len(past._resets) == 10
    assert not server.http2.streams
    assert not server.http2._engine._closed_streams


def test_h2_12_late_frames_of_forgotten_streams_harm_nobody():
    server = Server(resets=10**6)
    for index in range(50):
        stream = server.request(2 * index + 1, POST, end=False)
        server.http2.reset(stream, ErrorCodes.NO_ERROR)
    for index in range(50):
        server.feed(data(2 * index + 1, b"late, but already on its way"))
    assert server.failure is None


# H2-13


async def test_h2_13_late_data_behind_an_early_answer_is_tolerated(connect):
    client = await connect(app)
    await client.send(client.headers(1, POST, end=False))
    head, body = await client.response(1)
    assert (head[b":status"], body) == (b"200", b"hello")
    ended = await client.until(RstStreamFrame, 1)
    assert ended.error_code == ErrorCodes.NO_ERROR
    for _ in range(20):
        await client.send(data(1, b"x" * 16_000))
    await client.send(data(1, b"", end=True))
    assert await client.is_alive()


async def frames_until_pong(client) -> list:
    await client.send(ping())
    frames = [await client.next()]
    while not isinstance(frames[-1], PingFrame):
        frames.append(await client.next())
    return frames


@pytest.fixture
def patient(monkeypatch) -> None:
    """Streams with early answers last longer than the test."""
    monkeypatch.setattr(http2_output, "_EARLY_ANSWER_SECONDS", 600.0)


async def test_h2_13_early_answer_comes_apart_from_the_reset(connect, patient):
    client = await connect(app)
    await client.send(client.headers(1, POST, end=False), data(1, b"a"))
    head, body = await client.response(1)
    assert (head[b":status"], body) == (b"200", b"hello")
    assert of(RstStreamFrame, await frames_until_pong(client)) == []
    # The client may end its request meanwhile.
    await client.send(data(1, b"", end=True))
    assert of(RstStreamFrame, await frames_until_pong(client)) == []


async def test_h2_13_few_streams_wait_for_their_reset(connect, patient):
    client = await connect(app)
    streams = list(range(1, 41, 2))
    await client.send(*[client.headers(stream, POST, end=False) for stream in streams])
    for stream in streams[8:]:
        await client.until(RstStreamFrame, stream)
    assert of(RstStreamFrame, await frames_until_pong(client)) == []


async def test_h2_13_early_answer_opens_no_window(connect, patient):
    client = await connect(app)
    await client.send(client.headers(1, POST, end=False))
    await client.response(1)
    await client.send(*[data(1, b"x" * 16_000)] * 4)
    assert of(WindowUpdateFrame, await frames_until_pong(client), 1) == []


async def test_h2_13_an_app_that_fails_harms_no_neighbour(connect, caplog):
    release = asyncio.Event()

    async def mixed(scope, receive, send):
        if scope["type"] != "http":
            return
        if scope["path"] == "/silent":
            return
        if scope["path"] == "/raises":
            raise RuntimeError("boom")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/breaks":
            message = {"type": "http.response.body", "body": b"x", "more_body": True}
            await send(message)
            raise RuntimeError("boom")
        await release.wait()
        await send({"type": "http.response.body", "body": b"fine"})

    client = await connect(mixed)
    neighbours = list(range(1, 195, 2))
    await client.send(*(client.headers(i, get(b"/fine")) for i in neighbours))
    await client.send(client.headers(195, get(b"/silent")))
    assert (await client.response(195))[0][b":status"] == b"500"
    await client.send(client.headers(197, get(b"/raises")))
    assert (await client.response(197))[0][b":status"] == b"500"
    await client.send(client.headers(199, get(b"/breaks")))
    ended = await client.until(RstStreamFrame)
    assert (ended.stream_id, ended.error_code) == (199, ErrorCodes.INTERNAL_ERROR)
    release.set()
    seen = {}
    while len(seen) < len(neighbours):
        frame = await client.until(DataFrame)
        seen[frame.stream_id] = frame.data
    assert seen == dict.fromkeys(neighbours, b"fine")
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 3


async def test_h2_13_a_malformed_request_resets_its_stream_only(connect):
    client = await connect(app)
    await client.send(
        client.headers(1, get(b"/", (b"connection", b"close"))), client.headers(3)
    )
    assert (await client.until(RstStreamFrame)).stream_id == 1
    assert (await client.response(3))[1] == b"hello"


# H2-14


@given(
    bodies=st.lists(st.binary(min_size=1, max_size=40_000), min_size=1, max_size=4),
    pieces=st.integers(100, 16_384),
    cut=st.one_of(st.none(), st.integers(1, 5_000)),
    padding=st.integers(0, 200),
)
def test_h2_14_bodies_arrive_byte_for_byte_once(bodies, pieces, cut, padding):
    server = Server()
    frames = [server.headers(2 * i + 1, POST, end=False) for i in range(len(bodies))]
    parts = [
        [body[start : start + pieces] for start in range(0, len(body), pieces)]
        for body in bodies
    ]
    for turn in range(max(map(len, parts))):
        for index, own in enumerate(parts):
            if turn < len(own):
                frames.append(padded(2 * index + 1, own[turn], padding))
    frames += [data(2 * i + 1, b"", end=True) for i in range(len(bodies))]
    received = {2 * i + 1: b"" for i in range(len(bodies))}
    ended = []
    for event in server.feed(b"".join(frames), cut=cut):
        if isinstance(event, BodyReceived):
            received[event.stream.stream_id] += event.data
            server.http2.credit(event.stream, len(event.data))
            if event.ended:
                ended.append(event.stream.stream_id)
        else:
            assert isinstance(event, RequestReceived)
    assert server.failure is None
    assert [hash_of(body) for body in received.values()] == list(map(hash_of, bodies))
    assert ended == list(received)


def padded(stream_id: int, payload: bytes, padding: int) -> bytes:
    if not padding:
        return data(stream_id, payload)
    payload = payload[: 16_384 - padding - 1]
    return raw(0, 8, stream_id, bytes((padding,)) + payload + b"\0" * padding)


def hash_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@given(
    body=st.binary(max_size=100_000),
    windows=st.lists(st.integers(1, 30_000), min_size=1, max_size=12),
    frame_size=st.sampled_from([16_384, 20_000]),
)
def test_h2_14_responses_leave_byte_for_byte_within_the_windows(
    body, windows, frame_size
):
    server = Server()
    server.feed(settings(initial_window_size=0, max_frame_size=frame_size))
    server.frames()
    stream = server.request(1)
    server.http2.sender.send_head(stream, 200, [], None, is_head=False)
    server.http2.sender.send_body(stream, body, end=True)
    sent, allowed = b"", 0
    frames = server.frames()
    for increment in [*windows, 120_000]:
        for frame in of(DataFrame, frames):
            sent += frame.data
        assert len(sent) == min(allowed, len(body))
        allowed += increment
        frames = server.feed(window(1, increment) + window(0, increment))
        frames = server.frames()
    for frame in of(DataFrame, frames):
        sent += frame.data
    assert hash_of(sent) == hash_of(body)
    assert not server.http2.streams


async def test_h2_14_a_body_larger_than_the_windows_reaches_the_app(connect):
    digest = hashlib.sha256()

    async def reading(scope, receive, send):
        if scope["type"] != "http":
            return
        while True:
            message = await receive()
            digest.update(message.get("body", b""))
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"read"})

    client = await connect(reading)
    body = bytes(range(256)) * 4 * 1024
    await client.send(client.headers(1, POST, end=False))
    available = 65_535
    connection_window = 65_535
    sent = 0
    while sent < len(body):
        room = min(available, connection_window, 16_384, len(body) - sent)
        if room > 0:
            await client.send(data(1, body[sent : sent + room]))
            sent += room
            available -= room
            connection_window -= room
            continue
        frame = await client.next()
        if frame.type == 8 and frame.stream_id:
            available += frame.window_increment
        elif frame.type == 8:
            connection_window += frame.window_increment
    await client.send(data(1, b"", end=True))
    assert (await client.response(1))[1] == b"read"
    assert digest.hexdigest() == hash_of(body)


async def test_h2_14_the_window_comes_back_only_as_the_app_reads(connect):
    release = asyncio.Event()

    async def late(scope, receive, send):
        if scope["type"] != "http":
            return
        await release.wait()
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"read"})

    client = await connect(late)
    await client.send(client.headers(1, POST, end=False))
    await client.send(*(data(1, b"x" * 13_107) for _ in range(5)))
    assert await client.is_alive()  # and no window came before
    release.set()
    frame = await client.next()
    assert frame.type == 8
    await client.send(data(1, b"", end=True))
    assert (await client.response(1))[1] == b"read"


def test_the_preface_may_come_in_any_segments():
    for cut in range(1, 30):
        server = Server(greeted=False)
        server.feed(PREFACE + settings() + settings_ack() + server.headers(1), cut=cut)
        assert server.failure is None
        assert list(server.http2.streams) == [1]
        assert not of(HeadersFrame, server.frames())
