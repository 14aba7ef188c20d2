"""What a WebSocket runs on: an upgraded HTTP/1.1 connection, or an HTTP/2 stream.

The session calls the methods of `WebsocketCarrier`; the carrier calls these of the
session (`transport/websocket_session.py: WebsocketSession`):

    begin()               once: start the app
    receive_data(data)    bytes of frames, also when they come before the answer
    receive_eof()         the client sends no more
    resume_writing()      the write buffer is below its mark again
    on_deadline(now)      the time of `set_deadline` has come
    on_write_stalled()    the client takes nothing; the carrier aborts after this
    connection_lost()     exactly once, last: nothing can be read or written any more
    shut_down()           the server stops
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .connection import Address

__all__ = ["Field", "WebsocketCarrier"]

Field = tuple[bytes, bytes]


class WebsocketCarrier(Protocol):
    """Moves the bytes of one WebSocket and knows how its handshake is answered.

    Attributes:
        client: Address of the peer for the scope.
        server: Address it connected to for the scope.
        scheme: `http` or `https`.
        is_writing_paused: Whether the write buffer is above its high-water mark.
    """

    client: Address | None
    server: Address | None
    scheme: str
    is_writing_paused: bool

    def accept(self, fields: Sequence[Field]) -> None:
        """Answer the handshake: 101 over HTTP/1.1, 200 over HTTP/2.

        Args:
            fields: The app's fields and the server's `sec-websocket-*`, save for what
                only HTTP/1.1 has (Upgrade, Connection, Sec-WebSocket-Accept).

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """

    def deny(
        self, status: int, fields: Sequence[Field], body: bytes, *, more: bool
    ) -> None:
        """Answer the handshake with an ordinary response and its first piece of body.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
            BodyLengthError: The body is longer or shorter than its Content-Length.
        """

    def deny_further(self, body: bytes, *, more: bool) -> None:
        """Send a further piece of that response's body.

        Raises:
            BodyLengthError: The body is longer or shorter than its Content-Length.
        """

    def write(self, data: bytes, /) -> None:
        """Send bytes of frames; never waits, never raises."""

    async def drain(self) -> None:
        """Wait until the write buffer is below its high-water mark.

        Raises:
            ClientDisconnectedError: The client is gone.
        """

    def pause_reading(self) -> None:
        """Take no more bytes from the client; what is on its way may still come."""

    def resume_reading(self) -> None:
        """Take bytes again."""

    def set_deadline(self, deadline: float) -> None:
        """Call `on_deadline` of the session at this loop time; `inf` is never."""

    def half_close(self) -> None:
        """Write nothing more: FIN where the transport can, END_STREAM over HTTP/2.

        Bytes are received and dropped until the client ends or the session closes.
        """

    def close(self) -> None:
        """End both directions once what was written has been sent."""

    def abort(self) -> None:
        """End at once: RST, RST_STREAM."""
