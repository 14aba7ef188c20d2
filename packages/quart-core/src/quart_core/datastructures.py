"""Uploaded files (API of `quart.datastructures`)."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from threading import Event
from typing import IO, Any, TypeAlias

from werkzeug.datastructures import FileStorage as WerkzeugFileStorage

from .threads import BlockingResource, run_sync

__all__ = ("FileStorage", "close_file")

FileOrPath: TypeAlias = "str | os.PathLike[str] | IO[bytes]"


class FileStorage(WerkzeugFileStorage):
    """A file that was uploaded with a form.

    What the class of werkzeug is, with saving and loading awaited: the disk is used in
    a thread. `filename` is what the client sent and not a path to use; choose your own
    name, or give the client's to `werkzeug.utils.secure_filename`.
    """

    async def save(  # type: ignore[override]
        self, destination: FileOrPath, buffer_size: int = 16_384
    ) -> None:
        """Write the file, from its current position on, to a path or an open file.

        If the waiting task is cancelled, what was written so far stays.

        Args:
            destination: A path, or a binary file, which is not closed.
            buffer_size: Bytes held in memory while copying.

        Raises:
            OSError: The destination cannot be written.
        """
        await _copy_in_thread(self.stream, destination, buffer_size)

    async def load(self, source: FileOrPath, buffer_size: int = 16_384) -> None:
        """Write the content of a path or an open file at the current position.

        Args:
            source: A path, or a binary file, which is not closed. The name of a path
                becomes the `filename` if there is none.
            buffer_size: Bytes held in memory while copying.

        Raises:
            OSError: The source cannot be read.
        """
        await _copy_in_thread(source, self.stream, buffer_size)
        if self.filename is None and isinstance(source, (str, os.PathLike)):
            self.filename = Path(source).name


async def close_file(file: WerkzeugFileStorage) -> None:
    """Close an uploaded file; in a thread if it is on the disk."""
    if _is_in_memory(file.stream):
        file.close()
        return
    # Shielded in there: a cancelled waiter leaves no file open.
    await BlockingResource(file.close).aclose()


def _is_in_memory(stream: IO[bytes]) -> bool:
    """Say whether using the stream never touches the disk.

    True of a `BytesIO` and of a spooled file that has not grown large.
    """
    return getattr(stream, "name", None) is None


async def _copy_in_thread(
    source: FileOrPath, destination: FileOrPath, buffer_size: int
) -> None:
    stopped = Event()
    copy = run_sync(partial(_copy, source, destination, buffer_size, stopped))
    try:
        await copy()
    finally:
        # A thread cannot be interrupted, but it looks at this.
        stopped.set()


def _copy(
    source: FileOrPath, destination: FileOrPath, buffer_size: int, stopped: Event
) -> None:
    with _Opened(source, "rb") as read_file, _Opened(destination, "wb") as write_file:
        while not stopped.is_set() and (data := read_file.read(buffer_size)):
            write_file.write(data)


class _Opened:
    """A file that is closed at the end if, and only if, it was opened here."""

    def __init__(self, file: FileOrPath, mode: str) -> None:
        self._file = file
        self._mode = mode
        self._opened: IO[bytes] | None = None

    # Any: open() gives files of many types by its mode.
    def __enter__(self) -> IO[bytes] | Any:
        if not isinstance(self._file, (str, os.PathLike)):
            return self._file
        self._opened = open(self._file, self._mode)
        return self._opened

    def __exit__(self, *error: object) -> None:
        if self._opened is not None:
            self._opened.close()
