"""The line between supervisor and child: one JSON object per line, both ways."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

__all__ = ("Channel", "Message")

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""A longer message ends the line: the other side is not what it should be."""

# Any: JSON.
Message = dict[str, Any]


class Channel:
    """One end of the line.

    Args:
        sock: A connected stream socket; owned from now on.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setblocking(True)
        sock.set_inheritable(False)

    @classmethod
    def from_descriptor(cls, descriptor: int) -> Channel:
        """Return the end that a parent process handed down."""
        return cls(socket.socket(fileno=descriptor))

    # Any: JSON.
    def send(self, kind: str, **values: Any) -> None:
        """Send a message; nothing happens if the other side is gone."""
        line = json.dumps({"kind": kind, **values}).encode() + b"\n"
        with suppress(OSError):
            self._sock.sendall(line)

    def messages(self) -> Iterator[Message]:
        """Yield messages until the other side is gone."""
        with suppress(OSError), self._sock.makefile("rb") as file:
            while line := file.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n"):
                    return
                yield json.loads(line)

    def close(self) -> None:
        """Close this end; who waits for messages sees their end."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
