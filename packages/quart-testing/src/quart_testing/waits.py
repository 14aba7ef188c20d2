"""Waiting within bounds: no test hangs, and one that would says what for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from .await_chain import describe_traceback, describe_wait

__all__ = ("DEFAULT_WAIT_SECONDS", "Changes", "Deadline", "StillWaitingError", "within")

Result = TypeVar("Result")

#: How long a test waits for the application where nothing else is said.
DEFAULT_WAIT_SECONDS: Final = 10.0

#: A timer this late means that the process stood still, most likely in a debugger.
STOPPED_SECONDS: Final = 1.0


class StillWaitingError(TimeoutError):
    """The application did not do in time what the test waits for.

    The message names what was waited for, and file and line where the application is.
    """


async def within(seconds: float, awaitable: Awaitable[Result], problem: str) -> Result:
    """Await something of the application's in the task of the test.

    Args:
        seconds: How long it may take; then it is cancelled.
        awaitable: What is awaited.
        problem: What did not happen if it takes longer.

    Raises:
        StillWaitingError: It took longer.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await awaitable
    except TimeoutError as error:
        if not limit.expired():
            raise
        where = describe_traceback(error.__cause__ or error)
        message = f"{problem} within {seconds:g} seconds. {where}"
        raise StillWaitingError(message) from None


class Deadline:
    """The end of a wait.

    Args:
        seconds: How long the wait may take from now on.

    Raises:
        ValueError: The seconds are not above 0.
    """

    def __init__(self, seconds: float) -> None:
        if seconds <= 0:
            raise ValueError(
                f"A wait of {seconds!r} seconds is none; give a number above 0"
            )
        self.seconds = seconds
        self._loop = asyncio.get_running_loop()
        self.due = self._loop.time() + seconds

    def is_over(self) -> bool:
        """Say whether the time is up; begin anew if the process stood still."""
        late = self._loop.time() - self.due
        if late >= STOPPED_SECONDS:
            # Stopped in a debugger, nobody could have answered.
            self.due = self._loop.time() + self.seconds
            return False
        return late >= 0

    # Any: tasks give whatever.
    def error(
        self, problem: str, task: asyncio.Task[Any] | None, advice: str = ""
    ) -> StillWaitingError:
        """Return the error of a wait that took too long.

        Args:
            problem: What did not happen.
            task: Who was waited for.
            advice: What to do about it.
        """
        where = "" if task is None else f" {describe_wait(task)}"
        advice = f"\n{advice}." if advice else ""
        return StillWaitingError(
            f"{problem} within {self.seconds:g} seconds.{where}{advice}"
        )


class Changes:
    """What two tasks tell each other: that something is not as it was."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[bool]] = set()

    def notify(self) -> None:
        """Wake all who wait."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(True)

    async def wait(self, deadline: Deadline | None = None) -> bool:
        """Wait for the next change.

        Args:
            deadline: The end of it; None only for the application itself, which may
                wait for its client as long as the client's own waits last.

        Returns:
            Whether there was a change, rather than the time being up.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters.add(waiter)
        timer = _Timer(loop, deadline, waiter) if deadline is not None else None
        try:
            return await waiter
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()

    async def until(
        self,
        happened: Callable[[], bool],
        deadline: Deadline,
        # Any: tasks give whatever.
        task: asyncio.Task[Any] | None,
        problem: Callable[[], str],
    ) -> None:
        """Wait until something has happened.

        Args:
            happened: Says whether it has.
            deadline: The end of the wait.
            task: Who is waited for.
            problem: Says what did not happen; called when the time is up.

        Raises:
            StillWaitingError: It did not happen in time.
        """
        while not happened():
            if not await self.wait(deadline) and not happened():
                raise deadline.error(problem(), task)


class _Timer:
    """Ends a wait at its deadline, which may be put off on the way."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deadline: Deadline,
        waiter: asyncio.Future[bool],
    ) -> None:
        self._loop = loop
        self._deadline = deadline
        self._waiter = waiter
        self._handle = loop.call_at(deadline.due, self._expire)

    def _expire(self) -> None:
        if not self._deadline.is_over():
            self._handle = self._loop.call_at(self._deadline.due, self._expire)
        elif not self._waiter.done():
            self._waiter.set_result(False)

    def cancel(self) -> None:
        self._handle.cancel()
