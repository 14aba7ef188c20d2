"""quart error: what quart dev kept, as text and as a test."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quart_cli.cli import cli
from quart_cli.error_as_test import pytest_file_name, pytest_source
from quart_cli.error_store import ErrorStore

Write = Callable[[str, str], Path]

# Not announced by an installation that is older than the plugin.
PLUGIN = [] if "quart" in entry_points(group="pytest11").names else [
    "-p", "quart_testing.pytest_plugin",
]  # fmt: skip
APP = """
    from quart_core import Quart, request
    app = Quart(__name__)
    @app.post("/pay/<name>")
    async def pay(name):
        data = await request.get_json()
        return {"price": data["price"] / int(request.args["people"])}
"""


def entry(**values: Any) -> dict[str, Any]:
    return {
        "app": "app.py:app", "time": "2026-11-21 12:01:09", "kind": "http",
        "method": "GET", "path": "/boom", "target": "/boom", "headers": [],
        "has_body": False, "body": None, "summary": "KeyError: 'b'",
        "place": "app.py:11 in boom", "text": "    KeyError: 'b'", "page": "",
        "nonce": "", **values,
    }  # fmt: skip


def keep(**values: Any) -> None:
    store = ErrorStore()
    store.write(store.reserve(), entry(**values))


def run(*args: str, status: int = 0) -> str:
    result = CliRunner().invoke(cli, ["error", *args])
    assert result.exit_code == status, result.output
    output: str = result.output
    return output


def call(url: str, path: str, data: bytes | None = None) -> tuple[int, str]:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_all_are_listed(folder: Path) -> None:
    assert run() == "No errors are kept here: quart dev keeps those it shows.\n"
    keep()
    keep(method="POST", path="/pay", summary="ValueError")
    assert run().splitlines() == [
        "  1  2026-11-21 12:01:09  GET  /boom  KeyError: 'b'  app.py:11 in boom",
        "  2  2026-11-21 12:01:09  POST /pay  ValueError  app.py:11 in boom",
    ]


def test_one_is_shown_as_in_the_terminal(folder: Path) -> None:
    keep(target="/boom?x=1")
    assert run("1") == "GET /boom?x=1   2026-11-21 12:01:09\n    KeyError: 'b'\n"


def test_a_number_that_is_not_there_names_those_that_are(folder: Path) -> None:
    assert run("1", status=1) == (
        "Error: There is no error 1: quart dev has shown none in this folder\n"
    )
    keep()
    keep()
    assert run("7", status=1) == "Error: There is no error 7: there are 1, 2\n"
    assert "--pytest needs the number" in run("--pytest", status=2)


def test_the_test_is_written_beside_the_others_and_over_none(folder: Path) -> None:
    keep()
    assert run("1", "--pytest") == "test_error_get_boom.py\n"
    (folder / "tests").mkdir()
    assert run("1", "--pytest") == "tests/test_error_get_boom.py\n"
    assert run("1", "--pytest") == "tests/test_error_get_boom_2.py\n"
    assert (folder / "tests" / "test_error_get_boom.py").read_text() == (
        '"""GET /boom raised KeyError: \'b\'\n'
        "\n"
        "app.py:11 in boom\n"
        '"""\n'
        "\n"
        "from app import app\n"
        "\n"
        "\n"
        "async def test_get_boom():\n"
        '    response = await app.test_client().get("/boom")\n'
        "    assert response.status_code < 500\n"
    )


def test_a_websocket_has_no_test(folder: Path) -> None:
    keep(kind="websocket", method="WS")
    assert "what was said on it is not kept" in run("1", "--pytest", status=1)


def test_headers_that_decide_are_kept_and_secrets_are_named() -> None:
    source = pytest_source(
        entry(
            method="PURGE",
            target="/x?q=%22",
            headers=[
                ["host", "localhost"], ["user-agent", "curl"], ["cookie", "***"],
                ["accept", "application/json"], ["x-flavour", 'say "hi"'],
            ],
            has_body=True,
        )
    )  # fmt: skip
    assert "    # cookie was not kept, as it is secret.\n" in source
    assert "    # The body was not kept: it is long, or of an unusual kind.\n" in source
    assert (
        "    response = await app.test_client().open(\n"
        '        "/x?q=%22",\n'
        '        method="PURGE",\n'
        '        headers={"accept": "application/json", "x-flavour": \'say "hi"\'},\n'
        "    )\n"
    ) in source


@pytest.mark.parametrize(
    ("target", "lines"),
    [
        ("shop/app.py:app", ["from shop.app import app"]),
        ("shop/__init__.py:app", ["from shop import app"]),
        ("app:make('x')", ["app = ScriptInfo(\"app:make('x')\").load_app()"]),
        ("my-app.py:app", ["app = ScriptInfo('my-app.py:app').load_app()"]),
    ],
)
def test_the_application_is_imported(target: str, lines: list[str]) -> None:
    source = pytest_source(entry(app=target))
    assert all(line in source.splitlines() for line in lines)


@pytest.mark.parametrize(
    "text", ['"""', "\\", 'a"', "\n\n", "'''", "\\u0022", "{x}", '"' * 200]
)
def test_whatever_was_sent_the_source_is_python(text: str) -> None:
    source = pytest_source(
        entry(summary=text, place=text, target=text, headers=[["x", text]], body=text)
    )
    compile(source, "test.py", "exec")
    assert pytest_file_name(entry(target=text)).endswith(".py")


@pytest.mark.timeout(240)  # several programs, on a machine that may be busy
def test_dev_keeps_what_it_shows_and_the_test_fails_until_it_is_mended(
    folder: Path, write: Write, start: Callable[..., Any]
) -> None:
    app = write("app.py", APP)
    (folder / "tests").mkdir()
    write("pytest.ini", "[pytest]\npythonpath = .\n")
    server = start("dev", "-p", "0")
    url = server.url()
    data = json.dumps({"price": 7, "password": "hidden"}).encode()
    assert call(url, "/pay/Ann?people=0", data)[0] == 500
    line = server.line_with("/_quart/error/1")
    assert line == f"    {url}/_quart/error/1     test: quart error 1 --pytest"
    assert "ZeroDivisionError" in call(url, "/_quart/error/1")[1]
    assert "def test_post_pay_ann" in call(url, "/_quart/error/1.py")[1]
    assert call(url, "/_quart/error/2")[0] == 404
    name = run("1", "--pytest").strip()
    assert name == "tests/test_error_post_pay_ann.py"
    source = (folder / name).read_text()
    assert "people=0" in source
    assert "hidden" not in source
    command = [
        sys.executable, "-m", "pytest", "-q", "-W", "error", *PLUGIN,
        "-o", "asyncio_default_fixture_loop_scope=function",
    ]  # fmt: skip
    broken = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert broken.returncode == 1
    assert "ZeroDivisionError" in broken.stdout
    app.write_text(app.read_text().replace('int(request.args["people"])', "3"))
    subprocess.run(command, cwd=folder, capture_output=True, timeout=100, check=True)
