"""What the commands of one invocation share: which application, and how to load it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from .errors import NoAppException
from .locate import (
    candidates,
    file_of,
    import_app,
    is_findable,
    no_app_here,
    prepare_import,
    split_target,
)

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("ScriptInfo", "pass_script_info")


class ScriptInfo:
    """Finds and loads the application once. API of ``quart.cli``.

    The object of the click context.

    Args:
        app_import_path: What ``--app`` says: ``module``, ``module:name``,
            ``path.py:factory('a')``, or a folder with a file of a usual name.
        create_app: Returns the application; then no path is needed. If it needs an
            argument it is given this object, as early Flask did.
        set_debug_flag: Set ``app.debug`` from QUART_DEBUG on loading.
        load_dotenv_defaults: Whether ``.env`` and ``.quartenv`` are loaded.

    Attributes:
        data: Anything that commands want to share.
    """

    def __init__(
        self,
        app_import_path: str | None = None,
        create_app: Callable[..., Quart] | None = None,
        set_debug_flag: bool = True,
        load_dotenv_defaults: bool = True,
    ) -> None:
        self.app_import_path = app_import_path
        self.create_app = create_app
        self.set_debug_flag = set_debug_flag
        self.load_dotenv_defaults = load_dotenv_defaults
        # Any: the user's.
        self.data: dict[Any, Any] = {}
        self._loaded_app: Quart | None = None

    @property
    def is_named(self) -> bool:
        """Whether someone said which application it is."""
        return bool(self.app_import_path) or self.create_app is not None

    def load_app(self) -> Quart:
        """Return the application, loaded on the first call.

        Raises:
            NoAppException: It is not found.
        """
        if self._loaded_app is None:
            app = self._load()
            if self.set_debug_flag:
                app.debug = import_module("quart_core.helpers").get_debug_flag()
            self._loaded_app = app
        return self._loaded_app

    def check(self) -> None:
        """Look for the application without importing it.

        Raises:
            NoAppException: There can be none.
        """
        if self.create_app is not None:
            return
        if not self.app_import_path:
            if next(candidates(), None) is None:
                raise no_app_here()
            return
        path, _ = split_target(self.app_import_path)
        module_name = prepare_import(file_of(path))
        if not is_findable(module_name):
            import_app(module_name, None)

    def describe(self) -> str | None:
        """Return where the application is, as ``--app`` takes it, or None."""
        if self.app_import_path:
            return self.app_import_path
        found = next(candidates(), None)
        return None if found is None else _target(found)

    def _load(self) -> Quart:
        if self.create_app is not None:
            if _asks_for_info(self.create_app):
                return self.create_app(self)
            return self.create_app()
        if self.app_import_path:
            path, name = split_target(self.app_import_path)
            return cast("Quart", import_app(prepare_import(file_of(path)), name))
        failure = no_app_here()
        for file in candidates():
            try:
                app = import_app(
                    prepare_import(str(file)), None, raise_if_not_found=False
                )
            except NoAppException as error:
                failure = error
                continue
            if app is not None:
                return app
        raise failure


def _asks_for_info(create_app: Callable[..., Quart]) -> bool:
    try:
        signature = inspect.signature(create_app)
    except ValueError:  # written in C
        return False
    try:
        signature.bind()
    except TypeError:
        return True
    return False


def _target(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


pass_script_info = click.make_pass_decorator(ScriptInfo, ensure=True)
"""Give the command the `ScriptInfo` as its first argument. API of ``quart.cli``."""
