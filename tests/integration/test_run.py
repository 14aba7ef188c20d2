"""`app.run()` and `app.run_task()`: serving, and ending on a signal with a drain."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from integration_server import (
    WAIT_SECONDS,
    Client,
    ServerProcess,
    listening_socket,
    until,
)
from quart import Quart

PROGRAM = """
import asyncio, os
from quart import Quart

app = Quart("app")
host = f"fd://{os.environ['SOCKET_FD']}"


@app.before_serving
async def start():
    print("started")

@app.after_serving
async def stop():
    print("stopped")

@app.teardown_request
async def teardown(error):
    print("teardown", error)

@app.get("/")
async def index():
    return "hello"

@app.get("/slow")
async def slow():
    print("begun")
    await asyncio.sleep(0.4)
    return "slow"

@app.get("/stream")
async def stream():
    async def generate():
        try:
            yield "first\\n"
            print("begun")
            await asyncio.sleep(0.4)
            yield "last\\n"
        finally:
            print("closed")
    return generate()

@app.get("/never")
async def never():
    print("begun")
    try:
        await asyncio.Event().wait()
    finally:
        print("cancelled")

async def main():
    loop = asyncio.get_running_loop()
    trigger = asyncio.Event()
    for number in (2, 15):
        loop.add_signal_handler(number, trigger.set)
    await app.run_task(host, shutdown_trigger=trigger.wait)

"""
RUN = PROGRAM + "app.run(host, use_reloader=False)\nprint('after run')"
RUN_RELOADING = PROGRAM + "app.run(host, use_reloader=True)\nprint('after run')"
RUN_TASK = PROGRAM + "asyncio.run(main())\nprint('after run')"
RELOADED = """
import asyncio, os
from quart import Quart
from quart_core import reloading
import watched

app = Quart("app")
check = reloading._check

def report(files, last_seen):
    check(files, last_seen)
    if any(path.name == "watched.py" for path in files):
        print("looked at")

reloading._check = report

@app.after_serving
async def stop():
    print("stopped")

@app.get("/")
async def index():
    return watched.WORD

