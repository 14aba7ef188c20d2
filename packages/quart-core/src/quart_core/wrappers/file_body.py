"""Bodies that are read from a file or file object while they are sent.

Nothing is read on the event loop, and nothing is open that nobody reads: a file is
opened by the first read and closed by the last.
"""

from __future__ import annotations

import os
from io import BytesIO, FileIO, TextIOBase
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from ..threads import BlockingResource, run_sync
from .response_body import ResponseBody, valid_range

__all__ = ("READ_SIZE", "FileBody", "IOBody", "refuse_text")

READ_SIZE: Final = 256 * 1024
"""Bytes read from a file per step; each step costs one change of thread."""


class FileBody(ResponseBody):
    """A body that is read from a file, in a thread, while it is sent.

    A server that sends files by itself takes `path`, `begin` and `end` instead of
    iterating.

    Args:
        file_path: Where the file is.
        buffer_size: Bytes read per step, `buffer_size` of the class if None.

    Attributes:
        content: The whole file, where it was small enough to be read along with its
            size; nothing is left to be opened then.
    """

    buffer_size: int = READ_SIZE

    def __init__(
        self,
        file_path: str | bytes | os.PathLike[str],
        *,
        buffer_size: int | None = None,
    ) -> None:
        path = os.fsdecode(file_path)
        self.path = path if os.path.isabs(path) else os.path.abspath(path)
        if buffer_size is not None:
            self.buffer_size = buffer_size
        self.begin = 0
        self.content: bytes | None = None
        self.file: _FileReader | None = None
        self.file_manager: BlockingResource | None = None
        self._end: int | None = None
        self._size: int | None = None
        self._position = 0

    @property
    def file_path(self) -> Path:
        """Where the file is, as a path object."""
        return Path(self.path)

    @property
    def size(self) -> int:
        """The size of the file in bytes; asks the file system if nobody has yet."""
        if self._size is None:
            self._size = Path(self.path).stat().st_size
        return self._size

    @size.setter
    def size(self, size: int) -> None:
        self._size = size

    @property
    def end(self) -> int:
        """The position behind the last byte that is sent."""
        return self.size if self._end is None else self._end

    @end.setter
    def end(self, end: int) -> None:
        self._end = end

    async def __aenter__(self) -> Self:
        await self.aclose()
        await self._measure()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        self._position = self.begin
        return self

    async def __anext__(self) -> bytes:
        wanted = min(self.end - self._position, self.buffer_size)
        if wanted <= 0:
            raise StopAsyncIteration
        chunk = await self._read(wanted)
        self._position += len(chunk)
        return chunk

    async def make_conditional(self, begin: int, end: int | None) -> int:
        """Send only the bytes from `begin` up to `end`; gives the complete size.

        Raises:
            RequestedRangeNotSatisfiable: There are no such bytes.
        """
        await self._measure()
        self.begin, self.end = valid_range(begin, end, self.size)
        return self.size

    async def aclose(self) -> None:
        """Close the file, if it is open."""
        manager, self.file_manager = self.file_manager, None
        reader, self.file = self.file, None
        if manager is None or reader is None:
            return
        if reader.is_closed:
            manager.close_now()
        else:
            await manager.aclose()

    def ready_data(self) -> bytes | None:
        """Give the part that is sent, where the file has been read already."""
        if self.content is None:
            return None
        return self.content[self.begin : self.end]

    async def _measure(self) -> None:
        if self._size is None:
            status = await run_sync(os.stat)(self.path)
            self._size = status.st_size

    async def _read(self, count: int) -> bytes:
        if self.content is not None:
            return self.content[self._position : self._position + count]
        if self.file is None or self.file_manager is None:
            self.file = _FileReader(self.path)
            self.file_manager = BlockingResource(self.file.close)
        return await self.file_manager.run(
            self.file.read, self._position, count, self.end
        )


