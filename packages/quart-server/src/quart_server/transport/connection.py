"""What every connection shares: flow control, its deadline, its way to an end."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from quart_server.context import WorkerContext

__all__ = ["Address", "ClientDisconnectedError", "Connection"]

Address = tuple[str, int | None]


class ClientDisconnectedError(OSError):
    """The client is gone: what the app sends cannot arrive (ASGI 2.4, `send()`)."""


class Connection(asyncio.Protocol):
    """One connection to a client; subclasses speak a protocol on it.

    A connection that changes its protocol (HTTP/2 preface, WebSocket) makes the new
    object, calls `hand_over(new, unread_bytes)` and is forgotten.

    Attributes:
        context: What all connections of the worker share.
        transport: asyncio's transport, None before and after the connection.
        deadline: Loop time at which the clock calls `on_deadline`; `inf` for never.
        client: Address of the peer for scopes, None on Unix sockets.
        server: Address it connected to for scopes.
        scheme: `http` or `https`, from the transport.
        write_deadline: The same for a client that takes nothing of what was written.
        is_writing_paused: Whether the write buffer is above its high-water mark.
        closed: Whether `connection_lost` has been called.
    """

    __slots__ = (
        "_drain_waiters",
        "_write_left",
        "client",
        "closed",
        "context",
        "deadline",
        "is_writing_paused",
        "scheme",
        "server",
        "transport",
        "write_deadline",
    )

    transport: asyncio.Transport

    def __init__(self, context: WorkerContext) -> None:
        self.context = context
        self.deadline = inf
        self.client: Address | None = None
        self.server: Address | None = None
        self.scheme = "http"
        self.is_writing_paused = False
        self.closed = False
        self.write_deadline = inf
        self._write_left = 0
        self._drain_waiters: list[asyncio.Future[None]] | None = None

    # From asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read the addresses, join the worker's connections."""
        self.transport = cast("asyncio.Transport", transport)
        self.set_write_limit()
        self.set_read_size()
        self.client = _address(transport.get_extra_info("peername"))
        self.server = _address(transport.get_extra_info("sockname"))
        if transport.get_extra_info("sslcontext") is not None:
            self.scheme = "https"
        self.context.add_connection(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Leave the worker's connections; wake who waits for writing."""
        self.closed = True
        self.deadline = self.write_deadline = inf
        self.context.remove_connection(self)
        self.resume_writing()
        del self.transport

    def pause_writing(self) -> None:
        """Make `drain()` wait, and give the client a time to take something."""
        self.is_writing_paused = True
        self._watch_writing()

    def resume_writing(self) -> None:
        """Let `drain()` return."""
        self.is_writing_paused = False
        self.write_deadline = inf
        waiters, self._drain_waiters = self._drain_waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    # For subclasses and exchanges

    async def drain(self) -> None:
        """Wait until the write buffer is below its high-water mark.

        Raises:
            ClientDisconnectedError: The connection is gone.
        """
        while self.is_writing_paused:
            waiter = self.context.loop.create_future()
            if self._drain_waiters is None:
                self._drain_waiters = []
            self._drain_waiters.append(waiter)
            await waiter
        if self.closed:
            raise ClientDisconnectedError("the client closed the connection")

    def set_write_limit(self) -> None:
        """Set the high-water mark; a quarter of the room is for what waits before it.

        HTTP/1 gathers small pieces of a turn there.
        """
        size = self.context.config.write_buffer_size
        self.transport.set_write_buffer_limits(high=size - size // 4)

    def set_read_size(self) -> None:
        """Read no more at once than the app may have waiting for it.

        asyncio's transports take 256 KiB, and allocate as much for each small request.
        """
        size = self.context.config.body_buffer_size
        if getattr(self.transport, "max_size", 0) > size:
            self.transport.max_size = size  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close once what is buffered has been sent, or the client takes nothing."""
        if self.closed:
            return
        self.transport.close()
        self._watch_closing()

    def abort(self) -> None:
        """Close at once, dropping what is buffered."""
        if not self.closed:
            self.transport.abort()

    def hand_over(self, successor: Connection, unread: bytes = b"") -> None:
        """Let another protocol have the transport, with bytes not yet understood."""
        transport = self.transport
        self.closed = True
        self.deadline = self.write_deadline = inf
        self.context.remove_connection(self)
        transport.set_protocol(successor)
        successor.connection_made(transport)
        transport.resume_reading()
        if unread:
            successor.data_received(unread)

    # Called by the worker

    def on_tick(self, now: float) -> None:
        """Act on whichever deadline has passed (the clock calls this)."""
        if self.write_deadline != inf:
            self._check_writing(now)
        if self.deadline <= now and not self.closed:
            self.deadline = inf
            self.on_deadline(now)

    def on_deadline(self, now: float) -> None:  # noqa: ARG002
        """Act on the subclass's own deadline; it is `inf` when this is called."""
        self.close()

    def shut_down(self) -> None:
        """Take no further requests, end when those in flight are over.

        Called once, when the worker stops; a connection without work closes at once.
        """
        raise NotImplementedError

    # Private

    def _watch_closing(self) -> None:
        if not self.closed and self.transport.get_write_buffer_size():
            self._watch_writing()

    def _watch_writing(self) -> None:
        self._write_left = self.transport.get_write_buffer_size()
        timeout = self.context.config.write_timeout
        self.write_deadline = self.context.clock.now + timeout

    def _check_writing(self, now: float) -> None:
        """Abort when the client has taken nothing for too long."""
        left = self.transport.get_write_buffer_size()
        if left == 0:
            self.write_deadline = inf
        elif left < self._write_left:
            self._watch_writing()
        elif self.write_deadline <= now:
            self.on_write_stalled()

    def on_write_stalled(self) -> None:
        """Give up a client that takes nothing (THREATS of slow readers)."""
        self.abort()


def _address(name: object) -> Address | None:
    """Return the scope's form of a socket name."""
    if isinstance(name, tuple) and len(name) >= 2:
        return (str(name[0]), int(name[1]))
    if isinstance(name, str) and name:
        return (name, None)
    return None
