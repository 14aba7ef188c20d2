"""The writing side of an HTTP/1 connection: now, soon, or as the client takes it."""

from __future__ import annotations

import asyncio
import socket
import struct
from math import inf
from typing import TYPE_CHECKING, Final

from .connection import ClientDisconnectedError, Connection

if TYPE_CHECKING:
    from quart_server.context import WorkerContext

__all__ = ["HTTP1Output"]

# SO_LINGER on, zero seconds: closing sends a reset.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class HTTP1Output(Connection):
    """Writes what exchanges have encoded, gathered into few system calls."""

    __slots__ = ("_pending", "_pending_size", "_writable")

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(context)
        self._pending: list[bytes] | None = None
        self._pending_size = 0
        self._writable: asyncio.Future[None] | None = None

    def write(self, data: bytes) -> None:
        """Write now, behind what waits to be written.

        Raises:
            ClientDisconnectedError: The client is gone.
        """
        if self._pending is not None:
            self._pending.append(data)
            self._flush()
        elif self.transport.is_closing():
            raise ClientDisconnectedError("the client closed the connection")
        else:
            self.transport.write(data)

    def write_soon(self, data: bytes) -> None:
        """Write within this turn of the loop, together with what else is written.

        Many small pieces leave in one system call. An app that writes without ever
        waiting is made to wait (`is_writing_paused`), so that others get their turn.

        Raises:
            ClientDisconnectedError: The client is gone.
        """
        limit = self.context.config.write_buffer_size // 4
        if len(data) >= limit:
            self.write(data)
            return
        if self._pending is None:
            if self.transport.is_closing():
                raise ClientDisconnectedError("the client closed the connection")
            self._pending = [data]
            self._pending_size = len(data)
            context = self.context
            context.loop.call_soon(self._flush, context=context.base_context)
            return
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= limit:
            self.is_writing_paused = True

    def check_open(self) -> None:
        """Raise if the client is gone.

        Raises:
            ClientDisconnectedError: It is.
        """
        if self.closed or self.transport.is_closing():
            raise ClientDisconnectedError("the client closed the connection")

    async def drain_fully(self) -> None:
        """Wait until nothing is left in the write buffer.

        Raises:
            ClientDisconnectedError: The connection is gone.
        """
        self.check_open()
        self.transport.set_write_buffer_limits(high=0)
        try:
            await self.drain()
        finally:
            if not self.closed:
                self.set_write_limit()

    async def wait_writable(self, descriptor: int) -> None:
        """Wait until a socket takes bytes, or the client has stalled and is gone."""
        loop = self.context.loop
        future = self._writable = loop.create_future()
        earlier = self.deadline
        self.deadline = self.context.clock.now + self.context.config.write_timeout
        loop.add_writer(descriptor, _set_done, future)
        try:
            await future
        finally:
            loop.remove_writer(descriptor)
            self._writable = None
            self.deadline = inf if self.closed else earlier

    # For subclasses

    @property
    def _is_writing(self) -> bool:
        """Whether the client has yet to take something."""
        return self._writable is not None or self.transport.get_write_buffer_size() > 0

    def _flush(self) -> None:
        """Write what waits to be written."""
        pending, self._pending = self._pending, None
        if pending is None or self.closed or self.transport.is_closing():
            return
        self.transport.write(b"".join(pending))
        if self.is_writing_paused and self.write_deadline == inf:
            self.resume_writing()  # it was our own limit, not the transport's

    def _reset_on_close(self) -> None:
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def _stop_waiting(self) -> None:
        """Wake who waits for a socket that will take nothing any more."""
        if self._writable is not None:
            _set_done(self._writable)


def _set_done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