class IOBody(ResponseBody):
    """A body that is read from a binary file object, whole, from its first byte.

    `io.BytesIO` is read in place and stays open; any other object is read in a thread
    and closed after sending. It must be seekable.

    Raises:
        TypeError: The object reads text.
    """

    buffer_size: int = READ_SIZE

    def __init__(self, io_stream: BinaryIO, *, buffer_size: int | None = None) -> None:
        refuse_text(io_stream)
        self.io_stream = io_stream
        if buffer_size is not None:
            self.buffer_size = buffer_size
        self.size = _stream_size(io_stream)
        self.begin = 0
        self.end = self.size
        self._position = 0
        self._stream = BlockingResource(io_stream.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        self._position = self.begin
        return self

    async def __anext__(self) -> bytes:
        wanted = min(self.end - self._position, self.buffer_size)
        if wanted <= 0:
            raise StopAsyncIteration
        if isinstance(self.io_stream, BytesIO):
            chunk = _bytes_between(self.io_stream, self._position, wanted)
        else:
            chunk = await self._stream.run(self._read, self._position, wanted)
        self._position += len(chunk)
        return chunk

    async def make_conditional(self, begin: int, end: int | None) -> int:
        """Send only the bytes from `begin` up to `end`; gives the complete size.

        Raises:
            RequestedRangeNotSatisfiable: There are no such bytes.
        """
        self.begin, self.end = valid_range(begin, end, self.size)
        return self.size

    async def aclose(self) -> None:
        """Close the file object, unless it is an `io.BytesIO`."""
        if not isinstance(self.io_stream, BytesIO):
            await self._stream.aclose()

    def ready_data(self) -> bytes | None:
        """Give the part that is sent, where it is one step's worth in memory."""
        count = self.end - self.begin
        if isinstance(self.io_stream, BytesIO) and count <= self.buffer_size:
            return _bytes_between(self.io_stream, self.begin, count)
        return None

    def _read(self, position: int, count: int) -> bytes:
        self.io_stream.seek(position)
        return _checked(self.io_stream.read(count), self.io_stream, position, self.end)


class _FileReader:
    """A file that is open from the first read to the last; methods run in threads."""

    __slots__ = ("_file", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: FileIO | None = None

    @property
    def is_closed(self) -> bool:
        return self._file is None

    def read(self, position: int, count: int, end: int) -> bytes:
        if self._file is None:
            self._file = FileIO(self._path)
        self._file.seek(position)
        chunk = _checked(self._file.read(count), self._path, position, end)
        if position + len(chunk) >= end:
            # Closing along with the last read saves a change of thread.
            self.close()
        return chunk

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def refuse_text(stream: object) -> None:
    """Refuse a file object that reads text.

    Raises:
        TypeError: It does.
    """
    # Temporary files are no subclass, but pass the attribute on.
    if isinstance(stream, TextIOBase) or isinstance(
        getattr(stream, "encoding", None), str
    ):
        raise TypeError(
            f"{type(stream).__name__} reads text: open the file in binary mode, "
            "or use io.BytesIO with the encoded text"
        )


def _stream_size(stream: BinaryIO) -> int:
    if isinstance(stream, BytesIO):
        with stream.getbuffer() as view:
            return view.nbytes
    return stream.seek(0, os.SEEK_END)


def _bytes_between(stream: BytesIO, begin: int, count: int) -> bytes:
    # Not by seek and read: two requests may be sending the same object.
    with stream.getbuffer() as view:
        return bytes(view[begin : begin + count])


def _checked(chunk: object, source: object, position: int, end: int) -> bytes:
    if not isinstance(chunk, bytes):
        raise TypeError(
            f"{source!r} gave {type(chunk).__name__} instead of bytes: "
            "files must be opened in binary mode"
        )
    if not chunk:
        # The length has been announced: only the end of the connection tells the truth.
        raise RuntimeError(
            f"{source!r} ends at byte {position}, although {end} were announced: "
            "it was changed while it was sent"
        )
    return chunk
