"""What carries messages between the rooms of one name.

One process needs nothing but `LocalBroker`. Several processes that are to share a room
need a broker whose `publish` reaches the subscribers of all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

__all__ = ("Broker", "Deliver", "LocalBroker", "Message")

Message = str | bytes

#: Takes a message that was published; waits while the room's policy says so.
Deliver = Callable[[Message], Awaitable[None]]


class Broker(Protocol):
    """Carries messages from whoever publishes to all who subscribed to the channel."""

    async def publish(self, channel: str, message: Message) -> None:
        """Send a message to all subscribers of a channel, in this order for each."""
        ...

    async def subscribe(self, channel: str, deliver: Deliver) -> None:
        """Have messages of a channel delivered, from now on."""
        ...

    async def unsubscribe(self, channel: str, deliver: Deliver) -> None:
        """Deliver no more messages of the channel."""
        ...


class LocalBroker:
    """Connects the rooms of one process."""

    def __init__(self) -> None:
        self._channels: dict[str, list[Deliver]] = {}

    async def publish(self, channel: str, message: Message) -> None:
        """Deliver a message to the subscribers, one after the other."""
        for deliver in tuple(self._channels.get(channel, ())):
            await deliver(message)

    async def subscribe(self, channel: str, deliver: Deliver) -> None:
        """Have messages of a channel delivered, from now on."""
        self._channels.setdefault(channel, []).append(deliver)

    async def unsubscribe(self, channel: str, deliver: Deliver) -> None:
        """Deliver no more messages of the channel.

        Raises:
            ValueError: It was not subscribed.
        """
        subscribers = self._channels.get(channel, [])
        if deliver not in subscribers:
            raise ValueError(f"Nothing like that is subscribed to {channel!r}.")
        subscribers.remove(deliver)
        if not subscribers:
            del self._channels[channel]
