"""Test client table: websockets, against applications that speak ASGI."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from quart_core import Quart
from quart_testing import (
    StillWaitingError,
    TestWebsocketConnection,
    WebsocketDisconnectError,
    WebsocketResponseError,
)
from quart_testing.utils import make_test_scope
from werkzeug.datastructures import Headers


def _connection(app: Callable[..., Any], **attributes: Any) -> TestWebsocketConnection:
    scope = make_test_scope(
        "websocket", "/ws", "GET", Headers(), b"", "ws", "", "1.1", None
    )
    connection = TestWebsocketConnection(app, scope)
    for name, value in attributes.items():
        setattr(connection, name, value)
    return connection


async def _accept(receive: Any, send: Any, **extra: Any) -> None:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept", **extra})


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    await _accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def test_text_and_bytes_come_back_as_such() -> None:
    async with _connection(_echo) as connection:
        await connection.send("text")
        assert await connection.receive() == "text"
        await connection.send(b"bytes")
        assert await connection.receive() == b"bytes"


@pytest.mark.parametrize("empty", ["", b""])
async def test_empty_messages_come_back_as_such(empty: str | bytes) -> None:
    async with _connection(_echo) as connection:
        await connection.send(empty)
        assert await connection.receive() == empty


async def test_json_is_sent_as_text() -> None:
    async with _connection(_echo) as connection:
        await connection.send_json({"a": [1, None]})
        text = await connection.receive()
        await connection.send_json({"a": 1})
        assert await connection.receive_json() == {"a": 1}

    assert isinstance(text, str)
    assert json.loads(text) == {"a": [1, None]}


async def test_other_values_are_not_sent() -> None:
    async with _connection(_echo) as connection:
        with pytest.raises(TypeError, match="sends str or bytes, not 1"):
            await connection.send(1)  # type: ignore[arg-type]
        await connection.send("accepted")
        await connection.receive()


async def test_accepted_tells_whether_it_was() -> None:
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await _echo(scope, receive, send)

    connection = _connection(app)
    assert connection.accepted is False
    async with connection:
        assert connection.accepted is False
        go_on.set()
        await connection.send("x")
        await connection.receive()
        assert connection.accepted is True


async def test_a_handshake_waits_for_the_acceptance_and_keeps_the_messages() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        await _accept(receive, send)
        await send({"type": "websocket.send", "text": "hello"})
        await receive()

    async with _connection(slow) as connection:
        await connection.handshake()
        assert connection.accepted
        await connection.handshake()
        assert await connection.receive() == "hello"


async def test_a_handshake_raises_the_rejection() -> None:
    async def reject(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    with pytest.raises(WebsocketResponseError) as caught:
        async with _connection(reject) as connection:
            await connection.handshake()
    assert caught.value.response.status_code == 403


async def test_a_handshake_that_never_comes_is_told() -> None:
    async def wait(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()

    async with _connection(wait, timeout=0.05) as connection:
        with pytest.raises(StillWaitingError, match="neither accepted nor rejected"):
            await connection.handshake()
        await connection.disconnect()


async def test_the_acceptance_has_headers_and_a_subprotocol() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send, subprotocol="chat", headers=[(b"x-a", b"1")])
        await send({"type": "websocket.send", "text": "hello"})
        await receive()

    async with _connection(app) as connection:
        await connection.receive()
        assert connection.subprotocol == "chat"
        assert connection.headers is not None
        assert connection.headers["X-A"] == "1"


# Closing


async def test_the_application_closing_is_an_error_at_receive() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        await send({"type": "websocket.send", "text": "last"})
        await send({"type": "websocket.close", "code": 3001, "reason": "bye"})

    async with _connection(app) as connection:
        assert await connection.receive() == "last"
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()
        assert (caught.value.code, caught.value.reason) == (3001, "bye")
        with pytest.raises(WebsocketDisconnectError):
            await connection.receive()
        assert (connection.close_code, connection.close_reason) == (3001, "bye")


async def test_a_close_without_a_code_is_a_normal_one() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        await send({"type": "websocket.close"})

    async with _connection(app) as connection:
        with pytest.raises(WebsocketDisconnectError, match="1000"):
            await connection.receive()


async def test_an_end_without_a_close_is_a_normal_one() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)

    async with _connection(app) as connection:
        with pytest.raises(WebsocketDisconnectError, match="1000"):
            await connection.receive()


async def test_what_is_sent_after_the_close_is_dropped() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        await send({"type": "websocket.close"})

    async with _connection(app) as connection:
        with pytest.raises(WebsocketDisconnectError):
            await connection.receive()
        await connection.send("into the void")


@pytest.mark.parametrize(
    ("leave", "expected"),
    [
        (lambda it: it.close(4000), (4000, "")),
        (lambda it: it.close(4000, "bye"), (4000, "bye")),
        (lambda it: it.disconnect(), (1006, "")),
        (None, (1000, "")),
    ],
)
async def test_the_application_is_told_how_the_client_left(
    leave: Any, expected: tuple[int, str]
) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        await send({"type": "websocket.send", "text": "ready"})
        message = await receive()
        seen.extend([message["type"], (message["code"], message["reason"])])

    async with _connection(app) as connection:
        await connection.receive()
        if leave is not None:
            await leave(connection)

    assert seen == ["websocket.disconnect", expected]


async def test_after_leaving_what_had_come_is_received_and_nothing_sent() -> None:
    async with _connection(_echo) as connection:
        await connection.send("x")
        for _ in range(5):
            await asyncio.sleep(0)
        await connection.close(1000)
        assert await connection.receive() == "x"
        with pytest.raises(WebsocketDisconnectError, match="1000"):
            await connection.receive()
        with pytest.raises(RuntimeError, match="has left"):
            await connection.send("y")


async def test_messages_before_the_end_reach_the_application() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        while (message := await receive())["type"] == "websocket.receive":
            seen.append(message["text"])

    async with _connection(app) as connection:
        await connection.send("1")
        await connection.send("2")

    assert seen == ["1", "2"]


async def test_sending_to_a_client_that_left_is_an_os_error() -> None:
    errors: list[OSError] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        await receive()
        try:
            await send({"type": "websocket.send", "text": "late"})
        except OSError as error:
            errors.append(error)

    async with _connection(app):
        pass

    assert len(errors) == 1


# Rejecting


async def _reject(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send(
        {
            "type": "websocket.http.response.start",
            "status": 401,
            "headers": [(b"x-why", b"because")],
        }
    )
    await send(
        {"type": "websocket.http.response.body", "body": b"no", "more_body": True}
    )
    await send({"type": "websocket.http.response.body", "body": b"!"})


async def test_a_rejection_is_an_error_at_receive() -> None:
    async with _connection(_reject) as connection:
        with pytest.raises(WebsocketResponseError) as caught:
            await connection.receive()
        assert connection.status_code == 401

    response = caught.value.response
    assert response.status_code == 401
    assert response.headers["X-Why"] == "because"
    assert await response.get_data() == b"no!"
    assert connection.response_data == b"no!"


async def test_a_rejection_nobody_saw_is_an_error_on_leaving() -> None:
    with pytest.raises(WebsocketResponseError, match="401"):
        async with _connection(_reject):
            pass


async def test_a_close_before_the_acceptance_is_a_403() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    with pytest.raises(WebsocketResponseError, match="403"):
        async with _connection(app):
            pass


async def test_an_end_before_the_acceptance_is_a_500() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async with _connection(app) as connection:
        with pytest.raises(WebsocketResponseError, match="500"):
            await connection.receive()


async def test_an_end_without_a_word_is_no_error_on_leaving() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async with _connection(app) as connection:
        pass

    assert connection.accepted is False


async def test_what_the_application_raises_the_test_gets() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        raise KeyError("from the application")

    async with _connection(app) as connection:
        with pytest.raises(KeyError, match="from the application"):
            await connection.receive()


async def test_what_the_application_raises_is_raised_on_leaving() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        await receive()
        raise KeyError("while ending")

    with pytest.raises(KeyError, match="while ending"):
        async with _connection(app):
            pass


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        (["websocket.send"], "'websocket.accept' or 'websocket.close'"),
        (["websocket.accept"] * 2, "'websocket.send' or 'websocket.close'"),
        (["websocket.accept", "websocket.close", "websocket.send"], "nothing more"),
        (["http.response.start"], "'http.response.start'"),
    ],
)
async def test_messages_that_no_server_takes_are_refused(
    messages: list[str], complaint: str
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for kind in messages:
            await send({"type": kind, "text": ""})

    with pytest.raises(RuntimeError, match=complaint):
        async with _connection(app) as connection:
            while True:
                try:
                    await connection.receive()
                except WebsocketDisconnectError:
                    break


# Back-pressure


async def test_an_application_that_does_not_read_stops_the_sender() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        await asyncio.Event().wait()

    sent = 0
    connection = _connection(app, send_window=1000, wait_seconds=0.05)
    with pytest.raises(StillWaitingError, match="did not read the websocket /ws"):
        async with connection:
            for _ in range(20):
                await connection.send("x" * 100)
                sent += 1

    assert 1 <= sent <= 10


async def test_a_test_that_does_not_read_stops_the_application() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await _accept(receive, send)
        for number in range(20):
            await send({"type": "websocket.send", "text": "x" * 100})
            sent.append(number)
        await receive()

    async with _connection(app, receive_window=1000) as connection:
        for _ in range(50):
            await asyncio.sleep(0)
        assert 1 <= len(sent) <= 10
        for _ in range(20):
            await connection.receive()

    assert len(sent) == 20


# Through a client


def _quart(asgi_app: Callable[..., Any]) -> Quart:
    app = Quart(__name__)
    app.asgi_app = asgi_app  # type: ignore[method-assign]
    return app


async def test_a_client_makes_the_scope_of_a_websocket() -> None:
    seen: dict[str, Any] = {}

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await _echo(scope, receive, send)

    client = _quart(asgi_app).test_client()
    client.set_cookie("a", "1")
    async with client.websocket(
        "/ws?x=1",
        headers={"Origin": "http://localhost"},
        subprotocols=["chat", "v2"],
        scheme="wss",
        scope_base={"extra": True},
        auth=("a", "b"),
    ):
        pass

    headers = dict(seen["headers"])
    assert (seen["type"], seen["path"], seen["query_string"]) == (
        "websocket",
        "/ws",
        b"x=1",
    )
    assert (seen["scheme"], seen["extra"]) == ("wss", True)
    assert seen["subprotocols"] == ["chat", "v2"]
    assert seen["asgi"]["spec_version"] == "2.4"
    assert "websocket.http.response" in seen["extensions"]
    assert headers[b"sec-websocket-protocol"] == b"chat, v2"
    assert headers[b"cookie"] == b"a=1"
    assert headers[b"authorization"] == b"Basic YTpi"
    assert headers[b"origin"] == b"http://localhost"


async def test_a_client_keeps_the_cookies_of_a_rejection() -> None:
    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send(
            {
                "type": "websocket.http.response.start",
                "status": 401,
                "headers": [(b"set-cookie", b"a=1; Path=/")],
            }
        )
        await send({"type": "websocket.http.response.body"})

    client = _quart(asgi_app).test_client()
    with pytest.raises(WebsocketResponseError):
        async with client.websocket("/ws") as connection:
            await connection.receive()

    assert client.get_cookie("a") is not None


async def test_a_client_passes_timeout_and_windows() -> None:
    client = _quart(_echo).test_client(timeout=7)

    usual = client.websocket("/ws")
    own = client.websocket("/ws", timeout=3, send_window=1, receive_window=2)

    assert usual.wait_seconds == 7
    assert (own.wait_seconds, own.send_window, own.receive_window) == (3, 1, 2)


async def test_a_websocket_is_below_the_application_root() -> None:
    seen: dict[str, Any] = {}

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await _echo(scope, receive, send)

    app = _quart(asgi_app)
    app.config["APPLICATION_ROOT"] = "/root"
    async with app.test_client().websocket("/ws"):
        pass

    assert (seen["path"], seen["root_path"]) == ("/root/ws", "/root")
