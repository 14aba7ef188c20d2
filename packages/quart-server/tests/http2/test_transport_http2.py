"""HTTP/2 over sockets: what apps and clients see of it."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme
from h2.errors import ErrorCodes
from http2_peer import (
    GET,
    POST,
    PREFACE,
    SocketClient,
    data,
    get,
    goaway,
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
    PushPromiseFrame,
    RstStreamFrame,
)

HEAD = [(b":method", b"HEAD"), *GET[1:]]


def answer(status=200, headers=(), body=b"hello", **start):
    """Return an app that gives one answer."""

    async def app(scope, receive, send):
        if scope["type"] == "http":
            message = {"type": "http.response.start", "status": status}
            await send({**message, "headers": list(headers), **start})
            await send({"type": "http.response.body", "body": body})

    return app


def record(into: list):
    """Return an app that notes its scope and the body it reads."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        into.append((scope, body, message["type"]))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app


# How a connection becomes HTTP/2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    files = {
        "certfile": str(folder / "cert.pem"),
        "keyfile": str(folder / "key.pem"),
    }
    return authority, files


def tls_context(authority, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


async def test_alpn_h2_speaks_http2_over_tls(start_worker, certificate):
    authority, files = certificate
    seen: list = []
    worker = await start_worker(record(seen), **files)
    context = tls_context(authority, "h2", "http/1.1")
    socket = await worker.connect(ssl=context, server_hostname="localhost")
    client = SocketClient(worker, socket)
    await client.greet()
    await client.send(client.headers(1, POST, end=False), data(1, b"body", end=True))
    head, body = await client.response(1)
    assert (head[b":status"], body) == (b"200", b"body")
    assert seen[0][0]["scheme"] == "https"
    assert seen[0][0]["http_version"] == "2"


@pytest.mark.parametrize("protocols", [("http/1.1",), ()])
async def test_tls_without_h2_in_alpn_speaks_http1(
    start_worker, certificate, protocols
):
    authority, files = certificate
    worker = await start_worker(answer(), **files)
    context = tls_context(authority, *protocols)
    client = await worker.connect(ssl=context, server_hostname="localhost")
    await client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await client.response())[0] == 200


async def test_h2_is_not_offered_when_switched_off(start_worker, certificate):
    authority, files = certificate
    worker = await start_worker(answer(), http2=False, **files)
    context = tls_context(authority, "h2", "http/1.1")
    client = await worker.connect(ssl=context, server_hostname="localhost")
    ssl_object = client.writer.get_extra_info("ssl_object")
    assert ssl_object.selected_alpn_protocol() == "http/1.1"


async def test_prior_knowledge_and_http1_share_a_port(connect):
    client = await connect(answer())
    await client.send(client.headers(1))
    assert (await client.response(1))[1] == b"hello"
    other = await client.worker.connect()
    await other.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await other.response())[2] == b"hello"


async def test_the_preface_may_come_byte_by_byte(connect):
    client = await connect(answer(), greet=False)
    for byte in PREFACE + settings() + settings_ack() + client.headers(1):
        await client.send(bytes((byte,)))
        await asyncio.sleep(0)
    assert (await client.response(1))[1] == b"hello"


async def test_upgrade_h2c_is_ignored(start_worker):
    worker = await start_worker(answer())
    client = await worker.connect()
    await client.send(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n"
    )
    status, headers, body = await client.response()
    assert (status, body) == (200, b"hello")
    assert "upgrade" not in headers


async def test_the_preface_is_answered_505_when_switched_off(start_worker):
    worker = await start_worker(answer(), http2=False)
    assert b" 505 " in await worker.talk(PREFACE + settings())


# Scopes and requests


async def test_the_scope_describes_the_request(connect):
    seen: list = []
    client = await connect(record(seen))
    fields = [
        *get(b"/a%20b?c=%20d"),
        (b"cookie", b"a=1"),
        (b"x-field", b"value"),
        (b"cookie", b"b=2"),
    ]
    await client.send(client.headers(1, fields))
    await client.response(1)
    scope = seen[0][0]
    assert scope["http_version"] == "2"
    assert (scope["method"], scope["scheme"]) == ("GET", "http")
    assert (scope["path"], scope["raw_path"]) == ("/a b", b"/a%20b")
    assert scope["query_string"] == b"c=%20d"
    assert scope["headers"] == [
        (b"host", b"localhost"),
        (b"x-field", b"value"),
        (b"cookie", b"a=1; b=2"),
    ]
    assert scope["client"][0] == scope["server"][0] == "127.0.0.1"
    assert scope["extensions"]["http.response.push"] == {}
    assert "http.response.trailers" in scope["extensions"]


