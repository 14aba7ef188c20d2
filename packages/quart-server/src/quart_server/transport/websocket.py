"""A connection of HTTP/1.1 that carries a WebSocket (RFC 6455, 4.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.http1_response import BodyLengthError
from quart_server.protocols.websocket_handshake import accept_value, read_handshake

from .connection import Connection
from .websocket_rules import check_admission
from .websocket_session import WebsocketSession

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from quart_server.context import WorkerContext
    from quart_server.protocols.http1_response import ResponseBody
    from quart_server.protocols.request import RequestHead
    from quart_server.protocols.websocket_handshake import Handshake

    from .websocket_carrier import Field

__all__ = ["WebsocketTransport", "check_handshake"]


class WebsocketTransport(Connection):
    """The carrier of one WebSocket, from its request to the connection's end."""

    __slots__ = ("_framing", "_head", "_key", "_session")

    def __init__(
        self, context: WorkerContext, head: RequestHead, handshake: Handshake
    ) -> None:
        super().__init__(context)
        self._key = handshake.key
        self._framing: ResponseBody | None = None
        self._session: WebsocketSession | None = None
        self._head: tuple[RequestHead, Handshake] | None = (head, handshake)

    # From asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the app."""
        super().connection_made(transport)
        request, self._head = self._head, None
        if request is not None:
            self._session = WebsocketSession(self.context, self, *request)
            self._session.begin()

    def data_received(self, data: bytes) -> None:
        """Give bytes to the session."""
        if self._session is not None:
            self._session.receive_data(data)

    def eof_received(self) -> bool:
        """Tell the session; the connection ends on both sides."""
        if self._session is not None:
            self._session.receive_eof()
        # A session that still has to read keeps the connection.
        return self.scheme != "https" and not self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session that its client is gone."""
        super().connection_lost(exc)
        session, self._session = self._session, None
        if session is not None:
            session.connection_lost()

    def resume_writing(self) -> None:
        """Tell senders and the session."""
        super().resume_writing()
        if self._session is not None and not self.closed:
            self._session.resume_writing()

    # From the clock and the worker

    def on_deadline(self, now: float) -> None:
        """Let the session act."""
        if self._session is not None:
            self._session.on_deadline(now)

    def on_write_stalled(self) -> None:
        """Give up a client that takes nothing."""
        if self._session is not None:
            self._session.on_write_stalled()
        self.abort()

    def shut_down(self) -> None:
        """Let the session say goodbye."""
        if self._session is not None:
            self._session.shut_down()

    # The carrier, see `WebsocketCarrier`

    def accept(self, fields: Sequence[Field]) -> None:
        """Write 101."""
        headers = [
            (b"upgrade", b"websocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", accept_value(self._key)),
            *fields,
        ]
        data, _ = self.context.encoder.encode_head(
            101, headers, is_head=True, is_http10=False, keep_alive=True
        )
        self.write(data)

    def deny(
        self, status: int, fields: Sequence[Field], body: bytes, *, more: bool
    ) -> None:
        """Write a response after which the connection ends."""
        data, framing = self.context.encoder.encode_head(
            status,
            fields,
            is_head=False,
            is_http10=False,
            keep_alive=False,
            body_size=None if more else len(body),
        )
        data += framing.encode(body, more=more)
        _check_complete(framing, more=more)
        self._framing = framing
        self.write(data)

    def deny_further(self, body: bytes, *, more: bool) -> None:
        """Write a further piece of that response's body."""
        if self._framing is not None:
            data = self._framing.encode(body, more=more)
            _check_complete(self._framing, more=more)
            self.write(data)

    def write(self, data: bytes, /) -> None:
        """Write bytes of frames."""
        if not self.closed:
            self.transport.write(data)

    def pause_reading(self) -> None:
        """Take no more bytes."""
        if not self.closed:
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take bytes again."""
        if not self.closed and not self.transport.is_closing():
            self.transport.resume_reading()

    def set_deadline(self, deadline: float) -> None:
        """Have the clock call `on_deadline`."""
        if not self.closed:
            self.deadline = deadline

    def half_close(self) -> None:
        """Send FIN where TLS does not forbid it."""
        if not self.closed and self.transport.can_write_eof():
            self.transport.write_eof()


def check_handshake(connection: Connection, head: RequestHead) -> Handshake:
    """Return the handshake of a request that may become a WebSocket.

    Raises:
        ProtocolError: It must not.
    """
    if head.body_length:
        # The frames to come could not be told from the body.
        raise ProtocolError("a WebSocket handshake with a body")
    handshake = read_handshake(head.headers, needs_key=True)
    check_admission(connection.context, connection.client, head)
    return handshake


def _check_complete(framing: ResponseBody, *, more: bool) -> None:
    if framing.is_short and not more:
        raise BodyLengthError("The app sent less body than its Content-Length says")
