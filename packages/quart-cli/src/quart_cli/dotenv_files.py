"""Environment variables from files, by python-dotenv."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

import click

__all__ = ("load_dotenv",)

DEFAULT_FILES: Final = (".quartenv", ".env")
"""Files that are loaded without being named, later ones win over earlier ones."""


def load_dotenv(
    path: str | os.PathLike[str] | None = None, load_defaults: bool = True
) -> bool:
    """Set environment variables from files. API of ``quart.cli``.

    Variables that are set already stay as they are. A value in the named file wins
    over one in ``.env``, that over one in ``.quartenv``; these two are searched from
    the current folder upward.

    Args:
        path: A file.
        load_defaults: Whether ``.env`` and ``.quartenv`` are looked for.

    Returns:
        Whether a file was loaded.

    Raises:
        click.BadParameter: python-dotenv is not installed, and a file was named.
    """
    files = [*(_default_files() if load_defaults else ())]
    if path is not None and Path(path).is_file():
        files.append(Path(path))
    if not files:
        return False
    try:
        dotenv_values = import_module("dotenv").dotenv_values
    except ModuleNotFoundError as error:
        if error.name != "dotenv":
            raise
        _tell_missing(path, files)
        return False
    values: dict[str, str | None] = {}
    for file in files:
        values |= dotenv_values(file, encoding="utf-8")
    for name, value in values.items():
        if value is not None:
            os.environ.setdefault(name, value)
    return bool(values)


def _default_files() -> Iterator[Path]:
    here = Path.cwd()
    for name in DEFAULT_FILES:
        for folder in (here, *here.parents):
            if (folder / name).is_file():
                yield folder / name
                break


def _tell_missing(path: str | os.PathLike[str] | None, files: list[Path]) -> None:
    if path is not None:
        raise click.BadParameter(
            f"{os.fspath(path)} cannot be loaded without python-dotenv: "
            "run 'pip install python-dotenv'",
            param_hint="--env-file",
        )
    click.secho(
        f" * {files[-1]} is not loaded: run 'pip install python-dotenv' for that, or "
        "set QUART_SKIP_DOTENV=1",
        fg="yellow",
        err=True,
    )
