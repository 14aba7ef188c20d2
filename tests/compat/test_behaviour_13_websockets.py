"""Websockets, as an ASGI server sees them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from quart import (
    Quart,
    WebsocketDisconnectedError,
    abort,
    current_app,
    g,
    has_request_context,
    request,
    session,
    url_for,
    websocket,
)

LIMIT = 10.0
ANSWERS = {"websocket.http.response": {}}

Message = dict[str, Any]


async def _talk(
    app: Quart, *messages: str | bytes, path: str = "/", **scope: Any
) -> list[Message]:
    """Open a websocket, send the messages, leave with 4000; give what was sent."""
    waiting: list[Message] = [{"type": "websocket.connect"}]
    for message in messages:
        key = "text" if isinstance(message, str) else "bytes"
        waiting.append({"type": "websocket.receive", key: message})
    waiting.append({"type": "websocket.disconnect", "code": 4000, "reason": "bye"})
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    whole = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "query_string": b"a=1",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 50_000),
        "subprotocols": ["chat", "other"],
        **scope,
    }
    await asyncio.wait_for(app(whole, receive, send), LIMIT)  # type: ignore[arg-type]
    return sent


def _app(handler: Any) -> Quart:
    app = Quart("websockets")
    app.secret_key = "of the test"
    app.logger.setLevel(logging.CRITICAL)
    app.add_websocket("/", "handler", handler)
    return app


async def _types(handler: Any, *messages: str | bytes, **scope: Any) -> list[str]:
    return [message["type"] for message in await _talk(_app(handler), *messages)]


async def test_the_first_receive_or_send_accepts() -> None:
    async def receives() -> None:
        await websocket.receive()
        await websocket.close(1000)

    async def sends() -> None:
        await websocket.send("x")

    assert (await _types(receives, "x"))[0] == "websocket.accept"
    assert (await _types(sends))[:2] == ["websocket.accept", "websocket.send"]


async def test_accept_takes_headers_and_subprotocol_and_later_calls_are_ignored() -> (
    None
):
    async def handler() -> None:
        await websocket.accept(headers={"X-A": "1"}, subprotocol="chat")
        await websocket.accept(headers={"X-A": "2"}, subprotocol="other")

    accept, close = await _talk(_app(handler))
    assert accept == {
        "type": "websocket.accept",
        "subprotocol": "chat",
        "headers": [(b"x-a", b"1")],
    }
    assert (close["type"], close["code"]) == ("websocket.close", 1000)


async def test_server_of_version_2_0_gets_no_headers_but_a_warning() -> None:
    async def handler() -> None:
        await websocket.accept(headers={"X-A": "1"})

    old = {"version": "3.0", "spec_version": "2.0"}
    with pytest.warns(UserWarning, match="headers"):
        accept, *_ = await _talk(_app(handler), asgi=old)
    assert accept["headers"] == []


@pytest.mark.parametrize("how", ["returns", "aborts", "raises"])
async def test_rejection_before_accepting(how: str) -> None:
    async def handler() -> Any:
        if how == "returns":
            return "no", 418
        if how == "aborts":
            abort(403)
        raise ValueError

    status = {"returns": 418, "aborts": 403, "raises": 500}[how]
    start, *body = await _talk(_app(handler), extensions=ANSWERS)
    assert start["type"] == "websocket.http.response.start"
    assert start["status"] == status
    assert {each["type"] for each in body} == {"websocket.http.response.body"}
    (close,) = await _talk(_app(handler))
    assert (close["type"], close["code"]) == ("websocket.close", 1000)


async def test_none_without_accepting_sends_nothing() -> None:
    async def handler() -> None:
        pass

    assert await _talk(_app(handler), extensions=ANSWERS) == []


async def test_value_after_accepting_is_ignored() -> None:
    async def handler() -> str:
        await websocket.accept()
        return "ignored"

    _, close = await _talk(_app(handler), extensions=ANSWERS)
    assert (close["type"], close["code"]) == ("websocket.close", 1000)


async def test_exception_after_accepting_is_logged_and_closes_with_1011(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Quart closes with 1000; see docs/migrating.md.
    async def handler() -> None:
        await websocket.accept()
        raise ValueError("of the handler")

    app = _app(handler)
    app.logger.setLevel(logging.ERROR)
    _, close = await _talk(app)
    assert (close["type"], close["code"]) == ("websocket.close", 1011)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_close_sends_code_and_reason() -> None:
    async def handler() -> None:
        await websocket.accept()
        await websocket.close(4001, "enough")

    _, close = await _talk(_app(handler))
    assert close == {"type": "websocket.close", "code": 4001, "reason": "enough"}
    older = {"version": "3.0", "spec_version": "2.2"}
    _, close = await _talk(_app(handler), asgi=older)
    assert close == {"type": "websocket.close", "code": 4001}


async def test_close_before_accepting_rejects_and_twice_is_an_error() -> None:
    caught = []

    async def handler() -> None:
        await websocket.close(4001)
        with pytest.raises(RuntimeError) as error:
            await websocket.close(4002)
        caught.append(error.value)

    (close,) = await _talk(_app(handler))
    assert close["code"] == 4001
    assert len(caught) == 1


async def test_text_is_sent_as_text_and_bytes_as_bytes() -> None:
    async def handler() -> None:
        for data in ("text", b"bytes", bytearray(b"array"), "", b""):
            await websocket.send(data)  # type: ignore[arg-type]

    sent = (await _talk(_app(handler)))[1:-1]
    assert [each.get("text", each.get("bytes")) for each in sent] == [
        "text",
        b"bytes",
        b"array",
        "",
        b"",
    ]
    assert ["text" in each for each in sent] == [True, False, False, True, False]


async def test_messages_are_received_as_they_are_also_empty_ones() -> None:
    # Quart fails at an empty binary message; see docs/migrating.md.
    got = []

    async def handler() -> None:
        async for message in websocket:
            got.append(message)  # noqa: PERF401 - what came before the end

    await _talk(_app(handler), "text", b"bytes", "", b"")
    assert got == ["text", b"bytes", "", b""]


async def test_json_of_one_argument_several_and_keywords() -> None:
    async def handler() -> None:
        await websocket.send_json(await websocket.receive_json())
        await websocket.send_json(1, 2)
        await websocket.send_json(a=1)
        with pytest.raises(TypeError):
            await websocket.send_json(1, a=1)

    _, *sent, _close = await _talk(_app(handler), '{"b": [null]}')
    data = [each["text"].replace(" ", "") for each in sent]
    assert [text.strip() for text in data] == ['{"b":[null]}', "[1,2]", '{"a":1}']


async def test_client_that_leaves_ends_the_handler_with_all_messages_received() -> None:
    got: list[object] = []

    async def handler() -> None:
        try:
            while True:
                got.append(await websocket.receive())
        except WebsocketDisconnectedError as error:
            got.append((error.code, error.reason, error.closed_by))
            raise

    assert await _types(handler, "a", "b") == ["websocket.accept"]
    assert got == ["a", "b", (4000, "bye", "client")]


async def test_client_that_leaves_cancels_a_handler_that_waits_elsewhere() -> None:
    ended = []

    async def handler() -> None:
        await websocket.accept()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    await _talk(_app(handler))
    assert ended == ["cancelled"]


@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), ("/http", 400)])
async def test_no_such_route_and_only_an_http_route(path: str, status: int) -> None:
    app = Quart("websockets")

    @app.get("/http")
    async def http() -> str:
        return ""

    start, *_ = await _talk(app, path=path, extensions=ANSWERS)
    assert start["status"] == status


async def test_plain_http_on_a_websocket_route_is_400_and_rules_may_be_shared() -> None:
    async def handler() -> None:
        await websocket.send("websocket")

    app = _app(handler)
    assert (await app.test_client().get("/")).status_code == 400
    both = _app(handler)

    @both.get("/")
    async def http() -> str:
        return "http"

    assert await (await both.test_client().get("/")).get_data() == b"http"
    assert (await _talk(both))[1]["text"] == "websocket"


async def test_attributes_and_contexts_are_those_of_a_request() -> None:
    seen: dict[str, object] = {}

    async def handler() -> None:
        seen.update(
            method=websocket.method,
            args=dict(websocket.args),
            path=websocket.path,
            subprotocols=websocket.requested_subprotocols,
            app=current_app.name,
            url=url_for("handler"),
            session=session.get("a"),
            request=has_request_context(),
        )
        g.a = 1
        with pytest.raises(RuntimeError):
            _ = request.path

    await _talk(_app(handler))
    assert seen == {
        "method": "GET",
        "args": {"a": "1"},
        "path": "/",
        "subprotocols": ["chat", "other"],
        "app": "websockets",
        "url": "ws://localhost/",
        "session": None,
        "request": False,
    }


async def test_url_value_preprocessors_run() -> None:
    # Quart 0.22 answers every websocket with 500 then.
    async def handler() -> None:
        await websocket.send(g.seen)

    app = _app(handler)

    @app.url_value_preprocessor
    def note(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.seen = f"{endpoint} {values}"

    assert (await _talk(app))[1]["text"] == "handler {}"
