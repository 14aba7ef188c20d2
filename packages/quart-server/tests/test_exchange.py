"""What happens around the app of one request when things go wrong, over sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
GET_1_0 = b"GET / HTTP/1.0\r\n\r\n"
START = {"type": "http.response.start", "status": 200, "headers": []}
PART = {"type": "http.response.body", "body": b"part", "more_body": True}


def reset(client) -> None:
    """Leave with a reset, which the server notices at once."""
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.abort()


async def test_app_that_lets_a_cancellation_of_its_own_out_is_answered_with_500(
    start_worker, caplog
) -> None:
    async def app(scope, receive, send):
        task = asyncio.ensure_future(asyncio.sleep(10))
        task.cancel()
        await task

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[0] == 500
    assert "App failed: GET /" in caplog.text


async def test_app_that_calls_exit_is_answered_with_500(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        raise SystemExit(2)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    for _ in range(2):
        await client.send(GET)
        assert (await client.response())[0] == 500
    assert "SystemExit" in caplog.text


async def test_app_cancelled_before_its_first_step_leaves_nothing(start_worker) -> None:
    worker = await start_worker(wait_for_disconnect, lifespan="off")
    client = await worker.connect()
    await worker.settled(lambda: len(worker.context.connections) == 1)
    [connection] = worker.context.connections
    connection.data_received(GET)
    [exchange] = worker.context.exchanges
    exchange.cancel()
    assert await client.rest() == b""
    await worker.settled(lambda: not worker.context.exchanges)
    assert exchange.outcome == "cancelled"


async def test_app_that_fails_while_its_client_leaves_is_logged_once(
    start_worker, caplog
) -> None:
    ended = asyncio.Event()

    async def app(scope, receive, send):
        [connection] = worker.context.connections
        connection.transport.abort()  # as when a reset has just been noticed
        ended.set()
        raise ValueError("of the app")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await ended.wait()
    await worker.settled(lambda: not worker.context.exchanges)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == ["App failed: GET /"]


class DisconnectedByFrameworkError(Exception):
    """What frameworks make of an OSError of `send`."""


@pytest.mark.parametrize("form", ["context", "cause", "group"])
async def test_client_that_left_is_no_failure_of_the_app(
    start_worker, caplog, form
) -> None:
    ended = asyncio.Event()

    async def app(scope, receive, send):
        try:
            await send(START)
            while True:
                await send(PART)
                await asyncio.sleep(0)
        except OSError as error:
            if form == "cause":
                raise DisconnectedByFrameworkError from error
            if form == "group":
                raise ExceptionGroup("of tasks", [error]) from None
            raise DisconnectedByFrameworkError  # noqa: B904
        finally:
            ended.set()

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await client.until(b"part")
    client.abort()
    await ended.wait()
    await worker.settled(lambda: not worker.context.exchanges)
    assert not caplog.records


async def test_failure_of_another_kind_is_logged_after_the_client_left(
    start_worker, caplog
) -> None:
    left = asyncio.Event()

    async def app(scope, receive, send):
        left.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        raise ValueError("of the app")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await left.wait()
    reset(client)
    await worker.settled(lambda: not worker.context.exchanges)
    assert "of the app" in caplog.text


# Half-closed clients


async def wait_for_disconnect(scope, receive, send):
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_f_27_reset_behind_the_end_of_input_is_noticed(start_worker) -> None:
    worker = await start_worker(wait_for_disconnect, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    client.end()
    await worker.settled(lambda: len(worker.context.exchanges) == 1)
    [connection] = worker.context.connections
    await worker.settled(lambda: connection._http.received_eof)
    reset(client)
    await worker.settled(lambda: not worker.context.exchanges)


async def test_f_27_client_of_a_unix_socket_that_closes_is_noticed(
    start_worker, tmp_path
) -> None:
    path = tmp_path / "socket"
    worker = await start_worker(
        wait_for_disconnect, lifespan="off", bind=("127.0.0.1:0", f"unix:{path}")
    )
    _reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(GET)
    await worker.settled(lambda: len(worker.context.exchanges) == 1)
    writer.close()
    await writer.wait_closed()
    await worker.settled(lambda: not worker.context.exchanges)


@pytest.mark.parametrize("request_head", [GET, GET_1_0])
async def test_f_27_client_that_closes_while_its_handler_waits_is_noticed(
    start_worker, request_head
) -> None:
    worker = await start_worker(wait_for_disconnect, lifespan="off")
    client = await worker.connect()
    await client.send(request_head)
    await worker.settled(lambda: len(worker.context.exchanges) == 1)
    await client.close()
    await worker.settled(lambda: not worker.context.exchanges)


@pytest.mark.parametrize("request_head", [GET, GET_1_0])
async def test_f_27_client_that_closes_within_a_silent_stream_is_noticed(
    start_worker, request_head
) -> None:
    worker = await start_worker(stream_for_ever, lifespan="off")
    client = await worker.connect()
    await client.send(request_head)
    await client.until(b"part")
    await client.close()
    await worker.settled(lambda: not worker.context.exchanges)


async def test_half_closed_client_that_waits_gets_its_answer(start_worker) -> None:
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await send(START)
        await send({"type": "http.response.body", "body": b"whole"})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    client.end()
    # RFC 9110, 15.2: an interim response, which a client that is gone would reset.
    await client.until(b"HTTP/1.1 100 Continue\r\n\r\n")
    [connection] = worker.context.connections
    assert all(connection._may_be_waiting(looks) for looks in range(1, 20))
    release.set()
    data = await client.rest()
    assert data.count(b"100 Continue") <= 3
    assert data.endswith(b"whole")


async def test_half_closed_client_that_is_written_to_is_not_given_up(
    start_worker,
) -> None:
    more, end = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await send(START)
        await send(PART)
        await more.wait()
        await send(PART)
        await end.wait()
        await send({"type": "http.response.body", "body": b"whole"})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET_1_0)
    await client.until(b"part")
    [connection] = worker.context.connections
    client.end()
    await worker.settled(lambda: connection._http.received_eof)
    more.set()
    await client.until(b"part")
    assert all(connection._may_be_waiting(looks) for looks in range(20))
    end.set()
    assert (await client.rest()).endswith(b"whole")


# A response that ends with its connection must not look whole when it is not
# (RFC 9112, 8): it ends with a reset.


async def stream_for_ever(scope, receive, send):
    await send(START)
    await send(PART)
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_f_15_forced_end_of_a_response_without_length_is_a_reset(
    start_worker,
) -> None:
    worker = await start_worker(stream_for_ever, lifespan="off", graceful_timeout=0.1)
    client = await worker.connect()
    await client.send(GET_1_0)
    await client.until(b"part")
    worker.shutdown.set()
    with pytest.raises(ConnectionResetError):
        await client.rest()


async def test_f_15_broken_body_after_a_response_without_length_is_a_reset(
    start_worker,
) -> None:
    worker = await start_worker(stream_for_ever, lifespan="off")
    client = await worker.connect()
    await client.send(b"POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\n")
    await client.until(b"part")
    [connection] = worker.context.connections
    connection.on_deadline(worker.context.clock.now + 60)
    with pytest.raises(ConnectionResetError):
        await client.rest()


async def test_f_11_client_that_takes_nothing_is_reset(start_worker) -> None:
    async def app(scope, receive, send):
        await send(START)
        while True:
            await send({**PART, "body": b"x" * 65_536})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect(limit=1024)
    await client.send(GET_1_0)
    await worker.settled(lambda: len(worker.context.connections) == 1)
    [connection] = worker.context.connections
    await worker.settled(lambda: connection.is_writing_paused)
    connection.on_write_stalled()
    with pytest.raises(ConnectionResetError):
        await client.rest()
