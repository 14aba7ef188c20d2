"""The file that tells operators and scripts the server's process id."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .settings.options import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pid_file"]


@contextmanager
def pid_file(path: str | None) -> Iterator[None]:
    """Hold this process's id in a file; None for no file.

    Raises:
        ConfigError: The file cannot be written.
    """
    if path is None:
        yield
        return
    content = f"{os.getpid()}\n"
    try:
        Path(path).write_text(content)
    except OSError as error:
        raise ConfigError(
            "pid_path", f"pid_path is {path!r}, which cannot be written: {error}"
        ) from None
    try:
        yield
    finally:
        _remove(Path(path), content)


def _remove(path: Path, content: str) -> None:
    """Remove the file, unless a successor has written its own id."""
    try:
        if path.read_text() == content:
            path.unlink()
    except FileNotFoundError:
        return
