"""The way of an uploaded file from the network to memory or disk."""

from __future__ import annotations

from typing import IO, Final

from .threads import BlockingResource

__all__ = ("Upload",)

#: Steps in which a large file is written; each costs a turn of a thread.
WRITE_BYTES: Final = 131_072


class Upload:
    """A file that is being received.

    Writing to memory happens at once; writing that may touch the disk happens in a
    thread, in steps of `WRITE_BYTES`. Given up in the middle of a step, the file is
    closed after it; temporary files have no name, so nothing is left.

    Args:
        stream: Where the data goes.
        in_memory_bytes: How much may be written before the disk is used; None for a
            stream that never uses it.
    """

    def __init__(self, stream: IO[bytes], in_memory_bytes: int | None) -> None:
        self._stream = stream
        self._in_memory_bytes = in_memory_bytes
        self._written = 0
        self._pending = bytearray()
        self._resource = BlockingResource(stream.close)

    async def write(self, data: bytes) -> None:
        """Write data behind what was written before."""
        self._written += len(data)
        if self._is_in_memory():
            self._stream.write(data)
            return
        self._pending += data
        if len(self._pending) >= WRITE_BYTES:
            step = bytes(self._pending)
            self._pending.clear()
            await self._resource.run(self._stream.write, step)

    async def finish(self) -> IO[bytes]:
        """Return the stream with everything written, at its beginning."""
        if self._is_in_memory():
            self._stream.seek(0)
        else:
            await self._resource.run(self._write_rest)
        return self._stream

    async def abandon(self) -> None:
        """Close the stream, after the step that a thread may be taking."""
        if self._is_in_memory():
            self._stream.close()
        else:
            await self._resource.aclose()

    def _is_in_memory(self) -> bool:
        limit = self._in_memory_bytes
        return limit is None or self._written <= limit

    def _write_rest(self) -> None:
        if self._pending:
            self._stream.write(self._pending)
        self._stream.seek(0)
