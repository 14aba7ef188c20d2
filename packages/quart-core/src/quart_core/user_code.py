"""Which code is the user's own, and how its places are named in messages."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType, FrameType
from typing import Any, Final

from .parts.names import OWN_PACKAGES

__all__ = (
    "def_line",
    "display_path",
    "is_user_code",
    "is_user_frame",
    "parse_file",
    "place_of",
    "printable",
    "source_lines",
    "unwrap_view",
)

MAX_PARSED_CHARACTERS: Final = 2_000_000
"""Longer files are not parsed for a hint: parsing blocks the loop, about 1 s here."""

_LIBRARY_FOLDERS: Final = ("site-packages", "dist-packages")
_STANDARD_LIBRARY: Final = os.path.dirname(os.path.realpath(os.__file__)) + os.sep
_MAX_DECORATOR_LINES: Final = 200


def display_path(filename: str) -> str:
    """Return a path as messages show it: relative where it is below the folder."""
    try:
        here = os.getcwd()
    except OSError:
        # The folder is gone, then nothing is below it.
        return filename
    prefix = here if here.endswith(os.sep) else here + os.sep
    return filename.removeprefix(prefix)


def printable(text: str) -> str:
    """Escape what a terminal acts on or nobody sees; line breaks and tabs stay.

    Control characters, bidirectional overrides, zero-width characters and lone
    surrogates become their Python escapes.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in "\n\t"
        else char.encode("unicode_escape", "surrogatepass").decode("ascii")
        for char in text
    )


def is_user_code(filename: str, module: str | None = None) -> bool:
    """Return whether code is the user's: not installed, not standard, not Quart's.

    Args:
        filename: The file the code was compiled from.
        module: The name of its module, where it is known.
    """
    if filename.startswith("<"):
        return False
    if module is not None and module.partition(".")[0] in OWN_PACKAGES:
        return False
    path = os.path.realpath(filename)
    if path.startswith(_STANDARD_LIBRARY):
        return False
    folders = path.split(os.sep)
    return not any(folder in folders for folder in _LIBRARY_FOLDERS)


def is_user_frame(frame: FrameType) -> bool:
    """Return whether a frame runs the user's own code."""
    module = frame.f_globals.get("__name__")
    return is_user_code(
        frame.f_code.co_filename, module if isinstance(module, str) else None
    )


# Any: the globals of whatever module the code is in.
def source_lines(
    filename: str, module_globals: Mapping[str, Any] | None = None
) -> list[str]:
    """Return the lines of a source file with their ends, none if it is not there."""
    linecache.checkcache(filename)
    names = None if module_globals is None else dict(module_globals)
    return linecache.getlines(filename, names)


def parse_file(filename: str) -> tuple[ast.Module, str] | None:
    """Return the syntax tree and the text of a source file, if both can be had."""
    text = "".join(source_lines(filename))
    if not text or len(text) > MAX_PARSED_CHARACTERS:
        return None
    try:
        return ast.parse(text), text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Edited since it was imported, or nested deeper than the parser goes.
        return None


# Any: a view is whatever can be called.
def unwrap_view(view: Any) -> Callable[..., Any] | None:
    """Return the function that the user wrote, below decorators and partials.

    For a class-based view it is the method that dispatches, for an object its
    ``__call__``.
    """
    view_class = getattr(view, "view_class", None)
    if isinstance(view_class, type):
        view = getattr(view_class, "dispatch_request", view)
    while True:
        if hasattr(view, "__wrapped__"):
            view = inspect.unwrap(view)
        elif isinstance(view, partial):
            view = view.func
        elif inspect.ismethod(view):
            view = view.__func__
        else:
            break
    if inspect.isfunction(view):
        return view
    call = getattr(type(view), "__call__", None)  # noqa: B004
    return call if inspect.isfunction(call) else None


def place_of(code: CodeType) -> str:
    """Return ``file:line`` of a function's ``def``, below its decorators."""
    return f"{display_path(code.co_filename)}:{def_line(code)}"


def def_line(code: CodeType) -> int:
    """Return the line of a function's ``def``, or that of its first code.

    ``co_firstlineno`` is the line of the first decorator.
    """
    first = code.co_firstlineno
    pattern = re.compile(rf"\s*(?:async\s+)?def\s+{re.escape(code.co_name)}\b")
    lines = source_lines(code.co_filename)[first - 1 : first + _MAX_DECORATOR_LINES]
    for number, line in enumerate(lines, first):
        if pattern.match(line):
            return number
    return first
