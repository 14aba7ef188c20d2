"""Clocks of every stage: what takes too long ends at the time it should (F-07 to F-16).

Deadlines are read off the connection and the clock is told that they have come, so no
test waits for them.
"""

from __future__ import annotations

import asyncio
from math import inf

import pytest
from quart_server import Config
from quart_server.transport.body_clock import BodyClock

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


async def only_connection(worker):
    await worker.settled(lambda: len(worker.context.connections) == 1)
    [connection] = worker.context.connections
    return connection


def seconds_left(worker, connection) -> float:
    return connection.deadline - worker.context.clock.now


async def test_f_07_client_that_sends_nothing_is_closed_at_10_s(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    connection = await only_connection(worker)
    assert seconds_left(worker, connection) == pytest.approx(10, abs=0.5)
    worker.context.clock.expire(connection.deadline)
    assert await client.rest() == b""


async def test_f_08_head_has_10_s_from_its_first_byte(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    await client.send(GET[:1])
    connection = await only_connection(worker)
    await worker.settled(lambda: connection._is_in_head)
    deadline = connection.deadline
    assert seconds_left(worker, connection) == pytest.approx(10, abs=0.5)
    for place in range(1, len(GET) - 1):
        await client.send(GET[place : place + 1])
    await worker.settled(lambda: connection._http.buffered == len(GET) - 1)
    assert connection.deadline == deadline
    worker.context.clock.expire(deadline)
    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")


async def test_f_08_the_next_head_has_its_own_time(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await client.response()
    connection = await only_connection(worker)
    await client.send(GET[:5])
    await worker.settled(lambda: connection._is_in_head)
    assert seconds_left(worker, connection) == pytest.approx(10, abs=0.5)


async def test_f_16_idle_connection_is_kept_for_5_s(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await client.response()
    connection = await only_connection(worker)
    assert seconds_left(worker, connection) == pytest.approx(5, abs=0.5)
    worker.context.clock.expire(connection.deadline)
    assert await client.rest() == b""


async def test_running_app_has_no_deadline(start_worker) -> None:
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await answer(scope, receive, send)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    connection = await only_connection(worker)
    await worker.settled(lambda: worker.context.exchanges)
    assert connection.deadline == inf
    release.set()
    assert (await client.response())[0] == 200


async def read_all(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await answer(scope, receive, send)


async def test_f_10_silent_body_ends_at_20_s(start_worker) -> None:
    worker = await start_worker(read_all, lifespan="off")
    client = await worker.connect()
    await client.send(POST + b"x" * 10_000)
    connection = await only_connection(worker)
    await worker.settled(lambda: connection.deadline < inf and worker.context.exchanges)
    await worker.settled(lambda: connection._body_clock.received == 10_000)
    assert seconds_left(worker, connection) == pytest.approx(20, abs=0.5)
    worker.context.clock.expire(connection.deadline)
    assert (await client.rest()).startswith(b"HTTP/1.1 408 ")
    await worker.settled(lambda: not worker.context.exchanges)


async def test_f_10_client_waiting_for_100_is_not_slow(start_worker) -> None:
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await answer(scope, receive, send)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(POST[:-2] + b"Expect: 100-continue\r\n\r\n")
    connection = await only_connection(worker)
    await worker.settled(lambda: connection.deadline < inf and worker.context.exchanges)
    worker.context.clock.expire(connection.deadline)
    release.set()
    assert (await client.response())[0] == 200


def clock_fed_with(rate: float, seconds: int) -> bool:
    """Return whether a body of this rate is given up within a time."""
    clock = BodyClock(Config(), 0.0)
    for now in range(1, seconds):
        clock.count(int(rate), float(now))
        if clock.deadline <= now and clock.is_too_slow(float(now)):
            return True
    return False


def test_f_10_average_rate_under_240_bytes_a_second_ends() -> None:
    assert clock_fed_with(1, 31)
    assert not clock_fed_with(1, 30)
    assert clock_fed_with(239, 60)


def test_f_10_average_rate_of_240_bytes_a_second_lives() -> None:
    assert not clock_fed_with(240, 3600)


def test_f_10_burst_does_not_pay_for_a_later_window() -> None:
    clock = BodyClock(Config(), 0.0)
    clock.count(1_000_000, 1.0)
    for now in range(2, 31):
        clock.count(1, float(now))
    assert not clock.is_too_slow(30.0)
    for now in range(31, 51):
        clock.count(1, float(now))
    assert clock.is_too_slow(50.0)


async def test_f_10_app_that_does_not_read_costs_the_client_nothing(
    start_worker,
) -> None:
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await read_all(scope, receive, send)

    worker = await start_worker(app, lifespan="off", body_buffer_size=1024)
    client = await worker.connect()
    await client.send(POST + b"x" * 50_000)
    connection = await only_connection(worker)
    await worker.settled(lambda: connection._is_reading_paused)
    assert connection.deadline == inf
    release.set()
    await client.send(b"x" * 50_000)
    assert (await client.response())[0] == 200


async def test_f_11_client_that_takes_nothing_is_aborted_after_30_s(
    start_worker,
) -> None:
    outcome = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                body = b"x" * 65_536
                await send(
                    {"type": "http.response.body", "body": body, "more_body": True}
                )
        except OSError as error:
            outcome.append(error)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect(limit=1024)
    await client.send(GET)
    connection = await only_connection(worker)
    await worker.settled(lambda: connection.is_writing_paused)
    clock = worker.context.clock
    assert connection.write_deadline - clock.now == pytest.approx(30, abs=0.5)
    # The client may still be taking bytes; each look without progress ends it.
    async with asyncio.timeout(10):
        while not outcome:
            clock.expire(connection.write_deadline)
            await asyncio.sleep(0.01)
    assert not worker.context.exchanges


async def test_clock_stands_still_without_connections(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    await only_connection(worker)
    assert worker.context.clock._handle is not None
    await client.close()
    await worker.settled(lambda: worker.context.clock._handle is None)


async def test_blocked_loop_is_not_held_against_clients(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    await worker.connect()
    connection = await only_connection(worker)
    deadline, clock = connection.deadline, worker.context.clock
    clock._handle.cancel()
    clock.now -= 60
    clock._tick()
    assert connection.deadline == pytest.approx(deadline + 60, abs=1)
    assert not connection.closed


async def test_f_16_empty_lines_do_not_prolong_the_idle_time(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await client.response()
    connection = await only_connection(worker)
    deadline = connection.deadline
    # Time passes, and all that comes is an empty line.
    worker.context.clock.now += 3
    await client.send(b"\r\n")
    await worker.settled(lambda: connection._http._empty_lines == 1)
    assert connection.deadline == deadline
