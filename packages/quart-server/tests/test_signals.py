import asyncio
import os
import signal
import sys

import pytest
from quart_server.signals import ServerSignals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


class Ends:
    def __init__(self):
        self.stop, self.force = asyncio.Event(), asyncio.Event()
        self.renewed = asyncio.Event()
        loop = asyncio.get_running_loop()
        self.signals = ServerSignals(loop, self.stop, self.force, self.renewed.set)


async def wait(event):
    async with asyncio.timeout(5):
        await event.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_stops_and_the_second_forces(number):
    ends = Ends()
    with ends.signals.handled():
        os.kill(os.getpid(), number)
        await wait(ends.stop)
        assert not ends.force.is_set()
        assert ends.signals.exit_code == 0
        os.kill(os.getpid(), number)
        await wait(ends.force)
    assert ends.signals.exit_code == 128 + number


async def test_sighup_renews_and_goes_on():
    ends = Ends()
    with ends.signals.handled():
        os.kill(os.getpid(), signal.SIGHUP)
        await wait(ends.renewed)
    assert not ends.stop.is_set()


async def test_earlier_handlers_come_back():
    before = signal.getsignal(signal.SIGTERM)
    ends = Ends()
    with ends.signals.handled():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
