"""Where a task is, from the outside: what it awaits, by file and line.

A task that waits keeps its place in a chain: its coroutine awaits another one, that
one an asynchronous generator, and so on down to the future that nobody has set. The
chain is followed here, so that a test that would hang can say where.
"""

from __future__ import annotations

import asyncio
import gc
import linecache
import sys
import sysconfig
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any, Final

from quart_core.parts.names import OWN_PACKAGES

__all__ = (
    "Place",
    "describe_loop",
    "describe_traceback",
    "describe_wait",
    "waiting_places",
)

#: Steps that are followed; a chain this long goes round in circles.
MAX_STEPS: Final = 200
#: Places of the user's that a description shows, the innermost ones.
MAX_SHOWN: Final = 5

_STANDARD_LIBRARY: Final = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib")
)
_INSTALLED: Final = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Place:
    """A line of code that has not returned yet."""

    filename: str
    lineno: int
    function: str

    @property
    def line(self) -> str:
        """The source line, empty where there is none."""
        return linecache.getline(self.filename, self.lineno).strip()

    @property
    def is_users(self) -> bool:
        """Whether the line is the user's: no library's, no framework's."""
        path = Path(self.filename)
        if any(name in path.parts for name in _INSTALLED):
            return False
        if self.filename.startswith(("<", *_STANDARD_LIBRARY)):
            return False
        # A checkout keeps packages in "src/quart_core", where users have nothing.
        parents = path.parts[:-1]
        return not any(
            before == "src" and name in OWN_PACKAGES
            for before, name in pairwise(parents)
        )

    def __str__(self) -> str:
        text = f"{self.filename}:{self.lineno} in {self.function}"
        return f"{text}\n    {self.line}" if self.line else text


# Any: tasks give whatever.
def waiting_places(task: asyncio.Task[Any]) -> list[Place]:
    """Return where a task waits, the outermost call first; empty if it is done."""
    if task.done():
        return []
    return [_place(frame) for frame in _frames(task.get_coro())]


def describe_wait(task: asyncio.Task[Any]) -> str:
    """Say where a task waits, by the user's own lines where there are any."""
    if task.done():
        return "Its task has ended."
    places = waiting_places(task)
    threads = _places_in_threads() if _waits_for_thread(places) else []
    return _described(places, threads)


def describe_traceback(error: BaseException) -> str:
    """Say where an exception was raised, as for a task that waits."""
    steps = traceback.walk_tb(error.__traceback__)
    return _described([_place(frame, lineno) for frame, lineno in steps])


def describe_loop(loop: asyncio.AbstractEventLoop, thread: int | None) -> str:
    """Say where a loop of another thread is in the user's code; empty if nowhere."""
    frame = sys._current_frames().get(thread or 0)
    running = list(map(_place, _callers(frame)))[::-1]
    if any(place.is_users for place in running):
        return _described([place for place in running if place.is_users])
    waiting = [waiting_places(task) for task in asyncio.all_tasks(loop)]
    found = [places for places in waiting if any(place.is_users for place in places)]
    return " ".join(map(_described, found))


def _described(places: list[Place], threads: Sequence[Place] = ()) -> str:
    users = [place for place in (*places, *threads) if place.is_users]
    shown = (users or places)[-MAX_SHOWN:]
    if not shown:
        return "It has not begun to run."
    lines = "\n".join(_indented(str(place)) for place in shown)
    innermost = places[-1] if places else shown[-1]
    if innermost is shown[-1]:
        return f"It waits at\n{lines}"
    return f"It waits at\n{lines}\n  (inside {_library_name(innermost)})"


def _place(frame: FrameType, lineno: int | None = None) -> Place:
    code = frame.f_code
    return Place(code.co_filename, lineno or frame.f_lineno, code.co_qualname)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _library_name(place: Place) -> str:
    module = Path(place.filename).stem
    return f"{place.function}, {module}.py:{place.lineno}"


# Any: whatever can be awaited.
def _frames(awaited: Any) -> Iterator[FrameType]:
    """Yield the suspended frames behind an awaitable, the outermost first."""
    seen: set[int] = set()
    while awaited is not None and id(awaited) not in seen and len(seen) < MAX_STEPS:
        seen.add(id(awaited))
        frame, awaited = _step(awaited)
        if frame is not None:
            yield frame


def _step(awaited: Any) -> tuple[FrameType | None, Any]:
    """Return the frame of one link of the chain, and the next link."""
    if isinstance(awaited, CoroutineType):
        return awaited.cr_frame, awaited.cr_await
    if isinstance(awaited, GeneratorType):
        return awaited.gi_frame, awaited.gi_yieldfrom
    if isinstance(awaited, AsyncGeneratorType):
        return awaited.ag_frame, awaited.ag_await
    if isinstance(awaited, asyncio.Task):
        return None, awaited.get_coro()
    children = getattr(awaited, "_children", None)
    if children:
        # asyncio.gather: one that is not done is as good as another.
        return None, next((child for child in children if not child.done()), None)
    if isinstance(awaited, asyncio.Future):
        return None, None
    # The step of an asynchronous generator, an iterator over a future and the like
    # do not say what they belong to; the garbage collector knows.
    return None, next(filter(_is_link, gc.get_referents(awaited)), None)


def _is_link(candidate: object) -> bool:
    return isinstance(
        candidate,
        (CoroutineType, GeneratorType, AsyncGeneratorType, asyncio.Future),
    )


# Threads


def _waits_for_thread(places: list[Place]) -> bool:
    return bool(places) and Path(places[-1].filename).name == "threads.py"


def _places_in_threads() -> list[Place]:
    """Return the user's lines that executor threads are at.

    Which of them the task waits for cannot be told; seldom is there more than one.
    """
    found: list[Place] = []
    for frame in list(sys._current_frames().values()):
        places = list(map(_place, _callers(frame)))
        if any(_is_worker(place) for place in places):
            found += [place for place in reversed(places) if place.is_users]
    return found


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_worker(place: Place) -> bool:
    return place.function == "_worker" and place.filename.endswith("thread.py")
