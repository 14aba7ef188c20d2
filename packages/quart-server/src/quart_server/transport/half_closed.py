"""Clients that send no more: waiting for their answer, or gone?

The end of what a client sends looks the same in both cases. A client that is waiting
acknowledges the system's probes; one that is gone answers them with a reset, and then
the socket has hung up.
"""

from __future__ import annotations

import select
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

__all__ = ["CHECK_SECONDS", "has_hung_up", "probe"]

# Between two looks at a client that has ended its side.
CHECK_SECONDS: Final = 1.0
# The system's probes of it.
_PROBE_SECONDS: Final = 5
_OPTIONS: Final = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", _PROBE_SECONDS),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", _PROBE_SECONDS),
)
_INET: Final = {socket.AF_INET, socket.AF_INET6}


def probe(transport: asyncio.Transport) -> None:
    """Let the system ask from time to time whether the client is there."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in _INET:
        return
    for level, name, value in _OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(level, option, value)


def has_hung_up(transport: asyncio.Transport) -> bool:
    """Return whether a client that ended its side is gone altogether."""
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(select, "poll"):  # Windows
        return False
    poll = select.poll()
    # Only POLLHUP and POLLERR, which are always looked for.
    poll.register(sock.fileno(), 0)
    return bool(poll.poll(0))
