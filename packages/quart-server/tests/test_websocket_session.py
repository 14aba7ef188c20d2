"""WebSocket sessions on a carrier that is none: ASGI messages in, calls out."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import AsyncIterator, Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest
from quart_server import Config
from quart_server.context import WorkerContext
from quart_server.protocols.request import RequestHead
from quart_server.protocols.websocket_extensions import read_offers
from quart_server.protocols.websocket_frames import CloseCodeError
from quart_server.protocols.websocket_handshake import Handshake
from quart_server.transport.connection import ClientDisconnectedError
from quart_server.transport.exchange import UnexpectedMessageError
from quart_server.transport.websocket_inbox import OVER
from quart_server.transport.websocket_session import WebsocketSession

_spec = importlib.util.spec_from_file_location(
    "quart_server_websocket_peer", Path(__file__).with_name("websocket_peer.py")
)
peer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(peer)

text, frame, close = peer.text, peer.frame, peer.close


class Carrier:
    """Notes what the session does with it."""

    client = ("192.0.2.1", 1234)
    server = ("192.0.2.2", 80)
    scheme = "http"

    def __init__(self) -> None:
        self.is_writing_paused = False
        self.is_reading = True
        self.deadline = inf
        self.answer: tuple[Any, ...] | None = None
        self.body = b""
        self.written = b""
        self.ends: list[str] = []
        self.drained = asyncio.Event()

    def accept(self, fields) -> None:
        self.answer = ("accept", list(fields))

    def deny(self, status, fields, body, *, more) -> None:
        self.answer = ("deny", status, list(fields))
        self.deny_further(body, more=more)

    def deny_further(self, body, *, more) -> None:
        self.body += body + (b"" if more else b"|")

    def write(self, data) -> None:
        self.written += data

    async def drain(self) -> None:
        await self.drained.wait()

    def pause_reading(self) -> None:
        assert self.is_reading
        self.is_reading = False

    def resume_reading(self) -> None:
        assert not self.is_reading
        self.is_reading = True

    def set_deadline(self, deadline) -> None:
        self.deadline = deadline

    def half_close(self) -> None:
        self.ends.append("half")

    def close(self) -> None:
        self.ends.append("close")

    def abort(self) -> None:
        self.ends.append("abort")

    def frames(self) -> list[tuple[int, bytes]]:
        written, self.written = self.written, b""
        return peer.read_frames(written)


class Socket:
    """A session whose app is the test: it calls receive and send by itself."""

    def __init__(
        self, *, app=None, subprotocols=(), offers=(), version="1.1", **settings
    ) -> None:
        self.ended = asyncio.Event()
        self.app_error: BaseException | None = None
        config = Config(access_log=False, **settings)
        self.context = WorkerContext(app or self._app, config)
        self.carrier = Carrier()
        head = RequestHead("GET", "/chat", b"/chat", b"a=b", version, [(b"host", b"a")])
        handshake = Handshake(b"key", list(subprotocols), list(offers))
        self.session = WebsocketSession(self.context, self.carrier, head, handshake)
        self.session.begin()

    async def _app(self, scope, receive, send) -> None:
        await self.ended.wait()
        if self.app_error is not None:
            raise self.app_error

    async def receive(self):
        async with asyncio.timeout(5):
            return await self.session.receive()

    async def send(self, kind: str, **content: Any) -> None:
        async with asyncio.timeout(5):
            await self.session.send({"type": f"websocket.{kind}", **content})

    async def finish(self, error: BaseException | None = None) -> None:
        """Let the app return."""
        self.app_error = error
        self.ended.set()
        async with asyncio.timeout(5):
            while self.session.task is not None:
                await asyncio.sleep(0)

    def pass_time(self, seconds: float) -> None:
        """Move the clock; the deadline is acted on if it is over."""
        clock = self.context.clock
        clock.now += seconds
        if self.carrier.deadline <= clock.now:
            self.carrier.deadline = inf
            self.session.on_deadline(clock.now)

    @property
    def deadline(self) -> float:
        return self.carrier.deadline - self.context.clock.now


@pytest.fixture
async def open_socket() -> AsyncIterator[Callable[..., Any]]:
    """Return a function that makes a session, accepted unless told otherwise."""
    sockets: list[Socket] = []

    async def make(*, accept: bool = True, **settings: Any) -> Socket:
        socket = Socket(**settings)
        sockets.append(socket)
        if accept:
            assert await socket.receive() == {"type": "websocket.connect"}
            await socket.send("accept")
        return socket

    yield make
    for socket in sockets:
        socket.session.connection_lost()
        socket.session.cancel()
        await socket.finish()
        assert not socket.context.exchanges


def received(message):
    return message["text"] if message["bytes"] is None else message["bytes"]


# Scope


async def test_scope_is_that_of_a_websocket(open_socket) -> None:
    socket = await open_socket(accept=False, subprotocols=["chat"])
    scope = socket.session.scope
    assert scope["type"] == "websocket"
    assert scope["asgi"]["version"] == "3.0"
    assert scope["scheme"] == "ws"
    assert (scope["path"], scope["raw_path"]) == ("/chat", b"/chat")
    assert scope["query_string"] == b"a=b"
    assert scope["headers"] == [(b"host", b"a")]
    assert scope["subprotocols"] == ["chat"]
    assert scope["client"] == ("192.0.2.1", 1234)
    assert scope["extensions"]["websocket.http.response"] == {}
    event = scope["extensions"]["quart.shutdown"]["event"]
    assert event is socket.context.shutdown
    assert "state" not in scope
    assert "method" not in scope


async def test_scope_has_a_copy_of_the_lifespan_state(open_socket) -> None:
    socket = await open_socket()
    socket.context.lifespan_state = {"a": 1}
    session = WebsocketSession(
        socket.context, socket.carrier, socket.session.head, Handshake(b"", [], [])
    )
    assert session.scope["state"] == {"a": 1}
    assert session.scope["state"] is not socket.context.lifespan_state


# Accepting


async def test_accepting_passes_on_fields_and_subprotocol(open_socket) -> None:
    socket = await open_socket(accept=False, subprotocols=["a", "b"])
    await socket.send("accept", subprotocol="b", headers=[(b"x-a", b"1")])
    expected = [(b"x-a", b"1"), (b"sec-websocket-protocol", b"b")]
    assert socket.carrier.answer == ("accept", expected)
    assert socket.session.status == 101


async def test_over_http2_the_status_is_200(open_socket) -> None:
    socket = await open_socket(version="2")
    assert socket.session.status == 200


@pytest.mark.parametrize(
    "content",
    [
        {"subprotocol": "c"},
        {"headers": [(b"Sec-WebSocket-Protocol", b"a")]},
        {"headers": [(b"upgrade", b"x")]},
        {"headers": [(b"content-length", b"0")]},
    ],
)
async def test_accepting_what_was_not_offered_is_a_mistake(
    open_socket, content
) -> None:
    socket = await open_socket(accept=False, subprotocols=["a"])
    with pytest.raises(UnexpectedMessageError, match="expected"):
        await socket.send("accept", **content)
    assert socket.carrier.answer is None


async def test_deflate_is_agreed_on_unless_switched_off(open_socket) -> None:
    offers = peer_offers()
    socket = await open_socket(offers=offers)
    name, value = socket.carrier.answer[1][-1]
    assert name == b"sec-websocket-extensions"
    assert value.startswith(b"permessage-deflate")
    await socket.send("send", text="a" * 500)
    [(first, payload)] = socket.carrier.frames()
    assert first == 0xC1
    assert peer.inflate(payload) == b"a" * 500
    socket = await open_socket(offers=offers, websocket_compression=False)
    assert socket.carrier.answer == ("accept", [])


def peer_offers():
    return read_offers(b"permessage-deflate; client_max_window_bits")


@pytest.mark.parametrize("kind", ["send", "http.response.body", "nonsense"])
async def test_nothing_may_be_sent_before_the_answer(open_socket, kind: str) -> None:
    socket = await open_socket(accept=False)
    with pytest.raises(UnexpectedMessageError, match=r"expected websocket\.accept"):
        await socket.send(kind, text="a", body=b"")


async def test_accepting_twice_is_a_mistake(open_socket) -> None:
    socket = await open_socket()
    with pytest.raises(UnexpectedMessageError, match=r"expected websocket\.send or"):
        await socket.send("accept")


async def test_frames_before_the_answer_wait_for_it(open_socket) -> None:
    socket = await open_socket(accept=False)
    socket.session.receive_data(text("early")[:4])
    socket.session.receive_data(text("early")[4:])
    await socket.receive()
    await socket.send("accept")
    assert received(await socket.receive()) == "early"


async def test_many_bytes_before_the_answer_pause_reading(open_socket) -> None:
    socket = await open_socket(accept=False)
    socket.session.receive_data(frame(peer.BINARY, bytes(66_000)))
    assert not socket.carrier.is_reading
    await socket.receive()
    await socket.send("accept")
    assert received(await socket.receive()) == bytes(66_000)
    assert socket.carrier.is_reading


# Denying


async def test_closing_before_accepting_is_403(open_socket) -> None:
    socket = await open_socket(accept=False)
    await socket.receive()
    await socket.send("close")
    assert socket.carrier.answer[:2] == ("deny", 403)
    assert socket.carrier.ends == ["half"]
    message = await socket.receive()
    assert message["type"] == "websocket.disconnect"
    with pytest.raises(ClientDisconnectedError):
        await socket.send("accept")


async def test_app_may_deny_with_a_response_of_its_own(open_socket) -> None:
    socket = await open_socket(accept=False)
    fields = [(b"x-a", b"1")]
    await socket.send("http.response.start", status=401, headers=fields)
    assert socket.carrier.answer is None
    await socket.send("http.response.body", body=b"a", more_body=True)
    assert socket.carrier.ends == []
    await socket.send("http.response.body", body=b"b")
    assert socket.carrier.answer == ("deny", 401, fields)
    assert socket.carrier.body == b"ab|"
    assert socket.carrier.ends == ["half"]
    assert socket.session.status == 401
    assert socket.session.bytes_sent == 2


@pytest.mark.parametrize("status", [100, 101, 199, 1000, "403", None])
async def test_denial_with_a_status_that_is_not_final_is_a_mistake(
    open_socket, status
) -> None:
    socket = await open_socket(accept=False)
    with pytest.raises(UnexpectedMessageError, match="expected a number from 200"):
        await socket.send("http.response.start", status=status)


@pytest.mark.parametrize("status", [200, 204, 302, 599])
async def test_every_final_status_denies_over_http1(open_socket, status) -> None:
    """RFC 6455, 4.1: only 101 accepts."""
    socket = await open_socket(accept=False)
    await socket.send("http.response.start", status=status)
    await socket.send("http.response.body", body=b"")
    assert socket.carrier.answer == ("deny", status, [])


@pytest.mark.parametrize(("status", "sent"), [(200, 403), (299, 403), (302, 302)])
async def test_2xx_does_not_accept_over_http2(
    open_socket, caplog, status, sent
) -> None:
    """RFC 8441, 5: a 2xx would accept the WebSocket."""
    socket = await open_socket(accept=False, version="2")
    await socket.send("http.response.start", status=status, headers=[(b"a", b"b")])
    await socket.send("http.response.body", body=b"no")
    assert socket.carrier.answer == ("deny", sent, [(b"a", b"b")])
    assert socket.session.status == sent
    assert ("403 was sent" in caplog.text) == (status != sent)


async def test_accepting_after_the_start_of_a_denial_is_a_mistake(open_socket) -> None:
    socket = await open_socket(accept=False)
    await socket.send("http.response.start", status=401)
    for kind in ("accept", "close", "http.response.start"):
        with pytest.raises(UnexpectedMessageError, match=r"expected .*response.body"):
            await socket.send(kind, status=401)


async def test_app_that_returns_without_an_answer_is_500(open_socket, caplog) -> None:
    socket = await open_socket(accept=False)
    await socket.finish()
    assert socket.carrier.answer[:2] == ("deny", 500)
    assert "without answering the WebSocket handshake" in caplog.text


async def test_app_that_raises_before_its_answer_is_500(open_socket, caplog) -> None:
    socket = await open_socket(accept=False)
    await socket.finish(ValueError("oops"))
    assert socket.carrier.answer[:2] == ("deny", 500)
    assert socket.session.outcome == "reset"
    assert "oops" in caplog.text


async def test_denial_that_is_not_finished_is_cut(open_socket, caplog) -> None:
    socket = await open_socket(accept=False)
    await socket.send("http.response.start", status=401)
    await socket.send("http.response.body", body=b"a", more_body=True)
    await socket.finish()
    assert socket.carrier.ends == ["abort"]
    assert "without answering" in caplog.text


async def test_denied_client_that_stays_is_closed(open_socket) -> None:
    socket = await open_socket(accept=False, drain_timeout=1.0)
    await socket.send("close")
    assert socket.deadline == pytest.approx(1.0)
    socket.pass_time(1.0)
    assert socket.carrier.ends == ["half", "close"]


# Messages


async def test_messages_are_received_with_both_keys(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_data(text("a") + frame(peer.BINARY, b"b"))
    one = {"type": "websocket.receive", "text": "a", "bytes": None}
    two = {"type": "websocket.receive", "text": None, "bytes": b"b"}
    assert await socket.receive() == one
    assert await socket.receive() == two


async def test_ws_08_empty_messages_are_delivered_as_such(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_data(text("") + frame(peer.BINARY, b""))
    assert (await socket.receive())["text"] == ""
    assert (await socket.receive())["bytes"] == b""


async def test_receive_waits_for_a_message(open_socket) -> None:
    socket = await open_socket()
    waiting = asyncio.create_task(socket.receive())
    await asyncio.sleep(0)
    socket.session.receive_data(text("a"))
    assert received(await waiting) == "a"


async def test_message_is_not_lost_with_a_cancelled_receive(open_socket) -> None:
    socket = await open_socket()
    waiting = asyncio.create_task(socket.receive())
    await asyncio.sleep(0)
    socket.session.receive_data(text("a"))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert received(await socket.receive()) == "a"


async def test_several_tasks_may_receive(open_socket) -> None:
    socket = await open_socket()
    tasks = [asyncio.create_task(socket.receive()) for _ in range(3)]
    await asyncio.sleep(0)
    socket.session.receive_data(text("a") + text("b") + text("c"))
    messages = await asyncio.gather(*tasks)
    assert sorted(map(received, messages)) == ["a", "b", "c"]


async def test_messages_are_sent_as_frames(open_socket) -> None:
    socket = await open_socket()
    await socket.send("send", text="a")
    await socket.send("send", bytes=b"b", text=None)
    await socket.send("send", bytes=None, text="")
    await socket.send("send", bytes=bytearray(b"c"))
    frames = [(0x81, b"a"), (0x82, b"b"), (0x81, b""), (0x82, b"c")]
    assert socket.carrier.frames() == frames


@pytest.mark.parametrize(
    "content", [{}, {"text": None}, {"text": b"a"}, {"bytes": "a"}, {"bytes": 5}]
)
async def test_sending_neither_text_nor_bytes_is_a_mistake(
    open_socket, content
) -> None:
    socket = await open_socket()
    with pytest.raises(UnexpectedMessageError, match="expected one of them"):
        await socket.send("send", **content)
    assert socket.carrier.written == b""


async def test_send_waits_while_the_client_takes_nothing(open_socket) -> None:
    socket = await open_socket()
    socket.carrier.is_writing_paused = True
    task = asyncio.create_task(socket.send("send", text="a"))
    await asyncio.sleep(0)
    assert not task.done()
    socket.carrier.drained.set()
    await task
    assert socket.carrier.frames() == [(0x81, b"a")]


# The bounded queue


async def test_reading_pauses_at_16_messages(open_socket) -> None:
    socket = await open_socket()
    for number in range(15):
        socket.session.receive_data(text(str(number)))
        assert socket.carrier.is_reading
    socket.session.receive_data(text("15"))
    assert not socket.carrier.is_reading
    assert received(await socket.receive()) == "0"
    assert socket.carrier.is_reading


async def test_messages_over_the_queue_stay_bytes(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_data(b"".join(text(str(number)) for number in range(1000)))
    assert len(socket.session._queue) == 16
    assert not socket.carrier.is_reading
    for number in range(1000):
        assert received(await socket.receive()) == str(number)
    assert socket.carrier.is_reading


async def test_reading_pauses_at_a_size(open_socket) -> None:
    socket = await open_socket(websocket_queue_size=1024)
    socket.session.receive_data(text("a" * 400) * 2)
    assert socket.carrier.is_reading
    socket.session.receive_data(text("a" * 400))
    assert not socket.carrier.is_reading
    await socket.receive()
    assert socket.carrier.is_reading


async def test_size_counts_the_message_in_progress(open_socket) -> None:
    socket = await open_socket(websocket_queue_size=1024)
    socket.session.receive_data(text("a" * 300))
    socket.session.receive_data(frame(peer.TEXT, b"b" * 800, fin=False))
    assert not socket.carrier.is_reading
    await socket.receive()
    assert socket.carrier.is_reading
    socket.session.receive_data(frame(peer.CONTINUATION, b"b" * 800))
    assert received(await socket.receive()) == "b" * 1600


async def test_bytes_that_come_while_reading_is_paused_are_kept(open_socket) -> None:
    socket = await open_socket(websocket_queue_messages=1)
    for number in range(5):
        socket.session.receive_data(text(str(number)))
    assert [received(await socket.receive()) for _ in range(5)] == list("01234")


async def test_end_of_the_client_waits_for_what_it_sent_before(open_socket) -> None:
    socket = await open_socket(websocket_queue_messages=1)
    socket.session.receive_data(text("a") + text("b") + text("c"))
    socket.session.receive_eof()
    assert [received(await socket.receive()) for _ in range(3)] == list("abc")
    message = await socket.receive()
    assert (message["type"], message["code"]) == ("websocket.disconnect", 1006)


# Pings


async def test_pings_are_answered(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_data(frame(peer.PING, b"1") + frame(peer.PING, b"2"))
    assert socket.carrier.frames() == [(0x8A, b"1"), (0x8A, b"2")]


async def test_pongs_do_not_pile_up_for_a_client_that_takes_nothing(
    open_socket,
) -> None:
    socket = await open_socket()
    socket.carrier.is_writing_paused = True
    for number in range(100):
        socket.session.receive_data(frame(peer.PING, b"%d" % number))
    assert socket.carrier.written == b""
    socket.carrier.is_writing_paused = False
    socket.session.resume_writing()
    socket.session.resume_writing()
    assert socket.carrier.frames() == [(0x8A, b"99")]


async def test_silent_client_is_pinged_and_then_given_up(open_socket) -> None:
    socket = await open_socket(websocket_ping_interval=20, websocket_ping_timeout=10)
    assert socket.deadline == pytest.approx(20)
    socket.pass_time(20)
    assert socket.carrier.frames() == [(0x89, b"")]
    assert socket.deadline == pytest.approx(10)
    socket.pass_time(10)
    [(first, payload)] = socket.carrier.frames()
    assert (first, payload[:2]) == (0x88, (1011).to_bytes(2, "big"))
    assert socket.carrier.ends == ["close"]
    message = await socket.receive()
    assert (message["type"], message["code"]) == ("websocket.disconnect", 1006)
    assert socket.session.outcome == "timeout"


@pytest.mark.parametrize("data", [frame(peer.PONG), text("a"), text("a")[:1]])
async def test_any_byte_is_a_sign_of_life(open_socket, data: bytes) -> None:
    socket = await open_socket(websocket_ping_interval=20, websocket_ping_timeout=10)
    socket.pass_time(20)
    socket.carrier.frames()
    socket.pass_time(5)
    socket.session.receive_data(data)
    socket.pass_time(5)
    assert socket.carrier.frames() == []
    assert socket.deadline == pytest.approx(15)


async def test_talking_client_is_not_pinged(open_socket) -> None:
    socket = await open_socket(websocket_ping_interval=20)
    socket.pass_time(15)
    socket.session.receive_data(frame(peer.PONG))
    socket.pass_time(5)
    assert socket.carrier.frames() == []
    assert socket.deadline == pytest.approx(15)
    socket.pass_time(15)
    assert socket.carrier.frames() == [(0x89, b"")]


async def test_client_that_may_not_be_read_is_not_given_up(open_socket) -> None:
    socket = await open_socket(websocket_queue_messages=1)
    socket.pass_time(20)
    assert socket.carrier.frames() == [(0x89, b"")]
    socket.session.receive_data(text("a"))
    socket.pass_time(20)
    socket.pass_time(20)
    assert socket.carrier.frames() == []
    assert socket.carrier.ends == []


async def test_pings_may_be_switched_off(open_socket) -> None:
    socket = await open_socket(websocket_ping_interval=None)
    assert socket.carrier.deadline == inf


# Closing by the client


@pytest.mark.parametrize(
    ("data", "answer", "code", "reason"),
    [
        (close(1000, b"bye"), b"\x03\xe8", 1000, "bye"),
        (close(4321, "grüß".encode()), b"\x10\xe1", 4321, "grüß"),
        (close(1014), b"\x03\xf6", 1014, ""),
        (close(), b"", 1005, ""),
    ],
)
async def test_close_frame_is_answered_and_told(
    open_socket, data, answer, code, reason
) -> None:
    socket = await open_socket()
    socket.session.receive_data(data)
    assert socket.carrier.frames() == [(0x88, answer)]
    assert socket.carrier.ends == ["close"]
    expected = {"type": "websocket.disconnect", "code": code, "reason": reason}
    assert await socket.receive() == expected
    assert socket.session.outcome == "complete"


async def test_disconnect_is_told_exactly_once(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_data(close(1001))
    socket.session.connection_lost()
    assert (await socket.receive())["code"] == 1001
    with pytest.raises(ClientDisconnectedError):
        await socket.receive()


async def test_messages_before_a_close_frame_are_received_first(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_data(text("a") + text("b") + close(1000))
    assert received(await socket.receive()) == "a"
    await socket.send("send", text="answer")
    assert received(await socket.receive()) == "b"
    assert (await socket.receive())["type"] == "websocket.disconnect"
    assert socket.carrier.frames() == [(0x81, b"answer"), (0x88, b"\x03\xe8")]


async def test_close_frame_does_not_wait_long_for_the_app(open_socket) -> None:
    socket = await open_socket(drain_timeout=1.0)
    socket.session.receive_data(text("a") + close(1000))
    assert socket.deadline == pytest.approx(1)
    socket.pass_time(1)
    assert socket.carrier.frames() == [(0x88, b"\x03\xe8")]
    with pytest.raises(ClientDisconnectedError):
        await socket.send("send", text="late")
    assert received(await socket.receive()) == "a"
    assert (await socket.receive())["code"] == 1000


async def test_app_may_close_while_a_close_frame_waits(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_data(text("a") + close(1000))
    await socket.send("close", code=4000)
    assert socket.carrier.frames() == [(0x88, b"\x0f\xa0")]
    assert socket.carrier.ends == ["half"]


async def test_lost_connection_has_the_code_of_the_frame_that_waits(
    open_socket,
) -> None:
    socket = await open_socket()
    socket.session.receive_data(text("a") + close(4000, b"x"))
    socket.session.connection_lost()
    assert received(await socket.receive()) == "a"
    assert (await socket.receive())["code"] == 4000


async def test_end_without_close_frame_is_1006(open_socket) -> None:
    socket = await open_socket()
    socket.session.receive_eof()
    assert socket.carrier.written == b""
    assert socket.carrier.ends == ["close"]
    expected = {"type": "websocket.disconnect", "code": 1006, "reason": ""}
    assert await socket.receive() == expected
    assert socket.session.outcome == "client closed"


@pytest.mark.parametrize("kind", ["send", "close", "accept"])
async def test_sending_to_a_client_that_is_gone_raises_an_oserror(
    open_socket, kind
) -> None:
    socket = await open_socket()
    socket.session.connection_lost()
    with pytest.raises(OSError, match="closed"):
        await socket.send(kind, text="a")


async def test_app_may_let_that_error_through(open_socket, caplog) -> None:
    socket = await open_socket()
    socket.session.connection_lost()
    await socket.finish(ClientDisconnectedError("gone"))
    assert caplog.text == ""


async def test_write_stall_ends_the_socket(open_socket) -> None:
    socket = await open_socket()
    socket.session.on_write_stalled()
    socket.session.connection_lost()
    assert (await socket.receive())["code"] == 1006
    assert socket.session.outcome == "timeout"


# Failing


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(peer.TEXT, b"a", mask=None), 1002),
        (frame(peer.TEXT, b"\xff"), 1007),
        (frame(peer.TEXT, b"", size=1 << 40), 1009),
    ],
)
async def test_client_that_breaks_the_protocol_is_told_why(
    open_socket, data, code
) -> None:
    socket = await open_socket(drain_timeout=1.0)
    socket.session.receive_data(data)
    [(first, payload)] = socket.carrier.frames()
    assert (first, payload[:2]) == (0x88, code.to_bytes(2, "big"))
    assert socket.carrier.ends == ["half"]
    assert (await socket.receive())["code"] == code
    assert socket.session.outcome == "refused"
    socket.session.receive_data(text("ignored"))
    assert socket.deadline == pytest.approx(1)
    socket.pass_time(1)
    assert socket.carrier.ends == ["half", "close"]
    assert socket.session.stage == OVER


# Closing by the app


async def test_app_closes_and_the_client_agrees(open_socket) -> None:
    socket = await open_socket(websocket_close_timeout=5.0)
    await socket.send("close", code=4001, reason="enough")
    assert socket.carrier.frames() == [(0x88, b"\x0f\xa1enough")]
    assert socket.carrier.ends == []
    assert socket.deadline == pytest.approx(5)
    expected = {"type": "websocket.disconnect", "code": 4001, "reason": "enough"}
    assert await socket.receive() == expected
    socket.session.receive_data(close(4001))
    assert socket.carrier.frames() == []
    assert socket.carrier.ends == ["close"]
    assert socket.session.outcome == "complete"


async def test_closing_twice_sends_one_close_frame(open_socket) -> None:
    socket = await open_socket()
    await socket.send("close")
    for kind in ("close", "send"):
        with pytest.raises(OSError, match="closed"):
            await socket.send(kind, text="a")
    assert socket.carrier.frames() == [(0x88, b"\x03\xe8")]


async def test_nothing_is_said_after_our_close_frame(open_socket) -> None:
    socket = await open_socket(websocket_queue_messages=1)
    socket.session.receive_data(text("held") + text("unread"))
    await socket.send("close")
    socket.carrier.frames()
    assert socket.carrier.is_reading
    socket.session.receive_data(frame(peer.PING, b"x") + text("dropped") * 50)
    assert socket.carrier.frames() == []
    assert (await socket.receive())["type"] == "websocket.disconnect"
    socket.session.receive_data(close(1000))
    assert socket.carrier.ends == ["close"]


async def test_client_that_does_not_answer_our_close_is_cut(open_socket) -> None:
    socket = await open_socket(websocket_close_timeout=5.0)
    await socket.send("close")
    socket.pass_time(5)
    assert socket.carrier.ends == ["close"]
    assert socket.session.outcome == "timeout"


@pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 2999, 5000])
async def test_app_may_not_close_with_a_code_that_is_none(open_socket, code) -> None:
    socket = await open_socket()
    with pytest.raises(CloseCodeError):
        await socket.send("close", code=code)
    assert socket.carrier.written == b""


async def test_app_that_returns_closes_with_1000(open_socket) -> None:
    socket = await open_socket()
    await socket.finish()
    assert socket.carrier.frames() == [(0x88, b"\x03\xe8")]


async def test_app_that_raises_closes_with_1011(open_socket, caplog) -> None:
    socket = await open_socket()
    await socket.finish(ValueError("oops"))
    assert socket.carrier.frames() == [(0x88, b"\x03\xf3internal error")]
    assert socket.session.outcome == "reset"
    [record] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.getMessage() == "App failed: WebSocket /chat"
    assert isinstance(record.exc_info[1], ValueError)


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError("own")])
async def test_app_that_ends_itself_has_failed(open_socket, caplog, error) -> None:
    socket = await open_socket()
    await socket.finish(error)
    assert socket.carrier.frames() == [(0x88, b"\x03\xf3internal error")]
    [record] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.exc_info[1] is error
    assert not socket.context.exchanges


async def test_departure_wrapped_by_a_framework_is_not_logged(
    open_socket, caplog
) -> None:
    socket = await open_socket()
    socket.session.receive_eof()
    wrapped = RuntimeError("of the framework")
    wrapped.__cause__ = ClientDisconnectedError("the client is gone")
    await socket.finish(wrapped)
    assert not caplog.records


async def test_cancelled_app_cuts_the_connection(open_socket) -> None:
    socket = await open_socket()
    await asyncio.sleep(0)
    socket.session.cancel()
    await socket.finish()
    assert socket.carrier.ends == ["abort"]
    assert socket.session.outcome == "cancelled"


async def test_app_cancelled_before_its_first_step_leaves_nothing(open_socket) -> None:
    socket = await open_socket()
    socket.session.cancel()
    await socket.finish()
    assert socket.carrier.ends == ["abort"]
    assert not socket.context.exchanges


# The server's end


async def test_shutdown_tells_clients_with_1012(open_socket) -> None:
    socket = await open_socket()
    socket.session.shut_down()
    assert socket.carrier.frames() == [(0x88, b"\x03\xf4service restart")]
    expected = {
        "type": "websocket.disconnect",
        "code": 1012,
        "reason": "service restart",
    }
    assert await socket.receive() == expected
    assert socket.deadline <= 3
    socket.pass_time(3)
    assert socket.carrier.ends == ["abort"]


async def test_shutdown_answers_a_handshake_with_503(open_socket) -> None:
    socket = await open_socket(accept=False)
    socket.session.shut_down()
    assert socket.carrier.answer[:2] == ("deny", 503)
    assert (b"retry-after", b"1") in socket.carrier.answer[2]
    await socket.receive()
    assert (await socket.receive())["code"] == 1012
    with pytest.raises(OSError, match="closed"):
        await socket.send("accept")


async def test_f_19_drain_rate_spreads_the_goodbyes(open_socket) -> None:
    socket = await open_socket(websocket_drain_rate=2, graceful_timeout=10)
    rules = socket.session._rules
    turns = [rules.next_turn() for _ in range(20)]
    assert all(0.5 * i <= turn <= 0.5 * (i + 1) for i, turn in enumerate(turns[:11]))
    assert max(turns) <= 6.0, "all are told before the graceful time is over"
    socket.session.shut_down()
    assert socket.carrier.frames() == []
    assert socket.deadline == pytest.approx(6)
    await socket.send("send", text="still here")
    socket.carrier.frames()
    socket.pass_time(6)
    assert socket.carrier.frames() == [(0x88, b"\x03\xf4service restart")]


async def test_shutdown_shortens_a_close_in_progress(open_socket) -> None:
    socket = await open_socket(websocket_close_timeout=60)
    await socket.send("close")
    socket.session.shut_down()
    assert socket.deadline <= 3
