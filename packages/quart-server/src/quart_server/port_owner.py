"""Who listens on a port: an answer for the message that a port is in use (Linux)."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["describe_owner"]

_TABLES = ("tcp", "tcp6")
_LISTENING = "0A"


def describe_owner(port: int, proc: Path = Path("/proc")) -> str:
    """Return `process 1234 (python app.py)` for the listener of a TCP port.

    It is "another process" where the system does not tell (other systems, a process
    of another user).
    """
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port, proc)}
    for folder in proc.glob("[0-9]*") if inodes else ():
        if _holds_any(folder, inodes):
            return f"process {folder.name} ({_command(folder)})"
    return "another process"


def _listening_inodes(port: int, proc: Path) -> set[str]:
    found = set()
    for table in _TABLES:
        for line in _lines(proc / "net" / table)[1:]:
            columns = line.split()
            local_port = int(columns[1].rpartition(":")[2], 16)
            if columns[3] == _LISTENING and local_port == port:
                found.add(columns[9])
    return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _holds_any(process: Path, targets: set[str]) -> bool:
    try:
        return any(os.readlink(link) in targets for link in (process / "fd").iterdir())
    except OSError:  # It ended meanwhile, or belongs to another user.
        return False


def _command(process: Path) -> str:
    words = "\0".join(_lines(process / "cmdline")).split("\0")
    return " ".join(word for word in words if word)[:80] or "unknown command"
