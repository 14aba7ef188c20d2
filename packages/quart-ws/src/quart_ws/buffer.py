"""The messages of a websocket on their way to the handler.

Messages come in one of two ways. The server's connection gives the buffer a source,
the ASGI `receive`, and a reader that finds nothing waiting awaits it in its own task:
no other task takes part, and a client that sends faster than the handler reads is
slowed down by its socket. Or somebody else puts them in, as tests and other event
loops do.

While the handler does not read, its connection may `watch` the buffer, to notice a
client that leaves; up to the limits, messages are then read ahead. Reader and watcher
take turns: never are two calls of `receive` pending, and whoever is cancelled leaves
the others everything that has arrived.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from sys import getsizeof
from typing import Any, Final, Protocol

from .disconnects import Closure, WebsocketDisconnectedError

__all__ = ("QUEUE_BYTES", "QUEUE_MESSAGES", "Buffer", "BufferOwner")

#: Messages that are read ahead of the handler, by default.
QUEUE_MESSAGES: Final = 16

#: Bytes of memory that they may hold, by default. The message that passes the mark is
#: held as well, so this much and one message is the most.
QUEUE_BYTES: Final = 256 * 1024


class BufferOwner(Protocol):
    """The connection that a buffer belongs to."""

    def on_disconnect(self, code: int, reason: str) -> Closure:
        """Return how the websocket has ended, when the server said that it has."""
        ...

    def on_reader_left(self) -> None:
        """Note that somebody stopped reading, with a message or without."""

    def on_told(self) -> None:
        """Note that a reader is told of the end."""


class Buffer:
    """Holds messages for whoever reads, in the order they came. API of Quart 0.23.

    Attributes:
        max_messages: How many are read ahead.
        max_bytes: How much memory they may take before reading ahead stops.
        closure: How the websocket ended, None before. Messages may still wait then.
    """

    # No event loop is needed to make one: those of other loops derive from this.
    closure: Closure | None = None
    max_messages = QUEUE_MESSAGES
    max_bytes = QUEUE_BYTES

    _messages: deque[str | bytes] | None = None
    _size = 0
    _source: Callable[[], Any] | None = None  # any message: servers have own types
    _owner: BufferOwner | None = None
    _is_pulling = False
    _waiters: list[asyncio.Future[None]] | None = None
    _parked: list[asyncio.Future[None]] | None = None

    def __init__(self) -> None:
        # Idle websockets are many, so nothing is made before it is needed.
        pass

    def __aiter__(self) -> Buffer:
        return self

    async def __anext__(self) -> str | bytes:
        return await self.get()

    # Reading

    async def get(self) -> str | bytes:
        """Return the next message.

        Raises:
            WebsocketDisconnectedError: The websocket has ended and none is left.
        """
        try:
            while True:
                if self._messages:
                    return self._take(self._messages)
                if self.closure is not None:
                    raise self._tell(self.closure)
                if self._is_pulling or self._source is None:
                    await self._wait()
                    continue
                data = self._read(await self._pull(self._source))
                if data is not None:
                    return data
        except asyncio.CancelledError as error:
            if self.closure is None or isinstance(error, WebsocketDisconnectedError):
                raise
            # The connection cancels the handler of a client that has left; a reader
            # is told why.
            raise self._tell(self.closure) from None
        finally:
            if self._waiters and not self._is_pulling:
                self._wake_one()
            if self._owner is not None:
                self._owner.on_reader_left()

    @property
    def is_read(self) -> bool:
        """Whether somebody waits for a message right now."""
        return self._is_pulling or bool(self._waiters)

    @property
    def has_messages(self) -> bool:
        """Whether a message waits for a reader."""
        return bool(self._messages)

    # Filling

    def set_source(
        self, receive: Callable[[], Any], owner: BufferOwner | None = None
    ) -> None:
        """Let readers await the ASGI callable `receive` for what is missing.

        Args:
            receive: Returns an awaitable of the next ASGI message.
            owner: Is told what happens here.
        """
        self._source = receive
        self._owner = owner

    def release(self) -> None:
        """Forget source and owner, so that nothing refers in a circle."""
        self._source = None
        self._owner = None

    async def put(self, data: str | bytes) -> None:
        """Add a message once there is room for it; after the end it is dropped."""
        while self.closure is None and self._is_full():
            await self._park()
        if self.closure is None:
            self._append(data)

    # Any: servers use messages of various types, all of them mappings.
    def accept(self, message: Any) -> None:
        """Take in an ASGI message, whatever it says."""
        data = self._read(message)
        if data is not None:
            self._append(data)

    async def watch(self) -> None:
        """Return when the websocket has ended.

        For a connection whose handler waits elsewhere. Messages that arrive are kept up
        to the limits. Steps aside for readers; `resume` brings it back.
        """
        while self.closure is None:
            source = self._source
            if source is None or self.is_read or self._is_full():
                await self._park()
                continue
            data = self._read(await self._pull(source))
            if data is not None and self._append(data):
                # A reader has it and most likely reads on by itself.
                await self._park()

    def resume(self) -> None:
        """Let the watcher, and whoever puts, look again whether they can go on."""
        parked, self._parked = self._parked, None
        for turn in parked or ():
            if not turn.done():
                turn.set_result(None)

    def disconnect(self) -> None:
        """Say that the client is gone, without a word (API of Quart 0.23)."""
        self.end(Closure(1006, "", "client"))

    def end(self, closure: Closure) -> None:
        """Say that no more messages come; the first end counts."""
        if self.closure is not None:
            return
        self.closure = closure
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)
        self.resume()

    # Inside

    def _tell(self, closure: Closure) -> WebsocketDisconnectedError:
        if self._owner is not None:
            self._owner.on_told()
        return WebsocketDisconnectedError(*closure)

    async def _pull(self, source: Callable[[], Any]) -> Any:
        """Return one message of the source, as the only one who awaits it."""
        self._is_pulling = True
        try:
            return await source()
        except OSError:
            # Not by the specification, but the client is gone for sure.
            return {"type": "websocket.disconnect", "code": 1006, "reason": ""}
        finally:
            self._is_pulling = False

    def _read(self, message: Any) -> str | bytes | None:
        """Return the data of an ASGI message, None where it has none."""
        kind = message["type"]
        if kind == "websocket.receive":
            data: str | bytes | None = message.get("text")
            if data is None:
                data = message.get("bytes")
            if data is None:
                raise RuntimeError(
                    "The server sent 'websocket.receive' with neither text nor bytes"
                )
            return data
        if kind == "websocket.disconnect":
            # ASGI: 1005 where the server does not say.
            code, reason = message.get("code"), message.get("reason")
            self._disconnect(1005 if code is None else code, reason or "")
        elif kind != "websocket.connect":
            raise RuntimeError(
                f"The server sent a message of type {kind!r} to a websocket, which "
                "takes 'websocket.connect', 'websocket.receive' and "
                "'websocket.disconnect'"
            )
        return None

    def _disconnect(self, code: int, reason: str) -> None:
        if self._owner is None:
            self.end(Closure(code, reason, "client"))
        else:
            self.end(self._owner.on_disconnect(code, reason))

    def _is_full(self) -> bool:
        messages = self._messages
        return messages is not None and (
            len(messages) >= self.max_messages or self._size >= self.max_bytes
        )

    def _append(self, data: str | bytes) -> bool:
        """Keep a message; return whether a reader was woken for it."""
        if self._messages is None:
            self._messages = deque()
        self._messages.append(data)
        self._size += getsizeof(data)
        return self._wake_one()

    def _take(self, messages: deque[str | bytes]) -> str | bytes:
        was_full = self._is_full()
        data = messages.popleft()
        if messages:
            self._size -= getsizeof(data)
        else:
            self._messages = None
            self._size = 0
        if was_full:
            self.resume()
        return data

    def _wake_one(self) -> bool:
        waiters = self._waiters
        while waiters:
            waiter = waiters.pop(0)
            if not waiter.done():
                waiter.set_result(None)
                return True
        return False

    async def _wait(self) -> None:
        """Wait until it is this reader's turn."""
        waiter = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = []
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if self._waiters and waiter in self._waiters:
                self._waiters.remove(waiter)

    async def _park(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        if self._parked is None:
            self._parked = []
        self._parked.append(turn)
        try:
            await turn
        finally:
            if self._parked and turn in self._parked:
                self._parked.remove(turn)
