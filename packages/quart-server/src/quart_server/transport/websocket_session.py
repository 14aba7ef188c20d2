"""One WebSocket and its app: what ASGI's `websocket` protocol rules, on any carrier.

The app's side is `receive` and `send`. The carrier's side stands at the head of
`websocket_carrier.py`. A session goes through these stages, some of which it may skip:

    HANDSHAKE   the app has not answered
    DENYING     it answers with an ordinary response
    OPEN        messages go both ways
    CLOSING     our close frame is out, the client's is awaited
    LINGERING   nothing more will be said; the client is to end
    OVER        the carrier has been closed
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any, Final

from quart_server.protocols.websocket import WebsocketConnection
from quart_server.protocols.websocket_events import Closed, Failed, Ping

from .connection import ClientDisconnectedError
from .exchange import UnexpectedMessageError, start_task
from .scope import websocket_scope
from .websocket_rules import LEAVE_TIME, websocket_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quart_server.asgi import Message
    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead
    from quart_server.protocols.websocket_events import Event
    from quart_server.protocols.websocket_handshake import Handshake

    from .websocket_carrier import Field, WebsocketCarrier

__all__ = ["WebsocketSession"]

_log = logging.getLogger("quart_server.error")

HANDSHAKE: Final = 0
DENYING: Final = 1
OPEN: Final = 2
CLOSING: Final = 3
LINGERING: Final = 4
OVER: Final = 5

# Bytes a client may send before it has its answer; it should send none.
_MAX_EARLY: Final = 64 * 1024

# What only the server may put into its answer.
_OWN_FIELDS: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
        b"sec-websocket-version",
        b"transfer-encoding",
        b"upgrade",
    }
)

_TEXT_PLAIN: Final = (b"content-type", b"text/plain; charset=utf-8")

_EXPECTED: Final = {
    HANDSHAKE: "websocket.accept, websocket.close or websocket.http.response.start",
    DENYING: "websocket.http.response.body",
    OPEN: "websocket.send or websocket.close",
}


class WebsocketSession:
    """One WebSocket being served.

    Attributes:
        context: What all connections of the worker share.
        head: The request that asked for it.
        scope: The ASGI scope.
        stage: How far it is.
        status: The status that answered the handshake, 0 before.
        bytes_sent: Bytes of frames or body sent for the app.
        outcome: How it ended, for the access log: `complete`, `client closed`,
            `timeout`, `reset` (the app failed) or `refused` (the client did).
        started_at: Loop time of the request.
    """

    __slots__ = (
        "_answer",
        "_awaits_carrier",
        "_carrier",
        "_disconnect",
        "_early",
        "_handshake",
        "_has_eof",
        "_is_full",
        "_is_leaving",
        "_is_logged",
        "_pinged_at",
        "_pong_due",
        "_queue",
        "_queue_size",
        "_rules",
        "_seen_at",
        "_told_connect",
        "_told_disconnect",
        "_waiters",
        "_websocket",
        "bytes_sent",
        "context",
        "head",
        "outcome",
        "scope",
        "stage",
        "started_at",
        "status",
        "task",
    )

    def __init__(
        self,
        context: WorkerContext,
        carrier: WebsocketCarrier,
        head: RequestHead,
        handshake: Handshake,
    ) -> None:
        self.context = context
        self.head = head
        self.scope = websocket_scope(context, carrier, head, handshake.subprotocols)
        self.stage = HANDSHAKE
        self.status = 0
        self.bytes_sent = 0
        self.outcome = "complete"
        self.started_at = 0.0
        self.task: asyncio.Task[None] | None = None
        self._carrier = carrier
        self._rules = websocket_rules(context)
        self._handshake: Handshake | None = handshake
        self._websocket: WebsocketConnection | None = None
        self._answer: Message | None = None
        self._early = b""
        self._queue: deque[str | bytes] | None = None
        self._queue_size = 0
        self._waiters: list[asyncio.Future[None]] | None = None
        self._disconnect: tuple[int, str] | None = None
        self._told_connect = False
        self._told_disconnect = False
        self._is_full = False
        self._awaits_carrier = False
        self._has_eof = False
        self._is_leaving = False
        self._is_logged = False
        self._pong_due: bytes | None = None
        self._seen_at = 0.0
        self._pinged_at = inf

    # The app's side

    async def run(self) -> None:
        """Run the app; close what it leaves open."""
        try:
            await self.context.app(self.scope, self.receive, self.send)
        except Exception as error:  # noqa: BLE001  # the app's, logged
            # An app may let our own "the client is gone" through.
            if self.stage < CLOSING or not isinstance(error, ClientDisconnectedError):
                self._fail("App failed", error)
        except asyncio.CancelledError:
            self._end_at_once("cancelled")
        else:
            self._finish()
        finally:
            self.task = None
            self.context.remove_exchange(self)

    async def receive(self) -> Message:
        """Return the next message, wait for it where there is none.

        Raises:
            ClientDisconnectedError: `websocket.disconnect` has been received before.
        """
        if not self._told_connect:
            self._told_connect = True
            return {"type": "websocket.connect"}
        while True:
            queue = self._queue
            if queue is not None:
                return self._take(queue)
            if self._disconnect is not None:
                return self._tell_disconnect(self._disconnect)
            waiter = self.context.loop.create_future()
            if self._waiters is None:
                self._waiters = [waiter]
            else:
                self._waiters.append(waiter)
            await waiter

    async def send(self, message: Message) -> None:
        """Take one ASGI message.

        Raises:
            ClientDisconnectedError: The socket is closed, by whomever.
            UnexpectedMessageError: The message does not fit the socket's stage.
        """
        kind = message["type"]
        if self.stage != OPEN or kind != "websocket.send":
            await self._send_other(message, kind)
            return
        data = message.get("bytes")
        if data is None:
            data = message.get("text")
            if data is None:
                raise UnexpectedMessageError(
                    "The app sent 'websocket.send' with neither text nor bytes"
                )
        websocket, carrier = self._websocket, self._carrier
        if websocket is not None:
            frame = websocket.encode_message(data)
            self.bytes_sent += len(frame)
            carrier.write(frame)
            if carrier.is_writing_paused:
                await carrier.drain()

    # The carrier's side

    def begin(self) -> None:
        """Start the app in a task of its own."""
        context = self.context
        context.exchanges.add(self)
        context.count_request()
        if context.access_log is not None:
            self.started_at = context.loop.time()
        task = start_task(context.loop, self.run(), context.base_context.copy())
        if not task.done():
            self.task = task

    def receive_data(self, data: bytes) -> None:
        """Read what the client sends."""
        self._seen_at = self.context.clock.now
        websocket = self._websocket
        if websocket is None:
            self._receive_early(data)
            return
        websocket.receive_data(data)
        if not self._is_full:
            self._read(websocket)

    def receive_eof(self) -> None:
        """The client sends no more: a WebSocket has no half-closed state."""
        if self._is_full and self.stage == OPEN:
            self._has_eof = True
            return
        self._close_abnormally("client closed")

    def resume_writing(self) -> None:
        """Send the pong that had to wait."""
        payload, self._pong_due = self._pong_due, None
        if payload is not None and self.stage == OPEN and self._websocket is not None:
            self._carrier.write(self._websocket.encode_pong(payload))

    def on_deadline(self, now: float) -> None:
        """Act on the time that is over."""
        if self.stage == OPEN:
            if self._is_leaving:
                self._go_away()
            else:
                self._keep_alive(now)
        elif self.stage == CLOSING:
            self.outcome = "timeout"
            self._close_carrier(at_once=self._is_leaving)
        elif self.stage == LINGERING:
            self._close_carrier()

    def on_write_stalled(self) -> None:
        """Give up a client that takes nothing; the carrier aborts after this."""
        self._note_disconnect(1006, "", "timeout")
        self.stage = OVER

    def connection_lost(self) -> None:
        """Nothing can be read or written any more."""
        self._note_disconnect(1006, "", "client closed")
        self.stage = OVER
        self._websocket = None
        self._handshake = None
        self._log_access()
        self._wake()

    def shut_down(self) -> None:
        """Tell the client that the server stops, now or at its turn."""
        self._is_leaving = True
        if self.stage == HANDSHAKE:
            fields = [_TEXT_PLAIN, (b"retry-after", b"1")]
            self._note_disconnect(1012, "", "refused")
            self._deny_whole(503, fields, b"Service Unavailable")
            self._cancel_later()
        elif self.stage == OPEN:
            turn = self._rules.next_turn()
            if turn:
                self._carrier.set_deadline(self.context.clock.now + turn)
            else:
                self._go_away()
        elif self.stage == CLOSING:
            self._carrier.set_deadline(self.context.clock.now + LEAVE_TIME)
            self._cancel_later()

    def cancel(self) -> None:
        """Cancel the app (the time it was given is over)."""
        if self.task is not None:
            self.task.cancel()

    # The handshake

    async def _send_other(self, message: Message, kind: str) -> None:
        stage = self.stage
        if stage >= CLOSING:
            raise ClientDisconnectedError("the WebSocket is closed")
        if stage == HANDSHAKE and self._answer is None:
            if kind == "websocket.accept":
                self._accept(message)
            elif kind == "websocket.close":
                code, reason = _read_close(message)
                self._note_disconnect(code, reason, "complete")
                self._deny_whole(403, [_TEXT_PLAIN], b"Forbidden")
            elif kind == "websocket.http.response.start":
                self._start_denial(message)
            else:
                raise self._unexpected(kind)
        elif stage == OPEN and kind == "websocket.close":
            self._close(*_read_close(message))
        elif kind == "websocket.http.response.body" and stage <= DENYING:
            await self._send_denial(message)
        else:
            raise self._unexpected(kind)

    def _accept(self, message: Message) -> None:
        handshake = self._handshake
        if handshake is None:
            return
        fields = _check_fields(message.get("headers") or ())
        subprotocol = message.get("subprotocol")
        if subprotocol is not None:
            if subprotocol not in handshake.subprotocols:
                raise UnexpectedMessageError(
                    f"The app chose the subprotocol {subprotocol!r}, the client "
                    f"offers {handshake.subprotocols!r}"
                )
            fields.append((b"sec-websocket-protocol", subprotocol.encode("ascii")))
        deflate = self._rules.agree_on_deflate(handshake)
        if deflate is not None:
            fields.append((b"sec-websocket-extensions", deflate.response))
        self._carrier.accept(fields)
        self._handshake = None
        self.status = 200 if self.head.http_version == "2" else 101
        self.stage = OPEN
        self._open(WebsocketConnection(self._rules.limits, deflate))

    def _open(self, websocket: WebsocketConnection) -> None:
        """Begin with what the client has sent before its answer."""
        self._websocket = websocket
        self._seen_at = self.context.clock.now
        if self._rules.ping_interval is not None:
            self._carrier.set_deadline(self._seen_at + self._rules.ping_interval)
        early, self._early = self._early, b""
        self._resume_reading()
        if early:
            self.receive_data(early)

    def _start_denial(self, message: Message) -> None:
        status = message["status"]
        if not isinstance(status, int) or not 300 <= status <= 599:
            raise UnexpectedMessageError(
                f"websocket.http.response.start has status {status!r}, expected a "
                "number from 300 to 599; websocket.accept accepts"
            )
        self._answer = message

    async def _send_denial(self, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.stage == DENYING:
            self._carrier.deny_further(body, more=more)
        elif self._answer is not None:
            status, fields = self._answer["status"], self._answer.get("headers", ())
            self._carrier.deny(status, fields, body, more=more)
            self.status = status
            self.stage = DENYING
        else:
            raise self._unexpected("websocket.http.response.body")
        self.bytes_sent += len(body)
        if not more:
            self._note_disconnect(1006, "", "complete")
            self._linger()
        if self._carrier.is_writing_paused:
            await self._carrier.drain()

    def _deny_whole(self, status: int, fields: Sequence[Field], body: bytes) -> None:
        self.status = status
        self.bytes_sent = len(body)
        self._carrier.deny(status, fields, body, more=False)
        self._linger()

    def _unexpected(self, kind: str) -> UnexpectedMessageError:
        expected = _EXPECTED[DENYING if self._answer is not None else self.stage]
        return UnexpectedMessageError(f"The app sent {kind!r}, expected {expected}")

    # Reading

    def _receive_early(self, data: bytes) -> None:
        """Hold what a client sends before it has its answer, within bounds."""
        if self.stage != HANDSHAKE:
            return
        self._early += data
        if len(self._early) > _MAX_EARLY:
            self._pause_reading()

    def _read(self, websocket: WebsocketConnection) -> None:
        """Take events until there are no more, or too many for the app."""
        while True:
            event = websocket.next_event()
            if event is None:
                break
            if type(event) is str or type(event) is bytes:
                if self.stage == OPEN and self._hold(event):
                    return
            elif self._on_control(websocket, event):
                return
        if self._queue is not None:
            size = self._queue_size + websocket.partial_size
            if size >= self._rules.queue_size:
                self._pause_reading()

    def _hold(self, message: str | bytes) -> bool:
        """Hold a message for the app; return whether that was the last one to hold."""
        queue = self._queue
        if queue is None:
            queue = self._queue = deque()
        queue.append(message)
        self._queue_size += sys.getsizeof(message)
        if self._waiters is not None:
            self._wake()
        rules = self._rules
        if len(queue) < rules.queue_messages and self._queue_size < rules.queue_size:
            return False
        self._pause_reading()
        return True

    def _take(self, queue: deque[str | bytes]) -> Message:
        """Return a held message, and read on where there is room now."""
        message = queue.popleft()
        if queue:
            self._queue_size -= sys.getsizeof(message)
        else:
            self._queue = None
            self._queue_size = 0
        if self._is_full:
            self._read_on()
        if type(message) is str:
            return {"type": "websocket.receive", "text": message, "bytes": None}
        return {"type": "websocket.receive", "bytes": message, "text": None}

    def _read_on(self) -> None:
        """Read what has been received, and then from the carrier."""
        self._is_full = False
        if self._websocket is not None:
            self._read(self._websocket)
        if self._is_full:
            return
        self._resume_reading()
        if self._has_eof:
            self._close_abnormally("client closed")

    def _pause_reading(self) -> None:
        self._is_full = True
        if not self._awaits_carrier and self.stage != OVER:
            self._awaits_carrier = True
            self._carrier.pause_reading()

    def _resume_reading(self) -> None:
        self._is_full = False
        if self._awaits_carrier and self.stage != OVER:
            self._awaits_carrier = False
            self._carrier.resume_reading()

    def _on_control(self, websocket: WebsocketConnection, event: Event) -> bool:
        """Act on what is no message; return whether it was the last event."""
        if isinstance(event, Ping):
            if self.stage != OPEN:
                pass  # RFC 6455, 5.5.1: nothing follows our close frame
            elif self._carrier.is_writing_paused:
                self._pong_due = event.payload  # 5.5.3: the latest is enough
            else:
                self._carrier.write(websocket.encode_pong(event.payload))
            return False
        if isinstance(event, Closed):
            self._on_closed(websocket, event)
            return True
        if isinstance(event, Failed):
            self._on_failed(websocket, event)
            return True
        return False  # a pong: that something came is noted already

    # Ends

    def _on_closed(self, websocket: WebsocketConnection, event: Closed) -> None:
        """Answer the client's close frame, or take it as the answer to ours."""
        if self.stage == OPEN:
            code = None if event.code == 1005 else event.code
            self._carrier.write(websocket.encode_close(code))
            self._note_disconnect(event.code, event.reason, "complete")
        self._close_carrier()

    def _on_failed(self, websocket: WebsocketConnection, event: Failed) -> None:
        """Fail the socket (RFC 6455, 7.1.7)."""
        if self.stage != OPEN:
            self._close_carrier()
            return
        self._carrier.write(websocket.encode_close(event.code, event.reason))
        self._note_disconnect(event.code, event.reason, "refused")
        self._linger()

    def _close(
        self, code: int, reason: str, outcome: str = "complete", wait: float = -1.0
    ) -> None:
        """Send a close frame and wait for the client's."""
        if self._websocket is None:
            return
        self._carrier.write(self._websocket.encode_close(code, reason))
        self._queue = None
        self._note_disconnect(code, reason, outcome)
        self.stage = CLOSING
        self._pong_due = None
        if wait < 0:
            wait = self._rules.close_timeout
        self._carrier.set_deadline(self.context.clock.now + wait)
        if self._is_full:
            self._read_on()

    def _go_away(self) -> None:
        self._close(1012, "service restart", wait=LEAVE_TIME)
        self._cancel_later()

    def _cancel_later(self) -> None:
        """Give the app a moment to see that it is over."""
        if self.task is not None:
            self.context.loop.call_later(LEAVE_TIME, self.cancel)

    def _close_abnormally(self, outcome: str) -> None:
        self._note_disconnect(1006, "", outcome)
        self._close_carrier()

    def _end_at_once(self, outcome: str) -> None:
        self._note_disconnect(1006, "", outcome)
        self._close_carrier(at_once=True)

    def _close_carrier(self, *, at_once: bool = False) -> None:
        if self.stage == OVER:
            return
        self.stage = OVER
        self._log_access()
        self._carrier.set_deadline(inf)
        if at_once:
            self._carrier.abort()
        else:
            self._carrier.close()

    def _linger(self) -> None:
        """Let the client read the last word before the carrier ends."""
        self.stage = LINGERING
        self._log_access()
        self._resume_reading()
        self._carrier.half_close()
        timeout = LEAVE_TIME if self._is_leaving else self._rules.linger_timeout
        self._carrier.set_deadline(self.context.clock.now + timeout)

    def _note_disconnect(self, code: int, reason: str, outcome: str) -> None:
        """Have the app told how it ended; the first end counts."""
        if self._disconnect is None:
            self._disconnect = (code, reason)
            self.outcome = outcome
        self._wake()

    def _tell_disconnect(self, disconnect: tuple[int, str]) -> Message:
        if self._told_disconnect:
            raise ClientDisconnectedError("the WebSocket is closed")
        self._told_disconnect = True
        code, reason = disconnect
        return {"type": "websocket.disconnect", "code": code, "reason": reason}

    def _keep_alive(self, now: float) -> None:
        """Ping a silent client, give up one that does not answer."""
        rules = self._rules
        interval = rules.ping_interval
        if interval is None or self._websocket is None:
            return
        if self._is_full or self._carrier.is_writing_paused:
            # Its pong could not be seen, or the ping would only wait as well.
            self._pinged_at = inf
            self._carrier.set_deadline(now + interval)
        elif self._pinged_at <= now and self._seen_at < self._pinged_at:
            close = self._websocket.encode_close(1011, "no answer to a ping")
            self._carrier.write(close)
            self._close_abnormally("timeout")
        elif now - self._seen_at < interval:
            self._pinged_at = inf
            self._carrier.set_deadline(self._seen_at + interval)
        else:
            self._pinged_at = now
            self._carrier.write(self._websocket.encode_ping())
            self._carrier.set_deadline(now + rules.ping_timeout)

    # The app's end

    def _finish(self) -> None:
        """Close what an app has left open by returning."""
        if self.stage == OPEN:
            self._close(1000, "")
        elif self.stage < OPEN:
            self._fail("App returned without answering the WebSocket handshake", None)

    def _fail(self, what: str, error: BaseException | None) -> None:
        """Log the app's mistake; tell the client as well as it can still be told."""
        path = self.head.raw_path.decode("ascii", "backslashreplace")
        _log.error("%s: WebSocket %s", what, path, exc_info=error)
        if self.stage == OPEN:
            self._close(1011, "internal error", "reset")
        elif self.stage == HANDSHAKE:
            self._note_disconnect(1006, "", "reset")
            self._deny_whole(500, [_TEXT_PLAIN], b"Internal Server Error")
        elif self.stage == DENYING:
            self._end_at_once("reset")

    # Private

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def _log_access(self) -> None:
        access_log = self.context.access_log
        if access_log is not None and not self._is_logged:
            self._is_logged = True
            access_log.write_exchange(self)


def _read_close(message: Message) -> tuple[int, str]:
    """Return code and reason of the app's `websocket.close`."""
    code = message.get("code", 1000)
    return (1000 if code is None else code), message.get("reason") or ""


# Any: headers are whatever iterable of pairs the app sent; the encoder checks them.
def _check_fields(headers: Any) -> list[Field]:
    """Return the app's fields for the answer.

    Raises:
        UnexpectedMessageError: One of them is the server's affair.
    """
    fields: list[Field] = [(name, value) for name, value in headers]
    for name, _ in fields:
        if name.lower() in _OWN_FIELDS:
            raise UnexpectedMessageError(
                f"The app set the header field {name!r} in websocket.accept, expected "
                "the server to do that; a subprotocol goes into 'subprotocol'"
            )
    return fields
