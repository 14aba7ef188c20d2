"""WebSockets over sockets: RFC 6455, 4 (handshake) and 7 (closing), ASGI, shutdown."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import ssl
from math import inf
from pathlib import Path

import pytest
import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Pong,
    Request,
    TextMessage,
)
from wsproto.events import Ping as PingEvent
from wsproto.extensions import PerMessageDeflate

_spec = importlib.util.spec_from_file_location(
    "quart_server_websocket_peer", Path(__file__).with_name("websocket_peer.py")
)
peer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(peer)

text, frame, close, request = peer.text, peer.frame, peer.close, peer.request


async def echo(scope, receive, send):
    """Echo messages on a WebSocket, answer ordinary requests."""
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"http"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        kind = "text" if message["bytes"] is None else "bytes"
        await send({"type": "websocket.send", kind: message[kind]})


async def upgraded(worker, *fields, path=b"/", host=b"a"):
    """Return a client whose WebSocket is open, and the answer's header fields."""
    client = await worker.connect()
    await client.send(request(path, *fields, host=host))
    status, headers, _ = await client.response()
    assert status == 101
    return client, headers


async def read_frame(client):
    head = await client.exactly(2)
    size = head[1]
    if size == 126:
        size = int.from_bytes(await client.exactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await client.exactly(8), "big")
    return head[0], await client.exactly(size)


async def only_connection(worker):
    await worker.settled(lambda: len(worker.context.connections) == 1)
    [connection] = worker.context.connections
    return connection


# RFC 6455, 4.2.2: the answer