app.run(f"fd://{os.environ['SOCKET_FD']}")
"""
PROGRAMS = [
    pytest.param(RUN, id="run"),
    pytest.param(RUN_RELOADING, id="run with the reloader"),
    pytest.param(RUN_TASK, id="run_task"),
]
SIGNALS = [signal.SIGINT, signal.SIGTERM]


async def _request(client: Client, path: str) -> None:
    await client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


async def _begun(server: ServerProcess, word: str = "begun") -> None:
    """Wait until the program has printed a word."""
    assert server.process.stdout is not None
    read = asyncio.to_thread(_read_until, server, word)
    await asyncio.wait_for(read, WAIT_SECONDS)


def _read_until(server: ServerProcess, word: str) -> None:
    assert server.process.stdout is not None
    for line in server.process.stdout:
        server.printed.append(line.rstrip("\n"))
        if server.printed[-1] == word:
            return
    raise AssertionError(f"{word!r} was not printed, but {server.printed}")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("number", SIGNALS, ids=str)
@pytest.mark.parametrize(
    ("path", "body"), [("/slow", b"slow"), ("/stream", b"first\nlast\n")]
)
async def test_signal_lets_requests_end_and_closes_idle_connections(
    program: str, number: signal.Signals, path: str, body: bytes
) -> None:
    with listening_socket() as sock, ServerProcess(program, sock) as server:
        async with server.client() as idle, server.client() as busy:
            assert (await idle.get("/")).text == "hello"
            await _request(busy, path)
            await _begun(server)
            server.signal(number)
            answer = await busy.answer()
            assert (answer.status, answer.body) == (200, body)
            assert await idle.at_end()
            assert await busy.at_end()
            status = await asyncio.to_thread(server.wait)
        printed = server.printed + server.output.splitlines()
        assert status == 0, printed
        assert printed.count("teardown None") == 2
        assert printed[-2:] == ["stopped", "after run"]
        assert "Traceback" not in server.output


@pytest.mark.parametrize("program", [PROGRAMS[0], PROGRAMS[1]])
async def test_second_ctrl_c_does_not_wait_for_requests(program: str) -> None:
    with listening_socket() as sock, ServerProcess(program, sock) as server:
        async with server.client() as client, server.client() as idle:
            assert (await idle.get("/")).status == 200
            await _request(client, "/never")
            await _begun(server)
            server.signal(signal.SIGINT)
            # The drain closes what is idle: the first signal has been heard.
            assert await idle.at_end()
            server.signal(signal.SIGINT)
            await asyncio.to_thread(server.wait)
        printed = server.output.splitlines()
        assert "cancelled" in printed
        assert "stopped" in printed
        assert "Traceback" not in server.output


async def test_changed_source_file_starts_the_program_anew(tmp_path: Path) -> None:
    module, program = tmp_path / "watched.py", tmp_path / "program.py"
    module.write_text("WORD = 'one'")
    program.write_text(RELOADED)
    with listening_socket() as sock, ServerProcess(program, sock) as server:
        async with server.client() as client:
            assert (await client.get("/")).text == "one"
        await _begun(server, "looked at")
        module.write_text("WORD = 'another'")
        await _begun(server, "stopped")
        async with server.client() as client:
            assert (await client.get("/")).text == "another"
        server.signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.wait) == 0
    assert "Traceback" not in server.output


async def test_signal_before_the_first_request_ends_it_too() -> None:
    program = RUN
    with listening_socket() as sock, ServerProcess(program, sock) as server:
        await _begun(server, "started")
        async with server.client() as client:
            assert (await client.get("/")).text == "hello"
        server.signal(signal.SIGINT)
        assert await asyncio.to_thread(server.wait) == 0
        assert "stopped" in server.output


async def test_run_prints_where_it_serves_and_how_to_end_it() -> None:
    program = RUN
    with listening_socket() as sock, ServerProcess(program, sock) as server:
        await _begun(server, "started")
        server.signal(signal.SIGTERM)
        await asyncio.to_thread(server.wait)
    assert server.printed[:2] == [
        " * Serving Quart app 'app'",
        " * Debug mode: off",
    ]
    assert "(CTRL + C to quit)" in server.printed[3]


@pytest.mark.parametrize("reloads", [True, False])
async def test_port_that_is_taken_is_told_in_one_line(
    tmp_path: Path, reloads: bool
) -> None:
    with listening_socket() as taken:
        port = taken.getsockname()[1]
        program = tmp_path / "app.py"
        program.write_text(
            "from quart import Quart\n"
            f"Quart(__name__).run(port={port}, use_reloader={reloads})\n"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(program), stderr=asyncio.subprocess.PIPE
        )
        _, printed = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
    assert process.returncode == 1
    assert printed.decode().startswith(f"Error: Port {port} is in use by ")
    assert "with app.run(port=...)" in printed.decode()
    assert printed.count(b"\n") == 1


async def test_run_task_drains_and_stops_when_it_is_cancelled() -> None:
    app = Quart(__name__)
    events: list[str] = []

    @app.before_serving
    async def start() -> None:
        events.append("started")

    @app.after_serving
    async def stop() -> None:
        events.append("stopped")

    @app.get("/")
    async def index() -> str:
        events.append("begun")
        await asyncio.sleep(0.1)
        events.append("ended")
        return "done"

    with listening_socket() as sock:
        task = asyncio.create_task(app.run_task(f"fd://{os.dup(sock.fileno())}"))
        client = Client(*await asyncio.open_connection(*sock.getsockname()))
        await _request(client, "/")
        await until(lambda: "begun" in events)
        task.cancel()
        assert (await client.answer()).text == "done"
        await client.close()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, WAIT_SECONDS)
    assert events == ["started", "begun", "ended", "stopped"]


async def test_failing_start_fails_run_task_with_its_reason() -> None:
    app = Quart(__name__)

    @app.before_serving
    async def start() -> None:
        raise ValueError("no database")

    with pytest.raises(Exception, match="no database"):
        await asyncio.wait_for(app.run_task(port=0), WAIT_SECONDS)
