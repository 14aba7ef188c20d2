"""A file whose reads and writes never run on the event loop.

What ``open_resource`` and ``open_instance_resource`` give. The method names are
those of a Python file, each one awaited, as with the aiofiles package.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from types import TracebackType
from typing import IO, Any, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class AsyncFile:
    """An open file; every operation runs in the thread pool.

    Reads give str or bytes, as the file was opened, hence the ``Any``.
    """

    def __init__(self, file: IO[Any]) -> None:
        self._file = file

    @property
    def name(self) -> Any:
        """The name of the file below."""
        return self._file.name

    @property
    def mode(self) -> str:
        """The mode the file was opened in."""
        return self._file.mode

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file.closed

    async def _call(
        self, func: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await asyncio.to_thread(func, *args, **kwargs)

    async def read(self, size: int = -1) -> Any:
        """Return at most ``size`` bytes or characters, all of them if negative."""
        return await self._call(self._file.read, size)

    async def readline(self, size: int = -1) -> Any:
        """Return the next line, empty at the end."""
        return await self._call(self._file.readline, size)

    async def readlines(self, hint: int = -1) -> list[Any]:
        """Return the remaining lines."""
        return await self._call(self._file.readlines, hint)

    async def write(self, data: Any) -> int:
        """Write the data and return how much was written."""
        return await self._call(self._file.write, data)

    async def writelines(self, lines: list[Any]) -> None:
        """Write the lines, adding nothing between them."""
        await self._call(self._file.writelines, lines)

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position and return it."""
        return await self._call(self._file.seek, offset, whence)

    async def tell(self) -> int:
        """Return the position."""
        return await self._call(self._file.tell)

    async def truncate(self, size: int | None = None) -> int:
        """Cut the file at the size, the position if not given."""
        return await self._call(self._file.truncate, size)

    async def flush(self) -> None:
        """Hand buffered writes to the system."""
        await self._call(self._file.flush)

    async def close(self) -> None:
        """Close the file."""
        await self._call(self._file.close)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.close()


class AsyncFileContext:
    """A file to be opened: ``await`` it, or enter it with ``async with``."""

    def __init__(self, path: Any, mode: str, encoding: str | None = None) -> None:
        self._path = path
        self._mode = mode
        self._encoding = encoding
        self._file: AsyncFile | None = None

    async def _open(self) -> AsyncFile:
        file = await asyncio.to_thread(
            open, self._path, self._mode, encoding=self._encoding
        )
        return AsyncFile(file)

    def __await__(self) -> Generator[Any, None, AsyncFile]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncFile:
        self._file = await self._open()
        return self._file

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._file is not None:
            await self._file.close()
