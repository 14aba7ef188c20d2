"""Clients that send no more: waiting for their answer, or gone?

The end of what a client sends looks the same in both cases. Whatever is written to a
client that is gone is answered with a reset, and then the socket has hung up. So a
client is looked at soon, and if need be something is written that does no harm.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from .connection import Connection

__all__ = ["HalfClosedClient", "has_hung_up"]

# Seconds from the end of input to the first look, to the second one, and so on. A quick
# answer comes before the first, a reset by the second.
_PAUSES: Final = (0.05, 0.05, 1.0)
# The system's probes, for clients whose network is gone.
_PROBE_SECONDS: Final = 5
_OPTIONS: Final = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", _PROBE_SECONDS),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", _PROBE_SECONDS),
)
_INET: Final = {socket.AF_INET, socket.AF_INET6}


class HalfClosedClient:
    """Looks at a client that has ended its side, and ends a connection that is dead.

    Args:
        connection: The connection, aborted when its client is gone.
        may_be_waiting: Called at each look with the number of looks before; may write
            something, and returns whether the client may still be there.
    """

    __slots__ = ("_connection", "_looks", "_may_be_waiting")

    def __init__(
        self, connection: Connection, may_be_waiting: Callable[[int], bool]
    ) -> None:
        self._connection = connection
        self._may_be_waiting = may_be_waiting
        self._looks = 0
        _probe(connection.transport)
        self._look_later()

    def _look_later(self) -> None:
        context = self._connection.context
        pause = _PAUSES[min(self._looks, len(_PAUSES) - 1)]
        context.loop.call_later(pause, self._look, context=context.base_context)

    def _look(self) -> None:
        connection = self._connection
        if connection.closed or connection.transport.is_closing():
            return
        if has_hung_up(connection.transport) or not self._may_be_waiting(self._looks):
            connection.abort()
            return
        self._looks += 1
        self._look_later()


def has_hung_up(transport: asyncio.Transport) -> bool:
    """Return whether a client that ended its side is gone altogether."""
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):  # Windows
        return False
    poll = select.poll()
    # Only POLLHUP and POLLERR, which are always looked for.
    poll.register(sock.fileno(), 0)
    return bool(poll.poll(0))


def _probe(transport: asyncio.Transport) -> None:
    """Let the system ask from time to time whether the client is there."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in _INET:
        return
    for level, name, value in _OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(level, option, value)
