"""From what ``--app`` says, or a folder, to the application."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, overload

from .app_names import find_app_by_string, find_best_app
from .errors import NoAppException

if TYPE_CHECKING:
    from types import ModuleType

    from quart_core.app import Quart

__all__ = (
    "candidates",
    "file_of",
    "import_app",
    "is_findable",
    "locate_app",
    "no_app_here",
    "prepare_import",
    "split_target",
)

USUAL_FILES: Final = ("app.py", "wsgi.py", "asgi.py", "main.py", "src/*/__init__.py")
"""Where an application is looked for that nobody named, in this order."""

# These are so named for an application; others may be any program, and importing
# runs them.
_SURE_FILES: Final = frozenset({"app.py", "wsgi.py", "asgi.py"})
_MAX_READ_BYTES: Final = 1_000_000
_MAX_LISTED_FILES: Final = 10


def split_target(target: str) -> tuple[str, str | None]:
    r"""Return path and name of ``path:name``; ``C:\app.py`` has no name.

    Args:
        target: What ``--app`` was given.
    """
    start = 2 if target[1:3] in {":\\", ":/"} else 0
    path, colon, name = target[start:].partition(":")
    return target[:start] + path, name if colon and name else None


def candidates(folder: Path | None = None) -> Iterator[Path]:
    """Yield the files of a folder that may hold the application, the best first.

    Nothing is imported. A file that may be any program must mention Quart.

    Args:
        folder: The folder, the current one if not given.
    """
    folder = folder or Path.cwd()
    for pattern in USUAL_FILES:
        found = sorted(folder.glob(pattern)) if "*" in pattern else [folder / pattern]
        for path in found:
            if path.is_file() and (path.name in _SURE_FILES or _mentions_quart(path)):
                yield path


def file_of(path: str) -> str:
    """Return the file in a folder that may hold the application; else the path itself.

    Args:
        path: Of a file, a package, a folder that is none, or the name of a module.

    Raises:
        NoAppException: There is no such file in the folder.
    """
    folder = Path(path)
    is_other = not folder.is_dir() or folder.with_suffix(".py").is_file()
    if is_other or (folder / "__init__.py").is_file():
        return path
    found = next(candidates(folder), None)
    if found is None:
        raise no_app_here(f"the folder {path}")
    return str(found)


def no_app_here(folder: str = "this folder") -> NoAppException:
    """Return the error of a folder without an application."""
    return NoAppException(
        f"No Quart application in {folder}: looked for {', '.join(USUAL_FILES)}. "
        "Name it with --app or the environment variable QUART_APP, "
        "or start one with: quart new"
    )


def prepare_import(path: str) -> str:
    """Put the folder of a file or package on the import path. API of ``quart.cli``.

    Args:
        path: A Python file with or without its suffix, a package's folder, or the
            dotted name of a module.

    Returns:
        The name to import, dotted where the file is in a package.
    """
    file = Path(path).resolve()
    if file.suffix == ".py":
        file = file.with_suffix("")
    if file.name == "__init__":
        file = file.parent
    names = [file.name]
    folder = file.parent
    while (folder / "__init__.py").is_file():
        names.append(folder.name)
        folder = folder.parent
    if sys.path[:1] != [str(folder)]:
        sys.path.insert(0, str(folder))
    return ".".join(reversed(names))


@overload
def locate_app(
    module_name: str, app_name: str | None, raise_if_not_found: Literal[True] = True
) -> Quart: ...
@overload
def locate_app(
    module_name: str, app_name: str | None, raise_if_not_found: bool = True
) -> Quart | None: ...
def locate_app(
    module_name: str, app_name: str | None, raise_if_not_found: bool = True
) -> Quart | None:
    """Import a module and return its application. API of ``quart.cli``.

    Args:
        module_name: The module.
        app_name: A name in it, or a call of one; searched for if not given.
        raise_if_not_found: Else None is returned for a module that is not there.

    Raises:
        NoAppException: There is no such module, or no application in it, or its own
            imports fail. Whatever else it raises is passed on.
    """
    try:
        return import_app(module_name, app_name, raise_if_not_found)
    except ImportError as error:
        shown = "".join(traceback.format_exception(error))
        raise NoAppException(
            f"While importing {module_name!r}, an ImportError was raised:\n\n{shown}"
        ) from error


def import_app(
    module_name: str, app_name: str | None, raise_if_not_found: bool = True
) -> Quart | None:
    """Do the same for a caller who shows exceptions of the module in its own way.

    Raises:
        NoAppException: There is no such module, or no application in it.
        ImportError: The module's own imports fail.
    """
    try:
        module = _import(module_name)
    except ModuleNotFoundError as error:
        if not _is_part(error.name, module_name):
            raise
        if not raise_if_not_found:
            return None
        raise _no_module(module_name) from None
    if app_name is None:
        return find_best_app(module)
    return find_app_by_string(module, app_name)


def _import(module_name: str) -> ModuleType:
    # By the name that tests of applications replace.
    facade = sys.modules.get("quart_cli.cli")
    module: ModuleType = getattr(facade, "import_module", import_module)(module_name)
    return module


def is_findable(module_name: str) -> bool:
    """Return whether there is such a module, as far as can be told without importing.

    Args:
        module_name: The module, after `prepare_import`.
    """
    top = module_name.partition(".")[0]
    try:
        return top in sys.modules or find_spec(top) is not None
    except ValueError:
        return False


def _is_part(missing: str | None, module_name: str) -> bool:
    """Return whether the missing module is the wanted one or a package of it."""
    return bool(missing) and f"{module_name}.".startswith(f"{missing}.")


def _no_module(module_name: str) -> NoAppException:
    files = sorted(path.name for path in Path.cwd().glob("*.py"))
    message = f"No module {module_name!r} in this folder."
    if not files:
        return NoAppException(
            f"{message} There are no Python files here. Go to the folder of the "
            "application, or start one with: quart new"
        )
    listed = ", ".join(files[:_MAX_LISTED_FILES])
    if len(files) > _MAX_LISTED_FILES:
        listed += f" and {len(files) - _MAX_LISTED_FILES} more"
    best = next((path.stem for path in candidates()), Path(files[0]).stem)
    return NoAppException(
        f"{message} Python files here: {listed}. Try: quart --app {best} dev"
    )


def _mentions_quart(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"quart" in file.read(_MAX_READ_BYTES).lower()
    except OSError:
        return False
