"""Command line: run, dev and serve as processes."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quart_cli import cli as module
from quart_cli.cli import cli, run_command, show_server_banner

Write = Callable[[str, str], Path]
Start = Callable[..., Any]
APP = """
    import os
    from quart_core import Quart
    app = Quart(__name__)
    @app.get("/")
    async def index(): return f"{os.getpid()}"
    @app.get("/boom")
    async def boom(): return 1 / 0
"""


def get(url: Any, **options: Any) -> str:
    with urllib.request.urlopen(url, timeout=20, **options) as response:
        body: bytes = response.read()
    return body.decode()


def status_of(url: str) -> tuple[int, str]:
    try:
        return 200, get(url)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_run_serves_in_its_own_process(write: Write, start: Start) -> None:
    write("app.py", APP)
    process = start("run", "-p", "0")
    process.line_with(" * Serving Quart app 'app.py:app'")
    process.line_with(" * Debug mode: off")
    process.line_with(" * For development; use 'quart serve' in production")
    assert get(process.url()) == str(process.process.pid)
    assert '"GET / HTTP/1.1" 200' in process.line_with("GET /")
    process.process.send_signal(signal.SIGINT)
    assert process.wait() == 0


def test_dev_prints_the_url_alone_on_its_line(write: Write, start: Start) -> None:
    write("app.py", APP)
    process = start("dev", "-p", "0", "--no-reload")
    version = ".".join(map(str, sys.version_info[:2]))
    line = process.line_with("app.py:app")
    assert line == f"app.py:app   debug, python {version}"
    url_line = process.line_with("http")
    assert url_line == f"  {url_line.strip()}"
    status, body = status_of(f"{url_line.strip()}/boom")
    assert (status, "ZeroDivisionError" in body) == (500, True)
    process.line_with("500  GET  /boom")
    process.line_with("> 8  async def boom(): return 1 / 0")
    process.line_with("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("command", "has_script"),
    [
        (("dev",), True),
        (("dev", "--no-browser-reload"), False),
        (("dev", "--no-reload"), False),
        (("run", "--debug"), False),
        (("serve",), False),
    ],
)
def test_only_dev_adds_a_script_to_pages(
    write: Write, start: Start, command: tuple[str, ...], has_script: bool
) -> None:
    write("app.py", APP.replace('f"{os.getpid()}"', '"<!doctype html><p>hello"'))
    process = start(*command, "-p", "0")
    line = process.line_with("http://127")
    if command == ("serve",):
        line = process.line_with("Serving on http://")
    url = "http://" + line.partition("http://")[2].split()[0]
    page = urllib.request.Request(url, headers={"Accept": "text/html"})
    assert ("/_quart/reload.js" in get(page)) is has_script
    script = urllib.request.Request(f"{url}/_quart/reload.js")
    if has_script:
        assert "new WebSocket" in get(script)
    else:
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            get(script)
        caught.value.close()


@pytest.mark.parametrize("path", ["site", "site/app.py"])
def test_dev_takes_the_path_of_the_application(
    write: Write, start: Start, path: str
) -> None:
    write("site/app.py", APP)
    process = start("dev", path, "-p", "0")
    process.line_with("app.py:app")
    assert get(process.url()).isdecimal()


@pytest.mark.parametrize("options", [("dev", "--https"), ("run", "--cert", "adhoc")])
def test_https_with_a_certificate_made_on_the_spot(
    write: Write, start: Start, options: tuple[str, ...]
) -> None:
    write("app.py", APP)
    process = start(*options, "-p", "0")
    url = process.url()
    assert url.startswith("https://")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    assert get(url, context=context).isdecimal()


def test_options_come_from_variables(write: Write, start: Start) -> None:
    write("app.py", APP)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    process = start(
        "run", QUART_RUN_PORT=str(port), QUART_RUN_HOST="localhost", QUART_DEBUG="1",
        QUART_RUN_RELOAD="0",
    )  # fmt: skip
    process.line_with("Debug mode: on")
    assert f":{port}" in process.url()


@pytest.mark.parametrize(
    ("options", "shows"),
    [((), True), (("--debugger",), True), (("--no-debugger",), False)],
)
def test_errors_are_shown_in_debug_mode_unless_told_not_to(
    write: Write, start: Start, options: tuple[str, ...], shows: bool
) -> None:
    write("app.py", APP)
    process = start("run", "--debug", "--no-reload", "-p", "0", *options)
    status, body = status_of(f"{process.url()}/boom")
    assert (status, "ZeroDivisionError" in body) == (500, shows)


def test_serve_says_what_it_serves_in_one_line(write: Write, start: Start) -> None:
    write("app.py", APP)
    process = start("serve", "-w", "2", "-p", "0", "--drain", "5")
    process.line_with("2 workers, h2 + http/1.1, proxy headers off, drain 5 s")
    process.line_with("reload without dropping requests: kill -HUP ")
    line = process.line_with("Serving on http://")
    url = line.partition("Serving on ")[2].split()[0]
    assert int(get(url)) != process.process.pid
    process.process.send_signal(signal.SIGTERM)
    assert process.wait() == 0


def test_serve_takes_every_form_of_a_target(write: Write, start: Start) -> None:
    write("shop.py", "from quart_core import Quart\ndef make(name): return Quart(name)")
    process = start("--app", "shop.py:make('x')", "serve", "-w", "2", "-p", "0")
    line = process.line_with("Serving on http://")
    url = line.partition("Serving on ")[2].split()[0]
    assert status_of(url)[0] == 404


def test_workers_import_the_factory_of_a_command_line_of_ones_own(
    folder: Path, write: Write
) -> None:
    write("shop.py", "from quart_core import Quart\ndef make(): return Quart('shop')\n")
    write(
        "manage.py",
        """
        from quart_cli.cli import QuartGroup
        from shop import make
        QuartGroup(create_app=make).main()
        """,
    )
    with subprocess.Popen(
        [sys.executable, "manage.py", "serve", "-w", "2", "-p", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "Serving on http" in line)
            url = line.partition("Serving on ")[2].split()[0]
            assert status_of(url)[0] == 404
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


def test_a_factory_that_workers_cannot_import_is_refused(folder: Path) -> None:
    group = module.QuartGroup(create_app=lambda: None)
    result = CliRunner().invoke(group, ["serve", "-w", "2", "-p", "0"])
    assert result.exit_code == 2
    assert "define it at the top of a module of its own" in result.output


def test_serve_takes_any_setting_of_the_server(write: Write) -> None:
    write("app.py", APP)
    for setting, message in (
        ("backlog", "has no '='"),
        ("nonsense=1", "nonsense"),
        ("backlog=many", "backlog"),
    ):
        result = CliRunner().invoke(cli, ["serve", "--set", setting])
        assert result.exit_code == 2
        assert message in result.output


def test_serve_hints_at_the_fast_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    from quart_cli import serve

    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    assert serve.fast_hint() == (
        "faster with httptools and uvloop: pip install 'quart-server[fast]'"
    )
    monkeypatch.setattr(serve, "find_spec", lambda name: object())
    assert serve.fast_hint() == ""


def test_key_without_certificate_is_an_error(write: Write) -> None:
    key = write("key.pem", "")
    result = CliRunner().invoke(cli, ["run", "--key", str(key)])
    assert result.exit_code == 2
    assert "--key needs the certificate it belongs to" in result.output


def test_run_has_all_options_of_flask_and_quart() -> None:
    names = {name for p in run_command.params for name in (*p.opts, *p.secondary_opts)}
    assert names >= {
        "-h", "--host", "-p", "--port", "--cert", "--certfile", "--key", "--keyfile",
        "--reload", "--no-reload", "--debugger", "--no-debugger", "--with-threads",
        "--without-threads", "--extra-files", "--exclude-patterns", "--debug",
        "--no-debug",
    }  # fmt: skip


def test_the_banner_has_the_application_and_the_mode(capsys: Any) -> None:
    show_server_banner(True, "app:shop")
    assert capsys.readouterr().out.splitlines()[:2] == [
        " * Serving Quart app 'app:shop'",
        " * Debug mode: on",
    ]


def test_the_module_has_click() -> None:
    assert module.click is __import__("click")


def test_an_application_with_a_run_of_its_own_is_served_by_it(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        "own.py",
        """
        import json
        from quart_core import Quart
        class Own(Quart):
            def run(self, **kwargs): print(json.dumps(kwargs))
        app = Own(__name__)
        """,
    )
    monkeypatch.delenv("QUART_DEBUG", raising=False)
    result = CliRunner().invoke(cli, ["--app", "own:app", "run", "-p", "5001"])
    assert json.loads(result.stdout.splitlines()[-1]) == {
        "debug": False,
        "host": "127.0.0.1",
        "port": 5001,
        "certfile": None,
        "keyfile": None,
        "use_reloader": False,
    }
