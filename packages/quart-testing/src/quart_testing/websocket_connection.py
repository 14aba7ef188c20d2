"""The test's end of a websocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from quart_core import json as quart_json

from .base_connection import TestConnection
from .connection_errors import WebsocketDisconnectError, WebsocketResponseError
from .exchange import Message
from .responses import received_headers

if TYPE_CHECKING:
    from quart_core import Response

__all__ = ("TestWebsocketConnection",)

# RFC 6455, 7.4.1.
NORMAL_CLOSURE = 1000
NO_CODE = 1005
CLOSED_ABNORMALLY = 1006

# What servers answer where the application closes before accepting, or just ends.
REJECTED = 403
FAILED = 500


class TestWebsocketConnection(TestConnection):
    """The client's end of a websocket.

    ::

        async with client.websocket("/echo") as connection:
            await connection.send("hello")
            assert await connection.receive() == "hello"

    The application runs from the moment this is entered. Leaving closes the websocket
    and waits for the handler to end.

    Args:
        app: The application.
        scope: The connection scope.

    Attributes:
        accepted: Whether the application has accepted.
        close_code: The code that the application closed with, None before.
        close_reason: The reason along with it.
        headers: Of the answer to the handshake, None where it had none.
        response_data: The body of the response of a rejection.
        status_code: Of a rejection.
        subprotocol: The one that the application chose.
    """

    def __init__(self, app: Any, scope: Any) -> None:
        super().__init__(app, scope)
        self.accepted = False
        self.subprotocol: str | None = None
        self.close_code: int | None = None
        self.close_reason = ""
        self._leaves_with = NO_CODE, ""
        self._rejection: Response | None = None
        self._told_rejection = False
        # What the application has sent, which may be ahead of what the test has read.
        self._is_answered = False
        self._is_rejecting = False
        self._is_closed = False
        self._exchange.to_app.put({"type": "websocket.connect"}, 0)

    # What the test does

    async def handshake(self) -> None:
        """Wait until the application has accepted; its messages stay unread.

        ::

            async with client.websocket("/room") as listener:
                await listener.handshake()  # from here on it hears what others say

        Raises:
            WebsocketResponseError: The application rejected the websocket.
            WebsocketDisconnectError: It closed it, or the test did.
            StillWaitingError: It did neither.
            Exception: What the application failed with.
        """
        exchange = self._exchange
        await exchange.until(
            lambda: self._is_answered and not self._is_rejecting,
            self._deadline(),
            self._undecided,
        )
        while not self.accepted and not exchange.from_app.is_empty:
            self._take(exchange.from_app.take())
            exchange.changes.notify()
        if not self.accepted:
            self._raise_end()

    async def receive(self) -> str | bytes:
        """Receive a message: str for text, bytes for a binary one.

        Raises:
            WebsocketResponseError: The application rejected the websocket.
            WebsocketDisconnectError: It closed it, or the test did.
            StillWaitingError: Nothing came.
            Exception: What the application failed with.
        """
        exchange = self._exchange
        deadline = self._deadline()
        while True:
            while not exchange.from_app.is_empty:
                data = self._take(exchange.from_app.take())
                exchange.changes.notify()
                if data is not None:
                    return data
            if self._is_done():
                self._raise_end()
            await exchange.until(
                lambda: not exchange.from_app.is_empty, deadline, self._silent
            )

    async def send(self, data: str | bytes) -> None:
        """Send a message, as text or binary by its type.

        Waits while `send_window` bytes are unread. What is sent after the application
        has closed is dropped, as on its way through a network.

        Raises:
            TypeError: The data is neither str nor bytes.
            RuntimeError: The test has closed the websocket, or left it.
            StillWaitingError: The application does not read.
        """
        if isinstance(data, str):
            message: Message = {"type": "websocket.receive", "text": data}
        elif isinstance(data, (bytes, bytearray, memoryview)):
            message = {"type": "websocket.receive", "bytes": bytes(data)}
        else:
            raise TypeError(
                f"A websocket sends str or bytes, not {data!r}; send_json() sends "
                "other values"
            )
        exchange = self._exchange
        if exchange.has_left:
            raise RuntimeError(
                f"The test has left the websocket {self.scope['path']} and cannot send "
                "on it any more"
            )
        await exchange.until(
            lambda: not exchange.to_app.is_full or self._is_closed,
            self._deadline(),
            self._unread,
        )
        if not self._is_closed and not exchange.is_over:
            size = len(data.encode()) if isinstance(data, str) else len(data)
            exchange.to_app.put(message, size)
            exchange.changes.notify()

    # Any: JSON holds any value.
    async def receive_json(self) -> Any:
        """Receive a message of JSON.

        Raises:
            ValueError: It is no JSON; else as `receive`.
        """
        return self._json().loads(await self.receive())

    async def send_json(self, data: Any) -> None:
        """Send a message of JSON, as text; raises as `send`."""
        await self.send(self._json().dumps(data))

    async def close(self, code: int, reason: str = "") -> None:
        """Close with a code and a reason (RFC 6455, 7.4).

        A websocket can be closed once it is open, so this waits for the application
        to accept or to reject it.

        Raises:
            StillWaitingError: It did neither in time.
        """
        exchange = self._exchange
        await exchange.until(
            lambda: self._is_answered, self._deadline(), self._undecided_at_exit
        )
        self._leaves_with = code, reason
        self._leave()

    async def disconnect(self) -> None:
        """Leave without closing, as where a network fails: code 1006."""
        self._leaves_with = CLOSED_ABNORMALLY, ""
        self._leave()

    # How it is done

    # Any: an application's JSON provider or the module.
    def _json(self) -> Any:
        return getattr(self.app, "json", quart_json)

    def _take(self, message: Message) -> str | bytes | None:
        """Take a message of the application; return the data it brings, if any."""
        kind = message["type"]
        if kind == "websocket.send":
            text: str | None = message.get("text")
            return message["bytes"] if text is None else text
        if kind == "websocket.accept":
            self._take_acceptance(message)
        elif kind == "websocket.close":
            self._take_close(message)
        elif kind == "websocket.http.response.start":
            self.status_code = message["status"]
            self._take_headers(received_headers(message))
        else:
            self.response_data += message.get("body") or b""
            if not message.get("more_body", False):
                self._reject()
        return None

    def _take_acceptance(self, message: Message) -> None:
        self.accepted = True
        self.subprotocol = message.get("subprotocol")
        headers = received_headers(message)
        if headers:
            self._take_headers(headers)

    def _take_close(self, message: Message) -> None:
        if not self.accepted:
            self.status_code = REJECTED
            self._reject()
            return
        self.close_code = message.get("code") or NORMAL_CLOSURE
        self.close_reason = message.get("reason") or ""

    def _reject(self) -> None:
        self._rejection = self._make_response()

    def _is_done(self) -> bool:
        """Say whether nothing more can come."""
        return self._is_closed or self._exchange.is_over or self._exchange.has_left

    def _raise_end(self) -> NoReturn:
        """Raise the reason for which there is no message."""
        if self._rejection is None:
            self._raise_failure()
        if self._exchange.has_left and not self._is_closed:
            raise WebsocketDisconnectError(*self._leaves_with)
        self._take_silent_end()
        if self._rejection is not None:
            self._told_rejection = True
            raise WebsocketResponseError(self._rejection)
        raise WebsocketDisconnectError(
            self.close_code or CLOSED_ABNORMALLY, self.close_reason
        )

    def _take_silent_end(self) -> None:
        """Do as servers do where the application ended without a word."""
        if not self._exchange.is_over or self._is_closed:
            return
        if self.accepted:
            self.close_code = NORMAL_CLOSURE
        elif self._rejection is None:
            self.status_code = self.status_code or FAILED
            self._reject()

    async def _finish(self) -> None:
        deadline = self._deadline()
        exchange = self._exchange
        if not exchange.has_left:
            # A rejection that nobody has looked at yet is not to be missed.
            await exchange.until(
                lambda: self._is_answered and not self._is_rejecting,
                deadline,
                self._undecided_at_exit,
            )
        self._take_handshake()
        if not exchange.has_left and not self._is_closed:
            self._leaves_with = NORMAL_CLOSURE, ""
            self._leave()
        await exchange.end(deadline, self._not_ended)
        self._take_handshake()
        self._raise_failure()
        if self._rejection is not None and not self._told_rejection:
            raise WebsocketResponseError(self._rejection)

    def _take_handshake(self) -> None:
        """Take what has come, for the state; messages nobody received are dropped."""
        while not self._exchange.from_app.is_empty:
            self._take(self._exchange.from_app.take())

    # What is said

    def _silent(self) -> str:
        if not self._is_answered:
            return self._undecided()
        return f"The application sent nothing on the websocket {self.scope['path']}"

    def _undecided(self) -> str:
        return (
            "The application neither accepted nor rejected the websocket "
            f"{self.scope['path']}"
        )

    def _undecided_at_exit(self) -> str:
        return f"{self._undecided()} (disconnect() leaves without waiting for that)"

    def _unread(self) -> str:
        waiting = self._exchange.to_app.size
        return (
            f"The application did not read the websocket {self.scope['path']}, on "
            f"which {waiting} bytes wait (send_window is {self.send_window}),"
        )

    def _not_ended(self) -> str:
        return (
            f"The websocket {self.scope['path']} is closed, and its handler did not end"
        )

    # What the application calls

    async def _asgi_receive(self) -> Message:
        return await self._exchange.receive(self._goodbye)

    def _goodbye(self) -> Message | None:
        if self._exchange.has_left:
            code, reason = self._leaves_with
        elif self._is_closed:
            code, reason = self.close_code or CLOSED_ABNORMALLY, ""
        else:
            return None
        return {"type": "websocket.disconnect", "code": code, "reason": reason}

    async def _asgi_send(self, message: Message) -> None:
        kind = message["type"]
        allowed = self._allowed()
        if kind not in allowed:
            raise RuntimeError(
                f"The application sent {kind!r} on the websocket {self.scope['path']}, "
                f"where {' or '.join(map(repr, allowed)) or 'nothing more'} is due"
            )
        data = message.get("text") or message.get("bytes") or message.get("body") or b""
        await self._exchange.send(message, len(data))
        self._note(message)
        self._exchange.changes.notify()

    def _allowed(self) -> tuple[str, ...]:
        """Return what the application may send now."""
        if self._is_closed:
            return ()
        if self._is_rejecting:
            return ("websocket.http.response.body",)
        if self._is_answered:
            return ("websocket.send", "websocket.close")
        return (
            "websocket.accept",
            "websocket.close",
            "websocket.http.response.start",
        )

    def _note(self, message: Message) -> None:
        """Follow the state of the websocket."""
        kind = message["type"]
        self._is_answered = True
        if kind == "websocket.http.response.start":
            self._is_rejecting = True
        elif kind == "websocket.http.response.body":
            if not message.get("more_body", False):
                self._is_rejecting = False
                self._is_closed = True
        elif kind == "websocket.close":
            self.close_code = message.get("code") or NORMAL_CLOSURE
            self._is_closed = True
