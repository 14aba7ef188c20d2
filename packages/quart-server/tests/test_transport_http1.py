"""HTTP/1 over real sockets: order, keep-alive, back-pressure, ends of connections."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import socket
import struct

import pytest

GET = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def respond(send, body=b"", status=200, headers=(), *, more=False):
    await send(
        {"type": "http.response.start", "status": status, "headers": list(headers)}
    )
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def read_body(receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("client left")
        body += message["body"]
        if not message["more_body"]:
            return body


async def echo(scope, receive, send):
    if scope["type"] == "http":
        await respond(send, await read_body(receive))


async def path(scope, receive, send):
    if scope["type"] == "http":
        await respond(send, scope["path"].encode())


# ASGI


async def test_scope_has_what_asgi_asks_for(start_worker) -> None:
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        if scope["type"] == "http":
            await respond(send)

    worker = await start_worker(app, root_path="/mount", lifespan="off")
    client = await worker.connect()
    await client.send(b"GET /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-Y: z\r\n\r\n")
    await client.response()
    [scope] = scopes
    own_port = client.writer.get_extra_info("sockname")[1]
    assert scope.pop("extensions")["quart.shutdown"]["event"].is_set() is False
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/mount/a b",
        "raw_path": b"/mount/a%20b",
        "query_string": b"c=d",
        "root_path": "/mount",
        "headers": [(b"host", b"x"), (b"x-y", b"z")],
        "client": ("127.0.0.1", own_port),
        "server": ("127.0.0.1", worker.port),
    }


async def test_requests_share_nothing_mutable(start_worker) -> None:
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            scope["state"]["list"] = "shared"
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        seen.append((dict(scope["state"]), "x" in scope["extensions"]))
        scope["state"]["own"] = 1
        scope["extensions"]["x"] = {}
        scope["headers"].append((b"x", b"y"))
        await respond(send, str(len(scope["headers"])).encode())

    worker = await start_worker(app)
    client = await worker.connect()
    for _ in range(2):
        await client.send(GET % b"/")
        assert (await client.response())[2] == b"2"
    assert seen == [({"list": "shared"}, False)] * 2


async def test_context_variables_do_not_pass_to_the_next_request(start_worker) -> None:
    variable = contextvars.ContextVar("variable", default="clean")
    seen = []

    async def app(scope, receive, send):
        seen.append(variable.get())
        variable.set("dirty")
        await read_body(receive)
        await asyncio.sleep(0)
        await respond(send)

    worker = await start_worker(app, lifespan="off", body_buffer_size=1024)
    client = await worker.connect()
    body = b"x" * 300_000
    post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body
    for data in (post + post, post):
        await client.send(data)
    for _ in range(3):
        await client.response()
    assert seen == ["clean"] * 3


async def test_receive_after_the_response_says_disconnect(start_worker) -> None:
    messages = []

    async def app(scope, receive, send):
        await respond(send, b"x")
        messages.append(await receive())
        messages.append(await receive())

    worker = await start_worker(app, lifespan="off")
    assert (await worker.talk(CLOSE)).endswith(b"x")
    await worker.settled(lambda: len(messages) == 2)
    assert messages[-1] == {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"type": "http.response.body"}], "expected http.response.start"),
        ([{"type": "http.response.start", "status": 200}] * 2, "expected http.response.body"),  # noqa: E501
        ([{"type": "http.response.start", "status": 101}], "status 101"),
        ([{"type": "http.response.start", "status": "200"}], "status '200'"),
        ([{"type": "websocket.send"}], "expected http.response.start"),
        ([{"type": "http.response.start", "status": 200, "headers": [(b"a", b"b\n")]},
          {"type": "http.response.body"}], "control character"),
    ],
)  # fmt: skip
async def test_wrong_message_is_an_error_and_a_500(
    start_worker, caplog, messages, expected
) -> None:
    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    worker = await start_worker(app, lifespan="off")
    assert (await worker.talk(CLOSE)).startswith(b"HTTP/1.1 500 ")
    assert expected in caplog.text


async def test_app_that_raises_is_answered_with_500(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        raise ValueError("secret")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET % b"/")
    status, _, body = await client.response()
    assert (status, body) == (500, b"Internal Server Error")
    assert "ValueError: secret" in caplog.text
    await client.send(GET % b"/")  # the connection lives on
    assert (await client.response())[0] == 500


async def test_app_without_a_response_is_answered_with_500(
    start_worker, caplog
) -> None:
    async def app(scope, receive, send):
        pass

    worker = await start_worker(app, lifespan="off")
    assert (await worker.talk(CLOSE)).startswith(b"HTTP/1.1 500 ")
    assert "without completing its response" in caplog.text


async def test_app_that_raises_in_its_response_cuts_it(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        await respond(send, b"part", more=True)
        raise ValueError("late")

    worker = await start_worker(app, lifespan="off")
    data = await worker.talk(GET % b"/")
    assert data.endswith(b"4\r\npart\r\n")
    assert "late" in caplog.text


async def test_cut_response_to_http_1_0_is_a_reset(start_worker) -> None:
    async def app(scope, receive, send):
        await respond(send, b"part", more=True)
        raise ValueError("late")

    worker = await start_worker(app, lifespan="off")
    with pytest.raises(ConnectionResetError):
        await worker.talk(b"GET / HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize("body", [b"abc", b"abcdefg"])
async def test_stream_of_another_length_is_cut(start_worker, caplog, body) -> None:
    async def app(scope, receive, send):
        await respond(send, b"", headers=[(b"content-length", b"5")], more=True)
        await send({"type": "http.response.body", "body": body})

    worker = await start_worker(app, lifespan="off")
    data = await worker.talk(GET % b"/" + GET % b"/second")
    assert data.count(b"HTTP/1.1 200") == 1
    assert b"abcdef" not in data
    assert "Content-Length" in caplog.text


@pytest.mark.parametrize(
    ("target", "path", "raw_path"),
    [
        (b"/x%20y", "/mount/x y", b"/mount/x%20y"),
        (b"/mount/x", "/mount/x", b"/mount/x"),
        (b"/mount", "/mount", b"/mount"),
        (b"/mountain", "/mount/mountain", b"/mount/mountain"),
    ],
)
async def test_root_path_is_added_where_the_proxy_took_it_away(
    start_worker, target, path, raw_path
) -> None:
    scopes = []

    async def app(scope, receive, send):
        scopes.append(scope)
        await respond(send)

    worker = await start_worker(app, root_path="/mount", lifespan="off")
    client = await worker.connect()
    await client.send(GET % target)
    await client.response()
    assert (scopes[0]["path"], scopes[0]["raw_path"]) == (path, raw_path)


# RFC 9112, 9.3: persistence and pipelining


async def test_connection_serves_many_requests(start_worker) -> None:
    """RFC 9112, 9.3."""
    worker = await start_worker(path, lifespan="off")
    client = await worker.connect()
    for number in range(50):
        await client.send(GET % b"/%d" % number)
        assert (await client.response())[2] == b"/%d" % number


async def test_pipelined_requests_are_answered_in_order(start_worker) -> None:
    """RFC 9112, 9.3.2."""

    async def app(scope, receive, send):
        number = int(scope["path"][1:])
        await asyncio.sleep(0.002 * (number % 3))
        await respond(send, scope["path"].encode())

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(b"".join(GET % b"/%d" % number for number in range(60)))
    for number in range(60):
        assert (await client.response())[2] == b"/%d" % number


async def test_h1_12_pipelined_flood_is_not_read_ahead(start_worker) -> None:
    started, release = [], asyncio.Event()

    async def app(scope, receive, send):
        started.append(scope["path"])
        await release.wait()
        await respond(send)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    flood = (GET % b"/x") * 100_000
    client.writer.write(flood)
    [connection] = await _connections(worker, 1)
    await worker.settled(lambda: connection._is_reading_paused)
    assert len(started) <= 16
    assert connection._http.buffered <= 64 * 1024 + 256 * 1024
    release.set()
    client.abort()
    await worker.settled(lambda: not worker.context.connections)


async def test_request_limit_of_a_connection(start_worker) -> None:
    worker = await start_worker(path, lifespan="off", keep_alive_max_requests=2)
    data = await worker.talk(GET % b"/1" + GET % b"/2" + GET % b"/3")
    assert data.count(b"HTTP/1.1 200") == 2
    assert data.count(b"connection: close") == 1


async def test_http_1_0_closes_unless_asked_otherwise(start_worker) -> None:
    """RFC 9112, 9.3."""
    worker = await start_worker(path, lifespan="off")
    assert b"connection: close" in await worker.talk(b"GET / HTTP/1.0\r\n\r\n")
    client = await worker.connect()
    await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert (await client.response())[1]["connection"] == "keep-alive"
    await client.send(b"GET / HTTP/1.0\r\n\r\n")
    assert b"connection: close" in await client.rest()


async def test_bytes_after_connection_close_are_ignored(start_worker) -> None:
    """RFC 9112, 9.6."""
    worker = await start_worker(path, lifespan="off")
    assert (await worker.talk(CLOSE + GET % b"/2")).count(b"HTTP/1.1") == 1


async def test_half_closed_client_gets_its_answers(start_worker) -> None:
    async def app(scope, receive, send):
        await asyncio.sleep(0.02)
        await respond(send, scope["path"].encode())

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET % b"/1" + GET % b"/2")
    client.end()
    data = await client.rest()
    assert data.count(b"HTTP/1.1 200") == 2
    assert data.endswith(b"/2")


# Bodies


@pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_000])
async def test_body_arrives_byte_for_byte(start_worker, size) -> None:
    worker = await start_worker(echo, lifespan="off")
    client = await worker.connect()
    body = bytes(number % 251 for number in range(size))
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + body
    )
    assert (await client.response())[2] == body
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(body[at : at + 999]), body[at : at + 999])
        for at in range(0, size, 999)
    )
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunks
        + b"0\r\n\r\n"
    )
    assert (await client.response())[2] == body


async def test_100_continue_is_sent_when_the_app_reads(start_worker) -> None:
    """RFC 9110, 10.1.1."""
    read = asyncio.Event()

    async def app(scope, receive, send):
        await read.wait()
        await respond(send, await read_body(receive))

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    await worker.settled(lambda: worker.context.exchanges)
    read.set()
    assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    await client.send(b"ok")
    assert (await client.response())[2] == b"ok"
    await client.send(GET % b"/")
    assert (await client.response())[0] == 200


async def test_no_100_continue_when_the_app_does_not_read(start_worker) -> None:
    """RFC 9110, 10.1.1."""
    worker = await start_worker(path, lifespan="off")
    data = await worker.talk(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert data.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in data


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 30", b"Transfer-Encoding: chunked"]
)
async def test_h1_17_unread_body_is_drained_and_never_a_request(
    start_worker, framing
) -> None:
    worker = await start_worker(path, lifespan="off")
    client = await worker.connect()
    body = GET % b"/hid"
    assert len(body) == 30
    if b"chunked" in framing:
        body = b"1e\r\n" + body + b"\r\n0\r\n\r\n"
    await client.send(b"POST /1 HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    assert (await client.response())[2] == b"/1"
    await client.send(body + GET % b"/2")
    assert (await client.response())[2] == b"/2"


async def test_h1_17_large_unread_body_ends_the_connection(start_worker) -> None:
    worker = await start_worker(path, lifespan="off")
    client = await worker.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n")
    status, headers, _ = await client.response()
    assert (status, headers["connection"]) == (200, "close")
    assert await client.rest() == b""


async def test_h1_17_endless_unread_chunks_end_the_connection(start_worker) -> None:
    worker = await start_worker(path, lifespan="off")
    client = await worker.connect()
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert (await client.response())[0] == 200
    await client.send(b"10000\r\n" + b"x" * 65536 + b"\r\n1\r\nx\r\n")
    assert await client.rest() == b""


async def test_lingering_connection_reads_no_more_than_drain_max_bytes(
    start_worker,
) -> None:
    worker = await start_worker(path, lifespan="off")
    client = await worker.connect()
    client.writer.write(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"
    )
    client.writer.write(b"x" * 50_000_000)
    [connection] = await _connections(worker, 1)
    assert (await client.response())[0] == 200
    await worker.settled(lambda: connection._is_reading_paused or connection.closed)
    assert connection._drained <= 2 * 64 * 1024
    client.abort()


async def test_app_takes_no_more_of_a_body_at_once_than_the_buffer_size(
    start_worker,
) -> None:
    sizes = []

    async def app(scope, receive, send):
        await asyncio.sleep(0.05)
        more = True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            more = message["more_body"]
        await respond(send, b"done")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"
        + b"x" * 1_000_000
    )
    assert (await client.response())[2] == b"done"
    assert sum(sizes) == 1_000_000
    assert max(sizes) == 64 * 1024


async def test_app_that_returns_when_its_client_has_left_is_no_failure(
    start_worker, caplog
) -> None:
    raised = []

    async def app(scope, receive, send):
        [connection] = worker.context.connections
        # The loop has not said yet that the connection is lost.
        connection.transport.abort()
        try:
            await respond(send, b"hello")
        except OSError as error:
            raised.append(type(error).__name__)

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET % b"/")
    await worker.settled(lambda: raised == ["ClientDisconnectedError"])
    await worker.settled(lambda: not worker.context.exchanges)
    assert caplog.records == []


async def test_body_is_read_no_faster_than_the_app_takes_it(start_worker) -> None:
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await respond(send, str(len(await read_body(receive))).encode())

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    size = 20_000_000
    client.writer.write(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
    )
    client.writer.write(b"x" * size)
    [connection] = await _connections(worker, 1)
    await worker.settled(lambda: connection._is_reading_paused)
    assert connection._exchange.buffered <= 64 * 1024 + 256 * 1024
    release.set()
    assert (await client.response())[2] == str(size).encode()


async def test_send_waits_for_a_slow_client(start_worker) -> None:
    sent = 0

    async def app(scope, receive, send):
        nonlocal sent
        await respond(send, more=True)
        for _ in range(2_000):
            await send(
                {"type": "http.response.body", "body": b"x" * 10_000, "more_body": True}
            )
            sent += 10_000
        await send({"type": "http.response.body"})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect(limit=1024)
    await client.send(GET % b"/")
    [connection] = await _connections(worker, 1)
    await worker.settled(lambda: connection.is_writing_paused)
    assert connection.transport.get_write_buffer_size() <= 64 * 1024 + 11_000
    assert sent < 20_000_000
    body = (await client.until(b"\r\n\r\n"), await client.exactly(1_000_000))[1]
    assert len(body) == 1_000_000


async def test_app_that_streams_without_waiting_leaves_others_their_turn(
    start_worker,
) -> None:
    async def app(scope, receive, send):
        if scope["path"] == "/other":
            await respond(send, b"answered")
            return
        await respond(send, more=True)
        while True:
            message = {
                "type": "http.response.body",
                "body": b"x" * 100,
                "more_body": True,
            }
            await send(message)

    worker = await start_worker(app, lifespan="off")
    greedy, other = await worker.connect(), await worker.connect()
    await greedy.send(GET % b"/greedy")
    await greedy.until(b"\r\n\r\n")
    await other.send(GET % b"/other")

    async def read_on():
        while True:
            await greedy.exactly(1)
            await greedy.reader.read(1_000_000)

    reading = asyncio.create_task(read_on())
    assert (await other.response())[2] == b"answered"
    reading.cancel()
    greedy.abort()
    await worker.settled(lambda: not worker.context.exchanges)


async def test_pieces_written_in_one_turn_leave_in_order(start_worker) -> None:
    async def app(scope, receive, send):
        await respond(send, b"first,", more=True)
        for number in range(1_000):
            body = b"%d," % number
            await send({"type": "http.response.body", "body": body, "more_body": True})
            if number == 500:
                large = b"y" * 100_000 + b","
                await send(
                    {"type": "http.response.body", "body": large, "more_body": True}
                )
        await send({"type": "http.response.body", "body": b"last"})

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET % b"/")
    parts = (await client.response())[2].split(b",")
    parts.remove(b"y" * 100_000)
    assert parts == [b"first", *(b"%d" % number for number in range(1_000)), b"last"]


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 2000", b"Transfer-Encoding: chunked"]
)
async def test_f_09_body_over_the_limit(start_worker, framing) -> None:
    got = []

    async def app(scope, receive, send):
        got.append(await read_body(receive))
        await respond(send)

    worker = await start_worker(app, lifespan="off", max_body_size=1000)
    body = b"x" * 2000
    if b"chunked" in framing:
        body = b"7d0\r\n" + body + b"\r\n0\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n"
    client = await worker.connect()
    await client.send(head + body[:1500])
    assert (await client.response())[0] == 413
    assert got == []


async def test_f_13_too_large_a_body_that_waits_is_refused_at_once(
    start_worker,
) -> None:
    worker = await start_worker(echo, lifespan="off", max_body_size=1000)
    data = await worker.talk(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n"
        b"Expect: 100-continue\r\n\r\n"
    )
    assert data.startswith(b"HTTP/1.1 413 ")


async def test_broken_chunk_after_the_start_of_the_body(start_worker) -> None:
    failures = []

    async def app(scope, receive, send):
        try:
            await read_body(receive)
        except ConnectionError as error:
            failures.append(str(error))

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"
    )
    await worker.settled(lambda: worker.context.exchanges)
    await client.send(b"bad\n")
    assert (await client.rest()).startswith(b"HTTP/1.1 400 ")
    await worker.settled(lambda: failures == ["client left"])


# Disconnects


async def test_client_that_leaves_is_told_to_the_app(start_worker) -> None:
    told = []

    async def app(scope, receive, send):
        await receive()
        told.append(await receive())
        with pytest.raises(OSError, match="closed"):
            await respond(send)
        told.append("raised")

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(GET % b"/")
    await worker.settled(lambda: worker.context.exchanges)
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.abort()
    await worker.settled(lambda: told == [{"type": "http.disconnect"}, "raised"])
    await worker.settled(lambda: not worker.context.exchanges)


async def test_client_that_leaves_within_its_body(start_worker) -> None:
    told = []

    async def app(scope, receive, send):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                told.append("left")
                return

    worker = await start_worker(app, lifespan="off")
    client = await worker.connect()
    await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
    await worker.settled(lambda: worker.context.exchanges)
    await client.close()
    await worker.settled(lambda: told == ["left"])


async def test_h1_19_resets_at_any_point_harm_nothing(start_worker, caplog) -> None:
    async def app(scope, receive, send):
        try:
            await respond(send, await read_body(receive), more=True)
            await asyncio.sleep(0)
            await send({"type": "http.response.body", "body": b"x" * 100_000})
        except OSError:
            pass

    worker = await start_worker(app, lifespan="off", loop="asyncio")
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    for place in range(0, len(request) * 2, 2):
        client = await worker.connect()
        await client.send((request + request)[:place])
        sock = client.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.abort()
    await worker.settled(lambda: not worker.context.connections)
    await worker.settled(lambda: not worker.context.exchanges)
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert (await worker.talk(CLOSE)).startswith(b"HTTP/1.1 200")


# Refusals


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /" + b"x" * 9000, 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000, 431),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    ],
)
async def test_refusal_is_a_response_and_the_end(start_worker, data, status) -> None:
    worker = await start_worker(path, lifespan="off")
    found = await worker.talk(data + GET % b"/second")
    assert found.startswith(b"HTTP/1.1 %d " % status)
    assert found.count(b"HTTP/1.1") == 1
    assert b"connection: close\r\n" in found
    assert found.count(b"date: ") == found.count(b"server: ") == 1


async def test_requests_over_the_concurrency_limit_are_told_to_retry(
    start_worker,
) -> None:
    release = asyncio.Event()

    async def app(scope, receive, send):
        await release.wait()
        await respond(send)

    worker = await start_worker(app, lifespan="off", limit_concurrency=1)
    first = await worker.connect()
    await first.send(GET % b"/")
    await worker.settled(lambda: worker.context.exchanges)
    data = await worker.talk(GET % b"/")
    assert data.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1\r\n" in data
    release.set()
    assert (await first.response())[0] == 200


# Extensions


async def test_early_hints(start_worker) -> None:
    """RFC 8297."""

    async def app(scope, receive, send):
        assert "http.response.early_hint" in scope["extensions"]
        await send(
            {"type": "http.response.early_hint", "links": [b"</a>; rel=preload"]}
        )
        await respond(send, b"x")

    worker = await start_worker(app, lifespan="off")
    data = await worker.talk(CLOSE)
    assert data.startswith(
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"  # noqa: E501
    )
    assert b"103" not in await worker.talk(b"GET / HTTP/1.0\r\n\r\n")


async def test_trailers(start_worker) -> None:
    """RFC 9110, 6.5: trailers for clients that take them."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "trailers": True})
        await send({"type": "http.response.body", "body": b"x"})
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]})

    worker = await start_worker(app, lifespan="off")
    data = await worker.talk(
        b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n"
    )
    assert data.endswith(b"1\r\nx\r\n0\r\nx-sum: 1\r\n\r\n")
    data = await worker.talk(CLOSE)
    assert data.endswith(b"1\r\nx\r\n0\r\n\r\n")


async def _connections(worker, count):
    await worker.settled(lambda: len(worker.context.connections) == count)
    return list(worker.context.connections)
