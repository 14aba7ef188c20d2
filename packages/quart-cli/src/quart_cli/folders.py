"""Which folders hold the user's own files: not those of tools and environments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

__all__ = ("own_folders",)

MAX_FOLDERS: Final = 2_000
"""More folders than this are not looked into."""

_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages"})
_ENVIRONMENT_FILE: Final = "pyvenv.cfg"


def own_folders(root: str, limit: int = MAX_FOLDERS) -> Iterator[str]:
    """Yield a folder and those below it, nearest first.

    Hidden ones, virtual environments, caches and installed packages are left out,
    and symbolic links are not followed.

    Args:
        root: The folder.
        limit: How many are yielded at most.
    """
    waiting = [root]
    for number, folder in enumerate(waiting):
        if number == limit:
            return
        yield folder
        waiting += _below(folder)


def _below(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            folders = [
                entry.path
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name not in _SKIPPED
                and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        # It is gone by now, or not ours to read.
        return []
    return sorted(
        each for each in folders if not os.path.exists(f"{each}/{_ENVIRONMENT_FILE}")
    )
