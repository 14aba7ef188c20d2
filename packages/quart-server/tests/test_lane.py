"""What an app that knows the server finds behind `receive` and `send`."""

from __future__ import annotations

import pytest

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"4")]
SMALL = {"body_buffer_size": 1024}


def post(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


async def answer(exchange, status: int, headers, body: bytes) -> None:
    slow = exchange.respond_whole(status, headers, body)
    if slow is not None:
        await slow


async def test_a_response_is_given_in_one_call(start_worker) -> None:
    async def app(scope, receive, send):
        await answer(send.__self__, 200, HEADERS, b"whole"[:4])

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    for _ in range(2):
        await client.send(GET)
        status, headers, body = await client.response()
        assert (status, body) == (200, b"whol")
        assert headers["content-type"] == "text/plain"


async def test_pipelined_requests_are_answered_in_order(start_worker) -> None:
    numbers = iter(range(100, 200))

    async def app(scope, receive, send):
        await answer(send.__self__, 200, [], b"%d" % next(numbers))

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET * 3)
    assert [(await client.response())[2] for _ in range(3)] == [b"100", b"101", b"102"]


async def test_a_large_response_waits_for_its_client(start_worker) -> None:
    size = 30_000_000
    waited = []

    async def app(scope, receive, send):
        slow = send.__self__.respond_whole(200, [], b"x" * size)
        waited.append(slow is not None)
        if slow is not None:
            await slow

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    assert len((await client.response())[2]) == size
    assert waited == [True]


@pytest.mark.parametrize("status", [99, 101, 1000, "200", None])
async def test_only_a_final_status_is_taken(start_worker, status, caplog) -> None:
    async def app(scope, receive, send):
        await answer(send.__self__, status, [], b"")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[0] == 500
    assert "expected a number from 200 to 999" in caplog.text


async def test_a_second_response_is_refused(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        await answer(send.__self__, 200, [], b"one")
        await answer(send.__self__, 200, [], b"two")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[2] == b"one"
    await worker.settled(lambda: not worker.context.exchanges)
    assert "the response is complete" in caplog.text


async def test_a_length_that_is_not_the_bodys_is_answered_500(start_worker) -> None:
    async def app(scope, receive, send):
        await answer(send.__self__, 200, HEADERS, b"other")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[0] == 500


async def test_a_body_that_has_arrived_is_given_whole_and_once(start_worker) -> None:
    bodies = []

    async def app(scope, receive, send):
        body = receive.__self__.take_whole_body()
        bodies.append((body, receive.__self__.take_whole_body()))
        await answer(send.__self__, 200, [], body or b"")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    for body in (b"first", b""):
        await client.send(post(body))
        assert (await client.response())[2] == body
    assert bodies == [(b"first", None), (b"", None)]


async def test_a_body_over_the_buffer_comes_in_messages(start_worker) -> None:
    body = b"x" * 3000
    taken = []

    async def app(scope, receive, send):
        received = b""
        while len(received) < len(body):
            taken.append(receive.__self__.take_whole_body())
            if taken[-1] is not None:
                received += taken[-1]
                break
            received += (await receive())["body"]
        await answer(send.__self__, 200, [], received)

    worker = await start_worker(app, lifespan="off", **SMALL)
    client = await worker.connect()
    await client.send(post(body))
    assert (await client.response())[2] == body
    assert taken[0] is None
