"""A client's end of a WebSocket in as few steps as possible, for floods and crowds."""

from __future__ import annotations

import asyncio
import socket
from typing import Self

from integration_server import HOST, WAIT_SECONDS

TEXT, BINARY, CLOSE = 1, 2, 8
# RFC 6455, 5.3: a mask of zeros leaves the payload as it is.
_NO_MASK = bytes(4)
# RFC 6455, 1.3, without which no server accepts; any 16 bytes will do.
_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


def frame(payload: bytes, kind: int = TEXT) -> bytes:
    """Give one whole message as a client sends it (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | kind, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | kind, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | kind, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + _NO_MASK + payload


def close_frame(code: int = 1000) -> bytes:
    return frame(code.to_bytes(2, "big"), CLOSE)


class Socket:
    """A connected WebSocket; every wait is bounded.

    Args:
        sock: The socket, in non-blocking mode, after the handshake.
        data: What came along with the handshake's answer.
    """

    def __init__(self, sock: socket.socket, data: bytes) -> None:
        self.sock = sock
        self._data = data

    @classmethod
    async def open(
        cls, port: int, path: str = "/", *, receive_buffer: int | None = None
    ) -> Self:
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        head = (
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {_KEY}\r\n\r\n"
        )
        answer = b""
        async with asyncio.timeout(WAIT_SECONDS):
            await loop.sock_connect(sock, (HOST, port))
            await loop.sock_sendall(sock, head.encode())
            while b"\r\n\r\n" not in answer:
                data = await loop.sock_recv(sock, 4096)
                if not data:
                    raise ConnectionResetError(answer.decode())
                answer += data
        status, _, rest = answer.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 101 "):
            raise ConnectionRefusedError(status.decode())
        return cls(sock, rest)

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def receive(self) -> tuple[int, bytes]:
        """Give kind and payload of the next frame."""
        async with asyncio.timeout(WAIT_SECONDS):
            kind, size = await self._read(2)
            if size >= 126:
                size = int.from_bytes(await self._read(2 if size == 126 else 8), "big")
            return kind & 0x0F, await self._read(size)

    async def receive_text(self) -> str:
        kind, payload = await self.receive()
        if kind != TEXT:
            raise TypeError(f"a frame of kind {kind} instead of text: {payload!r}")
        return payload.decode()

    async def closing_code(self) -> int:
        """Wait for the server's close frame, behind whatever comes before it."""
        while True:
            kind, payload = await self.receive()
            if kind == CLOSE:
                return int.from_bytes(payload[:2], "big")

    async def _read(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        while len(self._data) < size:
            data = await loop.sock_recv(self.sock, 65_536)
            if not data:
                raise ConnectionResetError("the server has closed")
            self._data += data
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()
