"""What blocks the event loop is named in the log, once."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import weakref
from types import SimpleNamespace

import pytest
from core_driver import Driver
from debug_failures import load_module
from quart_core.blocking_calls import standing_in, subject_in
from quart_core.loop_watch import LoopWatch

WAIT_SECONDS = 10.0

SOURCE = """\
import asyncio
from quart_core import Quart

app = Quart("watched", root_path=".")


@app.get("/slow")
async def slow():
    await asyncio.sleep(0)
    time.sleep(WAIT_SECONDS)
    return "done"


@app.get("/work/<path:rest>")
async def work(rest):
    return crunch()


def crunch():
    n = 0
    while not was_looked_at():
        n += sum(range(100))
    return str(n)


async def later():
    sleep(WAIT_SECONDS)
"""


class CountingWatch(LoopWatch):
    """Lets the block end as soon as it was looked at: no test depends on the time."""

    def __init__(self, app, looks=3):
        super().__init__(app, threshold=0.02)
        self.looks = looks
        self.was_looked_at = threading.Event()

    def _standing(self, loop):
        found = super()._standing(loop)
        if found[0] is not None:
            self.looks -= 1
            if self.looks <= 0:
                self.was_looked_at.set()
        return found


class Log(logging.Handler):
    """Collects messages, to be waited for from the loop or beside it."""

    def __init__(self):
        super().__init__()
        self.messages = []
        self.written = threading.Event()

    def emit(self, record):
        self.messages.append(record.getMessage())
        self.written.set()

    async def first(self):
        arrived = await asyncio.to_thread(self.written.wait, WAIT_SECONDS)
        assert arrived
        return self.messages[0]

    async def second(self):
        if len(self.messages) < 2:
            assert await asyncio.to_thread(self.written.wait, WAIT_SECONDS)
        return self.messages[1]


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return load_module(tmp_path, SOURCE)


@pytest.fixture
def log(module):
    handler = Log()
    module.app.logger.addHandler(handler)
    yield handler
    module.app.logger.removeHandler(handler)


@pytest.fixture
async def watch(module):
    watch = CountingWatch(module.app)
    module.WAIT_SECONDS = WAIT_SECONDS
    module.was_looked_at = watch.was_looked_at.is_set
    module.sleep = watch.was_looked_at.wait
    module.time = SimpleNamespace(sleep=module.sleep)
    watch.start()
    yield watch
    watch.stop()


async def test_a_blocking_call_is_named_with_request_line_and_advice(
    module, log, watch
):
    await Driver(module.app)("GET", "/slow")
    message = await log.first()
    prefix, _, seconds = message.partition(" for ")
    assert prefix == "GET /slow: app.py:10 time.sleep blocked all requests"
    number, _, rest = seconds.partition(" ")
    assert 0 <= float(number) < WAIT_SECONDS
    assert rest == "s. Use await asyncio.sleep, or make the view def."
    watch.stop()
    assert len(log.messages) == 1


async def test_work_in_the_users_own_code_is_named_by_its_function(module, log, watch):
    await Driver(module.app)("GET", "/work/\x1b[31m")
    message = await log.first()
    assert message.startswith("GET /work/\\x1b[31m: app.py:")
    assert int(message.partition("app.py:")[2].partition(" ")[0]) in {21, 22}
    assert "or make the view def." in message


async def test_a_task_is_named_where_there_is_no_request(module, log, watch):
    await asyncio.create_task(module.later())
    message = await log.first()
    assert message.startswith("task later: app.py:27 sleep blocked all requests for ")
    assert "Use await asyncio.sleep, or" in message


async def test_a_long_block_is_reported_before_it_ends(module, log, watch, monkeypatch):
    monkeypatch.setattr("quart_core.loop_watch.STILL_BLOCKED_SECONDS", 0.01)
    # Goes on only once the message is there.
    module.sleep = log.written.wait
    await module.later()
    assert "sleep has been blocking all requests for " in log.messages[0]
    log.written.clear()
    assert "sleep blocked all requests for " in await log.second()


async def test_a_loop_that_only_waits_is_not_reported(module, log, watch):
    # Many turns of the watch, none of the user's code in them.
    signs = 0
    original = watch._loop.call_soon_threadsafe

    def count(callback, *args):
        nonlocal signs
        signs += 1
        return original(callback, *args)

    enough = asyncio.Event()
    watch._loop.call_soon_threadsafe = count
    try:
        while signs < 5:
            try:
                await asyncio.wait_for(enough.wait(), 0.05)
            except TimeoutError:
                continue
    finally:
        del watch._loop.call_soon_threadsafe
    assert log.messages == []


async def test_the_thread_ends_when_stopped(module):
    watch = LoopWatch(module.app)
    watch.start()
    thread = watch._thread
    with pytest.raises(RuntimeError, match="has been started"):
        watch.start()
    watch.stop()
    assert not thread.is_alive()
    watch.stop()
    watch.start()
    watch.stop()


def test_the_thread_ends_with_its_loop(module):
    watch = LoopWatch(module.app, threshold=0.01)

    async def begin():
        watch.start()

    asyncio.run(begin())
    watch._thread.join(WAIT_SECONDS)
    assert not watch._thread.is_alive()


def test_it_needs_a_running_loop_and_a_threshold(module):
    with pytest.raises(RuntimeError, match="no running event loop"):
        LoopWatch(module.app).start()
    with pytest.raises(ValueError, match="above 0"):
        LoopWatch(module.app, threshold=0)


async def test_a_stopped_watch_keeps_no_loop(module):
    watch = LoopWatch(module.app)
    watch.start()
    watch.stop()
    loop = asyncio.new_event_loop()
    reference = weakref.ref(loop)
    loop.close()
    del loop
    gc.collect()
    assert reference() is None
    assert watch._loop is None


def test_a_loop_that_does_not_run_is_not_blocked(module, log):
    watch = LoopWatch(module.app, threshold=0.01)
    loop = asyncio.new_event_loop()

    async def begin():
        watch.start()

    loop.run_until_complete(begin())
    # It asks, gets no sign, and looks.
    original, looked = watch._standing, threading.Event()

    def look(loop):
        looked.set()
        return original(loop)

    watch._standing = look
    assert looked.wait(WAIT_SECONDS)
    watch.stop()
    loop.close()
    assert log.messages == []


# Reading stacks


def test_what_started_the_loop_is_not_what_blocks_it():
    async def innermost():
        return standing_in(sys._getframe().f_back)

    # The loop's own frames are next; below them are those of this test.
    assert asyncio.run(innermost()) is None


def test_a_debugger_is_left_alone():
    names = {"__name__": "pdb", "sys": sys}
    exec("def prompt(): return sys._getframe()", names)
    assert standing_in(names["prompt"]()) is None


def test_a_stack_without_a_request_has_no_subject():
    assert subject_in(sys._getframe()) == ""
    names = {"__name__": "quart_ws.x", "sys": sys, "found": subject_in}
    exec("def serve(websocket): return found(sys._getframe())", names)
    scope = {"type": "websocket", "path": "/ws"}
    assert names["serve"](SimpleNamespace(scope=scope)) == "WEBSOCKET /ws"
    assert names["serve"](None) == ""


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        ("time.sleep(0)", "await asyncio.sleep"),
        ("subprocess.run(0)", "await asyncio.create_subprocess_exec"),
        ("sqlite3.connect(0)", "an async driver"),
        ("load(0)", "await run_sync(load)"),
        ("storage.load(0)", "await run_sync(...)"),
    ],
)
def test_the_advice_depends_on_what_is_called(tmp_path, monkeypatch, call, advice):
    monkeypatch.chdir(tmp_path)

    class Anything:
        def __getattr__(self, name):
            return lambda _: standing_in(sys._getframe(1))

    source = f"def view(time, subprocess, sqlite3, storage, load):\n    return {call}\n"
    module = load_module(tmp_path, source)
    standing = module.view(*[Anything()] * 4, Anything().load)
    assert standing.described() == (
        f"app.py:2 {call.partition('(')[0]}",
        advice,
    )
