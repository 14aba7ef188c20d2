"""Notices in debug mode when something blocks the event loop, and names the line.

A thread asks the loop for a sign of life. While the sign does not come it looks at
the stack of the loop's thread, and it reports the line that it saw most often, once,
when the loop goes on; earlier if that takes long.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from threading import Event, Thread, get_ident
from time import monotonic
from typing import TYPE_CHECKING, Final

from .blocking_calls import Standing, standing_in, subject_in
from .user_code import printable

if TYPE_CHECKING:
    from .app_state import AppState

__all__ = ("LoopWatch",)

DEFAULT_THRESHOLD_SECONDS: Final = 0.1
STILL_BLOCKED_SECONDS: Final = 5.0
"""When a block is reported although it has not ended."""
LOOK_SECONDS: Final = 0.05
"""Between two looks at the stack of a blocked loop."""
MAX_LOOKS: Final = 1_000
"""Looks at one block; afterwards only its end is awaited."""
STOP_SECONDS: Final = 1.0
"""How long stopping waits for the thread, which may be writing to the log."""


class LoopWatch:
    """Logs what blocks an event loop for longer than a threshold.

    Only code of the user is reported. Nothing is while a debugger has stopped it.

    Args:
        app: The application whose logger is written to.
        threshold: Seconds without a turn of the loop that count as blocked.
    """

    def __init__(
        self, app: AppState, threshold: float = DEFAULT_THRESHOLD_SECONDS
    ) -> None:
        if threshold <= 0:
            raise ValueError(f"threshold is {threshold!r}; it must be above 0 seconds.")
        self.app = app
        self.threshold = threshold
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._stopped = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin to watch the running event loop.

        Raises:
            RuntimeError: No event loop is running, or the watch has begun already.
        """
        if self._thread is not None:
            raise RuntimeError("This LoopWatch has been started; stop() it first.")
        self._loop = asyncio.get_running_loop()
        self._loop_thread = get_ident()
        self._stopped.clear()
        self._thread = Thread(target=self._watch, name="quart-loop-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch; does nothing if there is none."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopped.set()
        thread.join(STOP_SECONDS)
        self._loop = None

    # In the thread

    def _watch(self) -> None:
        loop = self._loop
        while loop is not None and not self._stopped.wait(self.threshold / 2):
            sign = Event()
            asked = monotonic()
            try:
                loop.call_soon_threadsafe(sign.set)
            except RuntimeError:
                # The loop is closed.
                return
            if not sign.wait(self.threshold):
                self._look(loop, sign, asked)

    def _look(self, loop: asyncio.AbstractEventLoop, sign: Event, asked: float) -> None:
        """Look at the stack until the loop goes on, then report."""
        seen: Counter[Standing] = Counter()
        subject = ""
        looks = 0
        is_reported = False
        while True:
            if looks < MAX_LOOKS:
                looks += 1
                standing, served = self._standing(loop)
                if standing is not None:
                    seen[standing] += 1
                    subject = subject or served
            if sign.wait(LOOK_SECONDS):
                break
            if self._stopped.is_set() or loop.is_closed():
                return
            seconds = monotonic() - asked
            if not is_reported and seen and seconds >= STILL_BLOCKED_SECONDS:
                is_reported = True
                self._report(seen, subject, seconds, "has been blocking")
        if seen:
            self._report(seen, subject, monotonic() - asked, "blocked")

    def _standing(self, loop: asyncio.AbstractEventLoop) -> tuple[Standing | None, str]:
        """Return where the loop's thread stands, and for whom."""
        if not loop.is_running():
            # Its thread does something else, such as closing it.
            return None, ""
        frame = sys._current_frames().get(self._loop_thread)
        standing = standing_in(frame)
        if standing is None:
            return None, ""
        return standing, subject_in(frame) or _task_name(loop)

    def _report(
        self, seen: Counter[Standing], subject: str, seconds: float, verb: str
    ) -> None:
        ((standing, _),) = seen.most_common(1)
        what, instead = standing.described()
        self.app.logger.warning(
            "%s%s %s all requests for %.1f s. Use %s, or make the view def.",
            f"{subject}: " if subject else "",
            what,
            verb,
            seconds,
            instead,
        )


def _task_name(loop: asyncio.AbstractEventLoop) -> str:
    task = asyncio.current_task(loop)
    if task is None:
        return ""
    name = getattr(task.get_coro(), "__qualname__", task.get_name())
    return printable(f"task {name}")
