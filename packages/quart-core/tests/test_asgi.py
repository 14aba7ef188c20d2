"""The HTTP connection: scopes, clients that leave, timeouts, bodies in steps."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from core_driver import Answer, Driver
from quart_core import ClientDisconnectedError, Quart, Response, abort, g, request
from quart_core.asgi import (
    ASGIHTTPConnection,
    _convert_os_error,
    _convert_version,
    _handle_exception,
)

LIMIT = 5.0
BARE_SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/"}


class Wire:
    """One request whose events the test sends one by one."""

    def __init__(self, app: Any, *, stalls: bool = False, **scope: Any) -> None:
        self.answer = Answer()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.received = 0
        self.open = asyncio.Event()
        if not stalls:
            self.open.set()
        self.refuses = False
        self.task = asyncio.create_task(
            app({**BARE_SCOPE, **scope}, self._receive, self._send)
        )

    async def _receive(self) -> dict[str, Any]:
        event = await self.events.get()
        self.received += 1
        return event

    async def _send(self, message: dict[str, Any]) -> None:
        if self.refuses:
            raise OSError("the client has left")
        await self.open.wait()
        self.answer.messages.append(message)

    def body(self, data: bytes, *, more: bool = False) -> None:
        self.events.put_nowait(
            {"type": "http.request", "body": data, "more_body": more}
        )

    def leave(self) -> None:
        self.events.put_nowait({"type": "http.disconnect"})

    async def end(self) -> None:
        await asyncio.wait_for(self.task, LIMIT)

    @property
    def sent(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.answer.messages)


async def turns(count: int = 20) -> None:
    """Let other tasks go on until they wait for something."""
    for _ in range(count):
        await asyncio.sleep(0)


# Scopes


async def test_a_scope_with_only_what_is_needed_works() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> dict[str, Any]:
        return {
            "scheme": request.scheme,
            "http_version": request.http_version,
            "root_path": request.root_path,
            "query": request.query_string.decode(),
            "remote": request.remote_addr,
            "args": dict(request.args),
        }

    wire = Wire(app)
    await wire.end()
    assert wire.answer.messages[0]["status"] == 200
    assert wire.sent == (
        b'{"args":{},"http_version":"1.1","query":"","remote":"<local>",'
        b'"root_path":"","scheme":"http"}\n'
    )


@pytest.mark.parametrize(
    ("root_path", "path", "expected"),
    [
        ("", "/view", 200),
        ("/root", "/root/view", 200),
        ("/root/", "/root/view", 200),
        ("/root", "/view", 404),
        ("/root", "/rootview", 404),
        ("/root", "/rootx/view", 404),
        ("/root", "/x/root/view", 404),
        ("/root", "/root", 201),
        ("/root", "/root/", 201),
        ("/a/b", "/a/b/view", 200),
    ],
)
async def test_root_path_counts_on_segment_borders(
    root_path: str, path: str, expected: int
) -> None:
    app = Quart(__name__)

    @app.get("/view")
    async def view() -> str:
        return ""

    @app.get("/")
    async def home() -> tuple[str, int]:
        return "", 201

    answer = await Driver(app).get(path, root_path=root_path)
    assert answer.status == expected


async def test_urls_are_built_below_the_root_path() -> None:
    app = Quart(__name__)

    @app.get("/view")
    async def view() -> str:
        return app.url_for("view") + " " + app.url_for("view", _external=True)

    answer = await Driver(app).get("/root/view", root_path="/root")
    assert answer.text == "/root/view http://localhost/root/view"


# The client leaves


async def test_a_waiting_handler_is_cancelled_when_the_client_leaves() -> None:
    app = Quart(__name__)
    ended = []
    waiting = asyncio.Event()

    @app.get("/")
    async def view() -> str:
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return ""

    wire = Wire(app)
    await waiting.wait()
    wire.body(b"")
    wire.leave()
    await wire.end()
    assert ended == ["cancelled"]
    assert wire.answer.messages == []


async def test_a_handler_reading_the_body_is_told_that_the_client_left() -> None:
    app = Quart(__name__)
    got: list[Any] = []

    @app.post("/")
    async def view() -> str:
        try:
            async for chunk in request.body:
                got.append(chunk)  # noqa: PERF401 - those before the end count
        except ClientDisconnectedError:
            got.append("left")
            raise
        return ""

    wire = Wire(app, method="POST")
    wire.body(b"half", more=True)
    wire.leave()
    await wire.end()
    assert got == [b"half", "left"]
    assert wire.answer.messages == []


async def test_a_client_that_leaves_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Quart(__name__)
    handled = []

    @app.errorhandler(Exception)
    async def handle(error: Exception) -> str:
        handled.append(error)
        return ""

    @app.post("/")
    async def view() -> Any:
        return await request.get_data()

    wire = Wire(app, method="POST")
    wire.leave()
    await wire.end()
    assert handled == []
    assert caplog.records == []


async def test_a_stream_ends_when_the_client_leaves() -> None:
    app = Quart(__name__)
    ended = []

    @app.get("/")
    async def view() -> Any:
        async def items() -> AsyncIterator[str]:
            try:
                while True:
                    yield "tick"
                    await asyncio.sleep(0)
            finally:
                ended.append("closed")

        return items()

    wire = Wire(app)
    wire.body(b"")
    await turns()
    wire.leave()
    await wire.end()
    assert ended == ["closed"]


async def test_a_stream_ends_when_the_server_refuses_to_send() -> None:
    app = Quart(__name__)
    ended = []

    @app.get("/")
    async def view() -> Any:
        async def items() -> AsyncIterator[str]:
            try:
                while True:
                    yield "tick"
                    await asyncio.sleep(0)
            finally:
                ended.append("closed")

        return items()

    wire = Wire(app)
    await turns()
    wire.refuses = True
    await wire.end()
    assert ended == ["closed"]


async def test_an_os_error_of_the_application_is_not_taken_for_the_client() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> Any:
        async def items() -> AsyncIterator[str]:
            yield "one"
            raise FileNotFoundError("the application's own")

        return items()

    with pytest.raises(FileNotFoundError, match="own"):
        await Driver(app).get("/")


async def test_a_generator_that_never_started_is_closed() -> None:
    app = Quart(__name__)
    closed = []

    class Items:
        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> str:
            raise AssertionError("a HEAD request has no body")

        async def aclose(self) -> None:
            closed.append("closed")

    @app.get("/")
    async def view() -> Response:
        return Response(Items())

    answer = await Driver(app)("HEAD", "/")
    assert answer.status == 200
    assert answer.complete
    assert closed == ["closed"]


async def test_the_server_cancelling_the_request_is_passed_on() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        await asyncio.Event().wait()
        return ""

    wire = Wire(app)
    await turns()
    wire.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wire.end()


async def test_a_task_group_that_failed_in_a_view_does_not_end_its_request() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        async def fail() -> None:
            await asyncio.sleep(0)
            raise ValueError("in the group")

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail())
                group.create_task(asyncio.sleep(10))
        except* ValueError:
            pass
        return "caught"

    assert (await Driver(app).get("/")).text == "caught"


# Back-pressure


async def test_an_unread_body_is_not_taken_from_the_server() -> None:
    app = Quart(__name__)
    proceed = asyncio.Event()

    @app.post("/")
    async def view() -> str:
        await proceed.wait()
        size = 0
        async for chunk in request.body:
            size += len(chunk)
        return str(size)

    wire = Wire(app, method="POST")
    for _ in range(100):
        wire.body(bytes(16_384), more=True)
    wire.body(b"")
    await turns(200)
    assert wire.received * 16_384 <= 5 * 16_384
    proceed.set()
    await wire.end()
    assert wire.sent == str(100 * 16_384).encode()


async def test_a_stream_waits_for_a_client_that_does_not_read() -> None:
    app = Quart(__name__)
    made = []

    @app.get("/")
    async def view() -> Any:
        async def items() -> AsyncIterator[str]:
            for number in range(100):
                made.append(number)
                yield str(number)

        return items()

    wire = Wire(app, stalls=True)
    await turns(200)
    assert made == []
    wire.open.set()
    await wire.end()
    assert len(made) == 100


# Timeouts


@pytest.mark.parametrize("waits_before", [False, True])
async def test_a_response_that_takes_too_long_is_ended(
    waits_before: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.01
    ended = []

    @app.get("/")
    async def view() -> Any:
        if waits_before:
            await asyncio.sleep(0)

        async def items() -> AsyncIterator[str]:
            try:
                yield "first"
                await asyncio.Event().wait()
            finally:
                ended.append("closed")

        return items()

    wire = Wire(app)
    await wire.end()
    assert ended == ["closed"]
    assert wire.sent == b"first"
    assert wire.answer.messages[-1]["more_body"] is True
    (record,) = caplog.records
    assert "RESPONSE_TIMEOUT" in record.getMessage()


async def test_a_stalled_client_ends_a_plain_response_too() -> None:
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.01

    @app.get("/")
    async def view() -> str:
        return "text"

    wire = Wire(app, stalls=True)
    await wire.end()
    assert wire.answer.messages == []


async def test_a_response_may_have_its_own_timeout() -> None:
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.01

    @app.get("/")
    async def view() -> Response:
        async def items() -> AsyncIterator[str]:
            yield "first"
            await asyncio.sleep(0.05)
            yield "second"

        response = Response(items())
        response.timeout = None
        return response

    answer = await Driver(app).get("/")
    assert answer.body == b"firstsecond"


async def test_a_generator_that_swallows_the_end_is_ended_all_the_same() -> None:
    app = Quart(__name__)
    app.config["RESPONSE_TIMEOUT"] = 0.01

    @app.get("/")
    async def view() -> Any:
        async def items() -> AsyncIterator[str]:
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.001)
                yield "again"

        return items()

    wire = Wire(app)
    await wire.end()
    # On a busy machine not even the first item may have been sent by then.
    assert all(message["more_body"] is True for message in wire.answer.messages[1:])


async def test_a_body_that_takes_too_long_is_a_408() -> None:
    app = Quart(__name__)
    app.config["BODY_TIMEOUT"] = 0.01

    @app.post("/")
    async def view() -> Any:
        return await request.get_data()

    wire = Wire(app, method="POST")
    wire.body(b"half", more=True)
    await wire.end()
    assert wire.answer.messages[0]["status"] == 408


# Files


async def file_messages(
    tmp_path: Path, extensions: dict[str, Any], **options: Any
) -> Any:
    """Return the messages for a file of 1,000,000 bytes."""
    path = tmp_path / "file.bin"
    path.write_bytes(bytes(1_000_000))
    app = Quart(__name__)

    @app.get("/")
    async def view() -> Any:
        from quart_core import send_file

        return await send_file(path, conditional=True)

    answer = await Driver(app).get("/", extensions=extensions, **options)
    return path, answer.messages


async def test_a_file_goes_out_by_the_server_where_it_can(tmp_path: Path) -> None:
    path, messages = await file_messages(tmp_path, {"http.response.pathsend": {}})
    assert messages[1] == {"type": "http.response.pathsend", "path": str(path)}
    assert len(messages) == 2


async def test_a_range_of_a_file_goes_out_by_our_own_extension(tmp_path: Path) -> None:
    both: dict[str, Any] = {"http.response.pathsend": {}, "quart.response.filesend": {}}
    path, messages = await file_messages(
        tmp_path, both, headers=[("Range", "bytes=100000-199998")]
    )
    assert messages[0]["status"] == 206
    assert messages[1] == {
        "type": "quart.response.filesend",
        "path": str(path),
        "offset": 100_000,
        "count": 99_999,
    }


async def test_a_range_is_read_here_where_only_whole_files_can_be_sent(
    tmp_path: Path,
) -> None:
    _, messages = await file_messages(
        tmp_path,
        {"http.response.pathsend": {}},
        headers=[("Range", "bytes=100000-199998")],
    )
    body = b"".join(message.get("body", b"") for message in messages[1:])
    assert len(body) == 99_999
    assert {message["type"] for message in messages[1:]} == {"http.response.body"}


# Server push


@pytest.mark.parametrize("extensions", [{"http.response.early_hint": {}}, {}, None])
async def test_early_hints_need_the_extension(extensions: Any) -> None:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        await request.send_early_hints()
        await request.send_early_hints("</a.css>; rel=preload", "</é>")
        return "late"

    wire = Wire(app, extensions=extensions)
    wire.body(b"")
    await wire.end()
    hints = {
        "type": "http.response.early_hint",
        "links": [b"</a.css>; rel=preload", b"</\xe9>"],
    }
    *early, start, _ = wire.answer.messages
    assert start["type"] == "http.response.start"
    assert early == ([hints] if extensions else [])


async def test_push_promises_need_the_extension() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> Response:
        await request.send_push_promise("/style.css")
        response = Response("page")
        response.push_promises.add("/script.js")
        return response

    answer = await Driver(app).get("/")
    assert [message["type"] for message in answer.messages] == [
        "http.response.start",
        "http.response.body",
    ]
    answer = await Driver(app).get(
        "/",
        headers=[("Accept", "text/css"), ("X-Other", "no")],
        extensions={"http.response.push": {}},
    )
    pushes = [
        (message["path"], message["headers"])
        for message in answer.messages
        if message["type"] == "http.response.push"
    ]
    assert pushes == [("/style.css", [(b"accept", b"text/css")]), ("/script.js", [])]


# Websockets without quart-ws


async def test_a_websocket_is_closed_where_nothing_serves_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class App(Quart):
        @property
        def asgi_websocket_class(self) -> Any:  # type: ignore[override]
            raise AttributeError("app.asgi_websocket_class needs quart-ws")

    app = App(__name__)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    sent: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    for _ in range(2):
        await app({"type": "websocket", "path": "/"}, receive, send)  # type: ignore[arg-type,typeddict-item]
    assert sent == ["websocket.close"] * 2
    assert caplog.text.count("quart-ws") == 1


# Nothing is left


def make_leak_app(finalized: list[str]) -> Quart:
    """Return an app each of whose requests must note its end exactly once."""
    app = Quart(__name__)
    app.config["MAX_CONTENT_LENGTH"] = None

    @app.teardown_request
    async def teardown(exc: Any) -> None:
        finalized.append("teardown")

    @app.post("/read")
    async def read() -> str:
        await request.get_data()
        return "read"

    @app.post("/upload")
    async def upload() -> str:
        return str(len(await request.files))

    @app.post("/stream")
    async def stream() -> Any:
        async def items() -> AsyncIterator[bytes]:
            try:
                for _ in range(20):
                    yield bytes(100)
                    await asyncio.sleep(0)
            finally:
                finalized.append("stream")

        return items()

    @app.post("/wait")
    async def wait() -> str:
        try:
            for _ in range(20):
                await asyncio.sleep(0)
        finally:
            finalized.append("wait")
        return "waited"

    return app


async def leave_at_random(app: Any, path: str, random_: random.Random) -> None:
    """Make one request whose client leaves at a random moment."""
    wire = Wire(
        app,
        method="POST",
        path=path,
        headers=[(b"content-type", b"multipart/form-data; boundary=edge")],
    )
    part = b'--edge\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    steps: list[Callable[[], None]] = [
        lambda: wire.body(part, more=True),
        lambda: wire.body(bytes(600), more=True),
        lambda: wire.body(b"\r\n--edge--\r\n"),
    ]
    for step in steps[: random_.randrange(4)]:
        step()
        await turns(random_.randrange(3))
    await turns(random_.randrange(30))
    if random_.random() < 0.3:
        wire.refuses = True
    wire.leave()
    await wire.end()


async def test_clients_leaving_at_any_moment_leave_nothing_behind() -> None:
    finalized: list[str] = []
    app = make_leak_app(finalized)
    random_ = random.Random(7)
    tasks_before = asyncio.all_tasks()
    paths = ["/read", "/upload", "/stream", "/wait"]
    count = 2_000
    for _ in range(count // 20):
        await asyncio.gather(
            *(leave_at_random(app, random_.choice(paths), random_) for _ in range(20))
        )
    assert finalized.count("teardown") == count
    assert asyncio.all_tasks() == tasks_before


async def test_every_started_stream_is_finalized_once() -> None:
    for path in ("/stream", "/wait"):
        finalized: list[str] = []
        app = make_leak_app(finalized)
        random_ = random.Random(11)
        for _ in range(200):
            finalized.clear()
            await leave_at_random(app, path, random_)
            assert finalized.count(path[1:]) <= 1
            assert finalized.count("teardown") == 1


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/fails", "/waits", "/aborts", "/unhandled"]
)
async def test_request_and_context_are_freed_without_the_collector(path: str) -> None:
    app = Quart(__name__)
    gone: list[Any] = []

    @app.before_request
    async def remember() -> None:
        from quart_core import request_ctx

        g.value = object()
        gone.append(weakref.ref(request._get_current_object()))  # type: ignore[attr-defined]
        gone.append(weakref.ref(request_ctx._get_current_object()))  # type: ignore[attr-defined]

    @app.get("/")
    async def view() -> str:
        return ""

    @app.get("/fails")
    async def fails() -> str:
        raise ValueError

    @app.get("/waits")
    async def waits() -> str:
        await asyncio.sleep(0)
        return ""

    @app.get("/aborts")
    async def aborts() -> str:
        abort(404)

    @app.get("/unhandled")
    async def unhandled() -> str:
        raise KeyError

    @app.errorhandler(ValueError)
    async def handle(error: ValueError) -> str:
        return "handled"

    # What keeps records keeps exceptions, and these their frames.
    app.logger.disabled = True
    driver = Driver(app)
    await driver.get(path)
    gone.clear()
    gc.collect()
    gc.disable()
    try:
        await driver.get(path)
        await turns(3)
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


def test_an_app_is_freed_without_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        app = Quart(__name__)

        @app.get("/")
        async def view() -> str:
            return ""

        async def use(app: Quart) -> None:
            assert (await Driver(app).get("/")).status == 200

        asyncio.run(use(app))
        gone = weakref.ref(app)
        del app, view
        assert gone() is None
    finally:
        gc.enable()


# Overriding


async def test_a_connection_may_have_a_call_of_its_own() -> None:
    """As that of quart-trio, which hands the request on in its own way."""
    ended = []

    class Connection(ASGIHTTPConnection):
        async def __call__(self, receive: Any, send: Any) -> None:
            request = self._create_request_from_scope(send)
            request.set_receive(receive)
            response = await self.app.handle_request(request)
            await self._send_response(send, response)

    app = Quart(__name__)
    app.asgi_http_class = Connection

    @app.get("/")
    async def index() -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        response = Response(parts())
        response.call_on_close(lambda: ended.append(response.status_code))
        return response

    assert (await Driver(app).get("/")).body == b"ab"
    assert ended == [200]


async def test_the_connection_class_can_be_replaced() -> None:
    seen = []

    class Connection(ASGIHTTPConnection):
        async def handle_request(self, request: Any, send: Any) -> None:
            seen.append(request.path)
            await super().handle_request(request, send)

    app = Quart(__name__)
    app.asgi_http_class = Connection
    assert (await Driver(app).get("/x")).status == 404
    assert seen == ["/x"]


# What Quart's own tests and quart-trio import.


def test_versions_are_lists_of_numbers() -> None:
    assert _convert_version("2.1") == [2, 1]


async def test_a_converted_send_says_that_the_client_has_left() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message is None:
            raise ConnectionResetError

    converted = _convert_os_error(send)
    await converted({"type": "http.response.start"})
    assert sent == [{"type": "http.response.start"}]
    with pytest.raises(ClientDisconnectedError):
        await converted(None)


async def test_exceptions_are_shown_in_debug_mode_and_raised_otherwise() -> None:
    app = Quart(__name__)
    app.debug = True
    assert (await _handle_exception(app, ValueError())).status_code == 500
    app.debug = False
    with pytest.raises(ValueError):
        await _handle_exception(app, ValueError())


async def test_an_absolute_target_is_its_path() -> None:
    app = Quart(__name__)

    @app.get("/a")
    async def a() -> str:
        return request.path

    assert (await Driver(app).get("http://example.com/a")).text == "/a"
