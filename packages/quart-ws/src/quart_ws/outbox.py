"""The messages that wait until one client of a room takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from sys import getsizeof
from typing import Final

from .brokers import Message

__all__ = ("OUTBOX_BYTES", "OUTBOX_MESSAGES", "Outbox")

#: Messages that may wait for one client, by default.
OUTBOX_MESSAGES: Final = 64

#: Bytes of memory they may hold, by default. All clients share the same messages.
OUTBOX_BYTES: Final = 1024 * 1024


class Outbox:
    """A queue with a mark: what is put beyond it must be waited for or given up.

    Args:
        max_messages: How many messages may wait.
        max_bytes: How much memory they may hold; one message always has room.
    """

    __slots__ = (
        "_has_message",
        "_has_room",
        "_messages",
        "_size",
        "max_bytes",
        "max_messages",
    )

    def __init__(
        self, max_messages: int = OUTBOX_MESSAGES, max_bytes: int = OUTBOX_BYTES
    ) -> None:
        self.max_messages = max_messages
        self.max_bytes = max_bytes
        self._messages: deque[Message] = deque()
        self._size = 0
        self._has_message = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def size(self) -> int:
        """Bytes of memory that the messages hold."""
        return self._size

    def is_over(self) -> bool:
        """Return whether more waits than there is room for."""
        messages = len(self._messages)
        return messages > self.max_messages or (
            messages > 1 and self._size > self.max_bytes
        )

    def put(self, message: Message) -> bool:
        """Add a message; return whether there was room for it."""
        self._messages.append(message)
        self._size += getsizeof(message)
        self._has_message.set()
        if not self.is_over():
            return True
        self._has_room.clear()
        return False

    def drop_oldest(self) -> int:
        """Drop messages until there is room for the rest; return how many."""
        dropped = 0
        while self.is_over():
            self._take()
            dropped += 1
        return dropped

    async def get(self) -> Message:
        """Return the next message, wait for it where there is none."""
        while not self._messages:
            self._has_message.clear()
            await self._has_message.wait()
        return self._take()

    async def wait_for_room(self) -> None:
        """Wait until everything put has room."""
        await self._has_room.wait()

    def clear(self) -> None:
        """Drop everything; nobody waits for room any more."""
        self._messages.clear()
        self._size = 0
        self._has_room.set()

    def _take(self) -> Message:
        message = self._messages.popleft()
        self._size -= getsizeof(message)
        if not self.is_over():
            self._has_room.set()
        return message
