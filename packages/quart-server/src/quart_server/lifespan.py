"""ASGI lifespan: the app's start-up and shutdown, each within a time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from .asgi import ASGIApp, Message
    from .config import Config

__all__ = ["Lifespan", "LifespanError"]

_log = logging.getLogger("quart_server.error")


class LifespanError(RuntimeError):
    """The app's start-up or shutdown failed or took too long."""


class Lifespan:
    """Runs one app's lifespan around what stands in `async with`.

    With `lifespan = "auto"` an app that raises before its start-up is complete is one
    that has no lifespan; with `"on"` that is an error.

    Attributes:
        state: The state that each request gets a copy of; None without lifespan.
    """

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app = app
        self._config = config
        self._task: asyncio.Task[None] | None = None
        self._told_startup = False
        self._told_shutdown = False
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._failure: str | None = None
        self._error: BaseException | None = None
        self.state: dict[str, Any] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Run the app's start-up.

        Raises:
            LifespanError: It failed or took too long.
        """
        if self._config.lifespan == "off":
            return
        self.state = {}
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(), name="lifespan")
        timeout = self._config.startup_timeout
        try:
            async with asyncio.timeout(timeout):
                await self._started.wait()
        except TimeoutError:
            await self._cancel()
            raise LifespanError(
                f"The app's start-up took longer than {timeout:g} s (startup_timeout)"
            ) from None
        except asyncio.CancelledError:
            await self._cancel()
            raise
        if self._failure is not None:
            await self._cancel()
            raise LifespanError(self._failure) from self._error

    async def stop(self) -> None:
        """Run the app's shutdown.

        Raises:
            LifespanError: It failed or took too long.
        """
        if self._task is None or self._task.done():
            return
        self._stopping.set()
        timeout = self._config.shutdown_timeout
        try:
            async with asyncio.timeout(timeout):
                await self._stopped.wait()
        except TimeoutError:
            raise LifespanError(
                f"The app's shutdown took longer than {timeout:g} s (shutdown_timeout)"
            ) from None
        finally:
            await self._cancel()
        if self._failure is not None:
            raise LifespanError(self._failure) from self._error

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._receive, self._send)
        except asyncio.CancelledError:
            self._on_return(None)
            raise
        except Exception as error:  # noqa: BLE001  # the app's
            self._on_return(error)
        else:
            self._on_return(None)
        finally:
            self._started.set()
            self._stopped.set()

    def _on_return(self, error: Exception | None) -> None:
        """Decide what it means that the app has left its lifespan."""
        if self._failure is not None or self._stopped.is_set():
            return
        if self._started.is_set():
            self._on_early_return(error)
            return
        if self._config.lifespan == "auto":
            # The ASGI specification: an exception means lifespan is not supported.
            self.state = None
            _log.debug("The app does not support lifespan", exc_info=error)
            return
        self._failure = "The app does not support lifespan, and lifespan is 'on'"
        self._error = error

    def _on_early_return(self, error: Exception | None) -> None:
        """Take note that the app has left a lifespan that had begun."""
        if self._stopping.is_set() and error is not None:
            self._failure = "The app's shutdown failed"
            self._error = error
        elif error is not None:
            _log.error("The app's lifespan ended while it is served", exc_info=error)

    async def _receive(self) -> Message:
        if not self._told_startup:
            self._told_startup = True
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        if self._told_shutdown:
            await asyncio.get_running_loop().create_future()  # ends with the task
        self._told_shutdown = True
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            self._started.set()
        elif kind == "lifespan.startup.failed":
            self._failure = _failure("start-up", message)
            self._started.set()
        elif kind == "lifespan.shutdown.complete":
            self._stopped.set()
        elif kind == "lifespan.shutdown.failed":
            self._failure = _failure("shutdown", message)
            self._stopped.set()
        else:
            raise RuntimeError(f"The app sent {kind!r} in its lifespan")

    async def _cancel(self) -> None:
        """End the app's task, and wait for it."""
        task = self._task
        if task is None:
            return
        if self._stopped.is_set():
            # Give the app the moment it needs to return by itself.
            await asyncio.wait({task}, timeout=1.0)
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)


def _failure(stage: str, message: Message) -> str:
    text = message.get("message", "")
    return f"The app's {stage} failed" + (f": {text}" if text else "")
