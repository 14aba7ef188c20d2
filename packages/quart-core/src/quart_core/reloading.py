"""Starting the program anew when one of its source files changes.

The polling core behind ``app.run(use_reloader=True)``; watching by the operating
system's events is the command line's job.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import cache_from_source
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
    with the child's last exit status, 128 and the signal's number where it was killed.

    The child inherits what is inheritable, such as sockets that a service manager
    opened, and is passed on the signals that end the parent.

    Raises:
        SystemExit: In the parent, when the child ended for good.
    """
    if os.environ.get(CHILD_VARIABLE) == "true":
        return
    environment = {**os.environ, CHILD_VARIABLE: "true"}
    child = _Child()
    with _signals_passed_on_to(child):
        while True:
            status = child.run(environment)
            if status != RELOAD_EXIT_STATUS or child.is_told_to_end:
                sys.exit(status if status >= 0 else 128 - status)


def restart() -> NoReturn:
    """Replace this process by a new one with the same command line."""
    command = _command_line()
    if os.name == "nt":
        # On Windows exec returns to the shell at once; the parent has to wait.
        sys.exit(subprocess.call(command))  # noqa: S603
    os.execv(command[0], command)  # noqa: S606


class _Child:
    """The process that serves, and what it is told by way of this one."""

    def __init__(self) -> None:
        self.is_told_to_end = False
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, environment: dict[str, str]) -> int:
        """Run the process to its end and give its exit status."""
        process = subprocess.Popen(  # noqa: S603
            _command_line(), env=environment, close_fds=False
        )
        self._process = process
        if self.is_told_to_end:
            process.terminate()
        return process.wait()

    def pass_on(self, number: int, _frame: object) -> None:
        """Pass a signal on to the process, for ``signal.signal``."""
        self.is_told_to_end = True
        # The terminal sends its interrupt to the child as well. A second one would
        # keep it from finishing what it does.
        if number == signal.SIGINT and _has_terminal():
            return
        if self._process is not None:
            self._process.send_signal(number)


@contextmanager
def _signals_passed_on_to(child: _Child) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, child.pass_on) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _has_terminal() -> bool:
    """Tell whether signals may come from a terminal."""
    if os.name == "nt":
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _command_line() -> list[str]:
    """Give the command that started this program, with the interpreter's options."""
    return [sys.executable, *sys.orig_argv[1:]]


def _check(files: Iterable[Path], last_seen: dict[Path, float]) -> None:
    for path in files:
        modified = _modification_time(path)
        if last_seen.setdefault(path, modified) != modified:
            _forget_bytecode(path)
            raise MustReloadError(f"{path} has changed")


def _forget_bytecode(path: Path) -> None:
    """Remove the bytecode of a changed file.

    Python tells whether it is stale by the size and the whole second of the source's
    last change: after a second save within a second it would run the code before.
    """
    with suppress(OSError, NotImplementedError):
        os.unlink(cache_from_source(str(path)))


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
