"""Event streams over HTTP/2 when the server stops (F-19)."""

from __future__ import annotations

import asyncio

from http2_peer import GET


async def test_f_19_event_stream_ends_in_order_without_code_of_the_app(
    connect, caplog
) -> None:
    cancelled = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            raise ValueError("no lifespan")
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        part = {"type": "http.response.body", "body": b"data: x\n\n"}
        await send({**part, "more_body": True})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(scope["path"])
            raise

    client = await connect(app, lifespan="off", graceful_timeout=30.0)
    await client.send(client.headers(1, GET))
    worker = client.worker
    await worker.settled(lambda: len(worker.context.exchanges) == 1)
    start = asyncio.get_running_loop().time()
    worker.shutdown.set()
    head, body = await client.response(1)
    assert (head[b":status"], body) == (b"200", b"data: x\n\n")
    async with asyncio.timeout(10):
        assert await worker.task == 0
    assert asyncio.get_running_loop().time() - start < 5
    assert cancelled == ["/"]
    assert not caplog.records
