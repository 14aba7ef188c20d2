"""One ASGI connection without a server: the application in a task, and two channels.

What a server does, this does. Both directions hold a bounded number of bytes and
whoever sends more waits for the reader. Messages arrive in order. A client that has
left is told after everything it had sent, and what is sent to it raises `OSError`
(ASGI specification 2.4).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from .leaks import LeakCheck
from .waits import Changes, Deadline, StillWaitingError

__all__ = ("WINDOW_BYTES", "Channel", "ClientHasLeftError", "Exchange")

#: What a channel holds before its sender waits; what servers commonly buffer.
WINDOW_BYTES: Final = 65_536

#: How long a task may take to end once it is cancelled.
CANCEL_SECONDS: Final = 1.0

#: What a message weighs beside its data, so that empty ones are bounded as well.
MESSAGE_BYTES: Final = 64

# Any: ASGI's scopes and messages are dictionaries of many shapes.
Message: TypeAlias = dict[str, Any]
App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]


class ClientHasLeftError(ConnectionResetError):
    """What the application gets for sending to a client that has left."""


class Channel:
    """Messages in one direction.

    Args:
        window: Bytes that wait before the channel counts as full. One message is
            always taken, however large.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.size = 0
        self._messages: deque[tuple[Message, int]] = deque()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be read."""
        return not self._messages

    @property
    def is_full(self) -> bool:
        """Whether the sender has to wait."""
        return bool(self._messages) and self.size >= self.window

    def put(self, message: Message, size: int) -> None:
        """Add a message with so many bytes of data."""
        self._messages.append((message, size + MESSAGE_BYTES))
        self.size += size + MESSAGE_BYTES

    def peek(self) -> Message:
        """Return the oldest message and leave it there."""
        return self._messages[0][0]

    def take(self) -> Message:
        """Take the oldest message."""
        message, size = self._messages.popleft()
        self.size -= size
        return message

    def clear(self) -> None:
        """Forget what waits."""
        self._messages.clear()
        self.size = 0


class Exchange:
    """The application at work on one connection.

    Args:
        app: Any ASGI application.
        scope: The connection scope.
        about: What the test does, for messages: ``GET /films``.
    """

    def __init__(self, app: App, scope: Any, about: str) -> None:
        self.app = app
        self.scope = scope
        self.about = about
        self.to_app = Channel(WINDOW_BYTES)
        self.from_app = Channel(WINDOW_BYTES)
        self.changes = Changes()
        self.has_left = False
        self.task: asyncio.Task[None] | None = None
        self.leak_check: LeakCheck | None = None
        self._told_error = False

    def start(
        self,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Call the application, in a task of its own.

        Raises:
            RuntimeError: It was started before.
        """
        if self.task is not None:
            raise RuntimeError(
                f"The connection of {self.about} was entered before: make a new one"
            )
        if self.leak_check is not None:
            self.leak_check.begin()
        self.task = asyncio.get_running_loop().create_task(
            self._run(receive, send), name=f"application for {self.about}"
        )
        if self.leak_check is not None:
            self.leak_check.exclude(self.task)
        self.task.add_done_callback(self._done)

    async def _run(self, receive: Any, send: Any) -> None:
        await self.app(self.scope, receive, send)

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            # Looked at, or asyncio would report it as never retrieved. A test that
            # leaves early is told of it nevertheless, see `error`.
            task.exception()
        self.changes.notify()

    # The application's side

    async def receive(self, at_the_end: Callable[[], Message | None]) -> Message:
        """Give the application its next message.

        Args:
            at_the_end: Gives the message of a connection that is over, else None.
        """
        while True:
            if not self.to_app.is_empty:
                message = self.to_app.take()
                self.changes.notify()
                return message
            last = at_the_end()
            if last is not None:
                return last
            await self.changes.wait()

    async def send(self, message: Message, size: int) -> None:
        """Take a message from the application, once there is room for it.

        Raises:
            ClientHasLeftError: The client has left; an `OSError`.
        """
        while self.from_app.is_full and not self.has_left:
            await self.changes.wait()
        if self.has_left:
            raise ClientHasLeftError(f"The test client has left {self.about}")
        self.from_app.put(message, size)
        self.changes.notify()

    # The test's side

    @property
    def is_over(self) -> bool:
        """Whether the application has returned or failed."""
        return self.task is not None and self.task.done()

    def error(self) -> BaseException | None:
        """Return what the application failed with, the first time it is asked."""
        task = self.task
        if task is None or not task.done() or task.cancelled() or self._told_error:
            return None
        self._told_error = True
        failure = task.exception()
        # To end by this is how a client that leaves is noticed, and no failure.
        return None if isinstance(failure, ClientHasLeftError) else failure

    async def until(
        self,
        happened: Callable[[], bool],
        deadline: Deadline,
        problem: Callable[[], str],
    ) -> None:
        """Wait until something has happened, or the application is done.

        Raises:
            StillWaitingError: Neither came in time.
        """
        await self.changes.until(
            lambda: happened() or self.is_over, deadline, self.task, problem
        )

    def leave(self) -> None:
        """Let the client be gone."""
        self.has_left = True
        self.changes.notify()

    async def end(self, deadline: Deadline, problem: Callable[[], str]) -> None:
        """Wait for the application to be done; cancel it where it is not in time.

        Raises:
            StillWaitingError: It was not done in time.
        """
        try:
            await self.until(lambda: False, deadline, problem)
        except StillWaitingError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Cancel the application, and wait a moment for its end."""
        self.leave()
        task = self.task
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_SECONDS)

    async def check_leaks(self) -> None:
        """Raise `LeakError` if the connection left something behind."""
        if self.leak_check is not None:
            await self.leak_check.finish()
