"""The line between the supervisor and a worker: small messages, both ways.

Each is one line of JSON with a `kind`. From the worker: `ready`, `beat`, `outdated`,
`draining`, `failed` (with `reason`). From the supervisor: `setup` (once, first),
`drain` (with `idle_seconds`), `renew`. The line's end tells each side that the other
one is gone.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from typing import Any

__all__ = ["IDLE_SECONDS", "Channel", "ControlMessage", "channel_pair"]

# When a server ends: how long connections without a request are kept for a last one
# that may be on its way.
IDLE_SECONDS = 0.25

# Any: values of JSON.
ControlMessage = dict[str, Any]

_READ_BYTES = 64 * 1024
_LONGEST_MESSAGE_BYTES = 1024 * 1024
_SEND_SECONDS = 5.0


class Channel:
    """One end of the line.

    Attributes:
        is_closed: Whether the other end is gone; what it sent before is still read.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(_SEND_SECONDS)
        self._socket = sock
        self._unread = b""
        self._sending = threading.Lock()
        self.is_closed = False

    def fileno(self) -> int:
        """Return the descriptor, for selectors."""
        return self._socket.fileno()

    def send(self, kind: str, **values: object) -> bool:
        """Send a message; return whether the other end was still there to take it."""
        line = json.dumps({"kind": kind, **values}).encode() + b"\n"
        try:
            with self._sending:
                self._socket.sendall(line)
        except OSError:
            # The one who reads this line notices the end of it and acts on that.
            return False
        return True

    def receive(self, timeout: float = 0.0) -> list[ControlMessage]:
        """Return the messages that have arrived, waiting up to a time for the first."""
        readable, _, _ = select.select([self._socket], [], [], timeout)
        if not readable:
            return []
        try:
            received = self._socket.recv(_READ_BYTES)
        except OSError:
            received = b""
        self.is_closed = not received
        *lines, self._unread = (self._unread + received).split(b"\n")
        if len(self._unread) > _LONGEST_MESSAGE_BYTES:
            self.is_closed = True
        return [json.loads(line) for line in lines]

    def receive_rest(self) -> list[ControlMessage]:
        """Return everything that a process sent before it ended."""
        messages: list[ControlMessage] = []
        while not self.is_closed:
            arrived = self.receive()
            if not arrived and not self.is_closed:
                break
            messages += arrived
        return messages

    def close(self) -> None:
        """Close this end."""
        self.is_closed = True
        self._socket.close()


def channel_pair() -> tuple[Channel, socket.socket]:
    """Return our end, and the socket for the other process."""
    ours, theirs = socket.socketpair()
    return Channel(ours), theirs
