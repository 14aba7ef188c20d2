"""Starting the program anew when one of its source files changes.

The polling core behind ``app.run(use_reloader=True)``; watching by the operating
system's events is the command line's job.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final, NoReturn, Protocol

__all__ = ("MustReloadError", "observe_changes", "restart", "run_reloader")

POLL_INTERVAL_SECONDS: Final = 1.0
"""How often the files are looked at."""

BATCH_SIZE: Final = 50
"""How many files are looked at before other tasks get their turn."""

RELOAD_EXIT_STATUS: Final = 3
"""A child process that ends with this status wants to be started again."""

CHILD_VARIABLE: Final = "QUART_RUN_MAIN"
"""Set to ``true`` in the environment of the reloader's child process."""


class MustReloadError(Exception):
    """A source file has changed: the program must be started anew."""


class ShutdownEvent(Protocol):
    """What is needed of an event that announces the end; asyncio's and trio's fit."""

    def is_set(self) -> bool:
        """Tell whether the program is ending."""
        ...


async def observe_changes(
    sleep: Callable[[float], Awaitable[object]], shutdown_event: ShutdownEvent
) -> None:
    """Watch the files of all imported modules until the event is set.

    Args:
        sleep: Waits for a number of seconds, `asyncio.sleep` as a rule.
        shutdown_event: Ends the watch.

    Raises:
        MustReloadError: A file was modified, or is gone.
    """
    last_seen: dict[Path, float] = {}
    while not shutdown_event.is_set():
        # On the loop, in small bites: threads would tie this to one loop's family.
        for files in _batches(_imported_files()):
            _check(files, last_seen)
            await sleep(0)
        await sleep(POLL_INTERVAL_SECONDS)


def run_reloader() -> None:
    """Run this program in a child process, again and again while it asks for it.

    Returns at once in the child itself, which goes on to serve and ends with the exit
    status 3 when it has seen a change. In the parent the call never returns: it ends
    with the child's last exit status.

    Raises:
        SystemExit: In the parent, when the child ended for good.
    """
    if os.environ.get(CHILD_VARIABLE) == "true":
        return
    environment = {**os.environ, CHILD_VARIABLE: "true"}
    while True:
        status = _run_child(environment)
        if status != RELOAD_EXIT_STATUS:
            sys.exit(status)


def restart() -> NoReturn:
    """Replace this process by a new one with the same command line."""
    command = _command_line()
    if os.name == "nt":
        # On Windows exec returns to the shell at once; the parent has to wait.
        sys.exit(subprocess.call(command))  # noqa: S603
    os.execv(command[0], command)  # noqa: S606


def _run_child(environment: dict[str, str]) -> int:
    process = subprocess.Popen(_command_line(), env=environment)  # noqa: S603
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal sent the interrupt to the child as well: let it finish.
            continue


def _command_line() -> list[str]:
    """Give the command that started this program, with the interpreter's options."""
    return [sys.executable, *sys.orig_argv[1:]]


def _check(files: Iterable[Path], last_seen: dict[Path, float]) -> None:
    for path in files:
        modified = _modification_time(path)
        if last_seen.setdefault(path, modified) != modified:
            raise MustReloadError(f"{path} has changed")


def _modification_time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        # An editor may be replacing it right now; time 0 counts as a change.
        return 0.0


def _imported_files() -> set[Path]:
    files = set()
    for module in tuple(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if isinstance(name, str) and name.endswith(".py"):
            files.add(Path(name))
    return files


def _batches(files: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    remaining = iter(files)
    while batch := tuple(islice(remaining, BATCH_SIZE)):
        yield batch
