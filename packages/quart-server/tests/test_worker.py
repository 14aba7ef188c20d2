"""The life of a worker: start, drain, force."""

from __future__ import annotations

import asyncio

import pytest
from quart_server.lifespan import LifespanError

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


async def test_f_17_requests_in_flight_end_and_idle_connections_close(
    start_worker,
) -> None:
    release = asyncio.Event()

    async def app(scope, receive, send):
        if scope["path"] == "/slow":
            await release.wait()
        await answer(scope, receive, send)

    worker = await start_worker(app, lifespan="off")
    idle, slow, fresh = [await worker.connect() for _ in range(3)]
    await idle.send(GET)
    await idle.response()
    await slow.send(GET.replace(b"/ ", b"/slow ", 1))
    await worker.settled(lambda: len(worker.context.exchanges) == 1)
    worker.shutdown.set()
    assert await idle.rest() == b""
    assert await fresh.rest() == b""
    with pytest.raises(OSError, match=r"refused|failed"):
        await worker.connect()
    assert not worker.task.done()
    release.set()
    status, headers, body = await slow.response()
    assert (status, headers["connection"], body) == (200, "close", b"done")
    assert await slow.rest() == b""
    assert await worker.stop() == 0


async def test_f_17_head_being_received_is_still_served(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    await client.send(GET[:10])
    await worker.settled(lambda: any(c._is_in_head for c in worker.context.connections))
    worker.shutdown.set()
    await worker.settled(lambda: worker.context.is_stopping)
    await client.send(GET[10:])
    assert (await client.response())[0] == 200
    assert await worker.stop() == 0


async def test_shutdown_event_ends_streams(start_worker) -> None:
    async def app(scope, receive, send):
        event = scope["extensions"]["quart.shutdown"]["event"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await event.wait()
        assert event.is_set()
        await send({"type": "http.response.body", "body": b"end"})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await client.until(b"a\r\n")
    assert await worker.stop() == 0
    assert (await client.rest()).endswith(b"3\r\nend\r\n0\r\n\r\n")


async def never_ends(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"a", "more_body": True})
    await asyncio.Event().wait()


async def test_what_outlasts_the_graceful_time_is_cut(start_worker) -> None:
    worker = await start_worker(never_ends, lifespan="off", graceful_timeout=0.1)
    client = await worker.connect()
    await client.send(GET)
    await client.until(b"a\r\n")
    assert await worker.stop() == 1
    assert not worker.context.exchanges


async def test_f_20_force_cuts_at_once(start_worker) -> None:
    worker = await start_worker(never_ends, lifespan="off", graceful_timeout=600.0)
    client = await worker.connect()
    await client.send(GET)
    await client.until(b"a\r\n")
    worker.shutdown.set()
    await worker.settled(lambda: worker.context.is_stopping)
    worker.force.set()
    assert await worker.stop() == 1


async def test_lifespan_frames_the_serving(start_worker) -> None:
    events = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            events.append("request")
            await answer(scope, receive, send)
            return
        await receive()
        events.append("startup")
        await send({"type": "lifespan.startup.complete"})
        await receive()
        events.append("shutdown")
        await send({"type": "lifespan.shutdown.complete"})

    worker = await start_worker(app)
    client = await worker.connect()
    await client.send(GET)
    await client.response()
    await worker.stop()
    assert events == ["startup", "request", "shutdown"]


async def test_failed_startup_serves_nothing(start_worker) -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(LifespanError, match="no database"):
        await start_worker(app)


async def test_worker_ends_after_its_share_of_requests(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off", limit_max_requests=3)
    client = await worker.connect()
    for _ in range(3):
        await client.send(GET)
        assert (await client.response())[0] == 200
    async with asyncio.timeout(5):
        assert await worker.task == 0


async def test_exchanges_are_freed_at_once(start_worker) -> None:
    worker = await start_worker(answer, lifespan="off")
    client = await worker.connect()
    for _ in range(3):
        await client.send(GET)
        await client.response()
    assert not worker.context.exchanges
    [connection] = worker.context.connections
    assert connection._exchange is None
