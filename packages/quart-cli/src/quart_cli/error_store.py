"""The last exceptions that ``quart dev`` showed, in files below the project.

One JSON file for each, numbered, in ``.quart/errors`` of the folder in which the
server was started. They are for the owner's eyes only, and no part of the project.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = ("MAX_ERRORS", "ErrorStore")

MAX_ERRORS: Final = 20
"""Exceptions that are kept, the last ones."""

MAX_ENTRY_CHARACTERS: Final = 2_000_000
"""A longer entry is kept without its page."""

_FOLDER: Final = ".quart"
_DIGITS: Final = 9


class ErrorStore:
    """Numbered entries in a folder.

    Args:
        project: The folder of the project.
    """

    def __init__(self, project: Path | None = None) -> None:
        self._root = (project or Path.cwd()) / _FOLDER
        self._folder = self._root / "errors"

    def numbers(self) -> list[int]:
        """Return the numbers of what is kept, in order."""
        names = [path.stem for path in self._folder.glob("*.json")]
        return sorted(
            int(name) for name in names if name.isdecimal() and len(name) <= _DIGITS
        )

    def reserve(self) -> int:
        """Return a new number, which no other process gets.

        Raises:
            OSError: The folder cannot be written to.
        """
        self._make_folder()
        number = next(reversed(self.numbers()), 0) + 1
        while True:
            try:
                os.close(
                    os.open(
                        self._path(number), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600
                    )
                )
            except FileExistsError:
                number += 1
            else:
                return number

    # Any: JSON.
    def write(self, number: int, entry: Mapping[str, Any]) -> None:
        """Keep an entry under a number that was reserved, and drop the oldest.

        Raises:
            OSError: It cannot be written.
        """
        text = json.dumps(entry)
        if len(text) > MAX_ENTRY_CHARACTERS:
            text = json.dumps({**entry, "page": ""})
        self._path(number).write_text(text, encoding="utf-8")
        for old in self.numbers()[:-MAX_ERRORS]:
            with suppress(FileNotFoundError):
                self._path(old).unlink()

    # Any: JSON.
    def read(self, number: int) -> dict[str, Any] | None:
        """Return an entry, None if there is none with that number."""
        try:
            text = self._path(number).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        # Empty as long as it is only reserved.
        entry: dict[str, Any] | None = json.loads(text) if text else None
        return entry

    def entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the numbers and entries."""
        for number in self.numbers():
            entry = self.read(number)
            if entry is not None:
                yield number, entry

    def clear(self) -> None:
        """Remove all entries: their numbers are those of one run of the server."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _make_folder(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = self._root / ".gitignore"
        if not ignore.exists():
            ignore.write_text("# Made by quart dev.\n*\n", encoding="utf-8")
