"""The process that stays: holds the sockets, watches, replaces the child."""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import cache_from_source
from types import FrameType
from typing import Any, Final, Protocol

from .channel import Message
from .child_process import ChildProcess
from .handover import Handover
from .tether import GRACE_SECONDS
from .watched import Watched
from .watchers import make_watcher

__all__ = ("Screen", "Supervisor")

# The longest drain of a child, and its grace, and time for it to end itself.
_KILL_SECONDS: Final = 4.0 + GRACE_SECONDS + 1.0
_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Screen(Protocol):
    """What the supervisor says to the user."""

    def served(self, target: str) -> None:
        """The application is served, for the first time."""
        ...

    def reloaded(self, paths: Sequence[str], seconds: float, *, failed: bool) -> None:
        """A new child serves, since files changed."""
        ...

    def ended(self, status: int) -> None:
        """A child ended by itself, and a change is waited for."""
        ...

    def stopped(self, cut: int | None) -> None:
        """The user has stopped it; so many requests were cut, None if unknown."""
        ...


@dataclass(frozen=True, slots=True)
class _Told:
    child: ChildProcess
    message: Message


@dataclass(frozen=True, slots=True)
class _Exited:
    child: ChildProcess
    status: int


@dataclass(frozen=True, slots=True)
class _Changed:
    paths: list[str]


@dataclass(frozen=True, slots=True)
class _Signalled:
    number: int


class Supervisor:
    """Runs children until a signal ends it.

    Args:
        handover: What each child gets.
        watched: What is watched; children add to it.
        screen: Where to say what happens.
        has_standby: Whether a child may stand by.
    """

    def __init__(
        self,
        handover: Handover,
        watched: Watched,
        screen: Screen,
        *,
        has_standby: bool = True,
    ) -> None:
        self._handover = handover
        self._watched = watched
        self._screen = screen
        self._has_standby = has_standby
        # Any event; SimpleQueue may be written to in a signal handler.
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._watcher = make_watcher(
            watched, lambda paths: self._events.put(_Changed(paths))
        )
        self._current: ChildProcess | None = None
        self._standby: ChildProcess | None = None
        self._changes: list[str] = []
        self._changed_at = 0.0
        self._was_served = False
        self._cut: int | None = None
        self._is_ending = False
        self._kill_at: float | None = None
        self._status: int | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            _Told: self._on_told,
            _Exited: self._on_exited,
            _Changed: self._on_changed,
            _Signalled: self._on_signalled,
        }

    def run(self) -> int:
        """Serve until a signal or the application ends it; return the exit status."""
        with self._signals():
            self._watcher.start()
            try:
                self._current = self._make_child()
                while self._status is None:
                    self._step()
            finally:
                self._watcher.stop()
                for child in (self._current, self._standby):
                    if child is not None:
                        child.kill()
        return self._status

    def _step(self) -> None:
        timeout = None
        if self._kill_at is not None:
            timeout = max(0.0, self._kill_at - time.monotonic())
        try:
            event = self._events.get(timeout=timeout)
        except queue.Empty:
            self._kill_at = None
            if self._current is not None:
                # Its end is told by its own thread.
                self._current.kill()
            return
        self._handlers[type(event)](event)

    # Events

    def _on_told(self, event: _Told) -> None:
        message = event.message
        if message["kind"] == "watch":
            if self._watched.add(message["folders"], message["files"]):
                self._watcher.renew()
            return
        if message["kind"] == "ended":
            self._cut = message["cut"]
            return
        if message["kind"] != "ready" or event.child is not self._current:
            return
        event.child.is_ready = True
        if not self._was_served:
            self._was_served = True
            self._screen.served(message["target"])
        if self._changes:
            seconds = time.monotonic() - self._changed_at
            self._screen.reloaded(self._changes, seconds, failed=message["failed"])
            self._changes = []
        if self._has_standby and self._standby is None:
            self._standby = self._make_child(is_standby=True)

    def _on_exited(self, event: _Exited) -> None:
        if event.child is self._standby:
            # It could not even be started: do not try again and again.
            self._standby = None
            self._has_standby = False
            return
        if event.child is not self._current:
            return
        self._kill_at = None
        self._current = None
        if self._is_ending:
            self._screen.stopped(self._cut)
            self._status = 0
        elif event.child.is_stopping:
            self._replace()
        elif event.status in {0, -signal.SIGTERM, -signal.SIGINT}:
            self._status = 0 if event.status == 0 else 128 - event.status
        else:
            self._screen.ended(event.status)
            if not event.child.failure:
                failure = f"The application ended with status {event.status}."
                self._current = self._make_child(failure=failure)

    def _on_changed(self, event: _Changed) -> None:
        if self._is_ending:
            return
        if not self._changes:
            self._changed_at = time.monotonic()
        self._changes += [p for p in event.paths if p not in self._changes]
        if self._current is None:
            self._replace()
        elif not self._current.is_stopping:
            self._stop(self._current)

    def _on_signalled(self, event: _Signalled) -> None:
        if self._is_ending or self._current is None:
            self._status = 128 + event.number if self._is_ending else 0
            return
        self._is_ending = True
        if not self._current.is_stopping:
            self._stop(self._current)

    # Children

    def _stop(self, child: ChildProcess) -> None:
        self._cut = None
        child.stop()
        self._kill_at = time.monotonic() + _KILL_SECONDS

    def _replace(self) -> None:
        _forget_bytecode(self._changes)
        if self._standby is None:
            self._current = self._make_child()
            return
        self._current, self._standby = self._standby, None
        self._current.go()

    def _make_child(
        self, *, is_standby: bool = False, failure: str = ""
    ) -> ChildProcess:
        return ChildProcess(
            replace(self._handover, is_standby=is_standby, failure=failure),
            lambda child, message: self._events.put(_Told(child, message)),
            lambda child, status: self._events.put(_Exited(child, status)),
        )

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
        before = {number: signal.getsignal(number) for number in numbers}
        try:
            for number in numbers:
                signal.signal(number, self._note_signal)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(_Signalled(number))


def _forget_bytecode(paths: Sequence[str]) -> None:
    """Remove the bytecode of changed files.

    Python tells whether it is stale by the size and the whole second of the source's
    last change: after a second save within a second it would run the code before.
    """
    for path in paths:
        if path.endswith(".py"):
            with suppress(OSError, NotImplementedError):
                os.unlink(cache_from_source(os.path.abspath(path)))
