"""Files as bodies: `http.response.pathsend` and `quart.response.filesend`."""

from __future__ import annotations

import asyncio
import ssl
import threading

import pytest
from quart_server.transport import files

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PATTERN = bytes(number % 251 for number in range(3_000_000))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(PATTERN)
    return path


def app_sending(message, headers=()):
    async def app(scope, receive, send):
        start = {"type": "http.response.start", "status": 200, "headers": list(headers)}
        await send(start)
        await send(message)

    return app


@pytest.fixture(params=["plain", "tls"])
async def start(request, start_worker):
    """Start a worker with and without TLS; `connect` speaks accordingly."""
    if request.param == "plain":
        return start_worker, {}, {}
    trustme = pytest.importorskip("trustme")
    folder = request.getfixturevalue("tmp_path")
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    pem = str(folder / "server.pem")
    return start_worker, {"certfile": pem, "keyfile": pem}, {"ssl": context}


async def serve(start, message, headers=()):
    start_worker, settings, connect_settings = start
    app = app_sending(message, headers)
    worker = await start_worker(app, lifespan="off", **settings)
    return worker, await worker.connect(**connect_settings)


async def test_whole_file_then_the_connection_lives_on(start, file) -> None:
    _, client = await serve(
        start, {"type": "http.response.pathsend", "path": str(file)}
    )
    for _ in range(3):
        await client.send(GET)
        status, headers, body = await client.response()
        assert (status, headers["content-length"]) == (200, str(len(PATTERN)))
        assert body == PATTERN


@pytest.mark.parametrize(
    ("offset", "count"), [(0, 10), (5, 1), (1_000, None), (2_999_999, 1), (7, 0)]
)
async def test_part_of_a_file(start, file, offset, count) -> None:
    message = {"type": "quart.response.filesend", "path": str(file), "offset": offset}
    if count is not None:
        message["count"] = count
    _, client = await serve(start, message)
    await client.send(GET)
    stop = len(PATTERN) if count is None else offset + count
    assert (await client.response())[2] == PATTERN[offset:stop]


async def test_head_has_the_length_and_no_body(start_worker, file) -> None:
    app = app_sending({"type": "http.response.pathsend", "path": str(file)})
    worker = await start_worker(app, lifespan="off")
    data = await worker.talk(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"content-length: 3000000\r\n" in data
    assert data.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("length", [b"0", b"2999999", b"3000001"])
async def test_content_length_must_fit_the_file(
    start_worker, file, caplog, length
) -> None:
    app = app_sending(
        {"type": "http.response.pathsend", "path": str(file)},
        [(b"content-length", length)],
    )
    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[0] == 500
    assert "Content-Length" in caplog.text


@pytest.mark.parametrize(
    "message",
    [
        {"path": "/nowhere/at/all"},
        {"offset": 3_000_001},
        {"offset": -1},
        {"count": 3_000_001},
        {"count": -1},
    ],
)
async def test_part_that_is_none_is_a_500(start_worker, file, caplog, message) -> None:
    message = {"type": "quart.response.filesend", "path": str(file), **message}
    worker = await start_worker(app_sending(message), lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    assert (await client.response())[0] == 500
    assert "App failed" in caplog.text


async def test_client_that_leaves_ends_the_sending(start_worker, tmp_path) -> None:
    ended = []
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(500_000_000)

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await send({"type": "http.response.pathsend", "path": str(path)})
        except OSError as error:
            ended.append(type(error).__name__)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET)
    await client.exactly(100_000)
    client.abort()
    await worker.settled(lambda: ended == ["ClientDisconnectedError"])
    await worker.settled(lambda: not worker.context.exchanges)


async def test_file_that_is_opened_too_late_is_closed(file, monkeypatch) -> None:
    release, opened = threading.Event(), []
    open_now = files._open

    def open_late(*args):
        release.wait(10)
        opened.append(open_now(*args))
        return opened[0]

    monkeypatch.setattr(files, "_open", open_late)
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(files.open_slice(loop, str(file), 0, None))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled()
    release.set()
    async with asyncio.timeout(10):
        while not opened or not opened[0].file.closed:
            await asyncio.sleep(0.001)


async def test_f_11_client_that_takes_nothing_of_a_file_is_aborted(
    start_worker, tmp_path
) -> None:
    ended = []
    path = tmp_path / "large.bin"
    with path.open("wb") as file:
        file.truncate(100_000_000)

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await send({"type": "http.response.pathsend", "path": str(path)})
        except OSError:
            ended.append(True)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect(limit=1024)
    await client.send(GET)
    [connection] = await connections(worker)
    async with asyncio.timeout(10):
        while not ended:
            if connection._writable is not None:
                left = connection.deadline - worker.context.clock.now
                assert left == pytest.approx(30, abs=0.5)
                worker.context.clock.expire(connection.deadline)
            await asyncio.sleep(0.01)
    await worker.settled(lambda: connection.closed)


async def connections(worker):
    await worker.settled(lambda: len(worker.context.connections) == 1)
    return worker.context.connections
