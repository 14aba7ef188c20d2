import asyncio

import pytest
from quart_server.config import Config
from quart_server.control import Channel, channel_pair
from quart_server.tether import Tether


@pytest.fixture
def ends():
    """Return the supervisor's end and a tether on the other one."""
    supervisor, sock = channel_pair()
    channel = Channel(sock)
    yield supervisor, Tether(channel, Config(loop_lag_warning=1)), channel
    supervisor.close()
    channel.close()


class Orders:
    def __init__(self):
        self.arrived = asyncio.Queue()

    def attach_to(self, tether):
        tether.attach(
            asyncio.get_running_loop(),
            drain=self.arrived.put_nowait,
            renew=self.arrived.put_nowait,
        )

    async def next(self):
        async with asyncio.timeout(5):
            return await self.arrived.get()


@pytest.fixture
def without_end(monkeypatch):
    """Keep the tether of a lost supervisor from ending the test run."""
    codes = []
    monkeypatch.setattr("quart_server.tether.os._exit", codes.append)
    monkeypatch.setattr("quart_server.tether.time.sleep", lambda _: None)
    return codes


async def test_orders_are_carried_out_in_the_loop(ends, without_end):
    supervisor, tether, _ = ends
    orders = Orders()
    orders.attach_to(tether)
    tether.start()
    supervisor.send("renew")
    assert await orders.next() == {"kind": "renew"}
    supervisor.send("drain", idle_seconds=1)
    assert await orders.next() == {"kind": "drain", "idle_seconds": 1}
    supervisor.close()
    await asyncio.to_thread(tether.join, 5)


async def test_an_order_before_the_loop_runs_is_carried_out_then(ends, without_end):
    _, tether, _ = ends
    tether.obey({"kind": "drain", "idle_seconds": 1})
    orders = Orders()
    orders.attach_to(tether)
    assert await orders.next() == {"kind": "drain", "idle_seconds": 1}


async def test_a_loop_that_runs_beats(ends, without_end):
    supervisor, tether, _ = ends
    Orders().attach_to(tether)
    tether.start()
    messages = await asyncio.to_thread(supervisor.receive, 5)
    assert {"kind": "beat"} in messages
    supervisor.close()
    await asyncio.to_thread(tether.join, 5)


async def test_f_22_without_a_supervisor_the_worker_drains(ends, without_end, caplog):
    supervisor, tether, _ = ends
    orders = Orders()
    orders.attach_to(tether)
    tether.start()
    supervisor.close()
    assert (await orders.next())["kind"] == "drain"
    await asyncio.to_thread(tether.join, 5)
    assert "The supervisor is gone" in caplog.text
    assert without_end == [1]
