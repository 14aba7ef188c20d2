"""Where a module lies on disk: the folders that an app's files are looked for in."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

__all__ = ["find_package", "get_root_path"]


def get_root_path(import_name: str) -> str:
    """Give the folder that holds a module, the working directory if none does.

    Raises:
        RuntimeError: The module has no file: it is built in, a namespace package that
            was imported, or was made by an import hook.
    """
    module = sys.modules.get(import_name)
    file = getattr(module, "__file__", None)
    if file is None:
        spec = _find_spec(import_name)
        if spec is None or (module is None and spec.loader is None):
            # ``python -c``, the interactive interpreter, or a name of one's own, which
            # a folder without Python files may have as well.
            return os.getcwd()
        file = spec.origin if spec.has_location else None
    if file is None:
        raise RuntimeError(
            f"The module {import_name!r} has no file, so files beside it cannot be"
            f" found. It is built in, a namespace package or made by an import hook."
            f" Pass root_path= to say where its files are."
        )
    return os.path.dirname(os.path.abspath(file))


def find_package(name: str) -> tuple[Path | None, Path]:
    """Find where the top-level package of a module is installed.

    Args:
        name: The import name of the module.

    Returns:
        The prefix it is installed under, None if it is not installed; and the folder
        that holds the package.
    """
    folder = _folder_of_package(name.partition(".")[0])
    prefix = Path(sys.prefix).resolve()
    if folder.is_relative_to(prefix):
        return prefix, folder
    if folder.name.lower() != "site-packages":
        return None, folder
    return _prefix_of_site_packages(folder), folder


def _prefix_of_site_packages(folder: Path) -> Path:
    parent = folder.parent
    if parent.name.lower() == "lib":  # Windows: prefix\Lib\site-packages
        return parent.parent
    if parent.parent.name.lower() == "lib":  # prefix/lib/pythonX.Y/site-packages
        return parent.parent.parent
    return parent


def _folder_of_package(name: str) -> Path:
    spec = _find_spec(name)
    if spec is None:
        return Path.cwd()
    if spec.submodule_search_locations:
        # The first folder of a namespace package, the only one of any other.
        return Path(next(iter(spec.submodule_search_locations))).resolve().parent
    if not spec.has_location or spec.origin is None:
        return Path.cwd()
    return Path(spec.origin).resolve().parent


def _find_spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):
        # A parent that cannot be imported; a module without a spec, like __main__.
        return None
