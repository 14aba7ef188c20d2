"""The life of a worker: start, drain, force."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import pytest
from quart_server import Config
from quart_server.binds import bind_all
from quart_server.lifespan import LifespanError
from quart_server.transport.connection import ClientDisconnectedError
from quart_server.worker import serve_listeners

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


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_f_17_connections_in_the_backlog_are_served_at_the_end(loop) -> None:
    factory = None
    if loop == "uvloop":
        factory = pytest.importorskip("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        answers = runner.run(stop_with_a_full_backlog(70))
    assert [data[:12] for data in answers] == [b"HTTP/1.1 200"] * 70


async def stop_with_a_full_backlog(count: int) -> list[bytes]:
    config = Config(bind=("127.0.0.1:0",), lifespan="off", access_log=False)
    [listener] = bind_all(config)
    address, stop = listener.sock.getsockname(), asyncio.Event()
    ready = asyncio.Event()
    serving = asyncio.create_task(
        serve_listeners(
            answer,
            config,
            [listener],
            shutdown_event=stop,
            ready=lambda _: ready.set(),
        )
    )
    await ready.wait()
    # All in one turn: the loop does not get to accept any of them before the end.
    clients = [socket.create_connection(address, 10) for _ in range(count)]
    for client in clients:
        client.sendall(GET)
    stop.set()
    async with asyncio.timeout(20):
        await serving
    answers = []
    for client in clients:
        with client:
            answers.append(client.recv(100))
    return answers


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


@pytest.mark.parametrize("turns", range(16))
async def test_f_17_no_connection_is_lost_between_accept_and_close(
    start_worker, turns: int
) -> None:
    # A second socket stands for the other processes that accept on the address.
    worker = await start_worker(answer, lifespan="off")
    with worker.listener.sock.dup() as shared, socket.socket() as client:
        client.settimeout(5)
        worker.shutdown.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        client.connect(shared.getsockname())  # Done by the kernel, at once.
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await worker.stop()
        shared.setblocking(False)
        try:
            waiting, _ = shared.accept()
        except BlockingIOError:
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        else:
            waiting.close()


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


def event_stream(cancelled: list, *, pushes: bool):
    """Make an app with an endless stream of events that knows of no shutdown."""

    async def app(scope, receive, send):
        headers = [(b"Content-Type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        part = {"type": "http.response.body", "body": b"data: x\n\n"}
        try:
            await send({**part, "more_body": True})
            while pushes:
                await asyncio.sleep(0.01)
                await send({**part, "more_body": True})
            await asyncio.Event().wait()
        except BaseException as error:
            cancelled.append(type(error))
            raise

    return app


@pytest.mark.parametrize("pushes", [True, False])
@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
async def test_f_19_event_streams_end_in_order_without_code_of_the_app(
    start_worker, caplog, pushes, version
) -> None:
    ends = []
    app = event_stream(ends, pushes=pushes)
    worker = await start_worker(app, lifespan="off", graceful_timeout=30.0)
    client = await worker.connect()
    await client.send(b"GET / HTTP/%b\r\nHost: a\r\n\r\n" % version)
    await client.until(b"data: x")
    start = asyncio.get_running_loop().time()
    assert await worker.stop() == 0
    assert asyncio.get_running_loop().time() - start < 5
    rest = await client.rest()
    assert rest.endswith(b"0\r\n\r\n" if version == b"1.1" else b"\n\n")
    assert ends == [ClientDisconnectedError if pushes else asyncio.CancelledError]
    assert not caplog.records


async def test_f_19_other_streams_have_the_graceful_time(start_worker) -> None:
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await asyncio.sleep(0.5)
        await send({"type": "http.response.body", "body": b"end"})

    worker = await start_worker(app, lifespan="off", event_stream_timeout=0.0)
    client = await worker.connect()
    await client.send(GET)
    await client.until(b"a\r\n")
    assert await worker.stop() == 0
    assert (await client.rest()).endswith(b"3\r\nend\r\n0\r\n\r\n")


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


# WebSockets are imported when the worker has started, not while a client waits

PRELOAD = """
import sys, threading
from quart_server.transport import http1, upgrades
assert "quart_server.transport.websocket" not in sys.modules
assert "wsproto" not in sys.modules
upgrades.load_websockets()
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join(20)
assert "quart_server.transport.websocket" in sys.modules
assert "quart_server.transport.http2" not in sys.modules
upgrades.load_websockets()
assert threading.active_count() == 1
"""


def test_websockets_are_imported_on_a_thread_and_once() -> None:
    subprocess.run([sys.executable, "-c", PRELOAD], check=True, timeout=60)


async def test_worker_imports_websockets_once_it_serves(
    start_worker, monkeypatch
) -> None:
    loaded = asyncio.Event()
    monkeypatch.setattr("quart_server.worker._QUIET_SECONDS", 0)
    monkeypatch.setattr("quart_server.worker.load_websockets", loaded.set)
    await start_worker(answer, lifespan="off")
    async with asyncio.timeout(5):
        await loaded.wait()
