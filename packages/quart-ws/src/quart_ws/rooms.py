"""Rooms: what one client says, all hear, and a slow one holds up nobody.

::

    room = Room("chat")

    @app.websocket("/chat")
    async def chat():
        async with room.join():
            async for message in websocket:
                await room.broadcast(message)

Each member has a bounded outbox and a task that empties it, from `join` to the end of
its block, which is the end of the websocket at the latest.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, get_args

from quart_contexts.globals import current_app
from quart_contexts.globals import websocket as current_websocket

from .brokers import Broker, Message
from .close_codes import INTERNAL_ERROR, TRY_AGAIN_LATER
from .outbox import OUTBOX_BYTES, OUTBOX_MESSAGES, Outbox
from .websocket import Websocket

__all__ = ("Member", "Policy", "Room")

#: What happens when a member's outbox is full:
#:
#: * ``close``: it is closed with 1013 (try again later);
#: * ``drop_oldest``: the messages it has waited for longest are dropped and counted;
#: * ``block``: whoever broadcasts waits for it, up to ``block_seconds``, then it is
#:   closed with 1013. The others have the message by then.
Policy = Literal["block", "close", "drop_oldest"]

#: Seconds that a broadcast waits for slow members under the policy ``block``.
BLOCK_SECONDS: Final = 5.0

#: Seconds for closing a websocket whose client is slow.
CLOSE_SECONDS: Final = 5.0

#: Seconds for a broker to unsubscribe a room that the last member has left.
BROKER_SECONDS: Final = 5.0


class Member:
    """A websocket in a room.

    Attributes:
        websocket: The websocket.
        policy: What happens when it is too slow.
        dropped: How many messages it has lost by the policy ``drop_oldest``.
    """

    def __init__(self, websocket: Websocket, policy: Policy, outbox: Outbox) -> None:
        self.websocket = websocket
        self.policy = policy
        self.dropped = 0
        self._outbox = outbox
        self._is_closing = False
        # Any: the application's class is that of core.
        self._app: Any = current_app._get_current_object()
        self._tasks = [asyncio.create_task(self._send_all())]

    @property
    def waiting(self) -> int:
        """How many messages wait for this member."""
        return len(self._outbox)

    def offer(self, message: Message) -> bool:
        """Put a message into the outbox; return whether the sender may go on."""
        if self._is_closing or self._outbox.put(message):
            return True
        if self.policy == "drop_oldest":
            self.dropped += self._outbox.drop_oldest()
            return True
        if self.policy == "close":
            self.give_up()
            return True
        return False

    async def wait_for_room(self) -> None:
        """Wait until the outbox has room for what was offered."""
        await self._outbox.wait_for_room()

    def give_up(self) -> None:
        """Close the websocket with 1013, as its client is too slow."""
        if not self._is_closing:
            self._is_closing = True
            self._tasks[0].cancel()
            self._outbox.clear()
            closing = self._close(TRY_AGAIN_LATER, "too slow")
            self._tasks.append(asyncio.create_task(closing))

    async def leave(self) -> None:
        """End the tasks of this member."""
        self._is_closing = True
        self._outbox.clear()
        self._tasks[0].cancel()
        # A cancelled task refers to its frames, and these to this member.
        tasks, self._tasks = self._tasks, []
        await asyncio.wait(tasks)

    async def _send_all(self) -> None:
        """Send what is put into the outbox, until cancelled or the client leaves."""
        try:
            while True:
                await self.websocket.send(await self._outbox.get())
        except Exception as error:  # noqa: BLE001 - logged, and the websocket closed
            self._is_closing = True
            self._outbox.clear()
            self._app.log_exception((type(error), error, error.__traceback__))
            await self._close(INTERNAL_ERROR, "")
        finally:
            # Nobody is to wait for a client that has left.
            self._is_closing = True
            self._outbox.clear()

    async def _close(self, code: int, reason: str) -> None:
        if self.websocket.closure is not None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.websocket.close(code, reason)
        except TimeoutError:
            self._app.logger.warning("A slow websocket could not be told %d", code)


class _Subscription:
    """What a room gives to its broker; deliveries after the end are ignored."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def __call__(self, message: Message) -> None:
        if self._room._subscription is self:
            await self._room._deliver(message)


