"""Listening Unix sockets and their files."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from .tcp_sockets import BindError

__all__ = ["UnixFile", "listen_unix", "remove_file"]

_HINTS = {
    errno.EADDRINUSE: "another server has it",
    errno.ENOENT: "make its folder first",
    errno.EACCES: "the folder is not writable for this user",
}


@dataclass(frozen=True, slots=True)
class UnixFile:
    """A socket's file, with what tells it from a later one of the same name."""

    path: str
    device: int
    inode: int


def listen_unix(
    path: str, mode: int, backlog: int
) -> tuple[socket.socket, UnixFile | None]:
    """Return a listening socket and its file; `@name` is abstract and has none.

    A file left by a dead server is replaced.

    Raises:
        BindError: A server answers at the path, or it cannot be made.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise BindError(f"Cannot listen on unix:{path}: no Unix sockets on this system")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with ExitStack() as on_error:
        on_error.callback(sock.close)
        file = None
        if path.startswith("@"):
            _bind(sock, "\0" + path[1:], path)
        else:
            _remove_stale(path)
            _bind(sock, path, path)
            # Nobody can connect before listen(), so no one slips in before chmod().
            Path(path).chmod(mode)
            file = _identify(path)
        sock.listen(backlog)
        on_error.pop_all()
    sock.setblocking(False)
    return sock, file


def remove_file(file: UnixFile) -> None:
    """Remove a socket's file, unless it is gone or another server made it anew."""
    try:
        found = _identify(file.path)
    except FileNotFoundError:
        return
    if found == file:
        Path(file.path).unlink(missing_ok=True)


def _identify(path: str) -> UnixFile:
    status = os.stat(path, follow_symlinks=False)
    return UnixFile(path, status.st_dev, status.st_ino)


def _bind(sock: socket.socket, name: str, path: str) -> None:
    try:
        sock.bind(name)
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "choose another path")
        reason = error.strerror or str(error)
        raise BindError(f"Cannot listen on unix:{path}: {reason}; {hint}") from None


def _remove_stale(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return  # bind() says whatever is wrong with the path.
    if not stat.S_ISSOCK(mode):
        raise BindError(
            f"Cannot listen on unix:{path}: a file that is no socket is there"
        )
    if _answers(path):
        raise BindError(
            f"Cannot listen on unix:{path}: another server answers there, stop it or "
            "choose another path"
        )
    Path(path).unlink(missing_ok=True)


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # A full backlog, no permission: somebody is there.
            return True
    return True
