"""Rooms: what one says, all hear, and a slow client holds up nobody."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from quart_core import Quart, websocket
from quart_ws import LocalBroker, Member, Room
from ws_driver import WAIT_SECONDS, Client, rounds, turns

COUNT = 200


def make_app(room: Room, members: list[Member] | None = None) -> Quart:
    app = Quart(__name__)

    @app.websocket("/")
    async def chat() -> None:
        async with room.join() as member:
            if members is not None:
                members.append(member)
            async for message in websocket:
                await room.broadcast(message)

    return app


async def opened(app: Any, count: int, **options: Any) -> list[Client]:
    clients = [Client(app, **options) for _ in range(count)]
    for client in clients:
        _ = client.task
    await turns(5)
    return clients


async def leave(clients: list[Client]) -> None:
    for client in clients:
        client.leave()
    for client in clients:
        await client.end()


async def test_all_members_hear_what_one_says() -> None:
    room = Room()
    clients = await opened(make_app(room), 3)
    assert len(room) == 3
    clients[0].text("hello")
    clients[1].binary(b"bytes")
    for client in clients:
        await client.take(2)
        assert sorted(map(str, client.data)) == ["b'bytes'", "hello"]
    await leave(clients)
    assert len(room) == 0
    assert room.members == frozenset()


async def test_joining_accepts() -> None:
    room = Room()
    (client,) = await opened(make_app(room), 1)
    assert client.types == ["accept"]
    await leave([client])


async def test_json_is_made_once_for_all() -> None:
    room = Room()
    clients = await opened(make_app(room), 2)
    await room.broadcast_json({"a": [1]})
    for client in clients:
        await client.take(1)
    assert clients[0].data == ['{"a": [1]}']
    assert clients[0].data[0] is clients[1].data[0]
    await leave(clients)


async def test_an_empty_room_takes_messages() -> None:
    room = Room()
    await room.broadcast("nobody hears it")
    assert room
    assert len(room) == 0


async def test_a_burst_reaches_everybody_in_order() -> None:
    room = Room()
    clients = await opened(make_app(room), 5)
    for number in range(500):
        await room.broadcast(str(number))
    for client in clients:
        await client.take(500)
        assert client.data == [str(number) for number in range(500)]
    await leave(clients)


async def stuck_room(policy: Any, **options: Any) -> tuple[Any, ...]:
    """Return a room of 200 clients, one of which does not read."""
    room = Room(policy=policy, max_messages=8, **options)
    members: list[Member] = []
    clients = await opened(make_app(room, members), COUNT)
    stuck = clients[0]
    stuck.open.clear()
    return room, clients, stuck, members[0]


async def say(room: Room, clients: list[Client], count: int) -> None:
    """Broadcast messages one by one; all these clients get each of them."""
    for number in range(count):
        await asyncio.wait_for(room.broadcast(str(number)), WAIT_SECONDS)
        for client in clients:
            await client.take(number + 1)


async def test_a_slow_client_is_closed_with_1013_and_holds_up_nobody() -> None:
    room, clients, stuck, _ = await stuck_room("close")
    await say(room, clients[1:], 30)
    assert len(room) == COUNT - 1
    stuck.open.set()
    await stuck.end()
    assert stuck.close_code == 1013
    for client in clients[1:]:
        assert client.data == [str(number) for number in range(30)]
    await leave(clients[1:])


async def test_the_oldest_messages_of_a_slow_client_are_dropped() -> None:
    room, clients, stuck, member = await stuck_room("drop_oldest")
    await say(room, clients[1:], 30)
    # One is on its way, eight wait.
    assert member.waiting == 8
    assert member.dropped == 30 - 8 - 1
    stuck.open.set()
    await stuck.take(9)
    assert stuck.data == ["0", *[str(number) for number in range(22, 30)]]
    await leave(clients)


async def test_a_broadcast_waits_for_a_slow_client_when_told_to() -> None:
    room, clients, stuck, member = await stuck_room("block")
    await say(room, clients[1:], 9)
    blocked = asyncio.create_task(room.broadcast("9"))
    for client in clients[1:]:
        # The others have it all the same.
        await client.take(10)
    await turns()
    assert not blocked.done()
    stuck.open.set()
    await asyncio.wait_for(blocked, WAIT_SECONDS)
    await stuck.take(10)
    assert stuck.data == [str(number) for number in range(10)]
    assert member.dropped == 0
    await leave(clients)


async def test_a_broadcast_does_not_wait_for_ever() -> None:
    room, clients, stuck, _ = await stuck_room("block", block_seconds=0.02)
    await say(room, clients[1:], 10)
    stuck.open.set()
    await stuck.end()
    assert stuck.close_code == 1013
    await leave(clients[1:])


async def test_a_member_may_have_a_policy_of_its_own() -> None:
    room = Room(max_messages=1)
    app = Quart(__name__)
    members: list[Member] = []

    @app.websocket("/")
    async def chat() -> None:
        async with room.join(policy="drop_oldest") as member:
            members.append(member)
            await websocket.receive()

    (client,) = await opened(app, 1)
    client.open.clear()
    for number in range(5):
        await room.broadcast(str(number))
    assert members[0].policy == "drop_oldest"
    assert members[0].dropped == 3
    client.open.set()
    await leave([client])


@pytest.mark.parametrize("policy", ["wait", "", None])
def test_an_unknown_policy_is_named(policy: Any) -> None:
    with pytest.raises(ValueError, match="known are 'block', 'close', 'drop_oldest'"):
        Room(policy=policy)


async def test_a_slow_client_that_leaves_ends_its_membership() -> None:
    room, clients, stuck, _ = await stuck_room("block")
    await say(room, clients[1:], 9)
    blocked = asyncio.create_task(room.broadcast("9"))
    await turns()
    stuck.cut()
    await stuck.end()
    await asyncio.wait_for(blocked, WAIT_SECONDS)
    assert len(room) == COUNT - 1
    await leave(clients[1:])


async def test_a_room_may_be_left_and_entered_again() -> None:
    room = Room()
    app = Quart(__name__)

    @app.websocket("/")
    async def chat() -> None:
        for _ in range(2):
            async with room.join():
                await websocket.receive()
            await websocket.send("outside")

    (client,) = await opened(app, 1)
    client.text("leave")
    await client.take(1)
    client.text("leave")
    await client.end()
    assert client.data == ["outside", "outside"]
    assert len(room) == 0


async def test_a_failure_to_send_is_logged_and_closes_with_1011(
    caplog: pytest.LogCaptureFixture,
) -> None:
    room = Room()
    (client,) = await opened(make_app(room), 1)
    await room.broadcast({"no": "data"})  # type: ignore[arg-type]
    await client.end()
    assert client.close_code == 1011
    (record,) = caplog.records
    assert "Exception on websocket GET '/'" in record.getMessage()


async def test_a_slow_client_that_cannot_be_told_does_not_hold_up_its_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("quart_ws.rooms.CLOSE_SECONDS", 0.01)
    room, clients, stuck, _ = await stuck_room("close")
    await say(room, clients[1:], 12)
    await stuck.end()
    assert "1013" in caplog.text
    await leave(clients[1:])


async def test_a_member_whose_client_has_left_holds_up_nobody() -> None:
    room = Room(policy="block", max_messages=1, block_seconds=WAIT_SECONDS * 2)
    release = asyncio.Event()
    app = Quart(__name__)

    @app.websocket("/")
    async def chat() -> None:
        async with room.join():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await release.wait()

    (client,) = await opened(app, 1)
    client.cut()
    async with asyncio.timeout(WAIT_SECONDS):
        for number in range(5):
            await room.broadcast(str(number))
            await turns(5)
    assert [member.waiting for member in room.members] == [0]
    release.set()
    await client.end()


async def test_a_policy_that_is_not_known_accepts_nothing() -> None:
    room = Room()
    app = Quart(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.websocket("/")
    async def chat() -> None:
        async with room.join(policy="other"):  # type: ignore[arg-type]
            pass

    client = Client(app)
    with pytest.raises(ValueError, match="'other' is not known"):
        await client.end()
    assert client.types == []


# Brokers


async def test_rooms_of_one_name_share_a_broker() -> None:
    broker = LocalBroker()
    here, there = Room("chat", broker=broker), Room("chat", broker=broker)
    other = Room("other", broker=broker)
    clients = [
        *(await opened(make_app(here), 2)),
        *(await opened(make_app(there), 1)),
        *(await opened(make_app(other), 1)),
    ]
    clients[0].text("hello")
    for client in clients[:3]:
        await client.take(1)
    await turns()
    assert [client.data for client in clients] == [["hello"]] * 3 + [[]]
    await leave(clients)
    assert broker._channels == {}


async def test_a_room_subscribes_for_its_first_member_and_until_its_last() -> None:
    log = []

    class Recording(LocalBroker):
        async def subscribe(self, channel: str, deliver: Any) -> None:
            log.append("subscribe")
            await asyncio.sleep(0)
            await super().subscribe(channel, deliver)

        async def unsubscribe(self, channel: str, deliver: Any) -> None:
            log.append("unsubscribe")
            await asyncio.sleep(0)
            await super().unsubscribe(channel, deliver)

    room = Room(broker=Recording())
    app = make_app(room)
    clients = await opened(app, 3)
    await turns()
    assert log == ["subscribe"]
    await leave(clients[:2])
    assert log == ["subscribe"]
    await leave(clients[2:])
    assert log == ["subscribe", "unsubscribe"]
    again = await opened(app, 1)
    await turns()
    assert log == ["subscribe", "unsubscribe", "subscribe"]
    await leave(again)


async def test_a_broker_that_does_not_unsubscribe_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("quart_ws.rooms.BROKER_SECONDS", 0.01)

    class Hanging(LocalBroker):
        async def unsubscribe(self, channel: str, deliver: Any) -> None:
            await asyncio.Event().wait()

    room = Room("chat", broker=Hanging())
    clients = await opened(make_app(room), 1)
    await leave(clients)
    assert [record.getMessage() for record in caplog.records] == [
        "The broker did not unsubscribe room 'chat'"
    ]
    assert clients[0].types == ["accept"]


async def test_after_a_failure_to_unsubscribe_each_message_comes_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(LocalBroker):
        async def unsubscribe(self, channel: str, deliver: Any) -> None:
            raise OSError("no connection")

    room = Room(broker=Failing())
    app = make_app(room)
    await leave(await opened(app, 1))
    clients = await opened(app, 1)
    clients[0].text("one")
    await clients[0].take(1)
    await turns()
    assert clients[0].data == ["one"]
    await leave(clients)
    assert len(caplog.records) == 2


async def test_a_room_subscribes_again_after_a_failure_to_subscribe() -> None:
    failures = [OSError("no connection")]

    class Failing(LocalBroker):
        async def subscribe(self, channel: str, deliver: Any) -> None:
            if failures:
                raise failures.pop()
            await super().subscribe(channel, deliver)

    room = Room(broker=Failing())
    app = make_app(room)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(OSError, match="no connection"):
        await Client(app).end()
    assert len(room) == 0
    clients = await opened(app, 1)
    await room.broadcast("one")
    await clients[0].take(1)
    await leave(clients)


# Nothing is left


async def test_a_member_leaves_nothing_behind() -> None:
    room = Room()
    members: list[Member] = []
    app = make_app(room, members)
    tasks = asyncio.all_tasks()

    async def use() -> None:
        (client,) = await opened(app, 1)
        client.text("hello")
        await client.take(1)
        await rounds()
        await leave([client])

    await use()
    members.clear()
    gc.collect()
    gc.disable()
    try:
        await use()
        gone = weakref.ref(members.pop())
        await turns(3)
        assert gone() is None
        assert asyncio.all_tasks() == tasks
    finally:
        gc.enable()
