"""What ``quart error`` does: shows what ``quart dev`` kept, or makes a test of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from .error_as_test import pytest_file_name, pytest_source
from .error_store import ErrorStore

__all__ = ("list_errors", "show_error", "write_test")

_TESTS: Final = "tests"
_MAX_FILES: Final = 100


def list_errors() -> None:
    """Print a line for each exception that is kept."""
    entries = list(ErrorStore().entries())
    if not entries:
        click.echo("No errors are kept here: quart dev keeps those it shows.")
    for number, entry in entries:
        click.echo(
            f"{number:>3}  {entry['time']}  {entry['method']:<4} {entry['path']}  "
            f"{entry['summary']}  {entry['place']}"
        )


def show_error(number: int) -> None:
    """Print an exception as the terminal of ``quart dev`` showed it.

    Raises:
        click.ClickException: There is none with that number.
    """
    entry = _entry(number)
    click.echo(f"{entry['method']} {entry['target']}   {entry['time']}")
    click.echo(entry["text"])


def write_test(number: int) -> None:
    """Write a test that makes the request again, and print the name of its file.

    Raises:
        click.ClickException: There is none with that number, or it is no request.
    """
    entry = _entry(number)
    if entry["kind"] != "http":
        raise click.ClickException(
            f"Error {number} is of a WebSocket: what was said on it is not kept"
        )
    path = _free_path(entry)
    path.write_text(pytest_source(entry), encoding="utf-8")
    click.echo(str(path))


# Any: JSON.
def _entry(number: int) -> Mapping[str, Any]:
    store = ErrorStore()
    entry = store.read(number)
    if entry is not None:
        return entry
    numbers = store.numbers()
    there = (
        f"there are {', '.join(map(str, numbers))}"
        if numbers
        else "quart dev has shown none in this folder"
    )
    raise click.ClickException(f"There is no error {number}: {there}")


def _free_path(entry: Mapping[str, Any]) -> Path:
    name = Path(pytest_file_name(entry))
    folder = Path(_TESTS) if Path(_TESTS).is_dir() else Path()
    for number in range(1, _MAX_FILES):
        suffix = "" if number == 1 else f"_{number}"
        path = folder / f"{name.stem}{suffix}.py"
        if not path.exists():
            return path
    raise click.ClickException(f"There are {_MAX_FILES} files as {name} already")