class Room:
    """The websockets that hear what is broadcast.

    Args:
        name: What the room is called; the broker's channel.
        policy: What happens to members that are too slow; `join` may say otherwise.
        max_messages: How many messages may wait for one member.
        max_bytes: How much memory they may hold.
        block_seconds: How long a broadcast waits for slow members under the policy
            ``block``.
        broker: Connects rooms of the same name, in other processes perhaps. Without
            one the room is alone.

    Raises:
        ValueError: The policy is not known.
    """

    def __init__(
        self,
        name: str = "room",
        *,
        policy: Policy = "close",
        max_messages: int = OUTBOX_MESSAGES,
        max_bytes: int = OUTBOX_BYTES,
        block_seconds: float = BLOCK_SECONDS,
        broker: Broker | None = None,
    ) -> None:
        self.name = name
        self.policy: Policy = _known(policy)
        self.max_messages = max_messages
        self.max_bytes = max_bytes
        self.block_seconds = block_seconds
        self.broker = broker
        self._members: set[Member] = set()
        self._subscription: _Subscription | None = None
        self._subscribing: asyncio.Lock | None = None

    def __len__(self) -> int:
        return len(self._members)

    def __bool__(self) -> bool:
        # An empty room is a room.
        return True

    @property
    def members(self) -> frozenset[Member]:
        """Who is in the room now, in this process."""
        return frozenset(self._members)

    @asynccontextmanager
    async def join(
        self, websocket: Websocket | None = None, *, policy: Policy | None = None
    ) -> AsyncIterator[Member]:
        """Have a websocket hear what is broadcast, within an ``async with`` block.

        Accepts it if that has not been done. What waits for it at the end of the block
        is dropped.

        Args:
            websocket: The current one if not given.
            policy: What happens if it is too slow; the room's if not given.

        Raises:
            RuntimeError: There is no current websocket.
            ValueError: The policy is not known.
            Exception: What the broker fails with.
        """
        joining: Websocket = websocket or current_websocket._get_current_object()
        chosen = _known(policy or self.policy)
        outbox = Outbox(self.max_messages, self.max_bytes)
        await joining.accept()
        member = Member(joining, chosen, outbox)
        try:
            self._members.add(member)
            await self._follow_broker()
            yield member
        finally:
            self._members.discard(member)
            try:
                await member.leave()
            finally:
                await self._follow_broker()

    async def broadcast(self, message: Message) -> None:
        """Send a message to all in the room, in the same order to each.

        Returns when the message is on its way; see `Policy` for slow members.
        """
        if self.broker is None:
            await self._deliver(message)
        else:
            await self.broker.publish(self.name, message)

    # Any: JSON holds values of any type.
    async def broadcast_json(self, value: Any) -> None:
        """Send a value to all in the room, as JSON text that is made once."""
        await self.broadcast(Websocket.json_module.dumps(value))

    async def _deliver(self, message: Message) -> None:
        late = [member for member in self._members if not member.offer(message)]
        if late:
            await self._wait_for(late)
        # A burst must not fill the outboxes before their tasks had a turn.
        await asyncio.sleep(0)

    async def _wait_for(self, late: Iterable[Member]) -> None:
        """Wait for slow members, and give up those that take too long."""
        try:
            async with asyncio.timeout(self.block_seconds):
                for member in late:
                    await member.wait_for_room()
        except TimeoutError:
            for member in late:
                if member._outbox.is_over():
                    member.give_up()

    async def _follow_broker(self) -> None:
        """Be subscribed as long as there are members."""
        if self.broker is None:
            return
        if self._subscribing is None:
            self._subscribing = asyncio.Lock()
        async with self._subscribing:
            if self._members and self._subscription is None:
                await self._subscribe(self.broker)
            elif self._subscription is not None and not self._members:
                await self._unsubscribe(self.broker, self._subscription)

    async def _subscribe(self, broker: Broker) -> None:
        subscription = self._subscription = _Subscription(self)
        try:
            await broker.subscribe(self.name, subscription)
        except BaseException:
            self._subscription = None
            raise

    async def _unsubscribe(self, broker: Broker, subscription: _Subscription) -> None:
        """Unsubscribe; what goes wrong is logged and no failure of who has left."""
        self._subscription = None
        try:
            async with asyncio.timeout(BROKER_SECONDS):
                await broker.unsubscribe(self.name, subscription)
        except Exception:  # noqa: BLE001 - logged
            current_app.logger.exception(
                "The broker did not unsubscribe room %r", self.name
            )


def _known(policy: Policy) -> Policy:
    if policy not in get_args(Policy):
        known = ", ".join(repr(name) for name in get_args(Policy))
        raise ValueError(f"The policy {policy!r} is not known; known are {known}.")
    return policy
