import asyncio
import threading
import time

from quart_server.watchdog import LoopWatch, Watchdog


async def look(watch):
    return await asyncio.to_thread(watch.look)


async def test_a_loop_that_runs_answers():
    watch = LoopWatch(asyncio.get_running_loop(), 1)
    assert await look(watch)
    assert await look(watch)


async def test_f_24_a_blocked_loop_is_reported_with_the_line(caplog):
    watch = LoopWatch(asyncio.get_running_loop(), 0.05)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(watch.look()))
    thread.start()
    while thread.is_alive():  # This is the line that blocks the loop.
        time.sleep(0.01)
    assert answers == [False]
    assert "blocked for over 0.05 s" in caplog.text
    assert "test_watchdog.py" in caplog.text
    assert await look(watch)


async def test_a_loop_that_stays_blocked_is_reported_once(caplog):
    watch = LoopWatch(asyncio.get_running_loop(), 0.02)
    thread = threading.Thread(target=lambda: [watch.look() for _ in range(3)])
    thread.start()
    thread.join(5)
    assert caplog.text.count("has been blocked") == 1


async def test_without_patience_nothing_is_reported(caplog, monkeypatch):
    monkeypatch.setattr("quart_server.watchdog._SECONDS_BETWEEN_LOOKS", 0.02)
    watch = LoopWatch(asyncio.get_running_loop(), 0)
    thread = threading.Thread(target=watch.look)
    thread.start()
    thread.join(5)
    assert caplog.text == ""


def test_a_closed_loop_is_not_asked():
    loop = asyncio.new_event_loop()
    loop.close()
    assert not LoopWatch(loop, 0.01).look()


async def test_the_watchdog_ends_when_told():
    watchdog = Watchdog(LoopWatch(asyncio.get_running_loop(), 1))
    watchdog.stop()
    watchdog.start()
    await asyncio.to_thread(watchdog.stop)
    assert not watchdog.is_alive()
