"""The Python shell of an application, in which ``await`` works."""

from __future__ import annotations

import ast
import asyncio
import code
import inspect
import os
import sys
from contextlib import suppress
from importlib import import_module
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from quart_core.missing import MissingPackageError

from .command_loop import AppScope, CommandLoop

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("AwaitingConsole", "run_shell", "shell_names")


class AwaitingConsole(code.InteractiveConsole):
    """An interactive console that runs ``await`` in one event loop.

    Args:
        names: The names it begins with.
        loop: The loop.
    """

    # Any: whatever the user calls a name.
    def __init__(self, names: dict[str, Any], loop: CommandLoop) -> None:
        super().__init__(names)
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop = loop

    def runcode(self, code: CodeType) -> None:
        """Run a statement, to its end if it awaits."""
        try:
            result = FunctionType(code, self.locals)()
            if inspect.iscoroutine(result):
                self._loop.run(result)
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 - a shell shows and goes on
            if isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
                self.write("\nKeyboardInterrupt\n")
            else:
                self.showtraceback()


# Any: whatever the application's shell context has.
def shell_names(app: Quart) -> dict[str, Any]:
    """Return the names that the shell begins with.

    Those of the application win over ours: ``client`` and ``asyncio``.
    """
    names: dict[str, Any] = {"__name__": "__console__", "asyncio": asyncio}
    # Without quart-testing there is no client.
    with suppress(MissingPackageError, AttributeError):
        names["client"] = app.test_client()
    names.update(app.make_shell_context())
    return names


def run_shell(app: Quart) -> None:
    """Run the shell until the end of its input.

    The file that PYTHONSTARTUP names is executed first.

    Args:
        app: The application, which is current meanwhile.
    """
    with CommandLoop() as loop, AppScope(app):
        names = shell_names(app)
        _execute_startup(names)
        if sys.stdin.isatty():
            _complete(names)
        AwaitingConsole(names, loop).interact(_banner(app, names), exitmsg="")


def _banner(app: Quart, names: dict[str, Any]) -> str:
    version = sys.version.split()[0]
    extra = "await works" + (
        ', also: await client.get("/")' if "client" in names else ""
    )
    return (
        f"Python {version} on {sys.platform}\n"
        f"App: {app.import_name}{' [debug]' if app.debug else ''}\n"
        f"Instance: {app.instance_path}\n{extra}"
    )


def _execute_startup(names: dict[str, Any]) -> None:
    path = os.environ.get("PYTHONSTARTUP")
    if not path or not os.path.isfile(path):
        return
    with open(path, encoding="utf-8") as file:
        source = file.read()
    # What Python itself does at the start of a shell.
    exec(compile(source, path, "exec"), names)  # noqa: S102


def _complete(names: dict[str, Any]) -> None:
    """Complete names with the tab key, and keep the lines, where Python can."""
    try:
        readline = import_module("readline")
        completer = import_module("rlcompleter").Completer(names)
    except ImportError:
        return
    hook = getattr(sys, "__interactivehook__", None)
    if hook is not None:
        hook()
    readline.set_completer(completer.complete)
