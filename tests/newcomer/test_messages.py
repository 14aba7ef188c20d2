"""Each mistake of a newcomer has one message, which is compared as a text.

The messages for a module that is not found, an import error and a port that is busy
are those of packages/quart-cli/tests/test_messages.py; here are those of a whole
installation in ``quart dev``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from newcomer_command import Running, get, quart, run

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="uses signals"),
    pytest.mark.timeout(120),
]

APP = """\
import asyncio
import time

from quart import Quart, flash, render_template, session

app = Quart(__name__)


@app.get("/returned")
async def returned():
    return render_template("index.html")


@app.get("/used")
async def used():
    data = load()
    return data["x"]


async def load():
    return {"x": "1"}


@app.get("/none")
async def none():
    await asyncio.sleep(0)


@app.get("/session")
async def without_key():
    session["name"] = "Ann"
    return "hello"


@app.get("/flash")
async def flash_without_key():
    await flash("saved")
    return "hello"


@app.get("/missing")
async def missing():
    return await render_template("indx.html")


@app.get("/blocked")
async def blocked():
    time.sleep(0.6)
    return "late"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "app.py").write_text(APP)
    (folder / "templates").mkdir()
    (folder / "templates" / "index.html").write_text("hello")
    with Running(folder, quart("dev", "-p", "0")) as running:
        yield running, running.url()


def line_of(code: str) -> int:
    return 1 + [line.strip() for line in APP.split("\n")].index(code)


NO_KEY = (
    "RuntimeError: The session is unavailable because no secret key was set. Set "
    "app.secret_key to a random text, such as 'quart doctor --secret' prints."
)


@pytest.mark.parametrize(
    ("path", "code", "messages"),
    [
        (
            "/returned",
            'return render_template("index.html")',
            [
                (
                    "TypeError: app.py:{line} returned render_template(...) without "
                    'await. Write: return await render_template("index.html")'
                )
            ],
        ),
        (
            "/used",
            'return data["x"]',
            [
                "TypeError: 'coroutine' object is not subscriptable",
                (
                    "app.py:{line} used data, which is load() without await (line "
                    f"{line_of('data = load()')}). Write: data = await load()"
                ),
            ],
        ),
        (
            "/none",
            "async def none():",
            [
                (
                    "TypeError: app.py:{line} none() returned None, which is no "
                    'response. Add a return: return "text", a dict, a template; '
                    'return "", 204 for an empty page.'
                )
            ],
        ),
        ("/session", 'session["name"] = "Ann"', [NO_KEY]),
        ("/flash", 'await flash("saved")', [NO_KEY]),
    ],
)
def test_a_mistake_in_a_view_is_told_with_its_line(
    server: tuple[Running, str], path: str, code: str, messages: list[str]
) -> None:
    running, url = server
    line = line_of(code)
    status, text = get(url + path)
    assert status == 500
    shown = [each.strip() for each in text.split("\n")]
    assert f"> {line}      {code}" in shown or f"> {line}  {code}" in shown
    # The same in the terminal, below the line of the request.
    assert f"GET  {path}" in running.line_with("  500  ")
    running.line_with(f"    app.py:{line} in ")
    running.line_with(code)
    for message in messages:
        message = message.replace("{line}", str(line))
        assert message in shown
        assert running.line_with(message).strip() == message
    page = get(url + path, accept="text/html")[1]
    assert '<b title="' in page
    assert f"app.py:{line}</b>" in page
    running.line_with("/_quart/error/")
    running.line_with("/_quart/error/")


def test_a_missing_template_names_the_folders_and_what_is_close(
    server: tuple[Running, str],
) -> None:
    running, url = server
    message = re.compile(
        r"jinja2\.exceptions\.TemplateNotFound: No template 'indx\.html'\. "
        r"Looked in: \S+templates\. Did you mean 'index\.html'\?"
    )
    assert message.search(get(f"{url}/missing")[1])
    assert message.fullmatch(running.line_with("TemplateNotFound").strip())


def test_a_blocked_loop_is_told_with_route_and_line(
    server: tuple[Running, str],
) -> None:
    running, url = server
    assert get(f"{url}/blocked") == (200, "late")
    line = running.line_with("blocked all requests for")
    assert re.search(
        rf"GET /blocked: app\.py:{line_of('time.sleep(0.6)')} time\.sleep blocked all "
        r"requests for \d\.\d s\. Use await asyncio\.sleep, or make the view def\.$",
        line,
    )


def test_the_secret_that_the_message_speaks_of_is_printed(tmp_path: Path) -> None:
    first, second = (run(tmp_path, quart("doctor", "--secret")) for _ in range(2))
    assert re.fullmatch(r"\S{32,}\n", first)
    assert first != second


FIELDS = re.compile(
    r'(?P<client>127\.0\.0\.1)\S* (?:- )?"(?P<line>GET /there\?x=1 HTTP/1\.1)" '
    r"(?P<status>200)"
)


@pytest.mark.parametrize("name", ["quart serve", "quart run", "uvicorn"])
def test_access_logs_have_the_same_fields_on_whichever_server(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "app.py").write_text(
        dedent(
            """
            from quart import Quart
            app = Quart(__name__)
            @app.get("/there")
            async def there(): return "hello"
            """
        )
    )
    command = quart(*name.split()[1:], "-p", "0")
    if name == "uvicorn":
        command = [sys.executable, "-m", "uvicorn", "--port", "0", "app:app"]
    with Running(tmp_path, command) as running:
        line = running.line_with("unning on" if name != "quart serve" else "Serving on")
        url = "http://" + line.partition("http://")[2].split()[0]
        assert get(f"{url}/there?x=1") == (200, "hello")
        found = FIELDS.search(running.line_with("GET /there"))
    assert found is not None
    assert found.groupdict() == {
        "client": "127.0.0.1",
        "line": "GET /there?x=1 HTTP/1.1",
        "status": "200",
    }
