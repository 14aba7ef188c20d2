"""The client's end of a WebSocket in plain sockets, for environments without any."""

from __future__ import annotations

import socket
from typing import Self

HOST = "127.0.0.1"
SECONDS = 10.0


class RawWebsocket:
    """A WebSocket whose messages are short texts (RFC 6455).

    Attributes:
        status: The status that answered the handshake: 101, or that of a refusal.
    """

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection((HOST, port), timeout=SECONDS)
        self._file = self._socket.makefile("rb")
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        self.status = int(self._file.readline().split()[1])
        while self._file.readline().strip():
            pass

    def send(self, text: str) -> None:
        """Send a message of at most 125 bytes, masked with zeros."""
        data = text.encode()
        self._socket.sendall(bytes((0x81, 0x80 | len(data))) + bytes(4) + data)

    def receive(self) -> str:
        """Receive a message of at most 125 bytes."""
        first, size = self._file.read(2)
        if first != 0x81:
            raise SystemExit(f"frame {first:#x} instead of a text")
        return self._file.read(size).decode()

    def closing_code(self) -> int:
        """Receive the server's close frame and answer it."""
        first, size = self._file.read(2)
        if first != 0x88:
            raise SystemExit(f"frame {first:#x} instead of a close")
        data = self._file.read(size)
        self._socket.sendall(bytes((0x88, 0x80 | len(data))) + bytes(4) + data)
        return int.from_bytes(data[:2], "big")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self._file.close()
        self._socket.close()
