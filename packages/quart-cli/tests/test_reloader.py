"""Reloader: the socket stays, changes count, the child dies with its parent."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from textwrap import dedent
from typing import Any

import pytest

SECONDS = 40.0
Write = Callable[[str, str], Path]
Start = Callable[..., Any]
APP = """
    import os
    from quart_core import Quart
    app = Quart(__name__)
    @app.get("/")
    async def index(): return "{}"
    @app.get("/pid")
    async def pid(): return str(os.getpid())
"""

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="uses signals"),
    # Of the machine, which may be busy; each wait is bounded by itself.
    pytest.mark.timeout(180),
]


def get(url: str, path: str = "/", accept: str = "text/plain") -> tuple[int, str]:
    request = urllib.request.Request(url + path, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def get_until(url: str, wanted: str) -> tuple[int, str]:
    deadline = time.monotonic() + SECONDS
    while True:
        status, body = get(url)
        if wanted in body or time.monotonic() > deadline:
            return status, body


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + SECONDS
    while is_alive(pid):
        if time.monotonic() > deadline:
            return False
    return True


@pytest.fixture(params=["watchfiles", "polling"])
def variables(request: pytest.FixtureRequest, tmp_path_factory: Any) -> dict[str, str]:
    """The environment for each of the two ways to watch."""
    if request.param == "watchfiles":
        return {}
    path = tmp_path_factory.mktemp("path")
    (path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['watchfiles'] = None\n"  # As if it were not installed.
    )
    return {"PYTHONPATH": str(path)}


def test_a_saved_file_is_served(
    write: Write, start: Start, variables: dict[str, str]
) -> None:
    write("app.py", APP.format("old"))
    server = start("dev", "-p", "0", **variables)
    way = "polling" if variables else "watchfiles"
    assert f"reload ({way})" in server.line_with("app.py:app")
    url = server.url()
    assert get(url) == (200, "old")
    write("app.py", APP.format("new"))
    assert get_until(url, "new") == (200, "new")
    assert server.line_with("changed").startswith("app.py changed, reloaded in ")


def test_a_syntax_error_is_shown_and_the_next_save_recovers(
    write: Write, start: Start
) -> None:
    write("app.py", APP.format("old"))
    server = start("dev", "-p", "0")
    url = server.url()
    write("app.py", APP.format("new") + "    def broken(:\n")
    status, body = get_until(url, "SyntaxError")
    assert status == 500
    assert "app.py:9" in body
    assert "def broken(:" in body
    server.line_with("app.py:9")
    server.line_with("> 9  def broken(:")
    server.line_with("SyntaxError")
    server.line_with("app.py changed, still fails")
    assert "<!doctype html>" in get(url, accept="text/html")[1]
    write("app.py", APP.format("mended"))
    assert get_until(url, "mended") == (200, "mended")


def test_starting_with_an_import_error_shows_the_users_line_and_recovers(
    write: Write, start: Start
) -> None:
    app = "from helper import value\n" + dedent(APP).format("fine")
    write("app.py", app)
    server = start("dev", "-p", "0")
    server.line_with("app.py:1 in <module>")
    server.line_with("> 1  from helper import value")
    server.line_with("ModuleNotFoundError: No module named 'helper'")
    url = server.url()
    assert get(url)[0] == 500
    write("helper.py", "value = 1\n")
    assert get_until(url, "fine") == (200, "fine")


def test_an_application_that_does_not_start_is_shown(
    write: Write, start: Start
) -> None:
    write(
        "app.py",
        APP.format("x")
        + """
    @app.before_serving
    async def connect():
        raise LookupError("no database")
    """,
    )
    server = start("dev", "-p", "0")
    server.line_with("LookupError: no database")
    status, body = get(server.url())
    assert status == 500
    assert "no database" in body


def test_a_process_that_ends_itself_is_told_and_replaced(
    write: Write, start: Start
) -> None:
    write("app.py", "import os\nos._exit(7)\n")
    server = start("dev", "-p", "0")
    server.line_with("ended with status 7; waiting for a change")
    url = server.url()
    status, body = get(url)
    assert (status, "ended with status 7" in body) == (500, True)
    write("app.py", APP.format("mended"))
    assert get_until(url, "mended") == (200, "mended")


def test_templates_and_extra_files_count_and_excluded_ones_do_not(
    folder: Path, write: Write, start: Start
) -> None:
    write("app.py", APP.format("x"))
    write("templates/page.html", "one")
    write("extra/data.txt", "one")
    write("plain.txt", "one")
    write("skipped.py", "")
    server = start(
        "dev", "-p", "0", "--extra-files", "extra:plain.txt",
        "--exclude-patterns", "*skipped.py",
    )  # fmt: skip
    url = server.url()
    first = get(url, "/pid")[1]
    server.line_with("GET")
    write("skipped.py", "changed = 1")
    write("ignored.txt", "changed")
    for name in ("templates/page.html", "extra/data.txt", "plain.txt"):
        write(name, "two")
        assert server.line_with("changed").startswith(f"{name} changed, reloaded")
    assert get(url, "/pid")[1] != first
    assert "skipped" not in server.output


def test_a_new_folder_is_watched(folder: Path, write: Write, start: Start) -> None:
    write("app.py", APP.format("x"))
    server = start("dev", "-p", "0")
    url = server.url()
    assert get(url)[0] == 200
    write("shop/__init__.py", "")
    server.line_with("changed, reloaded")
    write("shop/__init__.py", "value = 1")
    assert "shop/__init__.py changed" in server.line_with("changed, reloaded")


def test_run_reloads_in_debug_mode_only(write: Write, start: Start) -> None:
    write("app.py", APP.format("old"))
    server = start("run", "--debug", "-p", "0")
    server.line_with("Serving Quart app 'app.py:app'")
    server.line_with("Debug mode: on")
    url = server.url()
    write("app.py", APP.format("new"))
    assert get_until(url, "new") == (200, "new")
    plain = start("run", "-p", "0")
    plain.line_with("Debug mode: off")
    assert get(plain.url(), "/pid")[1] == str(plain.process.pid)


def test_a_program_with_its_own_group_is_reloaded(
    folder: Path, write: Write, start: Start
) -> None:
    write("app.py", APP.format("old"))
    write(
        "manage.py",
        """
        from quart_cli.cli import QuartGroup
        def create_app():
            from app import app
            return app
        QuartGroup(create_app=create_app).main()
        """,
    )
    with Popen(
        [sys.executable, "manage.py", "dev", "-p", "0"],
        stdout=PIPE, stderr=STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            url = next(line.strip() for line in process.stdout if "http:" in line)
            assert get(url) == (200, "old")
            write("app.py", APP.format("new"))
            assert get_until(url, "new") == (200, "new")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=SECONDS)


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks at /proc")
@pytest.mark.parametrize(
    "name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL", "SIGABRT", "SIGSEGV"]
)
def test_the_children_die_with_their_parent(
    write: Write, start: Start, name: str
) -> None:
    write("app.py", APP.format("x") + "    import resource\n"
        "    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n")  # fmt: skip
    server = start("dev", "-p", "0")
    url = server.url()
    child = int(get(url, "/pid")[1])
    parent = server.process.pid
    with open(f"/proc/{parent}/task/{parent}/children") as file:
        children = [int(pid) for pid in file.read().split()]
    assert child in children
    server.process.send_signal(getattr(signal, name))
    server.wait()
    assert all(wait_until_gone(pid) for pid in children)


def test_an_interrupt_ends_after_the_requests_in_flight(
    write: Write, start: Start
) -> None:
    write(
        "app.py",
        """
        import asyncio
        from pathlib import Path
        from quart_core import Quart
        app = Quart(__name__)
        @app.get("/")
        async def index():
            Path("begun").write_text("")
            await asyncio.sleep(0.3)
            return "done"
        """,
    )
    server = start("dev", "-p", "0")
    url = server.url()

    async def both() -> tuple[int, str]:
        answer = asyncio.create_task(asyncio.to_thread(get, url))
        async with asyncio.timeout(SECONDS):
            while not os.path.exists("begun"):
                await asyncio.sleep(0.01)
        server.process.send_signal(signal.SIGINT)
        return await answer

    assert asyncio.run(both()) == (200, "done")
    assert server.wait() == 0
    assert server.lines[-1] == "stopped, 0 open requests"


class Load:
    """Requests at a steady rate, each on a connection of its own.

    A machine that is busy with other things may not answer at that rate, so there
    are never more than a quarter of a second's requests under way.
    """

    def __init__(self, port: int, rate: int) -> None:
        self.port = port
        self.rate = rate
        self.room = asyncio.Semaphore(rate // 4)
        self.answers: list[str] = []
        self.failures: list[str] = []

    async def request(self) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                text = (await reader.read()).decode()
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError) as error:
            self.failures.append(repr(error))
            return
        finally:
            self.room.release()
        if text.startswith("HTTP/1.1 200 "):
            self.answers.append(text.rpartition("\r\n")[2])
        else:
            self.failures.append(text[:100] or "closed without an answer")

    async def run(self, ended: asyncio.Event) -> int:
        loop = asyncio.get_running_loop()
        began = loop.time()
        count = 0
        async with asyncio.TaskGroup() as group:
            while not ended.is_set():
                await self.room.acquire()
                group.create_task(self.request())
                count += 1
                await asyncio.sleep(max(0.0, began + count / self.rate - loop.time()))
        return count


async def test_reloading_ten_times_under_load_refuses_no_request(
    write: Write, start: Start
) -> None:
    write("app.py", APP.format("v0"))
    server = start("dev", "-p", "0")
    url = await asyncio.to_thread(server.url)
    load = Load(int(url.rpartition(":")[2]), 200)
    ended = asyncio.Event()
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        running = group.create_task(load.run(ended))
        for number in range(1, 11):
            write("app.py", APP.format(f"v{number}"))
            while not load.answers or load.answers[-1] != f"v{number}":
                await asyncio.sleep(0.01)
        ended.set()
    assert load.failures == []
    assert len(load.answers) == running.result()
    assert set(load.answers) == {f"v{number}" for number in range(11)}