async def test_nothing_in_a_scope_is_shared_between_equal_requests(connect):
    seen: list = []
    client = await connect(record(seen))
    for stream_id in (1, 3, 5):
        await client.send(client.headers(stream_id))
        await client.response(stream_id)
    scopes = [scope for scope, *_ in seen]
    scopes[0]["headers"].append((b"x", b"y"))
    assert scopes[1]["headers"] == scopes[2]["headers"] == [(b"host", b"localhost")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([*get(), (b"host", b"other")], b"400"),
        ([*GET[:3], (b":authority", b"a b")], b"400"),
        ([*GET[:3], (b":authority", b"user@host")], b"400"),
        ([*GET[:3], (b":authority", b"")], b"400"),
        ([*GET[:3]], b"400"),
        (get(b"/a#b"), b"400"),
        (get(b"/a b"), b"400"),
        (get(b"/\xff"), b"400"),
        (get(b"/" + b"a" * 9_000), b"414"),
        (get(b"/", (b"x", b"a" * 9_000)), b"431"),
        (get(b"/", (b"expect", b"other")), b"417"),
        ([(b":method", b"CONNECT"), GET[3]], b"501"),
        ([*POST, (b"content-length", b"101")], b"413"),
    ],
)
async def test_what_is_not_served_is_answered(connect, fields, status):
    seen: list = []
    client = await connect(record(seen), max_body_size=100)
    await client.send(
        client.headers(1, fields, end=b"content-length" not in str(fields).encode())
    )
    head = await client.until(HeadersFrame, 1)
    assert head.fields[0] == (b":status", status)
    assert "END_STREAM" in head.flags
    assert not seen
    await client.send(client.headers(3))
    assert (await client.response(3))[0][b":status"] == b"200"


async def test_host_is_taken_where_there_is_no_authority(connect):
    seen: list = []
    client = await connect(record(seen))
    await client.send(client.headers(1, [*GET[:3], (b"host", b"named:8080")]))
    await client.response(1)
    assert seen[0][0]["headers"] == [(b"host", b"named:8080")]


async def test_a_body_that_grows_over_the_limit_is_answered_413(connect):
    seen: list = []
    client = await connect(record(seen), max_body_size=1_000)
    await client.send(client.headers(1, POST, end=False))
    await client.send(data(1, b"x" * 700), data(1, b"x" * 700))
    head = await client.until(HeadersFrame, 1)
    assert head.fields[0] == (b":status", b"413")
    assert (await client.until(RstStreamFrame, 1)).error_code == ErrorCodes.NO_ERROR
    await client.worker.settled(lambda: bool(seen))
    assert seen[0][2] == "http.disconnect"


async def test_requests_over_the_concurrency_limit_are_answered_503(connect):
    release = asyncio.Event()

    async def waiting(scope, receive, send):
        if scope["type"] == "http":
            await release.wait()
            await answer()(scope, receive, send)

    client = await connect(waiting, limit_concurrency=1)
    await client.send(client.headers(1), client.headers(3))
    head, _ = await client.response(3)
    assert (head[b":status"], head[b"retry-after"]) == (b"503", b"1")
    release.set()
    assert (await client.response(1))[1] == b"hello"


# Responses


@pytest.mark.parametrize(
    ("method", "status", "length"),
    [("HEAD", 200, b"5"), ("GET", 204, None), ("GET", 304, None)],
)
async def test_responses_without_a_body_have_none(connect, method, status, length):
    client = await connect(answer(status))
    await client.send(client.headers(1, [(b":method", method.encode()), *GET[1:]]))
    head = await client.until(HeadersFrame, 1)
    assert "END_STREAM" in head.flags
    assert dict(head.fields).get(b"content-length") == length
    assert await client.is_alive()


