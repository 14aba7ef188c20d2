"""Noticing that files change: by the system's events, or by looking again and again."""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from .watched import Watched

__all__ = ("PollingWatcher", "SystemWatcher", "Watcher", "make_watcher", "watcher_name")

POLL_SECONDS: Final = 0.3
"""How often files are looked at, where the system does not tell."""

SETTLE_MILLISECONDS: Final = 30
"""Changes with less time between them are one: editors write in several steps."""

_MAX_SETTLE_MILLISECONDS: Final = 200
_JOIN_SECONDS: Final = 2.0
# The longest time until stop() and renew() are obeyed.
_WAKE_MILLISECONDS: Final = 100

# File systems have a coarser clock than the program.
_CLOCK_STEP_NANOSECONDS: Final = 20_000_000

# What tells two states of a file apart.
_State = tuple[int, int, int]


class Watcher(ABC):
    """Calls back with the files that changed, from a thread of its own.

    Args:
        watched: What is watched.
        changed: Called with the paths of files that count.
    """

    def __init__(self, watched: Watched, changed: Callable[[list[str]], None]) -> None:
        self._watched = watched
        self._changed = changed
        self._ended = threading.Event()
        self._renewed = threading.Event()
        self._folders = watched.folders()
        self._looked_at = time.time_ns() - _CLOCK_STEP_NANOSECONDS
        self._states = dict(self._all_states())
        self._thread = threading.Thread(
            target=self._watch, name="quart-watcher", daemon=True
        )

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def renew(self) -> None:
        """Look up the folders again, as more are watched."""
        self._renewed.set()

    def stop(self) -> None:
        """End the watch."""
        self._ended.set()
        self._renewed.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_SECONDS)

    def _look(self) -> None:
        """Compare all files with what they were, and report the differences.

        A file that is new counts if it was made since the last look: what a folder
        held before it was watched is no change.
        """
        before, looked_at = self._states, self._looked_at
        self._looked_at = time.time_ns() - _CLOCK_STEP_NANOSECONDS
        self._folders = self._watched.folders()
        self._states = dict(self._all_states())
        self._report(
            path
            for path in before.keys() | self._states.keys()
            if before.get(path) != self._states.get(path)
            and (path in before or _made_since(path, looked_at))
        )

    def _note(self, paths: Iterable[str]) -> None:
        """Report files that the system says have changed, if they have."""
        changed = []
        for path in paths:
            if os.path.isdir(path):
                # A new folder, which has to be watched as well.
                self._renewed.set()
            elif self._watched.counts(path):
                state = _state(path)
                if state != self._states.get(path):
                    changed.append(path)
                _remember(self._states, path, state)
        self._report(changed)

    def _report(self, paths: Iterable[str]) -> None:
        counting = sorted(paths)
        if counting:
            self._changed(counting)

    def _all_states(self) -> Iterator[tuple[str, _State]]:
        for folder in self._folders:
            try:
                names = os.listdir(folder)
            except OSError:
                # Gone while we look; the next look tells.
                continue
            for name in names:
                path = os.path.join(folder, name)
                state = _state(path) if self._watched.counts(path) else None
                if state is not None:
                    yield path, state

    @abstractmethod
    def _watch(self) -> None:
        """Watch until the end; runs in the thread."""


class PollingWatcher(Watcher):
    """Compares files with what they were."""

    def _watch(self) -> None:
        seconds = POLL_SECONDS
        while not self._ended.wait(seconds):
            self._renewed.clear()
            began = time.monotonic()
            self._look()
            # However many files there are: a tenth of the time at most.
            seconds = max(POLL_SECONDS, 9 * (time.monotonic() - began))


class SystemWatcher(Watcher):
    """Is told by the system, through watchfiles."""

    def _watch(self) -> None:
        watch = import_module("watchfiles").watch
        while not self._ended.is_set():
            self._renewed.clear()
            is_first = True
            for changes in watch(
                *self._watched.folders(),
                watch_filter=None,
                debounce=_MAX_SETTLE_MILLISECONDS,
                step=SETTLE_MILLISECONDS,
                rust_timeout=_WAKE_MILLISECONDS,
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
            ):
                if is_first:
                    # What happened before the system was listening.
                    is_first = False
                    self._look()
                self._note(path for _, path in changes)
                if self._renewed.is_set():
                    break


def watcher_name() -> str:
    """Return how files are watched here: ``watchfiles`` or ``polling``."""
    return "polling" if find_spec("watchfiles") is None else "watchfiles"


def make_watcher(watched: Watched, changed: Callable[[list[str]], None]) -> Watcher:
    """Return the better watcher that is installed."""
    if watcher_name() == "polling":
        return PollingWatcher(watched, changed)
    return SystemWatcher(watched, changed)


def _state(path: str) -> _State | None:
    """Return what tells whether a file has changed, None if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _made_since(path: str, nanoseconds: int) -> bool:
    try:
        return os.stat(path).st_ctime_ns >= nanoseconds
    except OSError:
        return False


def _remember(states: dict[str, _State], path: str, state: _State | None) -> None:
    if state is None:
        states.pop(path, None)
    else:
        states[path] = state
