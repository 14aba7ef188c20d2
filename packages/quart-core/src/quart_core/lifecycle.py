"""How an application starts and stops, and what runs beside its requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .dispatch_signatures import context_may_lead
from .setup import setupmethod
from .short_way import ShortWay
from .signals import got_background_exception, got_serving_exception, send_signal

if TYPE_CHECKING:
    from .typing import (
        AfterServingCallable,
        BeforeServingCallable,
        WhileServingCallable,
    )

P = ParamSpec("P")
T_before_serving = TypeVar("T_before_serving", bound="BeforeServingCallable")
T_after_serving = TypeVar("T_after_serving", bound="AfterServingCallable")
T_while_serving = TypeVar("T_while_serving", bound="WhileServingCallable")


class Lifecycle(ShortWay):
    """Start, stop and background tasks. API of ``quart.Quart``."""

    # Set when shutting down starts; a new one at each start.
    shutdown_event: Any

    @setupmethod
    def before_serving(self, func: T_before_serving) -> T_before_serving:
        """Register a function to run before the first request is accepted."""
        self.before_serving_funcs.append(func)
        return func

    @setupmethod
    def after_serving(self, func: T_after_serving) -> T_after_serving:
        """Register a function to run after the last request."""
        self.after_serving_funcs.append(func)
        return func

    @setupmethod
    def while_serving(self, func: T_while_serving) -> T_while_serving:
        """Register an async generator function that yields once.

        What is before the yield runs at the start, what is after it at the end.
        """
        self._while_serving_funcs.append(func)
        return func

    async def startup(self) -> None:
        """Run the functions before serving, in one application context.

        Raises:
            Exception: That of a function, after it was logged and the signal
                ``got_serving_exception`` was sent.
        """
        self.shutdown_event = self.event_class()
        self.while_serving_gens = []
        try:
            async with self.app_context():
                for function in self.before_serving_funcs:
                    await self.ensure_async(function)()
                for make_generator in self._while_serving_funcs:
                    generator = make_generator()
                    self.while_serving_gens.append(generator)
                    await _first_part(generator)
        except Exception as error:
            await self._serving_failed(error, "startup")
            raise

    async def shutdown(self) -> None:
        """End background tasks and run the functions after serving.

        Sets ``shutdown_event``, waits BACKGROUND_TASK_SHUTDOWN_TIMEOUT seconds for
        the background tasks and cancels those left, then resumes the
        ``while_serving`` generators, the last first, and runs the functions after
        serving. All of them run.

        Raises:
            Exception: The first one of a function, after it was logged and the
                signal ``got_serving_exception`` was sent.
        """
        self._signal_shutdown()
        await self._end_background_tasks()
        failure: Exception | None = None
        async with self.app_context():
            for generator in reversed(self.while_serving_gens):
                failure = await self._at_shutdown(_last_part, generator) or failure
            self.while_serving_gens = []
            for function in self.after_serving_funcs:
                prepared = self.ensure_async(function)
                failure = await self._at_shutdown(prepared) or failure
        if failure is not None:
            raise failure

    def _signal_shutdown(self) -> None:
        event = getattr(self, "shutdown_event", None)
        if event is not None:
            event.set()

    async def _at_shutdown(
        self, function: Callable[..., Any], *args: Any
    ) -> Exception | None:
        try:
            await function(*args)
        except Exception as error:  # noqa: BLE001 - raised when all has run
            await self._serving_failed(error, "shutdown")
            return error
        return None

    async def _serving_failed(self, error: Exception, phase: str) -> None:
        await send_signal(got_serving_exception, self, exception=error)
        self.logger.error("Exception during %s", phase, exc_info=error)

    async def _end_background_tasks(self) -> None:
        tasks = [task for task in self.background_tasks if not task.done()]
        if not tasks:
            return
        timeout = self.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"]
        _, late = await asyncio.wait(tasks, timeout=timeout)
        for task in late:
            task.cancel()
        if late:
            self.logger.warning(
                "%d background tasks were cancelled, not done after %s seconds "
                "(BACKGROUND_TASK_SHUTDOWN_TIMEOUT)",
                len(late),
                timeout,
            )
            # A task may refuse its cancellation, but not hold up the end for ever.
            await asyncio.wait(late, timeout=timeout)

    def add_background_task(
        self, func: Callable[P, Any], *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Run a function beside the requests, in an application context of its own.

        A plain function runs in a thread. Exceptions are logged and sent with
        ``got_background_exception``.

        Raises:
            RuntimeError: No event loop is running.
        """
        prepared = self.ensure_async(func)

        async def run() -> None:
            try:
                async with self.app_context():
                    await prepared(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - logged and signalled
                await self.handle_background_exception(error)

        coroutine = run()
        try:
            task = asyncio.get_running_loop().create_task(coroutine)
        except RuntimeError:
            coroutine.close()
            raise
        self.background_tasks.add(task)
        task.add_done_callback(self.background_tasks.discard)

    @context_may_lead()
    async def handle_background_exception(self, error: Exception) -> None:
        """Log an exception of a background task and send the signal for it."""
        await send_signal(got_background_exception, self, exception=error)
        self.logger.error("Exception in a background task", exc_info=error)


async def _first_part(generator: AsyncGenerator[None, None]) -> None:
    try:
        await anext(generator)
    except StopAsyncIteration:
        raise RuntimeError(
            f"{_name_of(generator)} did not yield: a while_serving function yields "
            "once, where the application serves."
        ) from None


async def _last_part(generator: AsyncGenerator[None, None]) -> None:
    try:
        await anext(generator)
    except StopAsyncIteration:
        return
    await generator.aclose()
    raise RuntimeError(
        f"{_name_of(generator)} yielded twice: a while_serving function yields once, "
        "where the application serves."
    )


def _name_of(generator: AsyncGenerator[None, None]) -> str:
    return f"{getattr(generator, '__qualname__', generator)}()"