async def test_head_of_a_streamed_response_ends_with_its_head(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(3):
                body = {"type": "http.response.body", "body": b"x", "more_body": True}
                await send(body)
            await send({"type": "http.response.body"})

    client = await connect(app)
    await client.send(client.headers(1, HEAD))
    assert "END_STREAM" in (await client.until(HeadersFrame, 1)).flags
    await client.worker.settled(lambda: not client.worker.context.exchanges)
    assert await client.is_alive()


async def test_a_streamed_response_arrives_in_pieces(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for piece in (b"a", b"b", b"c"):
                await send(
                    {"type": "http.response.body", "body": piece, "more_body": True}
                )
            await send({"type": "http.response.body"})

    client = await connect(app)
    await client.send(client.headers(1))
    head, body = await client.response(1)
    assert body == b"abc"
    assert b"content-length" not in head


async def test_server_fields_are_added_once(connect):
    fields = [(b"Date", b"now"), (b"X-Own", b"1")]
    client = await connect(answer(headers=fields), headers=(("X-Extra", "yes"),))
    for stream_id in (1, 3, 5, 7):
        await client.send(client.headers(stream_id))
        frame = await client.until(HeadersFrame, stream_id)
        names = [name for name, _ in frame.fields]
        assert sorted(names) == [
            b":status",
            b"content-length",
            b"date",
            b"server",
            b"x-extra",
            b"x-own",
        ]
        assert dict(frame.fields)[b"date"] == b"now"


async def test_connection_specific_fields_of_the_app_are_dropped(connect):
    fields = [(b"Connection", b"close"), (b"Transfer-Encoding", b"chunked")]
    client = await connect(answer(headers=fields))
    await client.send(client.headers(1))
    head, body = await client.response(1)
    assert body == b"hello"
    assert b"connection" not in head
    assert b"transfer-encoding" not in head


@pytest.mark.parametrize(
    "field",
    [
        (b"x", b"a\r\nb: c"),
        (b"x", b"a\nb"),
        (b"x", b"a\0b"),
        (b"x y", b"a"),
        (b":status", b"201"),
        (b"", b"a"),
        ("x", "a"),
    ],
)
async def test_a_field_that_must_not_go_out_is_a_mistake_of_the_app(connect, field):
    client = await connect(answer(headers=[(b"x-fine", b"1"), field]))
    for stream_id in (1, 3):
        await client.send(client.headers(stream_id))
        head, _ = await client.response(stream_id)
        assert head[b":status"] == b"500"
        assert b"x-fine" not in head


@pytest.mark.parametrize("length", [b"4", b"6"])
async def test_a_whole_body_of_another_length_is_answered_500(connect, length):
    client = await connect(answer(headers=[(b"content-length", length)]))
    await client.send(client.headers(1))
    assert (await client.response(1))[0][b":status"] == b"500"


@pytest.mark.parametrize("length", [b"1", b"3"])
async def test_a_streamed_body_of_another_length_is_reset(connect, length):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            headers = [(b"content-length", length)]
            start = {"type": "http.response.start", "status": 200, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await send({"type": "http.response.body", "body": b"y"})

    client = await connect(app)
    await client.send(client.headers(1))
    ended = await client.until(RstStreamFrame, 1)
    assert ended.error_code == ErrorCodes.INTERNAL_ERROR
    assert await client.is_alive()


@pytest.mark.parametrize("te", [True, False])
async def test_trailers_follow_the_body_for_clients_that_take_them(connect, te):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        start = {"type": "http.response.start", "status": 200, "trailers": True}
        await send({**start, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})
        for name, more in ((b"X-One", True), (b"x-two", False)):
            headers = [(name, b"1")]
            message = {"type": "http.response.trailers", "headers": headers}
            await send({**message, "more_trailers": more})

    client = await connect(app)
    fields = get(b"/", (b"te", b"trailers")) if te else get()
    await client.send(client.headers(1, fields))
    await client.until(HeadersFrame, 1)
    body = await client.until(DataFrame, 1)
    assert body.data == b"x"
    assert ("END_STREAM" in body.flags) == (not te)
    if te:
        trailers = await client.until(HeadersFrame, 1)
        assert trailers.fields == [(b"x-one", b"1"), (b"x-two", b"1")]
        assert "END_STREAM" in trailers.flags


async def test_trailers_wait_behind_a_body_that_waits(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            start = {"type": "http.response.start", "status": 200, "trailers": True}
            await send({**start, "headers": []})
            await send({"type": "http.response.body", "body": b"x" * 10})
            message = {"type": "http.response.trailers", "headers": [(b"x", b"1")]}
            await send(message)

    client = await connect(app)
    await client.send(settings(initial_window_size=4))
    await client.send(client.headers(1, get(b"/", (b"te", b"trailers"))))
    assert len((await client.until(DataFrame, 1)).data) == 4
    await client.send(window(1, 100))
    assert len((await client.until(DataFrame, 1)).data) == 6
    assert (await client.until(HeadersFrame, 1)).fields == [(b"x", b"1")]


async def test_early_hints_go_before_the_response(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            links = [b"</style.css>; rel=preload"]
            await send({"type": "http.response.early_hint", "links": links})
            await answer()(scope, receive, send)

    client = await connect(app)
    await client.send(client.headers(1))
    hints = await client.until(HeadersFrame, 1)
    assert hints.fields == [
        (b":status", b"103"),
        (b"link", b"</style.css>; rel=preload"),
    ]
    assert (await client.response(1))[1] == b"hello"


async def test_100_is_sent_only_when_the_app_reads(connect):
    reads = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await reads.wait()
            await record([])(scope, receive, send)

    client = await connect(app)
    fields = [*POST, (b"expect", b"100-continue"), (b"content-length", b"4")]
    await client.send(client.headers(1, fields, end=False))
    await client.send(ping(b"no 100 y"))
    while not isinstance(frame := await client.next(), PingFrame):
        assert not isinstance(frame, HeadersFrame)
    reads.set()
    assert (await client.until(HeadersFrame, 1)).fields == [(b":status", b"100")]
    await client.send(data(1, b"body", end=True))
    assert (await client.response(1))[1] == b"body"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"type": "http.response.pathsend"}, b"0123456789" * 20_000),
        (
            {"type": "quart.response.filesend", "offset": 5, "count": 100_000},
            (b"0123456789" * 20_000)[5:100_005],
        ),
    ],
)
async def test_files_are_sent(connect, tmp_path, message, expected):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789" * 20_000)

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({**message, "path": str(path)})

    client = await connect(app)
    await client.send(client.headers(1))
    head, body = await client.response(1)
    assert body == expected
    assert head[b"content-length"] == b"%d" % len(expected)


# Push


def pushing(path: str, headers=()):
    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        if scope["path"] == "/":
            message = {"type": "http.response.push", "path": path, "headers": headers}
            await send(message)
        await answer(body=scope["path"].encode())(scope, receive, send)

    return app


async def test_a_push_is_promised_and_answered(connect):
    client = await connect(pushing("/style.css?v=1", [(b"Accept", b"text/css")]))
    await client.send(client.headers(1))
    promise = await client.until(PushPromiseFrame, 1)
    assert promise.promised_stream_id == 2
    assert promise.fields == [
        (b":method", b"GET"),
        (b":scheme", b"http"),
        (b":authority", b"localhost"),
        (b":path", b"/style.css?v=1"),
        (b"accept", b"text/css"),
    ]
    bodies = {}
    while len(bodies) < 2:
        frame = await client.until(DataFrame)
        bodies[frame.stream_id] = frame.data
    assert bodies == {1: b"/", 2: b"/style.css"}


@pytest.mark.parametrize("values", [{"enable_push": 0}, {"max_concurrent_streams": 0}])
async def test_a_push_is_dropped_where_the_client_wants_none(connect, values):
    client = await connect(pushing("/style.css"), greet=False)
    await client.greet(**values)
    await client.send(client.headers(1))
    while not isinstance(frame := await client.next(), DataFrame):
        assert not isinstance(frame, PushPromiseFrame)
    assert frame.data == b"/"


async def test_pushes_of_one_request_are_bounded(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            for index in range(30 if scope["path"] == "/" else 0):
                await send({"type": "http.response.push", "path": f"/{index}"})
            await answer()(scope, receive, send)

    client = await connect(app)
    await client.send(client.headers(1))
    ends = 0
    promised = 0
    while ends < 17:
        frame = await client.next()
        promised += isinstance(frame, PushPromiseFrame)
        ends += "END_STREAM" in frame.flags
    assert promised == 16
    assert await client.is_alive()


@pytest.mark.parametrize("path", ["style.css", "/a b", "/ä", None])
async def test_a_push_of_no_path_is_a_mistake_of_the_app(connect, path):
    client = await connect(pushing(path))
    await client.send(client.headers(1))
    assert (await client.response(1))[0][b":status"] == b"500"


async def test_a_pushed_stream_that_is_reset_harms_nobody(connect):
    started = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        if scope["path"] == "/":
            await send({"type": "http.response.push", "path": "/x"})
            await answer()(scope, receive, send)
        else:
            while (await receive())["type"] != "http.disconnect":
                pass
            started.set()

    client = await connect(app)
    await client.send(client.headers(1))
    await client.until(PushPromiseFrame, 1)
    await client.send(reset(2))
    async with asyncio.timeout(10):
        await started.wait()
    assert await client.is_alive()


# Flow control and turns


async def test_send_waits_for_the_windows(connect):
    sent = []

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            body = b"x" * 10_000
            await send({"type": "http.response.body", "body": body, "more_body": True})
            sent.append(len(body))
        await send({"type": "http.response.body"})

    client = await connect(app)
    await client.send(client.headers(1))
    received = 0
    while received < 65_535:
        received += len((await client.until(DataFrame, 1)).data)
    assert await client.is_alive()
    (connection,) = client.worker.context.connections
    assert connection.queued <= 64 * 1024 + 10_000
    assert sum(sent) <= 65_535 + 64 * 1024 + 10_000
    await client.send(window(0, 2_000_000), window(1, 2_000_000))
    while received < 1_000_000:
        received += len((await client.until(DataFrame, 1)).data)
    assert received == 1_000_000


async def test_what_waits_on_all_streams_together_is_bounded(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                body = {"type": "http.response.body", "body": b"x" * 5_000}
                await send({**body, "more_body": True})

    client = await connect(app)
    await client.send(settings(initial_window_size=0))
    await client.send(*(client.headers(i) for i in range(1, 200, 2)))
    for _ in range(100):
        await client.until(HeadersFrame)
    assert await client.is_alive()
    (connection,) = client.worker.context.connections
    assert 256 * 1024 < connection.queued < 1024 * 1024


async def test_a_small_response_does_not_wait_for_a_large_one(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            size = 4_000_000 if scope["path"] == "/large" else 20_000
            await answer(body=b"x" * size)(scope, receive, send)

    client = await connect(app)
    await client.send(window(0, 2**30), settings(initial_window_size=2**30))
    await client.send(client.headers(1, get(b"/large")))
    await client.until(DataFrame, 1)
    await client.send(client.headers(3, get(b"/small")))
    while True:
        frame = await client.next()
        assert frame is not None
        if "END_STREAM" in frame.flags:
            break
    assert frame.stream_id == 3


async def test_urgent_responses_go_first(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer(body=b"x" * 200_000)(scope, receive, send)

    client = await connect(app)
    await client.send(settings(initial_window_size=2**30))
    await client.send(
        client.headers(1, get(b"/", (b"priority", b"u=7"))),
        client.headers(3, get(b"/", (b"priority", b"u=5, i"))),
        client.headers(5, get(b"/", (b"priority", b"u=0"))),
    )
    for _ in range(3):
        await client.until(HeadersFrame)
    await client.send(window(0, 2**30))
    ends = []
    while len(ends) < 3:
        frame = await client.until(DataFrame)
        if "END_STREAM" in frame.flags:
            ends.append(frame.stream_id)
    assert ends == [5, 3, 1]


async def test_priority_update_changes_the_order(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            await answer(body=b"x" * 200_000)(scope, receive, send)

    client = await connect(app)
    await client.send(settings(initial_window_size=2**30))
    early = raw(0x10, 0, 0, (3).to_bytes(4) + b"u=0")
    await client.send(early, client.headers(1), client.headers(3))
    for _ in range(2):
        await client.until(HeadersFrame)
    await client.send(raw(0x10, 0, 0, (1).to_bytes(4) + b"u=7"), window(0, 2**30))
    while True:
        frame = await client.until(DataFrame)
        if "END_STREAM" in frame.flags:
            break
    assert frame.stream_id == 3


# Ends of streams


async def test_a_reset_is_a_disconnect_for_its_app_only(connect):
    seen = []
    release = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        if scope["path"] == "/gone":
            seen.append((await receive())["type"])
            seen.append((await receive())["type"])
            try:
                await answer()(scope, receive, send)
            except OSError as error:
                seen.append(type(error).__name__)
        else:
            await release.wait()
            await answer()(scope, receive, send)

    client = await connect(app)
    await client.send(client.headers(1, get(b"/gone")), client.headers(3))
    assert await client.is_alive()
    await client.send(reset(1))
    await client.worker.settled(lambda: len(seen) == 3)
    assert seen == ["http.request", "http.disconnect", "ClientDisconnectedError"]
    release.set()
    assert (await client.response(3))[1] == b"hello"


async def test_a_lost_connection_is_a_disconnect_for_all_apps(connect):
    seen = []

    async def app(scope, receive, send):
        if scope["type"] == "http":
            while (message := await receive())["type"] != "http.disconnect":
                pass
            seen.append(message["type"])

    client = await connect(app)
    await client.send(*(client.headers(i, POST, end=False) for i in (1, 3, 5)))
    assert await client.is_alive()
    client.client.abort()
    await client.worker.settled(lambda: len(seen) == 3)
    await client.worker.settled(lambda: not client.worker.context.exchanges)


async def test_a_half_closed_client_gets_its_answer(connect):
    release = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await release.wait()
            await answer()(scope, receive, send)

    client = await connect(app)
    await client.send(client.headers(1))
    assert await client.is_alive()
    client.client.end()
    await asyncio.sleep(0.05)
    release.set()
    assert (await client.until(DataFrame, 1)).data == b"hello"
    await client.rest()
    assert client.is_closed


async def test_f_27_client_that_closes_while_its_handlers_wait_is_noticed(connect):
    async def app(scope, receive, send):
        if scope["type"] == "http":
            while (await receive())["type"] != "http.disconnect":
                pass

    client = await connect(app)
    await client.send(client.headers(1), client.headers(3))
    assert await client.is_alive()
    await client.client.close()
    await client.worker.settled(lambda: not client.worker.context.exchanges)


async def test_streams_finish_behind_the_clients_goaway(connect):
    release = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await release.wait()
            await answer()(scope, receive, send)

    client = await connect(app)
    await client.send(client.headers(1), goaway())
    assert await client.is_alive()
    release.set()
    assert (await client.response(1))[1] == b"hello"
    await client.rest()
    assert client.is_closed


# Ends of connections


async def test_shutdown_says_goaway_twice_and_finishes_streams(connect):
    release = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await release.wait()
            await answer()(scope, receive, send)

    client = await connect(app)
    await client.send(client.headers(1))
    assert await client.is_alive()
    client.worker.shutdown.set()
    first = await client.until(GoAwayFrame)
    assert (first.error_code, first.last_stream_id) == (0, 2**31 - 1)
    farewell = await client.until(PingFrame)
    # What was on its way is still taken.
    await client.send(client.headers(3), ping(farewell.opaque_data, ack=True))
    second = await client.until(GoAwayFrame)
    assert (second.error_code, second.last_stream_id) == (0, 3)
    await client.send(client.headers(5))
    release.set()
    done = [frame.stream_id for frame in await client.rest() if frame.stream_id]
    assert sorted(set(done)) == [1, 3]
    assert await client.worker.stop() == 0


async def test_shutdown_does_not_wait_for_a_silent_client(connect):
    client = await connect(answer())
    client.worker.shutdown.set()
    frames = await client.rest()
    lasts = [f.last_stream_id for f in frames if isinstance(f, GoAwayFrame)]
    assert lasts == [2**31 - 1, 0]
    assert await client.worker.stop() == 0


async def test_a_connection_ends_gracefully_after_its_share_of_requests(connect):
    client = await connect(answer(), keep_alive_max_requests=2)
    await client.send(client.headers(1), client.headers(3), client.headers(5))
    frames = await client.rest()
    ended = [f.stream_id for f in frames if "END_STREAM" in getattr(f, "flags", ())]
    assert sorted(ended) == [1, 3, 5]
    assert sum(isinstance(f, GoAwayFrame) for f in frames) == 2


async def test_the_request_limit_of_the_worker_ends_connections(connect):
    client = await connect(answer(), limit_max_requests=2)
    await client.send(client.headers(1), client.headers(3))
    bodies = {}
    while len(bodies) < 2:
        frame = await client.until(DataFrame)
        bodies[frame.stream_id] = frame.data
    assert bodies == {1: b"hello", 3: b"hello"}
    async with asyncio.timeout(10):
        assert await client.worker.task == 0


# Times


async def test_a_silent_client_is_closed(connect):
    client = await connect(answer(), greet=False, h2_preface_timeout=0.3)
    await client.send(PREFACE)
    assert await client.error() == ("connection", ErrorCodes.SETTINGS_TIMEOUT)


async def test_settings_must_be_acknowledged_in_time(connect):
    client = await connect(
        record([]), greet=False, h2_preface_timeout=0.2, h2_settings_timeout=0.5
    )
    await client.send(PREFACE, settings(), client.headers(1, POST, end=False))
    assert await client.error() == ("connection", ErrorCodes.SETTINGS_TIMEOUT)


async def test_a_header_block_must_end_in_time(connect):
    client = await connect(answer(), header_timeout=0.3)
    await client.send(client.headers(1, end_headers=False))
    assert await client.error() == ("connection", ErrorCodes.ENHANCE_YOUR_CALM)


async def test_a_frame_must_end_in_time(connect):
    client = await connect(answer(), header_timeout=0.3)
    await client.send(client.headers(1)[:12])
    assert await client.error() == ("connection", ErrorCodes.ENHANCE_YOUR_CALM)


async def test_an_idle_connection_is_closed(connect):
    client = await connect(answer(), keep_alive_timeout=0.3)
    await client.send(client.headers(1))
    await client.response(1)
    assert await client.error() == ("connection", ErrorCodes.NO_ERROR)
    assert await client.next() is None


async def test_a_connection_without_any_request_is_closed(connect):
    client = await connect(answer(), first_byte_timeout=0.3)
    assert await client.error() == ("connection", ErrorCodes.NO_ERROR)


async def test_a_body_that_does_not_come_is_answered_408(connect):
    seen: list = []
    client = await connect(record(seen), body_timeout=0.3)
    await client.send(client.headers(1, POST, end=False), data(1, b"x" * 20))
    head = await client.until(HeadersFrame, 1)
    assert head.fields[0] == (b":status", b"408")
    await client.worker.settled(lambda: bool(seen))
    assert seen[0][2] == "http.disconnect"
    assert await client.is_alive()


async def test_a_body_that_comes_in_drips_is_answered_408(connect):
    client = await connect(
        record([]), body_timeout=0.4, body_grace=0.1, body_min_rate=1_000
    )
    await client.send(client.headers(1, POST, end=False))

    async def drip():
        while True:
            await client.send(data(1, b"x" * 20))
            await asyncio.sleep(0.1)

    task = asyncio.create_task(drip())
    try:
        head = await client.until(HeadersFrame, 1)
    finally:
        task.cancel()
    assert head.fields[0] == (b":status", b"408")


async def test_an_app_that_does_not_read_is_no_fault_of_the_client(connect):
    release = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            await release.wait()
            await record([])(scope, receive, send)

    client = await connect(app, body_timeout=0.3)
    await client.send(client.headers(1, POST, end=False), data(1, b"x" * 20))
    await asyncio.sleep(1.0)
    release.set()
    await client.send(data(1, b"y", end=True))
    assert (await client.response(1))[1] == b"x" * 20 + b"y"


# The log


async def test_each_stream_has_a_line_in_the_access_log(connect, caplog):
    caplog.set_level("INFO", logger="quart_server.access")
    client = await connect(answer(), access_log=True)
    await client.send(client.headers(1, get(b"/one")))
    await client.response(1)
    await client.send(client.headers(3, get(b"/a#b")))
    await client.response(3)
    lines = [r.getMessage() for r in caplog.records if r.name == "quart_server.access"]
    assert '"GET /one HTTP/2" 200 5' in lines[0]
    assert lines[0].endswith("complete")
    assert " 400 " in lines[1]


async def test_a_response_that_did_not_get_out_is_logged_as_such(connect, caplog):
    caplog.set_level("INFO", logger="quart_server.access")
    client = await connect(answer(body=b"x" * 100), access_log=True)
    await client.send(settings(initial_window_size=10), client.headers(1))
    await client.until(DataFrame, 1)
    await client.send(reset(1))
    assert await client.is_alive()
    (line,) = [
        r.getMessage() for r in caplog.records if r.name == "quart_server.access"
    ]
    assert line.endswith("client closed")


async def test_windows_of_bodies_taken_whole_are_given_back(connect):
    size, count = 16_000, 10  # more than a connection's first window

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        body = receive.__self__.take_whole_body()
        while body is None:
            await asyncio.sleep(0)
            body = receive.__self__.take_whole_body()
        slow = send.__self__.respond_whole(200, [], b"%d" % len(body))
        if slow is not None:
            await slow

    client = await connect(app)
    for number in range(count):
        stream = 2 * number + 1
        await client.send(
            client.headers(stream, POST, end=False),
            data(stream, b"x" * size, end=True),
        )
        head, body = await client.response(stream)
        assert (head[b":status"], body) == (b"200", b"%d" % size)
