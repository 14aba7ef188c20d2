"""What is watched, and which changes count."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from fnmatch import fnmatch
from typing import Final

from ..folders import own_folders

__all__ = ("Watched",)

MAX_FILES: Final = 20_000
"""More files than this are not watched one by one."""

_SOURCE_SUFFIXES: Final = (".py",)


class Watched:
    """Files and folders of an application. Used by several threads.

    Source files count in every folder, all files in those that are watched whole.

    Args:
        folders: Folders whose source files are watched.
        files: Files, and folders that are watched whole.
        exclude_patterns: Patterns, as for `fnmatch`, of paths that never count.
    """

    def __init__(
        self,
        folders: Iterable[str] = (),
        files: Iterable[str] = (),
        exclude_patterns: Iterable[str] = (),
    ) -> None:
        self._lock = threading.Lock()
        self._exclude = tuple(exclude_patterns)
        self._roots: set[str] = set()
        self._files: set[str] = set()
        self._whole: set[str] = set()
        self.add(folders, files)

    def add(self, folders: Iterable[str] = (), files: Iterable[str] = ()) -> bool:
        """Watch more; return whether that means more folders to look into."""
        with self._lock:
            before = (len(self._roots), len(self._whole), len(self._file_folders()))
            self._roots.update(os.path.abspath(each) for each in folders)
            for each in files:
                path = os.path.abspath(each)
                if os.path.isdir(path):
                    self._whole.add(path)
                elif len(self._files) < MAX_FILES:
                    self._files.add(path)
            after = (len(self._roots), len(self._whole), len(self._file_folders()))
        return before != after

    def folders(self) -> list[str]:
        """Return the folders that changes have to be looked for in."""
        with self._lock:
            roots = [*self._roots, *self._whole]
            found = self._file_folders()
        for root in roots:
            found.update(own_folders(root))
        return sorted(folder for folder in found if os.path.isdir(folder))

    def counts(self, path: str) -> bool:
        """Return whether a change of this file shall reload."""
        if any(fnmatch(path, pattern) for pattern in self._exclude):
            return False
        with self._lock:
            if path in self._files:
                return True
            if path.endswith(_SOURCE_SUFFIXES) and _is_below(path, self._roots):
                return True
            return _is_below(path, self._whole)

    def _file_folders(self) -> set[str]:
        return {os.path.dirname(path) for path in self._files}


def _is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)
