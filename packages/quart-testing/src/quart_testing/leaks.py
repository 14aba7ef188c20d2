"""What a request leaves behind: tasks, contexts, open files, temporary files.

Off unless asked for, as looking takes time: ``app.test_client(check_leaks=True)``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from quart_contexts.globals import _cv_app, _cv_request, _cv_websocket
from quart_core.signals import appcontext_pushed

from .await_chain import describe_wait

__all__ = ("LeakCheck", "LeakError")

#: How long tasks may take to end after the request that started them.
GRACE_SECONDS: Final = 0.25

# Where the system lists the files that this process has open.
_DESCRIPTORS: Final = next(
    (Path(path) for path in ("/proc/self/fd", "/dev/fd") if Path(path).is_dir()), None
)

_applications: WeakSet[asyncio.Task[Any]] = WeakSet()
_watching: set[LeakCheck] = set()
_is_audited = False


class LeakError(AssertionError):
    """A request left something behind.

    Attributes:
        leaks: One line for each thing.
    """

    def __init__(self, about: str, leaks: list[str]) -> None:
        self.leaks = leaks
        lines = "\n".join(f"- {leak}" for leak in leaks)
        super().__init__(f"{about} left behind:\n{lines}")


class LeakCheck:
    """Compares what there is before a request with what there is after it.

    Temporary files are those made with `tempfile`. Where the system does not list open
    files, as on Windows, these are not checked.

    Args:
        app: The application, whose background tasks are not counted.
        about: What the test does, for messages.
    """

    # Any: an ASGI application of whatever kind; a Quart one has background tasks.
    def __init__(self, app: Any, about: str) -> None:
        self.app = app
        self.about = about
        self._tasks: set[asyncio.Task[Any]] = set()
        self._files: dict[str, str] = {}
        self._temporary: list[str] = []
        # First those that the test had pushed before, then the application's.
        self._contexts: list[Any] = []
        self._contexts_before = 0
        self._begun = False

    def begin(self) -> None:
        """Note what there is, before the application is called."""
        _audit()
        self._begun = True
        self._tasks = set(asyncio.all_tasks())
        self._files = dict(_open_files())
        self._contexts = list(_current_contexts())
        self._contexts_before = len(self._contexts)
        _watching.add(self)
        appcontext_pushed.connect(self._on_push, sender=self.app)

    def exclude(self, task: asyncio.Task[Any]) -> None:
        """Take a task for one of the test's, not of the application's."""
        _applications.add(task)

    async def finish(self) -> None:
        """Look what is left.

        Raises:
            LeakError: There is something.
        """
        if not self._begun:
            return
        self._stop()
        leaks = [
            *await self._leaked_tasks(),
            *self._leaked_contexts(),
            *self._leaked_files(),
            *self._leaked_temporary_files(),
        ]
        if leaks:
            raise LeakError(self.about, leaks)

    def abandon(self) -> None:
        """Stop without looking."""
        if self._begun:
            self._stop()

    def _stop(self) -> None:
        self._begun = False
        _watching.discard(self)
        appcontext_pushed.disconnect(self._on_push, sender=self.app)

    # Tasks

    async def _leaked_tasks(self) -> Iterator[str]:
        tasks = self._new_tasks()
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        # Described while they wait, as a list: the next check may come later.
        return iter(
            [
                f"the task {task.get_name()!r}. {describe_wait(task)}"
                for task in tasks
                if not task.done()
            ]
        )

    def _new_tasks(self) -> set[asyncio.Task[Any]]:
        kept = self._background_tasks()
        return {
            task
            for task in asyncio.all_tasks() - self._tasks - set(_applications)
            if task is not asyncio.current_task() and task not in kept
        }

    def _background_tasks(self) -> Collection[Any]:
        tasks: Collection[Any] = getattr(self.app, "background_tasks", ())
        return tasks

    # Contexts

    # A coroutine function, as a plain receiver would run in a thread.
    async def _on_push(self, _sender: object, **_: object) -> None:
        if asyncio.current_task() in self._background_tasks():
            return
        for context in _current_contexts():
            if all(context is not other for other in self._contexts):
                self._contexts.append(context)

    def _leaked_contexts(self) -> Iterator[str]:
        preserved = getattr(self.app, "_preserved_context", None)
        for context in self._contexts[self._contexts_before :]:
            if context is not preserved and context._pushed:
                yield f"{context!r}, pushed and not popped"

    # Files

    def _leaked_files(self) -> Iterator[str]:
        for descriptor, path in _open_files():
            if self._files.get(descriptor) != path:
                yield f"the open file {path}"

    def _leaked_temporary_files(self) -> Iterator[str]:
        for path in self._temporary:
            if Path(path).exists():
                kind = "folder" if Path(path).is_dir() else "file"
                yield f"the temporary {kind} {path}"

    def note_temporary(self, path: str) -> None:
        """Remember a temporary file or folder that was made."""
        self._temporary.append(path)


def _current_contexts() -> Iterator[Any]:
    for variable in (_cv_app, _cv_request, _cv_websocket):
        context = variable.get(None)
        if context is not None:
            yield context


def _open_files() -> Iterator[tuple[str, str]]:
    """Yield descriptor and path of what is open and is a file."""
    if _DESCRIPTORS is None:
        return
    for name in os.listdir(_DESCRIPTORS):
        path = _path_of(name)
        if path is not None:
            yield name, path


def _path_of(descriptor: str) -> str | None:
    try:
        path = os.readlink(f"{_DESCRIPTORS}/{descriptor}")
    except OSError:
        # The one that listing them used, or what is no link on this system.
        return None
    is_file = path.startswith("/") and not path.startswith(("/dev/", "/proc/"))
    return path if is_file else None


def _audit() -> None:
    """Learn of temporary files; the interpreter takes such a hook for ever."""
    global _is_audited
    if not _is_audited:
        _is_audited = True
        sys.addaudithook(_on_audit)


def _on_audit(event: str, args: tuple[Any, ...]) -> None:
    if not _watching or event not in _TEMPORARY_EVENTS:
        return
    for check in tuple(_watching):
        check.note_temporary(os.fsdecode(args[0]))


_TEMPORARY_EVENTS: Final[frozenset[str]] = frozenset(
    {"tempfile.mkstemp", "tempfile.mkdtemp"}
)
