"""Starting a project: what ``quart new`` does."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from .doctor import new_secret

__all__ = ("TEMPLATES", "create_project")

TEMPLATES: Final = Path(__file__).with_name("project_templates")
"""A folder for each template, and ``common`` for what all have."""

# So that nothing takes the files of the templates for our own.
_SUFFIX: Final = ".in"
_DOT: Final = "dot-"


def create_project(folder: str, template: str) -> None:
    """Make a folder with an application and its tests, and list the files.

    Args:
        folder: Where; must not be there yet, or be empty.
        template: The name of the template.

    Raises:
        click.ClickException: There is something in the folder.
    """
    target = Path(folder)
    if target.exists() and any(target.iterdir()):
        raise click.ClickException(
            f"{folder} is not empty: name a new folder, such as {_free_name(target)}"
        )
    values = {"@NAME@": _project_name(target), "@SECRET@": new_secret()}
    for source, name in _files(template):
        text = source.read_text("utf-8")
        for mark, value in values.items():
            text = text.replace(mark, value)
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        click.echo(os.path.join(folder, name))
    step = "" if target.resolve() == Path.cwd() else f"cd {folder} && "
    click.echo(f"next: {step}uv run quart dev")


def _files(template: str) -> Iterator[tuple[Path, str]]:
    """Yield the files of a template, each with its name in the project."""
    for root in (TEMPLATES / "common", TEMPLATES / template):
        for source in sorted(root.rglob(f"*{_SUFFIX}")):
            relative = source.relative_to(root)
            name = relative.name.removesuffix(_SUFFIX)
            if name.startswith(_DOT):
                name = f".{name.removeprefix(_DOT)}"
            yield source, str(relative.with_name(name))


def _project_name(target: Path) -> str:
    """Return a name that packaging accepts, from that of the folder."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", target.resolve().name).strip("-").lower()
    return name or "app"


def _free_name(target: Path) -> Path:
    number = 2
    while (free := target.with_name(f"{target.name}-{number}")).exists():
        number += 1
    return free
