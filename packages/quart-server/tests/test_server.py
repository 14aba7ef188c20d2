"""`serve` in a running event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

import pytest
from quart_server import Config, ConfigError, serve
from quart_server.binds import BindError

TIMEOUT = 10


async def answer(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})


async def fetch(port: int) -> bytes:
    async with asyncio.timeout(TIMEOUT):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        data = await reader.read()
        writer.close()
        await writer.wait_closed()
        return data


def starting(app=answer, **settings):
    """Start `serve` and return its task and the future of its port."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def ready(listeners):
        port.set_result(listeners[0].sock.getsockname()[1])

    config = Config(bind=("127.0.0.1:0",), graceful_timeout=1.0)
    return asyncio.ensure_future(serve(app, config, ready=ready, **settings)), port


async def test_trigger_ends_the_serving() -> None:
    stop = asyncio.Event()
    task, port = starting(shutdown_trigger=stop.wait)
    assert (await fetch(await port)).endswith(b"hello")
    stop.set()
    async with asyncio.timeout(TIMEOUT):
        await task


async def test_the_number_of_requests_that_were_cut_is_returned() -> None:
    begun, stop = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "http":
            begun.set()
            await asyncio.Event().wait()

    task, port = starting(app, shutdown_trigger=stop.wait, graceful_timeout=0.05)
    async with asyncio.timeout(TIMEOUT):
        _, writer = await asyncio.open_connection("127.0.0.1", await port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await begun.wait()
        stop.set()
        assert await task == 1
        writer.close()


async def test_exception_of_the_trigger_ends_it_and_is_raised() -> None:
    fail = asyncio.Event()

    async def trigger():
        await fail.wait()
        raise ValueError("from the trigger")

    task, port = starting(shutdown_trigger=trigger)
    await port
    fail.set()
    async with asyncio.timeout(TIMEOUT):
        with pytest.raises(ValueError, match="from the trigger"):
            await task


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_the_serving_and_handlers_are_put_back(number) -> None:
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(number)
    task, port = starting()
    await port
    os.kill(os.getpid(), number)
    async with asyncio.timeout(TIMEOUT):
        await task
    assert signal.getsignal(number) is before


HANGS = """
import asyncio, os, signal
from quart_server import serve

async def app(scope, receive, send):
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.Event().wait()

def ready(listeners):
    port = listeners[0].sock.getsockname()[1]
    asyncio.ensure_future(request(port))

async def request(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    await reader.read()

asyncio.run(serve(app, bind=("127.0.0.1:0",), lifespan="off", ready=ready,
                  graceful_timeout=600))
"""


async def test_f_20_second_signal_ends_it_at_once_with_its_code() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HANGS, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(TIMEOUT):
        _, errors = await process.communicate()
    assert process.returncode == 143
    assert b"Traceback" not in errors


async def test_cancelling_drains_and_closes() -> None:
    stop = asyncio.Event()
    task, port = starting(shutdown_trigger=stop.wait)
    number = await port
    task.cancel()
    async with asyncio.timeout(TIMEOUT):
        with pytest.raises(asyncio.CancelledError):
            await task
    with pytest.raises(OSError, match=r"refused|failed"):
        await fetch(number)


async def test_address_in_use_is_told() -> None:
    stop = asyncio.Event()
    task, port = starting(shutdown_trigger=stop.wait)
    taken = f"127.0.0.1:{await port}"
    with pytest.raises(BindError):
        await serve(answer, bind=(taken,), shutdown_trigger=stop.wait)
    stop.set()
    await task


async def test_unknown_setting_is_told() -> None:
    with pytest.raises(ConfigError):
        await serve(answer, binds=())
