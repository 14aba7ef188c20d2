"""This process as a child: obeys the supervisor, serves what it can."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Final

from quart_core.user_code import is_user_code

from .handover import Handover
from .pace import Pace
from .tether import Tether

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("Child", "begin")

# What most applications import: loaded while a child stands by.
_FRAMEWORK: Final = (
    "quart",
    "quart_core",
    "quart_cli.run",
    "quart_cli.styles",
    "quart_server.server",
    "quart_server.transport.http1",
    "uvloop",
    "quart_ws.dispatch",
    "quart_templating.environment",
)


class Child:
    """What a child knows of its supervisor.

    Attributes:
        handover: What it was given.
        tether: The line to the supervisor.
        pace: How slow the machine is for this process.
    """

    def __init__(self, handover: Handover) -> None:
        self.handover = handover
        self.tether = Tether(handover)
        self.pace = Pace()

    def bind(self) -> tuple[str, ...]:
        """Return the inherited sockets as addresses, each time with new descriptors."""
        return tuple(f"fd://{os.dup(number)}" for number in self.handover.listeners)

    def tell_watched(self, app: Quart | None, error: BaseException | None) -> None:
        """Tell the supervisor which files and folders the application is made of."""
        folders = {os.getcwd()}
        files = set(_imported_files())
        if app is not None:
            folders.add(app.root_path)
            files.update(_template_folders(app))
        if error is not None:
            files.update(_files_in(error))
        self.tether.tell("watch", folders=sorted(folders), files=sorted(files))

    def tell_ready(self, target: str, *, failed: bool) -> None:
        """Tell the supervisor that connections are answered."""
        self.tether.tell("ready", target=target, failed=failed)


_child: list[Child] = []


def begin() -> Child | None:
    """Return this process as a child, None if it is none.

    The first call ties it to its supervisor, and returns only when it is to serve.
    """
    if _child:
        return _child[0]
    handover = Handover.take()
    if handover is None:
        return None
    child = Child(handover)
    _child.append(child)
    # For code that does something in one of the two processes only.
    os.environ["QUART_RUN_MAIN"] = "true"
    child.tether.begin()
    if handover.is_standby:
        with child.pace.measured():
            for name in _FRAMEWORK:
                _import_if_there(name)
        child.tether.wait_for_go()
    return child


def _import_if_there(name: str) -> None:
    try:
        import_module(name)
    except ImportError:
        # Not installed; where it is broken, its user will tell.
        return


def _imported_files() -> Iterator[str]:
    for module in tuple(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and is_user_code(file, module.__name__):
            yield os.path.abspath(file)


def _template_folders(app: Quart) -> Iterator[str]:
    for each in (app, *app.iter_blueprints()):
        if each.template_folder is not None:
            folder = os.path.join(each.root_path, os.fspath(each.template_folder))
            if os.path.isdir(folder):
                yield folder


def _files_in(error: BaseException) -> Iterator[str]:
    """Yield the user's files that an exception passed through."""
    if isinstance(error, SyntaxError) and error.filename:
        yield os.path.abspath(error.filename)
    tb = error.__traceback__
    while tb is not None:
        file = tb.tb_frame.f_code.co_filename
        if is_user_code(file):
            yield os.path.abspath(file)
        tb = tb.tb_next
