"""A newcomer's first minutes: each thing typed, as a process, in an empty folder."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from newcomer_command import Running, get, get_until, quart, run
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses signals")

SECONDS = 30.0


@pytest.mark.timeout(240)
def test_the_first_ten_minutes(tmp_path: Path) -> None:
    folder = tmp_path / "hello"
    minute_0_starts_a_project(tmp_path)
    with Running(folder, quart("dev", "-p", "0")) as server:
        url = minute_1_opens_the_page(server)
        minute_2_changes_a_text(folder, server, url)
        minute_3_breaks_a_line(folder, server, url)
        minute_4_forgets_an_await(folder, server, url)
        minute_6_talks_in_two_tabs(url)
        assert server.stop()[-1] == "stopped, 0 open requests"
    minute_5_runs_the_tests(folder)
    minute_7_serves_with_two_workers(folder)
    minute_8_looks_into_it(folder)


def minute_0_starts_a_project(folder: Path) -> None:
    *files, step = run(folder, quart("new", "hello")).splitlines()
    assert len(files) == 6
    assert all((folder / name).is_file() for name in files)
    assert step == "next: cd hello && uv run quart dev"


def minute_1_opens_the_page(server: Running) -> str:
    first = server.line_with("app.py:app")
    version = ".".join(map(str, sys.version_info[:2]))
    assert re.fullmatch(
        rf"app\.py:app   debug, reload \(\w+\), python {version}", first
    )
    line = server.line_with("http://")
    url = line.strip()
    # Alone on its line, so that terminals make a link of it.
    assert line == f"  {url}"
    status, page = get(url, accept="text/html")
    assert status == 200
    assert "<h1>It works</h1>" in page
    links = re.findall(r'href="([^"]+)"', page)
    assert links == ["/", "/hello/world"]
    assert get(url + links[1]) == (200, '{\n  "hello": "world"\n}\n')
    line = server.line_with("/hello/world")
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d  200  GET  /hello/world +\d+\.\d ms +\d+ B", line
    )
    return url


def minute_2_changes_a_text(folder: Path, server: Running, url: str) -> None:
    # That a browser shows it by itself is in test_browser.py.
    edit(folder / "templates" / "index.html", "It works", "It works for me")
    assert "templates/index.html changed, reloaded in" in server.line_with("changed")
    assert "It works for me" in get(url)[1]


def minute_3_breaks_a_line(folder: Path, server: Running, url: str) -> None:
    edit(folder / "app.py", '{"hello": name}', '{"hello": nam}')
    server.line_with("app.py changed, reloaded")
    status, text = get(f"{url}/hello/world")
    assert status == 500
    line = 1 + (folder / "app.py").read_text().split("\n").index(
        '    return {"hello": nam}'
    )
    failed = f'    > {line}      return {{"hello": nam}}'
    for place in (f"    app.py:{line} in hello", failed):
        assert place in text.split("\n")
        assert server.line_with(place) == place
    assert "NameError: name 'nam' is not defined" in server.line_with("NameError")
    link = server.line_with("/_quart/error/1")
    assert link == f"    {url}/_quart/error/1     test: quart error 1 --pytest"
    assert "name &#39;nam&#39; is not defined" in get(f"{url}/_quart/error/1")[1]
    shown = run(folder, quart("error", "1"))
    assert failed in shown
    edit(folder / "app.py", '{"hello": nam}', '{"hello": name}')
    get_until(f"{url}/hello/world", '"hello"')


def minute_4_forgets_an_await(folder: Path, server: Running, url: str) -> None:
    edit(folder / "app.py", "return await render_template", "return render_template")
    text = get_until(url, "without await")
    line = 1 + (folder / "app.py").read_text().split("\n").index(
        '    return render_template("index.html")'
    )
    message = (
        f"app.py:{line} returned render_template(...) without await. "
        'Write: return await render_template("index.html")'
    )
    assert message in text
    assert message in server.line_with("without await")
    edit(folder / "app.py", "return render_template", "return await render_template")
    get_until(url, "It works for me")


def minute_5_runs_the_tests(folder: Path) -> None:
    printed = run(
        folder, [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    )
    assert re.search(r"\b3 passed\b", printed), printed
    assert "async with client.websocket" in (folder / "tests/test_app.py").read_text()


def minute_6_talks_in_two_tabs(url: str) -> None:
    asyncio.run(_both_hear(url, same_process=True))


def minute_7_serves_with_two_workers(folder: Path) -> None:
    with Running(folder, quart("serve", "-w", "2", "-p", "0")) as server:
        server.line_with("2 workers, h2 + http/1.1, proxy headers off, drain 30 s")
        server.line_with("reload without dropping requests: kill -HUP ")
        line = server.line_with("Serving on http://")
        url = "http://" + line.partition("http://")[2].split()[0]
        # Each worker has its own list of listeners in this app: those who came to
        # the same worker hear each other.
        asyncio.run(_both_hear(url, same_process=False))
        assert "<h1>It works for me</h1>" in get(url, accept="text/html")[1]
        assert "_quart" not in get(url, accept="text/html")[1]


def minute_8_looks_into_it(folder: Path) -> None:
    source = (folder / "app.py").read_text().split("\n")
    lines = {name: 1 + source.index(line) for name, line in (
        ("chat", "async def chat():"), ("hello", "async def hello(name: str):"),
        ("index", "async def index():"),
    )}  # fmt: skip
    assert run(folder, quart("routes")).splitlines() == [
        "Endpoint  Methods  Rule                     Source",
        "--------  -------  -----------------------  ---------",
        f"chat      WS       /ws                      app.py:{lines['chat']}",
        f"hello     GET      /hello/<name>            app.py:{lines['hello']}",
        f"index     GET      /                        app.py:{lines['index']}",
        "static    GET      /static/<path:filename>",
    ]
    printed = run(folder, quart("shell"), 'await client.get("/")\n')
    assert "await client.get" in printed
    assert "<ClientResponse [200 OK]>" in printed


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


async def _both_hear(url: str, *, same_process: bool) -> None:
    """Say something in one of two tabs, and hear it in those that can."""
    async with asyncio.timeout(SECONDS), tab(url) as ann, tab(url) as bob:
        await ann.say("hello")
        assert await ann.hear() == "hello"
        if same_process:
            assert await bob.hear() == "hello"
        await bob.say("good day")
        assert await bob.hear() in {"good day", "hello"}


class Tab:
    """A page with a WebSocket."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._connection = WSConnection(ConnectionType.CLIENT)

    async def connect(self, host: str) -> None:
        self._send(Request(host=host, target="/ws"))
        assert isinstance(await self._event(), AcceptConnection)

    async def say(self, text: str) -> None:
        self._send(TextMessage(text))

    async def hear(self) -> str:
        event = await self._event()
        assert isinstance(event, TextMessage), event
        return event.data

    def leave(self) -> None:
        self._send(CloseConnection(code=1001))
        self._writer.close()

    def _send(self, event: Request | TextMessage | CloseConnection) -> None:
        self._writer.write(self._connection.send(event))

    async def _event(self) -> object:
        while True:
            for event in self._connection.events():
                return event
            self._connection.receive_data(await self._reader.read(65_536))


@asynccontextmanager
async def tab(url: str) -> AsyncIterator[Tab]:
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    page = Tab(reader, writer)
    await page.connect(f"{address.host}:{address.port}")
    yield page
    page.leave()
    await writer.wait_closed()
