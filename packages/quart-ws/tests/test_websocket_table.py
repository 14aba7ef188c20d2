"""Websocket table: what an application's behaviour means in ASGI messages."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from quart_core import (
    Quart,
    Response,
    abort,
    current_app,
    g,
    has_request_context,
    has_websocket_context,
    request,
    session,
    url_for,
    websocket,
)
from ws_driver import RESPONSES, Client, talk, turns, visit

ACCEPT: dict[str, Any] = {
    "type": "websocket.accept",
    "subprotocol": None,
    "headers": [],
}


def make_app(handler: Any, path: str = "/") -> Quart:
    app = Quart(__name__)
    app.add_websocket(path, "handler", handler)
    return app


# Row: first receive or send


async def test_the_first_receive_accepts() -> None:
    async def handler() -> None:
        await websocket.receive()

    client = await visit_with(make_app(handler), "one")
    assert client.messages[0] == ACCEPT


async def test_the_first_send_accepts() -> None:
    async def handler() -> None:
        await websocket.send("one")

    client = await visit(make_app(handler))
    assert client.types == ["accept", "send", "close"]
    assert client.messages[0] == ACCEPT


async def test_accept_takes_headers_and_a_subprotocol() -> None:
    async def handler() -> None:
        await websocket.accept(headers={"X-Name": "value"}, subprotocol="chat")

    client = await visit(make_app(handler), subprotocols=["chat", "other"])
    assert client.messages[0] == {
        "type": "websocket.accept",
        "subprotocol": "chat",
        "headers": [(b"x-name", b"value")],
    }


async def test_accepting_again_is_ignored() -> None:
    async def handler() -> None:
        await websocket.accept()
        await websocket.accept(headers={"X-Late": "1"})
        await websocket.send("one")

    client = await visit(make_app(handler))
    assert client.types == ["accept", "send", "close"]
    assert client.messages[0] == ACCEPT


# Row: spec_version 2.0


async def test_a_server_of_version_2_0_gets_no_headers() -> None:
    async def handler() -> None:
        await websocket.accept(headers={"X-Name": "value"})

    with pytest.warns(UserWarning, match="not sent"):
        client = await visit(make_app(handler), asgi={"spec_version": "2.0"})
    assert client.messages[0] == {
        "type": "websocket.accept",
        "subprotocol": None,
        "headers": [],
    }


async def test_without_headers_there_is_nothing_to_warn_of() -> None:
    async def handler() -> None:
        await websocket.accept()

    client = await visit(make_app(handler), asgi={"spec_version": "2.0"})
    assert client.types == ["accept", "close"]
    client = await visit(make_app(handler), asgi={})
    assert client.types == ["accept", "close"]


# Row: rejected before it is accepted


async def returns_text() -> str:
    return "no"


async def returns_tuple() -> tuple[str, int, dict[str, str]]:
    return "no", 401, {"X-Why": "who"}


async def returns_json() -> tuple[dict[str, str], int]:
    return {"error": "no"}, 429


async def aborts() -> None:
    abort(403)


async def aborts_with_response() -> None:
    abort(Response("own", 418))


async def raises() -> None:
    raise ValueError("before accepting")


async def streams() -> Any:
    async def parts() -> Any:
        yield "n"
        yield b"o"

    return parts(), 503


REJECTIONS = [
    (returns_text, 200, b"no"),
    (returns_tuple, 401, b"no"),
    (returns_json, 429, b'{"error":"no"}\n'),
    (aborts, 403, b"Forbidden"),
    (aborts_with_response, 418, b"own"),
    (raises, 500, b"Internal Server Error"),
    (streams, 503, b"no"),
]


@pytest.mark.parametrize(("handler", "status", "body"), REJECTIONS)
async def test_a_result_before_accepting_is_a_response(
    handler: Any, status: int, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = await visit(make_app(handler), extensions=RESPONSES)
    assert client.status == status
    assert body in client.body
    assert set(client.types) == {"http.response.start", "http.response.body"}
    assert client.messages[-1].get("more_body", False) is False
    assert len(caplog.records) == (handler is raises)


@pytest.mark.parametrize(("handler", "_status", "_body"), REJECTIONS)
async def test_without_the_extension_a_rejection_is_a_close_1000(
    handler: Any, _status: int, _body: bytes
) -> None:
    client = await visit(make_app(handler))
    assert client.messages == [{"type": "websocket.close", "code": 1000, "reason": ""}]


async def test_a_rejection_has_the_headers_of_its_response() -> None:
    client = await visit(make_app(returns_tuple), extensions=RESPONSES)
    assert client.response_headers["X-Why"] == "who"
    assert client.response_headers["Content-Length"] == "2"


# Row: None without accepting


@pytest.mark.parametrize("extensions", [{}, RESPONSES])
async def test_nothing_is_sent_for_none_without_accepting(extensions: Any) -> None:
    async def handler() -> None:
        return None

    client = await visit(make_app(handler), extensions=extensions)
    assert client.messages == []


# Row: value after accepting


async def test_a_value_after_accepting_is_ignored() -> None:
    async def handler() -> str:
        await websocket.accept()
        return "ignored"

    client = await visit(make_app(handler), extensions=RESPONSES)
    assert client.messages[1:] == [
        {"type": "websocket.close", "code": 1000, "reason": ""}
    ]


async def test_none_after_accepting_closes_with_1000() -> None:
    async def handler() -> None:
        await websocket.accept()

    client = await visit(make_app(handler))
    assert client.close_code == 1000


# Row: exception after accepting


async def test_an_exception_after_accepting_is_logged_and_closes_with_1011(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler() -> None:
        await websocket.send("one")
        raise ValueError("in the handler")

    client = await visit(make_app(handler), extensions=RESPONSES)
    assert client.types == ["accept", "send", "close"]
    assert client.close_code == 1011
    (record,) = caplog.records
    assert record.getMessage() == "Exception on websocket GET '/'"
    assert record.exc_info is not None


async def test_an_exception_with_a_handler_closes_with_1011_but_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler() -> None:
        await websocket.accept()
        raise ValueError("in the handler")

    app = make_app(handler)
    handled = []

    @app.errorhandler(ValueError)
    async def handle(error: ValueError) -> str:
        handled.append(str(error))
        return "ignored"

    client = await visit(app)
    assert client.types == ["accept", "close"]
    assert client.close_code == 1011
    assert handled == ["in the handler"]
    assert caplog.records == []


# Row: close


async def test_close_sends_code_and_reason() -> None:
    async def handler() -> None:
        await websocket.accept()
        await websocket.close(4001, "enough")

    client = await visit(make_app(handler))
    assert client.messages[1:] == [
        {"type": "websocket.close", "code": 4001, "reason": "enough"}
    ]


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
async def test_reasons_need_version_2_3(version: str) -> None:
    async def handler() -> None:
        await websocket.accept()
        await websocket.close(4001, "enough")

    client = await visit(make_app(handler), asgi={"spec_version": version})
    assert client.messages[1:] == [{"type": "websocket.close", "code": 4001}]


async def test_close_before_accepting_rejects() -> None:
    async def handler() -> None:
        await websocket.close(4003, "not you")

    client = await visit(make_app(handler), extensions=RESPONSES)
    assert client.messages == [
        {"type": "websocket.close", "code": 4003, "reason": "not you"}
    ]


async def test_closing_twice_is_an_error() -> None:
    caught = []

    async def handler() -> None:
        await websocket.accept()
        await websocket.close(1000)
        try:
            await websocket.close(1000)
        except RuntimeError as error:
            caught.append(str(error))

    client = await visit(make_app(handler))
    assert client.types == ["accept", "close"]
    assert caught == ["The websocket was closed before: close() it once."]


async def test_accepting_after_closing_is_an_error() -> None:
    async def handler() -> None:
        await websocket.close(1000)
        with pytest.raises(RuntimeError, match="cannot be accepted"):
            await websocket.accept()

    client = await visit(make_app(handler))
    assert client.types == ["close"]


async def test_sending_after_closing_in_the_same_task_is_an_error() -> None:
    async def handler() -> None:
        await websocket.accept()
        await websocket.close(1000)
        with pytest.raises(RuntimeError, match="This task closed the websocket"):
            await websocket.send("late")

    client = await visit(make_app(handler))
    assert client.types == ["accept", "close"]


async def test_a_reason_that_fits_no_frame_is_an_error() -> None:
    async def handler() -> None:
        await websocket.accept()
        with pytest.raises(ValueError, match="124 bytes"):
            await websocket.close(1000, "ä" * 62)
        await websocket.close(1000, "ä" * 61)

    client = await visit(make_app(handler))
    assert client.messages[-1]["reason"] == "ä" * 61


async def test_a_code_that_may_not_be_sent_is_an_error_that_closes_with_1011() -> None:
    errors = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await websocket.close(1005)
        except ValueError as error:
            errors.append(str(error))
            raise

    client = await visit(make_app(handler))
    assert "close code 1005 cannot be sent" in errors[0]
    assert client.close_code == 1011


async def test_before_accepting_any_code_rejects_as_none_is_sent() -> None:
    async def handler() -> None:
        await websocket.close(403)

    client = await visit(make_app(handler))
    assert client.types == ["close"]


# Row: send


@pytest.mark.parametrize("data", [b"bytes", bytearray(b"bytes"), memoryview(b"bytes")])
async def test_text_is_sent_as_text_and_the_rest_as_bytes(data: Any) -> None:
    async def handler() -> None:
        await websocket.send("text")
        await websocket.send(data)
        await websocket.send("")
        await websocket.send(b"")

    client = await visit(make_app(handler))
    assert client.messages[1:-1] == [
        {"type": "websocket.send", "text": "text"},
        {"type": "websocket.send", "bytes": b"bytes"},
        {"type": "websocket.send", "text": ""},
        {"type": "websocket.send", "bytes": b""},
    ]


async def test_what_is_no_data_is_refused_with_advice() -> None:
    async def handler() -> None:
        with pytest.raises(TypeError, match=r"not dict: use send_json"):
            await websocket.send({"a": 1})
        with pytest.raises(TypeError, match="not NoneType"):
            await websocket.send(None)

    client = await visit(make_app(handler))
    assert client.types == ["accept", "close"]


async def test_a_handler_that_only_sends_lets_others_go_on() -> None:
    async def handler() -> None:
        other = asyncio.create_task(turns(10))
        sent = 0
        while not other.done():
            await websocket.send("more")
            sent += 1
            assert sent < 1000

    client = await visit(make_app(handler))
    assert client.close_code == 1000


# Row: receive


async def test_receive_gives_text_and_bytes_also_empty_ones() -> None:
    got = []

    async def handler() -> None:
        got.extend([await websocket.receive() for _ in range(4)])

    client = Client(make_app(handler))
    client.text("text", "")
    client.binary(b"bytes", b"")
    await client.end()
    assert got == ["text", "", b"bytes", b""]


async def test_ws_08_empty_frames_are_messages_like_any_other() -> None:
    async def handler() -> None:
        async for message in websocket:
            await websocket.send(message)

    client = Client(make_app(handler))
    client.binary(b"", b"")
    await client.take(2)
    client.leave()
    await client.end()
    assert client.data == [b"", b""]


# Row: JSON


async def test_send_json_takes_one_value_several_or_keywords() -> None:
    async def handler() -> None:
        await websocket.send_json({"a": 1})
        await websocket.send_json([1])
        await websocket.send_json(1, 2)
        await websocket.send_json(b=2)
        await websocket.send_json()
        with pytest.raises(TypeError, match="not both"):
            await websocket.send_json(1, b=2)

    client = await visit(make_app(handler))
    assert [data.replace(" ", "") for data in client.data] == [
        '{"a":1}',
        "[1]",
        "[1,2]",
        '{"b":2}',
        "null",
    ]


async def test_receive_json_reads_text_and_bytes() -> None:
    got = []

    async def handler() -> None:
        got.append(await websocket.receive_json())
        got.append(await websocket.receive_json())
        with pytest.raises(ValueError, match="Expecting"):
            await websocket.receive_json()

    client = Client(make_app(handler))
    client.text('{"a": [1]}')
    client.binary(b"true")
    client.text("no json")
    await client.end()
    assert got == [{"a": [1]}, True]


# Row: client disconnects (more in test_leaving)


async def test_a_client_that_leaves_cancels_the_handler_and_is_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = []

    async def handler() -> None:
        try:
            while True:
                await websocket.receive()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with caplog.at_level(logging.DEBUG):
        client = await talk(make_app(handler), "/", "one")
    assert ended == ["cancelled"]
    assert client.types == ["accept"]
    assert caplog.records == []


# Row: no such route


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/page", 400)])
async def test_a_websocket_needs_a_websocket_route(path: str, status: int) -> None:
    app = Quart(__name__)

    @app.get("/page")
    async def page() -> str:
        return "page"

    client = await visit(app, path, extensions=RESPONSES)
    assert client.status == status
    client = await visit(app, path)
    assert client.types == ["close"]


async def http_status(app: Quart, path: str) -> int:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {"type": "http", "method": "GET", "path": path, "headers": []}
    await app(scope, receive, send)
    status: int = sent[0]["status"]
    return status


async def test_plain_http_on_a_websocket_route_is_400() -> None:
    assert await http_status(make_app(returns_text), "/") == 400


async def test_both_kinds_may_share_a_rule() -> None:
    app = make_app(returns_tuple)

    @app.get("/")
    async def page() -> str:
        return "page"

    assert await http_status(app, "/") == 200
    assert (await visit(app, extensions=RESPONSES)).status == 401


@pytest.mark.parametrize(
    ("root_path", "path", "accepted"),
    [("/root", "/root/chat", True), ("/root", "/chat", False)],
)
async def test_root_path_is_removed_from_the_path(
    root_path: str, path: str, accepted: bool
) -> None:
    async def handler() -> None:
        await websocket.send(websocket.path)

    client = await visit(make_app(handler, "/chat"), path, root_path=root_path)
    assert client.data == (["/chat"] if accepted else [])


# Row: attributes and contexts


async def test_the_attributes_are_those_of_a_request_and_subprotocols() -> None:
    async def handler(name: str) -> None:
        await websocket.send_json(
            [
                websocket.method,
                websocket.path,
                websocket.scheme,
                websocket.args["q"],
                websocket.headers["X-Name"],
                websocket.cookies["c"],
                websocket.remote_addr,
                websocket.endpoint,
                websocket.view_args,
                websocket.url,
                websocket.http_version,
                websocket.requested_subprotocols,
                name,
            ]
        )

    client = await visit(
        make_app(handler, "/<name>"),
        "/ann",
        scheme="wss",
        query_string=b"q=1",
        headers=[("X-Name", "value"), ("Cookie", "c=2")],
        subprotocols=["chat"],
    )
    assert json.loads(client.data[0]) == [
        "GET",
        "/ann",
        "wss",
        "1",
        "value",
        "2",
        "127.0.0.1",
        "handler",
        {"name": "ann"},
        "wss://localhost/ann?q=1",
        "1.1",
        ["chat"],
        "ann",
    ]


async def test_session_g_app_and_url_for_work_and_request_does_not() -> None:
    async def handler() -> None:
        g.value = "g"
        assert current_app.name
        assert has_websocket_context()
        assert not has_request_context()
        assert not request
        with pytest.raises(RuntimeError, match="request context"):
            request.path  # noqa: B018
        await websocket.send_json(
            [g.value, session.get("user"), url_for("handler"), url_for("page")]
        )

    app = make_app(handler)
    app.secret_key = "secret"

    @app.get("/page")
    async def page() -> str:
        return ""

    serializer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookie = serializer.dumps({"user": "ann"})
    client = await visit(app, headers=[("Cookie", f"session={cookie}")])
    assert client.data == ['["g", "ann", "ws://localhost/", "/page"]']


# Row: url_value_preprocessor


async def test_url_value_preprocessors_work() -> None:
    async def handler() -> None:
        await websocket.send(g.language)

    app = make_app(handler, "/<language>")

    @app.url_value_preprocessor
    def take_language(endpoint: str | None, values: dict[str, Any] | None) -> None:
        assert endpoint == "handler"
        assert values is not None
        g.language = values.pop("language")

    client = await visit(app, "/de")
    assert client.data == ["de"]


# Sync handlers


async def test_a_sync_handler_may_reject() -> None:
    def handler() -> tuple[str, int]:
        return f"not {websocket.path}", 403

    client = await visit(make_app(handler), extensions=RESPONSES)
    assert (client.status, client.body) == (403, b"not /")


async def test_a_sync_handler_may_abort() -> None:
    def handler() -> None:
        abort(401)

    client = await visit(make_app(handler), extensions=RESPONSES)
    assert client.status == 401


async def visit_with(app: Quart, *messages: str) -> Client:
    """Open a websocket, send messages, and wait for the application to end it."""
    client = Client(app)
    client.text(*messages)
    await client.end()
    return client
