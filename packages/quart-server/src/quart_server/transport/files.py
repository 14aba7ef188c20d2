"""Files as response bodies: `sendfile` on plain sockets, bounded reads elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, BinaryIO, Final

from .connection import ClientDisconnectedError

if TYPE_CHECKING:
    from .http1 import HTTP1Transport

__all__ = ["FileSlice", "open_slice", "send_slice"]

# One call of sendfile; other connections get their turn in between.
_SENDFILE_SIZE: Final = 1024 * 1024
_READ_SIZE: Final = 256 * 1024
_HAS_SENDFILE: Final = hasattr(os, "sendfile")


class FileSlice:
    """A part of an open file.

    Attributes:
        file: The open file.
        offset: Where the part begins.
        count: Its length in bytes.
    """

    __slots__ = ("count", "file", "offset")

    def __init__(self, file: BinaryIO, offset: int, count: int) -> None:
        self.file = file
        self.offset = offset
        self.count = count

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def read(self, size: int) -> bytes:
        """Read the next bytes of the part (blocking)."""
        self.file.seek(self.offset)
        data = self.file.read(min(size, self.count))
        self.offset += len(data)
        self.count -= len(data)
        return data


async def open_slice(
    loop: asyncio.AbstractEventLoop, path: str, offset: int, count: int | None
) -> FileSlice:
    """Open a part of a file in a thread.

    Raises:
        OSError: The file cannot be opened.
        ValueError: The part is not inside the file.
    """
    opening = loop.run_in_executor(None, _open, path, offset, count)
    try:
        # The thread cannot be interrupted, so what it has opened is waited for.
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(opening: asyncio.Future[FileSlice]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _open(path: str, offset: int, count: int | None) -> FileSlice:
    file = open(path, "rb", buffering=0)  # noqa: SIM115  # closed by the slice
    try:
        size = os.fstat(file.fileno()).st_size
        if count is None:
            count = size - offset
        if offset < 0 or count < 0 or offset + count > size:
            raise ValueError(
                f"offset {offset} and count {count} are not inside the {size} bytes "
                f"of {path}"
            )
    except BaseException:
        file.close()
        raise
    return FileSlice(file, offset, count)


async def send_slice(connection: HTTP1Transport, part: FileSlice) -> None:
    """Send a part of a file behind what has been written so far.

    Raises:
        ClientDisconnectedError: The client is gone.
        EOFError: The file has become shorter than it was.
    """
    sock = connection.transport.get_extra_info("socket")
    if _HAS_SENDFILE and connection.scheme == "http" and sock is not None:
        await _send_directly(connection, sock, part)
    else:
        await _send_by_reading(connection, part)


async def _send_by_reading(connection: HTTP1Transport, part: FileSlice) -> None:
    loop = connection.context.loop
    while part.count:
        data = await loop.run_in_executor(None, part.read, _READ_SIZE)
        if not data:
            raise EOFError("the file became shorter while it was sent")
        connection.check_open()
        connection.write(data)
        await connection.drain()


async def _send_directly(
    connection: HTTP1Transport, sock: socket.socket, part: FileSlice
) -> None:
    """Let the kernel copy from file to socket, beside the transport.

    A duplicate of the descriptor is watched, since event loops do not let others
    watch those of their transports.
    """
    await connection.drain_fully()
    descriptor = os.dup(sock.fileno())
    try:
        while part.count:
            sent = _sendfile(descriptor, part)
            if sent is None:
                await connection.wait_writable(descriptor)
            elif not sent:
                raise EOFError("the file became shorter while it was sent")
            else:
                await asyncio.sleep(0)
            connection.check_open()
    finally:
        os.close(descriptor)


def _sendfile(descriptor: int, part: FileSlice) -> int | None:
    """Send what the socket takes now; None when it takes nothing."""
    try:
        sent = os.sendfile(
            descriptor, part.file.fileno(), part.offset, min(part.count, _SENDFILE_SIZE)
        )
    except (BlockingIOError, InterruptedError):
        return None
    except OSError as error:
        raise ClientDisconnectedError("the client closed the connection") from error
    part.offset += sent
    part.count -= sent
    return sent
