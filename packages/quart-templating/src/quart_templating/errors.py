"""A template that is not there: where it was looked for, and what is close."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from jinja2 import TemplateNotFound, TemplatesNotFound

if TYPE_CHECKING:
    from .loading import DispatchingJinjaLoader

MAX_CLOSE_NAMES = 3


def explained(
    error: TemplateNotFound, loader: DispatchingJinjaLoader
) -> TemplateNotFound:
    """Return the error with the folders searched and close names in its text."""
    names = list(error.templates)
    text = " or ".join(repr(str(name)) for name in names)
    folders = loader.searched_folders()
    where = ", ".join(folders) if folders else "no folder, none is configured"
    message = f"No template {text}. Looked in: {where}."
    close = close_names((str(name) for name in names), loader.list_templates())
    if close:
        message += f" Did you mean {' or '.join(repr(name) for name in close)}?"
    if isinstance(error, TemplatesNotFound):
        return TemplatesNotFound([str(name) for name in names], message)
    return TemplateNotFound(str(names[0]), message)


def close_names(names: Iterable[str], known: list[str]) -> list[str]:
    """Return known template names that look like one of the names."""
    found: list[str] = []
    for name in names:
        found += get_close_matches(name, known, n=MAX_CLOSE_NAMES, cutoff=0.6)
        # The right name in the wrong folder is a common slip.
        last = name.rpartition("/")[2]
        found += [other for other in known if other.rpartition("/")[2] == last]
    return list(dict.fromkeys(found))[:MAX_CLOSE_NAMES]
