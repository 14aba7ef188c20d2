"""Accepting connections: no more than a worker may hold, and none lost at the end.

asyncio's own server cannot pause. Here the listening socket is simply not looked at
while the worker is full: further clients wait in the kernel's backlog, other workers
may take them, and nothing spins (F-04). It also drops, without a word, a connection
accepted in the turn of the loop in which it is closed; here it is served (F-17).
"""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from quart_server.context import WorkerContext

    from .connection import Connection

__all__ = ["Acceptor"]

_log = logging.getLogger("quart_server.error")

# Connections taken in one turn of the loop.
_BATCH: Final = 64
# Batches taken before the listening socket is closed: more than a backlog holds.
_LAST_BATCHES: Final = 64
# How long the system is left alone when it has no descriptors or memory to give.
_EXHAUSTED_SECONDS: Final = 1.0
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
# What happened to a connection in the backlog: Linux reports it by accept().
_PASSED_OVER: Final = frozenset(
    getattr(errno, name)
    for name in (
        "EPROTO", "EPERM", "ENETDOWN", "ENETUNREACH", "EHOSTDOWN", "EHOSTUNREACH",
        "ENONET", "ENOPROTOOPT", "EOPNOTSUPP",
    )
    if hasattr(errno, name)
)  # fmt: skip


class Acceptor:
    """Accepts connections of one listening socket while there is room.

    Args:
        context: What the worker's connections share.
        sock: The listening socket, closed in the end.
        factory: Makes the protocol of a connection.
        maximum: How many connections the worker may hold, None for no limit.
        ssl_context: For connections that begin with a handshake.

    Attributes:
        sock: The listening socket.
        factory: Makes the protocol of a connection.
        ssl_context: For connections that begin with a handshake.
    """

    def __init__(
        self,
        context: WorkerContext,
        sock: socket.socket,
        factory: Callable[[], Connection],
        *,
        maximum: int | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._context = context
        self.sock = sock
        self.factory = factory
        self._maximum = maximum
        self.ssl_context = ssl_context
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_watching = False
        self._is_closed = False

    def start(self) -> None:
        """Accept from now on."""
        self._context.on_room.append(self._watch)
        self._watch()

    def close(self) -> None:
        """Accept those who wait already, then no more; close the listening socket.

        The system would reset them.
        """
        for _ in range(_LAST_BATCHES):
            if not self._accept():
                break
        self._is_closed = True
        self._unwatch()
        self.sock.close()

    async def settle(self, timeout: float) -> None:
        """Wait until what is accepted is a connection that the context knows.

        Args:
            timeout: Seconds that handshakes may take.
        """
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout)

    def _watch(self) -> None:
        if not self._is_closed and not self._is_watching and self._has_room():
            self._is_watching = True
            self._context.loop.add_reader(self.sock, self._accept)

    def _unwatch(self) -> None:
        if self._is_watching:
            self._is_watching = False
            self._context.loop.remove_reader(self.sock)

    def _has_room(self) -> bool:
        if self._maximum is None:
            return True
        held = len(self._context.connections) + len(self._tasks)
        return held < self._maximum

    def _accept(self) -> bool:
        """Accept a batch; return whether there may be more."""
        for _ in range(_BATCH):
            if not self._has_room():
                self._unwatch()
                return False
            try:
                connection, _ = self.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return False
            except OSError as error:
                self._on_error(error)
                return False
            connection.setblocking(False)
            task = self._context.loop.create_task(self._connect(connection))
            self._tasks.add(task)
            task.add_done_callback(self._connected)
        return True

    def _on_error(self, error: OSError) -> None:
        if error.errno in _PASSED_OVER:
            _log.debug("A connection failed before it was accepted: %s", error.strerror)
            return
        if error.errno not in _EXHAUSTED:
            raise error
        _log.error("No connection can be accepted for now: %s", error.strerror)
        self._unwatch()
        self._context.loop.call_later(_EXHAUSTED_SECONDS, self._watch)

    async def _connect(self, sock: socket.socket) -> None:
        timeout = self._context.config.ssl_handshake_timeout
        try:
            await self._context.loop.connect_accepted_socket(
                self.factory,
                sock,
                ssl=self.ssl_context,
                ssl_handshake_timeout=timeout if self.ssl_context else None,
            )
        except (OSError, TimeoutError) as error:
            # A failed handshake, or a client that left at once.
            _log.debug("A connection was not made: %s", error)
            sock.close()

    def _connected(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()
        self._watch()
