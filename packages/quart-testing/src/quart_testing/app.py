"""The application under test, with its startup and shutdown (``quart.testing.app``)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from quart_core.signals import got_serving_exception

from .waits import Changes, Deadline

if TYPE_CHECKING:
    from quart_core import Quart

    from .client import QuartClient

__all__ = ("DEFAULT_TIMEOUT", "LifespanError", "TestApp")

#: Seconds for the startup, and for the shutdown.
DEFAULT_TIMEOUT = 6

#: Seconds for the task to end after the shutdown was answered.
END_SECONDS = 1.0


class LifespanError(Exception):
    """The startup or the shutdown of the application failed.

    The exception that it failed with is the cause, where it is known.
    """


class TestApp:
    """Starts an application as a server does, and stops it.

    ::

        async with app.test_app() as test_app:
            client = test_app.test_client()
            response = await client.get("/")

    Args:
        app: The application.
        startup_timeout: Seconds for the functions before serving.
        shutdown_timeout: Seconds for those after it.

    Attributes:
        state: What the application put into the state of the lifespan scope; each
            request of a client gets a copy.
    """

    __test__: ClassVar[bool] = False

    def __init__(
        self,
        app: Quart,
        startup_timeout: float = DEFAULT_TIMEOUT,
        shutdown_timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self.app = app
        self.startup_timeout = startup_timeout
        self.shutdown_timeout = shutdown_timeout
        # Any: whatever the application puts there.
        self.state: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._messages: deque[dict[str, Any]] = deque()
        self._answers: dict[str, str | None] = {}
        self._changes = Changes()

    # Any: the arguments of the application's client class.
    def test_client(self, **kwargs: Any) -> QuartClient:
        """Return a client of the started application."""
        client: QuartClient = self.app.test_client(**kwargs)
        if self.state:
            client.lifespan_state = self.state
        return client

    async def startup(self) -> None:
        """Run the functions before serving.

        Raises:
            RuntimeError: The application was started before.
            LifespanError: One of them failed.
            StillWaitingError: They took longer than `startup_timeout`.
        """
        if self._task is not None:
            raise RuntimeError("The application was started before: make a new TestApp")
        self._answers = {}
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        self._task = asyncio.get_running_loop().create_task(
            self._run(scope), name="lifespan of the application"
        )
        self._task.add_done_callback(lambda _: self._changes.notify())
        try:
            await self._phase("startup", self.startup_timeout)
        except BaseException:
            await self._end(0)
            raise

    async def shutdown(self) -> None:
        """Run the functions after serving.

        Raises:
            RuntimeError: The application is not started.
            LifespanError: One of them failed.
            StillWaitingError: They took longer than `shutdown_timeout`.
        """
        if self._task is None:
            raise RuntimeError("The application is not started: call startup() before")
        try:
            await self._phase("shutdown", self.shutdown_timeout)
        except BaseException:
            await self._end(0)
            raise
        await self._end(END_SECONDS)

    async def __aenter__(self) -> Self:
        await self.startup()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        await self.shutdown()

    async def _run(self, scope: Any) -> None:
        await self.app(scope, self._asgi_receive, self._asgi_send)

    async def _phase(self, phase: str, seconds: float) -> None:
        with self._failures() as failures:
            self._messages.append({"type": f"lifespan.{phase}"})
            self._changes.notify()
            await self._changes.until(
                lambda: phase in self._answers or self._is_over(),
                Deadline(seconds),
                self._task,
                lambda: f"The {phase} of the application was not done",
            )
        self._check(phase, failures)

    def _check(self, phase: str, failures: list[BaseException]) -> None:
        cause = failures[0] if failures else None
        if phase not in self._answers:
            error = None
            if self._task is not None and not self._task.cancelled():
                error = self._task.exception()
            raise LifespanError(f"The application ended during its {phase}") from error
        message = self._answers[phase]
        if message is not None:
            raise LifespanError(f"Error during {phase} {message}") from cause

    def _is_over(self) -> bool:
        return self._task is not None and self._task.done()

    async def _end(self, seconds: float) -> None:
        """Wait so long for the task, which has nothing more to do; then cancel it."""
        task, self._task = self._task, None
        if task is None:
            return
        _, late = await asyncio.wait({task}, timeout=seconds)
        if late:
            task.cancel()
            await asyncio.wait({task}, timeout=END_SECONDS)

    @contextmanager
    def _failures(self) -> Iterator[list[BaseException]]:
        """Collect the exceptions that the application only tells the message of."""
        failures: list[BaseException] = []

        # A coroutine function, as a plain receiver would run in a thread.
        async def note(_sender: object, exception: BaseException, **_: object) -> None:
            failures.append(exception)

        with got_serving_exception.connected_to(note, sender=self.app):
            yield failures

    async def _asgi_receive(self) -> dict[str, Any]:
        while not self._messages:
            await self._changes.wait()
        return self._messages.popleft()

    # Any: an ASGI message.
    async def _asgi_send(self, message: dict[str, Any]) -> None:
        _, phase, outcome = message["type"].split(".")
        failed = outcome == "failed"
        self._answers[phase] = message.get("message", "") if failed else None
        self._changes.notify()
