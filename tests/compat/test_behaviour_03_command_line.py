"""Command line: the table of commands and the rows of what they do."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from quart import Blueprint, Quart, current_app
from quart.cli import QuartGroup, ScriptInfo, cli, with_appcontext

APP = """
    from quart import Quart
    app = Quart(__name__)
    def make(name, n=0):
        made = Quart("made")
        made.add_url_rule("/made", f"{name}{n}")
        return made
    other = Quart("other")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with no variables of ours; what it imports is forgotten."""
    for name in [name for name in os.environ if name.startswith("QUART_")]:
        monkeypatch.delenv(name)
    before, environment = set(sys.modules), dict(os.environ)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(environment)


def quart(*args: str, group: Any = cli) -> Result:
    return CliRunner().invoke(group, list(args))


def names_of(command: click.Command) -> set[str]:
    return {
        name
        for param in command.params
        if isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts)
    }


def test_entry_points() -> None:
    (script,) = entry_points(group="console_scripts", name="quart")
    assert script.load() is sys.modules["quart_cli.cli"].main


def test_quart_has_its_options() -> None:
    assert names_of(cli) >= {
        "-e", "--env-file", "-A", "--app", "--debug", "--no-debug", "--version",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (
            "run",
            (
                "--debug --no-debug -h --host -p --port --certfile --cert --keyfile "
                "--key --reload --no-reload --debugger --no-debugger --with-threads "
                "--without-threads --extra-files --exclude-patterns"
            ),
        ),
        ("shell", ""),
        ("routes", "-s --sort --all-methods"),
    ],
)
def test_commands_have_their_options(command: str, options: str) -> None:
    assert names_of(cli.commands[command]) >= set(options.split())


def test_defaults_of_run() -> None:
    defaults = {param.name: param.default for param in cli.commands["run"].params}
    assert (defaults["host"], defaults["port"]) == ("127.0.0.1", 5000)
    assert defaults["reload"] in {None, click.core.UNSET}


def test_version_prints_three_lines() -> None:
    lines = quart("--version").output.splitlines()
    assert [line.split()[0] for line in lines] == ["Python", "Quart", "Werkzeug"]
    assert all(re.fullmatch(r"\w+ \d+\.\d+\S*", line) for line in lines)


def test_routes_table_and_no_rules() -> None:
    app = Quart("empty", static_folder=None)
    group = QuartGroup(create_app=lambda: app)
    assert quart("routes", group=group).output == "No routes were registered.\n"
    app.add_url_rule("/x", "x")
    lines = quart("routes", group=group).output.splitlines()
    assert lines[0].split()[:3] == ["Endpoint", "Methods", "Rule"]
    assert lines[2].split() == ["x", "GET", "/x"]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (None, "app"),
        ("app", "app"),
        ("app:other", "other"),
        ("app:make('a', n=3)", "made"),
        ("app.py", "app"),
        ("app.py:other", "other"),
        ("only", "only"),
        ("factory", "from create_app"),
        ("second", "from make_app"),
        ("factory:create_app", "from create_app"),
    ],
)
def test_app_lookup_and_forms(folder: Path, target: str | None, found: str) -> None:
    files = {
        "app": APP,
        "only": "from quart import Quart\nsite = Quart('only')",
        "factory": "from quart import Quart\n"
        "def create_app(): return Quart('from create_app')",
        "second": "from quart import Quart\n"
        "def make_app(): return Quart('from make_app')",
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(dedent(text))
    assert ScriptInfo(target).load_app().name == found


@pytest.mark.parametrize(
    "target", ["nope", "app:nope", "app:make(print())", "app:app("]
)
def test_failures_end_with_2(folder: Path, target: str) -> None:
    (folder / "app.py").write_text(dedent(APP))
    result = quart("--app", target, "routes")
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output


def test_dotenv_files(folder: Path) -> None:
    pytest.importorskip("dotenv")
    (folder / "app.py").write_text(
        dedent(
            """
            import os
            from quart import Quart
            app = Quart(__name__)
            @app.cli.command()
            def show():
                print(*(os.environ[name] for name in "ABCD"))
            """
        )
    )
    (folder / ".env").write_text("A=env\nB=env\nD=env\n")
    (folder / ".quartenv").write_text(
        "A=quartenv\nB=quartenv\nC=quartenv\nD=quartenv\n"
    )
    (folder / "extra").write_text("B=extra\nD=extra\n")
    os.environ["D"] = "set"
    assert quart("show").output.split() == ["env", "env", "quartenv", "set"]
    for name in "ABC":
        del os.environ[name]
    assert quart("-e", "extra", "show").output.split() == [
        *("env", "extra", "quartenv", "set")
    ]


def test_app_context_and_async_commands() -> None:
    app = Quart("commands")
    seen: list[str] = []

    @app.cli.command()
    async def asynchronous() -> None:
        await asyncio.sleep(0)
        seen.append(current_app.name)

    @app.cli.command(with_appcontext=False)
    def bare() -> None:
        seen.append(str(bool(current_app)))

    @click.command()
    @with_appcontext
    def own_loop() -> None:
        asyncio.run(asyncio.sleep(0))
        seen.append(current_app.name)

    app.cli.add_command(own_loop)
    runner = app.test_cli_runner()
    for name in ("asynchronous", "bare", "own-loop"):
        result = runner.invoke(args=[name])
        assert result.exit_code == 0, result.output
    assert seen == ["commands", "False", "commands"]


async def test_commands_run_inside_a_running_loop() -> None:
    app = Quart("commands")

    @app.cli.command()
    async def hello() -> None:
        await asyncio.sleep(0)
        click.echo(current_app.name)

    assert app.test_cli_runner().invoke(args=["hello"]).output == "commands\n"


@pytest.mark.parametrize(
    ("group", "command"),
    [("unset", "shop hello"), (None, "hello"), ("store", "store hello")],
)
def test_blueprint_commands(group: str | None, command: str) -> None:
    options = {} if group == "unset" else {"cli_group": group}
    blueprint = Blueprint("shop", __name__, **options)  # type: ignore[arg-type]

    @blueprint.cli.command("hello")
    def hello() -> None:
        click.echo("hello")

    app = Quart("commands")
    app.register_blueprint(blueprint)
    assert app.test_cli_runner().invoke(args=command.split()).output == "hello\n"


def test_debug_flag(folder: Path) -> None:
    (folder / "app.py").write_text(dedent(APP))
    os.environ["QUART_DEBUG"] = "1"
    assert ScriptInfo("app").load_app().debug is True
    os.environ["QUART_DEBUG"] = "0"
    assert ScriptInfo("app").load_app().debug is False
    # Made while it was 1, and left so.
    assert ScriptInfo("app:other", set_debug_flag=False).load_app().debug is True


def test_the_runner_passes_a_script_info() -> None:
    app = Quart("commands")

    @click.command()
    @click.pass_obj
    def show(info: ScriptInfo) -> None:
        click.echo(str(info.load_app() is app))

    assert app.test_cli_runner().invoke(show).output == "True\n"
