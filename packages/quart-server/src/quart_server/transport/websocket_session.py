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
from math import inf
from typing import TYPE_CHECKING, Final

from quart_server.protocols.websocket import WebsocketConnection
from quart_server.protocols.websocket_events import Closed, Failed

from .connection import ClientDisconnectedError
from .departures import is_departure
from .exchange import UnexpectedMessageError
from .scope import websocket_scope
from .tasks import start_task
from .websocket_answer import (
    accept_fields,
    close_arguments,
    denial_status,
    message_data,
)
from .websocket_inbox import (
    CLOSING,
    DENYING,
    HANDSHAKE,
    LINGERING,
    OPEN,
    OVER,
    WebsocketInbox,
)
from .websocket_rules import LEAVE_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quart_server.asgi import Message
    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead
    from quart_server.protocols.websocket_handshake import Handshake

    from .websocket_carrier import Field, WebsocketCarrier

__all__ = ["WebsocketSession"]

_log = logging.getLogger("quart_server.error")

_TEXT_PLAIN: Final = (b"content-type", b"text/plain; charset=utf-8")

_EXPECTED: Final = {
    HANDSHAKE: "websocket.accept, websocket.close or websocket.http.response.start",
    DENYING: "websocket.http.response.body",
    OPEN: "websocket.send or websocket.close",
}


class WebsocketSession(WebsocketInbox):
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
        "_disconnect",
        "_handshake",
        "_is_leaving",
        "_is_logged",
        "_pinged_at",
        "_told_connect",
        "_told_disconnect",
        "bytes_sent",
        "head",
        "outcome",
        "scope",
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
        super().__init__(context, carrier)
        self.head = head
        self.scope = websocket_scope(context, carrier, head, handshake.subprotocols)
        self.status = 0
        self.bytes_sent = 0
        self.outcome = "complete"
        self.started_at = 0.0
        self.task: asyncio.Task[None] | None = None
        self._handshake: Handshake | None = handshake
        self._answer: Message | None = None
        self._disconnect: tuple[int, str] | None = None
        self._told_connect = False
        self._told_disconnect = False
        self._is_leaving = False
        self._is_logged = False
        self._pinged_at = inf

    # The app's side

    async def run(self) -> None:
        """Run the app; close what it leaves open."""
        try:
            await self.context.app(self.scope, self.receive, self.send)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the app's, logged
            # A handler that calls exit() ends itself, not the worker.
            self._on_error(error)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():
                # Not the server's doing: the app awaited something that was cancelled.
                self._on_error(error)
            else:
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
            if self._last is not None:
                self._end_by_client(self._last)
            if self._disconnect is not None:
                return self._tell_disconnect(self._disconnect)
            await self._wait()

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
        websocket, carrier = self._websocket, self._carrier
        if websocket is not None:
            frame = websocket.encode_message(message_data(message))
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

    def on_deadline(self, now: float) -> None:
        """Act on the time that is over."""
        if self.stage == OPEN:
            if self._last is not None:
                self._end_by_client(self._last)
            elif self._is_leaving:
                self._go_away()
            else:
                self._keep_alive(now)
        elif self.stage == CLOSING:
            if self.outcome == "complete":
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
        if self._last is not None:
            outcome = "complete" if isinstance(self._last, Closed) else "refused"
            self._note_disconnect(self._last.code, self._last.reason, outcome)
            self._last = None
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
            self.task.add_done_callback(self._on_cancelled)

    # The handshake

    async def _send_other(self, message: Message, kind: str) -> None:
        stage = self.stage
        if stage >= CLOSING:
            raise ClientDisconnectedError("the WebSocket is closed")
        if stage == HANDSHAKE and self._answer is None:
            if kind == "websocket.accept":
                self._accept(message)
            elif kind == "websocket.close":
                code, reason = close_arguments(message)
                self._note_disconnect(code, reason, "complete")
                self._deny_whole(403, [_TEXT_PLAIN], b"Forbidden")
            elif kind == "websocket.http.response.start":
                self.status = denial_status(message, self.head.http_version)
                self._answer = message
            else:
                raise self._unexpected(kind)
        elif stage == OPEN and kind == "websocket.close":
            self._close(*close_arguments(message))
        elif kind == "websocket.http.response.body" and stage <= DENYING:
            await self._send_denial(message)
        else:
            raise self._unexpected(kind)

    def _accept(self, message: Message) -> None:
        handshake = self._handshake
        if handshake is None:
            return
        fields = accept_fields(message, handshake)
        deflate = self._rules.agree_on_deflate(handshake)
        if deflate is not None:
            fields.append((b"sec-websocket-extensions", deflate.response))
        self._carrier.accept(fields)
        self._handshake = None
        self.status = 200 if self.head.http_version == "2" else 101
        self.stage = OPEN
        if self._rules.ping_interval is not None:
            now = self.context.clock.now
            self._carrier.set_deadline(now + self._rules.ping_interval)
        self._open(WebsocketConnection(self._rules.limits, deflate))

    async def _send_denial(self, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        if self.stage == DENYING:
            self._carrier.deny_further(body, more=more)
        elif self._answer is not None:
            fields = self._answer.get("headers", ())
            self._carrier.deny(self.status, fields, body, more=more)
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

    # Ends

    def _end_by_client(self, event: Closed | Failed) -> None:
        """Answer the client's close frame or its mistake (RFC 6455, 5.5.1 and 7.1.7).

        In answer to our own close frame either is the end.
        """
        self._last = None
        websocket = self._websocket
        if self.stage != OPEN or websocket is None:
            self._close_carrier()
        elif isinstance(event, Closed):
            code = None if event.code == 1005 else event.code
            self._carrier.write(websocket.encode_close(code))
            self._note_disconnect(event.code, event.reason, "complete")
            self._close_carrier()
        else:
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
        self._note_disconnect(code, reason, outcome)
        if self._last is not None:
            self._last = None
            self._linger()  # the client has said its last word already
            return
        self.stage = CLOSING
        if wait < 0:
            wait = self._rules.close_timeout
        self._carrier.set_deadline(self.context.clock.now + wait)
        self._drop()

    def _go_away(self) -> None:
        self._close(1012, "service restart", wait=LEAVE_TIME)
        self._cancel_later()

    def _cancel_later(self) -> None:
        """Give the app a moment to see that it is over."""
        if self.task is not None:
            self.context.loop.call_later(LEAVE_TIME, self.cancel)

    def _end_abnormally(self, outcome: str) -> None:
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
            self._end_abnormally("timeout")
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

    def _on_error(self, error: BaseException) -> None:
        """Tell the app's failures from a socket that is closed."""
        if self.stage >= CLOSING and is_departure(error):
            _log.debug("App ended by its client's leaving", exc_info=error)
        else:
            self._fail("App failed", error)

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

    def _on_cancelled(self, task: asyncio.Task[None]) -> None:  # noqa: ARG002
        """Do what `run` could not: it was cancelled before its first step."""
        if self.task is not None:
            self._end_at_once("cancelled")
            self.task = None
            self.context.remove_exchange(self)

    def _log_access(self) -> None:
        access_log = self.context.access_log
        if access_log is not None and not self._is_logged:
            self._is_logged = True
            access_log.write_exchange(self)
