"""Asking the file system for a file that is to be sent; all of it blocks."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final, NamedTuple

from werkzeug.exceptions import NotFound

from .safe_path import confined_path

__all__ = ("FoundFile", "look_at", "look_inside")

# Asking the system for a file that is not there can fail in these ways.
_NOT_THERE: Final = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG}
)

_OPEN_FLAGS: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class FoundFile(NamedTuple):
    """A file as it was when it was looked at."""

    path: str
    size: int
    modified_nanoseconds: int
    content: bytes | None


def look_at(path: str, read_limit: int) -> FoundFile:
    """Check and measure a file; read it too, if it has no more than `read_limit` bytes.

    Raises:
        OSError: It is not there, may not be read, or is a folder.
        ValueError: It is a device, socket or named pipe.
    """
    # Asked before opening: to open a named pipe would wait for its other end.
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise ValueError(f"{path!r} is no regular file, only such can be sent")
    # By descriptor: a file object costs more than all the rest.
    descriptor = os.open(path, _OPEN_FLAGS)
    try:
        status = os.fstat(descriptor)
        if status.st_size > read_limit:
            return FoundFile(path, status.st_size, status.st_mtime_ns, None)
        content = os.read(descriptor, status.st_size)
    finally:
        os.close(descriptor)
    return FoundFile(path, len(content), status.st_mtime_ns, content)


def look_inside(folder: str, name: str, read_limit: int) -> FoundFile:
    """Do the same for a name inside of a folder.

    Raises:
        NotFound: There is no such file, or it is not inside of the folder.
        OSError: It may not be read.
    """
    path = confined_path(folder, name)
    try:
        return look_at(path, read_limit)
    except ValueError as error:
        raise NotFound from error
    except OSError as error:
        if error.errno in _NOT_THERE:
            raise NotFound from error
        raise
