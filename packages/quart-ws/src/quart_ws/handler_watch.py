"""Keeping an eye on the handler of a websocket, from the side of its connection.

A handler that reads notices the end of its websocket by that. For one that waits for
something else (found by `Rounds`) a second task watches the client, and when the
websocket has ended the handler is cancelled: at once if no message waits for it, else
when it has not read for ``WEBSOCKET_DRAIN_TIMEOUT`` seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final

from .buffer import Buffer
from .disconnects import WebsocketDisconnectedError
from .rounds import Rounds

if TYPE_CHECKING:
    from quart_core.app import Quart
    from quart_core.typing import ASGIReceiveCallable

__all__ = ("DRAIN_TIMEOUT", "HandlerWatch")

#: Seconds without reading after which a handler is cancelled whose client has left
#: while messages waited.
DRAIN_TIMEOUT: Final = 5.0


class HandlerWatch:
    """The part of a connection that knows what the handler's task is doing."""

    if TYPE_CHECKING:
        app: Quart
        scope: Any  # whatever the server puts there
        queue: Buffer
        handle_messages: Callable[[Any], Awaitable[None]]

    # Defaults on the class, as idle websockets are many.
    _task: asyncio.Task[Any] | None = None
    _loop: Any = None
    _context: Context | None = None
    _rounds: Any = None
    _watcher: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _websocket: Any = None
    _receive: Any = None
    _is_gone = False
    _is_noted = False
    _was_told = False
    _was_cancelled = False
    _sent_in_a_row = 0

    # From the first to the last moment

    def _attend(self, receive: ASGIReceiveCallable) -> None:
        """Begin, in the task that the handler will run in."""
        app = self.app
        self._receive = receive
        loop = self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        # The watcher is made in the loop, where another websocket's context may be.
        self._context = copy_context()
        rounds = app._websocket_rounds
        if rounds is None or rounds.loop is not loop:
            rounds = app._websocket_rounds = Rounds(loop)
        self._rounds = rounds

    async def _stop_attending(self) -> None:
        self._websocket = None
        if self._is_noted:
            self._rounds.strike(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._was_cancelled and self._task is not None:
            self._task.uncancel()
        await self._stop_watching()

    # What the buffer says

    def on_reader_left(self) -> None:
        """Have the handler looked after soon, unless it reads again by then."""
        self._sent_in_a_row = 0
        if not self._is_noted:
            self._is_noted = True
            self._rounds.note(self)
        if self._timer is not None:
            self._arm_timer()

    def on_told(self) -> None:
        """Note that a reader is told of the end; the handler itself or a part of it."""
        if asyncio.current_task() is self._task:
            self._was_told = True
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        else:
            self._cancel_handler()

    # While the handler waits elsewhere

    def on_round(self) -> None:
        """Watch the client, unless the handler reads; see `Rounds`."""
        self._is_noted = False
        queue = self.queue
        if queue.closure is not None or queue.is_read:
            return
        if self._watcher is not None:
            queue.resume()
            return
        self._watcher = self._loop.create_task(self._watch(), context=self._context)

    # Any: a method of a connection.
    def _start_watching(self, usual_handler: Any) -> None:
        """Begin; a subclass that handles messages in its own way does so at once."""
        if getattr(type(self), "handle_messages", None) is usual_handler:
            self._is_noted = True
            self._rounds.note(self)
        else:
            self.queue._source = None
            self._watcher = self._loop.create_task(self._watch(), context=self._context)

    async def _watch(self) -> None:
        try:
            await self.handle_messages(self._receive)
        except Exception:
            self.app.logger.exception(
                "Receiving from websocket %r failed", self.scope["path"]
            )
        if self.queue.closure is None:
            self._is_gone = True
            self.queue.disconnect()
        # Readers that were just woken are told before that.
        self._loop.call_soon(self._check_handler)

    async def _stop_watching(self) -> None:
        """End the watcher, so that nobody awaits the server any more.

        Raises:
            asyncio.CancelledError: The current task was cancelled meanwhile.
        """
        watcher, task = self._watcher, asyncio.current_task()
        if watcher is None or watcher is task:
            return
        self._watcher = None
        before = 0 if task is None else task.cancelling()
        watcher.cancel()
        try:
            await watcher
        except asyncio.CancelledError:
            # The watcher's own end, unless the task was cancelled just now.
            if task is not None and task.cancelling() > before:
                raise

    def _check_handler(self) -> None:
        """Cancel the handler of a websocket that has ended, or give it some time."""
        if self._was_told or self._websocket is None or self._websocket._ended:
            return
        if self.queue.has_messages:
            self._arm_timer()
        else:
            self._cancel_handler()

    def _arm_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        timeout = self.app.config.get("WEBSOCKET_DRAIN_TIMEOUT", DRAIN_TIMEOUT)
        # Not in the handler's context, which a cancelled timer would keep alive.
        self._timer = self._loop.call_later(
            timeout, self._cancel_handler, context=self._context
        )

    def _cancel_handler(self) -> None:
        websocket = self._websocket
        if websocket is None or websocket._ended or self._task is None:
            return
        if not (self._was_told or self._was_cancelled):
            self._was_cancelled = True
            self._task.cancel()

    def _is_ours(self, error: asyncio.CancelledError) -> bool:
        """Return whether this connection cancelled the handler, not the server.

        Not told by the task's count of cancellations: before Python 3.13 a task group
        that failed leaves its own behind.
        """
        return self._was_cancelled or isinstance(error, WebsocketDisconnectedError)