async def test_handshake_is_answered_101(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    _, headers = await upgraded(worker)
    assert headers["upgrade"] == "websocket"
    assert headers["connection"] == "upgrade"
    assert headers["sec-websocket-accept"] == peer.ACCEPT.decode().lower()
    assert "content-length" not in headers
    assert "transfer-encoding" not in headers
    assert "sec-websocket-extensions" not in headers
    assert "date" in headers


async def test_app_chooses_subprotocol_and_fields(start_worker) -> None:
    async def app(scope, receive, send):
        assert scope["subprotocols"] == ["v1", "v2"]
        await send(
            {
                "type": "websocket.accept",
                "subprotocol": "v2",
                "headers": [(b"X-A", b"1"), (b"set-cookie", b"a=b")],
            }
        )

    worker = await start_worker(app, lifespan="off")
    _, headers = await upgraded(worker, b"Sec-WebSocket-Protocol: v1, v2")
    assert headers["sec-websocket-protocol"] == "v2"
    assert headers["x-a"] == "1"
    assert headers["set-cookie"] == "a=b"


async def test_frames_may_come_in_the_segment_of_the_handshake(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    client = await worker.connect()
    await client.send(request() + text("early"))
    assert (await client.response())[0] == 101
    assert await read_frame(client) == (0x81, b"early")


async def test_websocket_may_follow_requests_on_a_connection(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    client = await worker.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + request() + text("a"))
    assert (await client.response())[2] == b"http"
    assert (await client.response())[0] == 101
    assert await read_frame(client) == (0x81, b"a")


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"Version: 13", b"Version: 8", 426),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 426),
        (peer.KEY, b"short", 400),
        (b"Sec-WebSocket-Key: " + peer.KEY + b"\r\n", b"", 400),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: a b\r\n\r\n", 400),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: \xff\r\n\r\n", 400),
        (b"\r\n\r\n", b"\r\nSec-WebSocket-Extensions: a;\r\n\r\n", 400),
        (b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"\r\n\r\n", b"\r\nOrigin: http://evil.test\r\n\r\n", 403),
    ],
)
async def test_broken_handshake_is_refused_before_the_app(
    start_worker, old, new, status
) -> None:
    worker = await start_worker(echo, lifespan="off")
    client = await worker.connect()
    await client.send(request().replace(old, new, 1))
    answered, headers, _ = await client.response()
    assert answered == status
    assert headers["connection"] == "close"
    assert ("sec-websocket-version" in headers) is (status == 426)
    assert await client.rest() == b""
    assert worker.context.request_count == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"GET", b"POST"),
        (b"Connection: Upgrade\r\n", b""),
        (b"Upgrade: websocket", b"Upgrade: other"),
        (b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
async def test_what_asks_for_no_websocket_is_an_ordinary_request(
    start_worker, old, new
) -> None:
    worker = await start_worker(echo, lifespan="off")
    client = await worker.connect()
    await client.send(request().replace(old, new, 1))
    assert (await client.response())[2] == b"http"


async def test_handshake_over_the_limit_of_requests_is_503(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off", limit_concurrency=1)
    await upgraded(worker)
    client = await worker.connect()
    await client.send(request())
    assert (await client.response())[0] == 503


# Denial


async def test_app_that_closes_at_once_denies_with_403(start_worker) -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.close"})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(request())
    status, headers, _ = await client.response()
    assert (status, headers["connection"]) == (403, "close")
    assert await client.rest() == b""


@pytest.mark.parametrize("fields", [[], [(b"content-length", b"6")]])
async def test_app_denies_with_a_body_in_pieces(start_worker, fields) -> None:
    async def app(scope, receive, send):
        kind = "websocket.http.response"
        start = {"type": f"{kind}.start", "status": 401}
        await send({**start, "headers": [(b"x-a", b"1"), *fields]})
        for piece in (b"abc", b"def"):
            more = piece == b"abc"
            await send({"type": f"{kind}.body", "body": piece, "more_body": more})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(request())
    status, headers, body = await client.response()
    assert (status, headers["x-a"], body) == (401, "1", b"abcdef")
    assert await client.rest() == b""


async def test_denial_shorter_than_it_says_is_cut(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        kind = "websocket.http.response"
        headers = [(b"content-length", b"5")]
        await send({"type": f"{kind}.start", "status": 401, "headers": headers})
        await send({"type": f"{kind}.body", "body": b"abc"})

    worker = await start_worker(app, lifespan="off")
    assert b"500 Internal" in await worker.talk(request())
    assert "less body than its Content-Length" in caplog.text


async def test_header_injection_is_refused(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        headers = [(b"x-a", b"1\r\nx-b: 2")]
        await send({"type": "websocket.accept", "headers": headers})

    worker = await start_worker(app, lifespan="off")
    answer = await worker.talk(request())
    assert b" 500 " in answer
    assert b"x-b" not in answer
    assert "control character" in caplog.text


# Messages


async def test_wsproto_client_talks_with_compression(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    client = await worker.connect()
    connection = WSConnection(ConnectionType.CLIENT)
    offer = Request(host="a", target="/", extensions=[PerMessageDeflate()])
    await client.send(connection.send(offer))
    events = read_events(client, connection)
    assert isinstance(await anext(events), AcceptConnection)
    content = "compress me, please. " * 200
    for event in (TextMessage(content), BytesMessage(b"\x00\xff" * 900)):
        await client.send(connection.send(event))
        received = type(event.data)()
        async for answer in events:
            received += answer.data
            if answer.message_finished:
                break
        assert received == event.data
    await client.send(connection.send(PingEvent(b"p")))
    answer = await anext(events)
    assert isinstance(answer, Pong)
    assert answer.payload == b"p"
    await client.send(connection.send(CloseConnection(code=1000)))
    answer = await anext(events)
    assert isinstance(answer, CloseConnection)
    assert answer.code == 1000


async def read_events(client, connection):
    while True:
        async with asyncio.timeout(10):
            data = await client.reader.read(65536)
        connection.receive_data(data or None)
        for event in connection.events():
            yield event


async def test_messages_of_all_lengths_come_back(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    client, _ = await upgraded(worker)
    for size in (0, 125, 126, 65535, 65536, 1_000_000):
        payload = bytes(size)
        await client.send(frame(peer.BINARY, payload))
        assert await read_frame(client) == (0x82, payload)


async def test_receiver_and_sender_may_be_two_tasks(start_worker) -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})

        async def count():
            for number in range(100):
                await send({"type": "websocket.send", "text": str(number)})

        async with asyncio.TaskGroup() as group:
            group.create_task(count())
            assert (await receive())["text"] == "from the client"
        await send({"type": "websocket.close", "code": 4000})

    worker = await start_worker(app, lifespan="off")
    client, _ = await upgraded(worker)
    await client.send(text("from the client"))
    for number in range(100):
        assert await read_frame(client) == (0x81, str(number).encode())
    assert await read_frame(client) == (0x88, b"\x0f\xa0")


# RFC 6455, 7: closing


async def test_server_closes_the_connection_after_the_handshake(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    client, _ = await upgraded(worker)
    await client.send(close(4000, b"bye"))
    assert await client.rest() == b"\x88\x02\x0f\xa0"
    await worker.settled(lambda: not worker.context.exchanges)


async def test_client_that_fails_may_still_read_why(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    client, _ = await upgraded(worker)
    await client.send(frame(peer.TEXT, b"", mask=None) + bytes(300_000))
    assert await read_frame(client) == (0x88, b"\x03\xeaprotocol error")
    assert await client.rest() == b""


@pytest.mark.parametrize("end", ["end", "abort"])
async def test_client_that_just_leaves_is_1006(start_worker, end: str) -> None:
    messages = []
    done = asyncio.Event()

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        messages.append(await receive())
        with pytest.raises(OSError, match="closed"):
            await send({"type": "websocket.send", "text": "a"})
        done.set()

    worker = await start_worker(app, lifespan="off")
    client, _ = await upgraded(worker)
    getattr(client, end)()
    async with asyncio.timeout(5):
        await done.wait()
    expected = {"type": "websocket.disconnect", "code": 1006, "reason": ""}
    assert messages == [expected]


async def test_app_that_fails_closes_with_1011(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        raise ValueError("oops")

    worker = await start_worker(app, lifespan="off")
    client, _ = await upgraded(worker)
    assert (await read_frame(client))[1][:2] == b"\x03\xf3"
    await client.send(close(1011))
    assert await client.rest() == b""
    assert "oops" in caplog.text


async def test_client_that_takes_nothing_is_given_up(start_worker) -> None:
    outcome = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                await send({"type": "websocket.send", "bytes": bytes(65536)})
        except OSError as error:
            outcome.append(error)
        outcome.append((await receive())["code"])

    worker = await start_worker(app, lifespan="off", write_timeout=30)
    client, _ = await upgraded(worker)
    client.writer.transport.pause_reading()
    connection = await only_connection(worker)
    await worker.settled(lambda: connection.is_writing_paused)
    assert connection.transport.get_write_buffer_size() < 300_000
    now = worker.context.clock.now
    assert 29 < connection.write_deadline - now < 31
    while connection.write_deadline < inf:
        worker.context.clock.expire(connection.write_deadline)
        await asyncio.sleep(0)
    await worker.settled(lambda: len(outcome) == 2)
    assert isinstance(outcome[0], OSError)
    assert outcome[1] == 1006


async def test_silent_client_is_pinged_by_the_clock(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off", websocket_ping_interval=20)
    client, _ = await upgraded(worker)
    connection = await only_connection(worker)
    clock = worker.context.clock
    assert 19 < connection.deadline - clock.now <= 20
    clock.expire(connection.deadline)
    assert await read_frame(client) == (0x89, b"")
    assert connection.deadline - clock.now > 15
    clock.expire(connection.deadline)
    assert (await read_frame(client))[1][:2] == b"\x03\xf3"
    assert await client.rest() == b""


# The access log


async def test_access_line_is_written_when_it_is_over(start_worker, caplog) -> None:
    caplog.set_level(logging.INFO, "quart_server.access")
    worker = await start_worker(echo, lifespan="off", access_log_format="json")
    client, _ = await upgraded(worker, path=b"/chat?a=b")
    await client.send(text("hello"))
    await read_frame(client)
    assert not lines(caplog)
    await client.send(close(1000))
    await client.rest()
    await worker.settled(lambda: bool(lines(caplog)))
    [line] = lines(caplog)
    assert line["target"] == "/chat?a=b"
    assert line["status"] == 101
    assert line["bytes"] == 7
    assert line["outcome"] == "complete"
    assert line["duration_ms"] > 0


@pytest.mark.parametrize(
    ("data", "status", "outcome"),
    [
        (request() + frame(peer.TEXT, b"\xff"), 101, "refused"),
        (request().replace(peer.KEY, b"x"), 400, "refused"),
    ],
)
async def test_access_line_says_how_it_ended(
    start_worker, caplog, data, status, outcome
) -> None:
    caplog.set_level(logging.INFO, "quart_server.access")
    worker = await start_worker(echo, lifespan="off", access_log_format="json")
    await worker.talk(data)
    await worker.settled(lambda: bool(lines(caplog)))
    [line] = lines(caplog)
    assert (line["status"], line["outcome"]) == (status, outcome)


def lines(caplog):
    return [
        json.loads(record.getMessage())
        for record in caplog.records
        if record.name == "quart_server.access"
    ]


# Shutdown


async def test_f_19_shutdown_needs_no_code_of_the_app(start_worker) -> None:
    """The app sleeps and neither it nor the client reacts; yet all ends soon."""
    cancelled = []

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(scope["path"])
            raise

    worker = await start_worker(app, lifespan="off", graceful_timeout=30)
    clients = [(await upgraded(worker, path=path))[0] for path in (b"/1", b"/2")]
    loop = asyncio.get_running_loop()
    start = loop.time()
    worker.shutdown.set()
    for client in clients:
        assert await read_frame(client) == (0x88, b"\x03\xf4service restart")
    await clients[0].send(close(1012))
    async with asyncio.timeout(10):
        assert await worker.task == 0
    assert loop.time() - start < 5
    assert sorted(cancelled) == ["/1", "/2"]


async def test_shutdown_ends_at_once_where_everybody_agrees(start_worker) -> None:
    worker = await start_worker(echo, lifespan="off")
    client, _ = await upgraded(worker)
    worker.shutdown.set()
    assert (await read_frame(client))[0] == 0x88
    await client.send(close(1012))
    assert await client.rest() == b""
    loop = asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.timeout(10):
        assert await worker.task == 0
    assert loop.time() - start < 1


async def test_app_may_await_the_shutdown_by_itself(start_worker) -> None:
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        event = scope["extensions"]["quart.shutdown"]["event"]
        await event.wait()
        assert event.is_set()

    worker = await start_worker(app, lifespan="off")
    client, _ = await upgraded(worker)
    worker.shutdown.set()
    assert (await read_frame(client))[1][:2] == b"\x03\xf4"
    await client.send(close(1012))
    async with asyncio.timeout(10):
        assert await worker.task == 0


# Behind a proxy


@pytest.mark.parametrize(
    ("trusted", "origin", "status"),
    [
        (("127.0.0.1",), b"https://public.test", 101),
        (("127.0.0.1",), b"https://a", 403),
        ((), b"https://public.test", 403),
    ],
)
async def test_origin_is_compared_with_the_host_a_trusted_proxy_tells(
    start_worker, trusted, origin, status
) -> None:
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await echo(scope, receive, send)

    worker = await start_worker(app, lifespan="off", trusted_proxies=trusted)
    client = await worker.connect()
    fields = [
        b"X-Forwarded-For: 192.0.2.9",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: public.test",
        b"Origin: " + origin,
    ]
    await client.send(request(b"/", *fields))
    assert (await client.response())[0] == status
    if status == 101:
        [scope] = scopes
        assert scope["scheme"] == "wss"
        assert scope["client"][0] == "192.0.2.9"
        assert (b"host", b"public.test") in scope["headers"]


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority, tmp_path) -> Path:
    path = tmp_path / "certificate.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    return path


async def test_websocket_over_tls(start_worker, authority, certificate) -> None:
    worker = await start_worker(echo, lifespan="off", certfile=str(certificate))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    client = await worker.connect(ssl=context)
    await client.send(request(b"/", b"Origin: https://a"))
    assert (await client.response())[0] == 101
    await client.send(text("secret") + frame(peer.BINARY, bytes(100_000)))
    assert await read_frame(client) == (0x81, b"secret")
    assert await read_frame(client) == (0x82, bytes(100_000))
    await client.send(close(1000))
    assert await client.rest() == b"\x88\x02\x03\xe8"


async def test_mistake_over_tls_is_told(start_worker, authority, certificate) -> None:
    worker = await start_worker(
        echo, lifespan="off", certfile=str(certificate), drain_timeout=0.5
    )
    context = ssl.create_default_context()
    authority.configure_trust(context)
    client = await worker.connect(ssl=context)
    await client.send(request())
    assert (await client.response())[0] == 101
    await client.send(frame(peer.TEXT, b"\xff"))
    assert await client.rest() == b"\x88\x0e\x03\xefinvalid data"
    await worker.settled(lambda: not worker.context.connections)
