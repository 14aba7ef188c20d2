"""Finding an object by its import string, `package.module:attribute`."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .asgi import ASGIApp

__all__ = ["AppImportError", "import_app", "import_object"]

_DEFAULT_NAMES = ("app", "application")


class AppImportError(Exception):
    """An import string names nothing that can be used; the message says why."""


def import_object(target: str) -> object:
    """Return what `module:attribute.attribute` names; the module without a colon.

    Raises:
        AppImportError: There is no such module or attribute. Errors that the module's
            own code raises while it is imported pass through unchanged.
    """
    module_name, colon, attributes = target.partition(":")
    if not module_name or (colon and not attributes):
        raise AppImportError(
            f"{target!r} is no import string, expected 'module:attribute'"
        )
    found: object = _import_module(module_name, target)
    for name in attributes.split(".") if attributes else ():
        found = _attribute(found, name, target)
    return found


def import_app(target: str, *, factory: bool = False, app_dir: str = ".") -> ASGIApp:
    """Return the ASGI app that an import string names.

    Without `:attribute` the module's `app` or `application` is taken.

    Args:
        target: `module:attribute`.
        factory: Call what is found, without arguments, to get the app.
        app_dir: The folder put first on the import path.

    Raises:
        AppImportError: Nothing usable is found.
    """
    _put_on_path(app_dir)
    found = import_object(target)
    if inspect.ismodule(found):
        found = _default_app(found, target)
    if factory:
        found = _call_factory(found, target)
    if not callable(found):
        raise AppImportError(
            f"{target!r} is {type(found).__name__}, expected an ASGI app (a callable)"
        )
    return cast("ASGIApp", found)


def _put_on_path(app_dir: str) -> None:
    folder = str(Path(app_dir).resolve())
    if not Path(folder).is_dir():
        raise AppImportError(f"The app's folder {app_dir!r} does not exist")
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _import_module(name: str, target: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only the module that was asked for is missing; one that it imports itself
        # is the application's own error and keeps its traceback.
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise AppImportError(
                f"There is no module {error.name!r} for {target!r} in {os.getcwd()} "
                "or on the import path: check the spelling or use --app-dir"
            ) from None
        raise


def _attribute(holder: object, name: str, target: str) -> object:
    try:
        # Any: anything can stand in a module.
        found: Any = getattr(holder, name)
    except AttributeError:
        title = getattr(holder, "__name__", type(holder).__name__)
        raise AppImportError(
            f"{title} has no {name!r}, asked for as {target!r}"
        ) from None
    return found


def _default_app(module: object, target: str) -> object:
    for name in _DEFAULT_NAMES:
        if hasattr(module, name):
            return _attribute(module, name, target)
    raise AppImportError(
        f"{target!r} has neither 'app' nor 'application', say which with "
        f"'{target}:name'"
    )


def _call_factory(found: object, target: str) -> object:
    if not callable(found):
        raise AppImportError(f"{target!r} is no factory, it cannot be called")
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise AppImportError(
            f"The factory {target!r} must be callable without arguments: {error}"
        ) from None
    made: object = found()
    return made
