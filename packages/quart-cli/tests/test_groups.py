"""Command line: commands of the application, contexts, async commands."""

import asyncio
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from quart_cli.cli import (
    AppGroup,
    QuartGroup,
    ScriptInfo,
    cli,
    pass_script_info,
    with_appcontext,
)
from quart_core import Blueprint, Quart, current_app, g

Write = Callable[[str, str], Path]


@pytest.fixture
def app() -> Quart:
    return Quart("shop")


def invoke(app: Quart, *args: str, **options: Any) -> Any:
    group = QuartGroup(create_app=lambda: app)
    result = CliRunner().invoke(group, args, **options)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_command_of_the_application_has_its_context(app: Quart) -> None:
    @app.cli.command()
    @click.argument("name")
    def greet(name: str) -> None:
        click.echo(f"{current_app.name} {name}")

    assert invoke(app, "greet", "Ann").output == "shop Ann\n"


def test_an_async_command_is_run(app: Quart) -> None:
    @app.cli.command("later")
    async def later() -> None:
        await asyncio.sleep(0)
        click.echo(current_app.name)

    assert invoke(app, "later").output == "shop\n"


def test_a_command_without_context_has_none_of_its_own(app: Quart) -> None:
    @app.cli.command(with_appcontext=False)
    async def bare() -> None:
        click.echo(bool(current_app))

    result = CliRunner().invoke(app.cli, ["bare"], obj=ScriptInfo(None, lambda: app))
    assert result.output == "False\n"


def test_decorating_without_parentheses_registers_too(app: Quart) -> None:
    @app.cli.command
    async def plain() -> None:
        click.echo(current_app.name)

    assert invoke(app, "plain").output == "shop\n"


def test_commands_of_click_decorators_may_be_async(app: Quart) -> None:
    @app.cli.command()
    @click.pass_context
    async def passed(ctx: click.Context) -> None:
        await asyncio.sleep(0)
        click.echo(ctx.info_name)

    @click.command()
    async def added() -> None:
        click.echo("added")

    app.cli.add_command(added)
    assert invoke(app, "passed").output == "passed\n"
    assert invoke(app, "added").output == "added\n"


def test_groups_in_groups_have_the_context_too(app: Quart) -> None:
    @app.cli.group()
    def users() -> None:
        click.echo("users")

    @users.command()
    async def add() -> None:
        click.echo(current_app.name)

    assert isinstance(users, AppGroup)
    assert invoke(app, "users", "add").output == "users\nshop\n"


def test_a_command_may_run_a_loop_of_its_own(app: Quart) -> None:
    @app.cli.command()
    def own_loop() -> None:
        async def main() -> str:
            async with current_app.app_context():
                return current_app.name

        click.echo(asyncio.run(main()))

    assert invoke(app, "own-loop").output == "shop\n"


def test_parameters_are_converted_within_the_context(app: Quart) -> None:
    def names(ctx: click.Context, param: click.Parameter, value: str) -> str:
        return f"{current_app.name}/{value}"

    @app.cli.command()
    @click.option("--name", callback=names)
    def show(name: str) -> None:
        click.echo(name)

    assert invoke(app, "show", "--name", "x").output == "shop/x\n"


def test_teardown_runs_once_with_the_exception(app: Quart) -> None:
    seen: list[BaseException | None] = []

    @app.teardown_appcontext
    async def note(error: BaseException | None) -> None:
        seen.append(error)

    @app.cli.command()
    async def fine() -> None:
        g.value = 1

    @app.cli.command()
    async def fails() -> None:
        raise LookupError("x")

    invoke(app, "fine")
    assert seen == [None]
    with pytest.raises(LookupError):
        invoke(app, "fails")
    assert len(seen) == 2


def test_all_coroutines_of_a_command_share_a_loop(app: Quart) -> None:
    loops = []

    @app.teardown_appcontext
    async def note(_: BaseException | None) -> None:
        loops.append(asyncio.get_running_loop())

    @app.cli.command()
    async def first() -> None:
        loops.append(asyncio.get_running_loop())

    invoke(app, "first")
    assert len(loops) == 2
    assert loops[0] is loops[1]


async def test_commands_work_inside_a_running_loop(app: Quart) -> None:
    @app.cli.command()
    async def later() -> None:
        await asyncio.sleep(0)
        click.echo(current_app.name)

    @app.cli.command()
    def sync() -> None:
        click.echo(asyncio.run(asyncio.sleep(0, current_app.name)))

    @click.command()
    @with_appcontext
    async def bare() -> None:
        click.echo(current_app.name)

    assert invoke(app, "later").output == "shop\n"
    assert invoke(app, "sync").output == "shop\n"
    info = ScriptInfo(create_app=lambda: app)
    assert CliRunner().invoke(bare, obj=info).output == "shop\n"
    assert CliRunner().invoke(app.cli, ["later"], obj=info).output == "shop\n"


async def test_the_context_that_is_there_is_used(app: Quart) -> None:
    @click.command()
    @with_appcontext
    def show() -> None:
        click.echo(g.value)

    async with app.app_context():
        g.value = "outer"
        assert CliRunner().invoke(show).output == "outer\n"


@pytest.mark.parametrize("decorate", [with_appcontext, with_appcontext()])
def test_with_appcontext_decorates_with_and_without_parentheses(
    app: Quart, decorate: Any
) -> None:
    @click.command()
    @decorate
    def show() -> None:
        click.echo(current_app.name)

    obj = ScriptInfo(create_app=lambda: app)
    assert CliRunner().invoke(show, obj=obj).output == "shop\n"


def test_script_info_is_passed(app: Quart) -> None:
    @app.cli.command()
    @pass_script_info
    def which(info: ScriptInfo) -> None:
        click.echo(info.load_app() is app)

    assert invoke(app, "which").output == "True\n"


@pytest.mark.parametrize(
    ("options", "registered", "args"),
    [
        ({}, {}, ("shop", "add")),
        ({"cli_group": "other"}, {}, ("other", "add")),
        ({"cli_group": None}, {}, ("add",)),
        ({}, {"cli_group": "late"}, ("late", "add")),
    ],
)
def test_commands_of_a_blueprint_are_in_its_group(
    app: Quart,
    options: dict[str, Any],
    registered: dict[str, Any],
    args: tuple[str, ...],
) -> None:
    blueprint = Blueprint("shop", __name__, **options)

    @blueprint.cli.command("add")
    async def add() -> None:
        click.echo(f"added in {current_app.name}")

    app.register_blueprint(blueprint, **registered)
    assert invoke(app, *args).output == "added in shop\n"


def test_commands_of_plugins_are_added(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EntryPoint("cake", "test_plugin:cake", "quart.commands")

    @click.command()
    async def cake() -> None:
        click.echo("cake")

    monkeypatch.setattr(EntryPoint, "load", lambda _: cake)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [entry])
    assert invoke(app, "cake").output == "cake\n"
    assert "cake" in invoke(app, "--help").output


def test_our_own_commands_win_over_those_of_the_application(app: Quart) -> None:
    @app.cli.command("routes")
    def routes() -> None:
        click.echo("theirs")

    assert "theirs" not in invoke(app, "routes").output


def test_help_lists_the_commands_of_a_named_application(write: Write) -> None:
    write(
        "shop.py",
        """
        from quart_core import Quart
        app = Quart(__name__)
        @app.cli.command(help="Sell it.")
        def sell(): ...
        """,
    )
    named = CliRunner().invoke(cli, ["--help", "--app", "shop"])
    assert "sell" in named.output
    assert "Sell it." in named.output
    assert "sell" not in CliRunner().invoke(cli, ["--help"]).output


def test_help_never_imports_what_nobody_named(folder: Path, write: Write) -> None:
    write("app.py", "raise RuntimeError('imported')\n")
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert "imported" not in result.output
    assert "app.py Its own commands: quart --app app.py --help" in result.output


def test_help_in_an_empty_folder_says_what_was_looked_for(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert " ".join(result.output.split()).endswith(
        "App: None found here. Looked for app.py, wsgi.py, asgi.py, main.py, "
        "src/*/__init__.py. Use --app, or start one with: quart new"
    )


def test_help_of_a_broken_named_application_still_lists_ours(write: Write) -> None:
    write("shop.py", "import something_not_there\n")
    result = CliRunner().invoke(cli, ["--app", "shop", "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert "No module named 'something_not_there'" in result.stderr


def test_an_unknown_command_names_the_failure_of_the_application(
    folder: Path,
) -> None:
    result = CliRunner().invoke(cli, ["missing"])
    assert result.exit_code == 2
    assert "QUART_APP" in result.stderr
    assert "No such command 'missing'" in result.stderr


def test_no_application_ends_a_command_with_status_2(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["routes"])
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: No Quart application in this folder")


@pytest.mark.parametrize("arguments", [["--no-debug"], ["--debug"]])
def test_the_debug_option_sets_the_variable(
    write: Write, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    write("app.py", "from quart_core import Quart\napp = Quart(__name__)\n")
    write("other.py", "")
    app = Quart("shop")

    @app.cli.command()
    def debug() -> None:
        click.echo(current_app.debug)

    group = QuartGroup(create_app=lambda: app)
    monkeypatch.setenv("QUART_DEBUG", "1" if arguments == ["--no-debug"] else "0")
    result = CliRunner().invoke(group, [*arguments, "debug"])
    assert result.output == f"{arguments == ['--debug']}\n"


def test_a_group_can_be_without_our_commands_and_options() -> None:
    group = QuartGroup(add_default_commands=False, add_version_option=False)
    assert group.list_commands(click.Context(group, obj=ScriptInfo())) == []
    assert "--version" not in CliRunner().invoke(group, ["--help"]).output


def test_options_of_commands_come_from_variables(
    app: Quart, monkeypatch: pytest.MonkeyPatch
) -> None:
    @app.cli.command()
    @click.option("--name")
    def greet(name: str) -> None:
        click.echo(name)

    monkeypatch.setenv("QUART_GREET_NAME", "Ann")
    assert invoke(app, "greet").output == "Ann\n"


def test_a_factory_that_needs_an_argument_is_given_the_script_info(app: Quart) -> None:
    """As early Flask called it, and tests of extensions still have it."""
    given = []

    @app.cli.command()
    def greet() -> None:
        click.echo(current_app.name)

    def create_app(info: ScriptInfo) -> Quart:
        given.append(info)
        return app

    info = ScriptInfo(create_app=create_app)
    assert CliRunner().invoke(app.cli, ["greet"], obj=info).output == "shop\n"
    assert given == [info]


def test_the_version_option_prints_three_lines() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    names = [line.split()[0] for line in result.output.splitlines()]
    assert names == ["Python", "Quart", "Werkzeug"]


@pytest.mark.parametrize(
    ("value", "debug"), [("maybe", True), ("1", True), ("NO", False), ("false", False)]
)
def test_any_text_but_a_few_means_debug(
    app: Quart, monkeypatch: pytest.MonkeyPatch, value: str, debug: bool
) -> None:
    @app.cli.command("debug")
    def show() -> None:
        click.echo(current_app.debug)

    monkeypatch.setenv("QUART_DEBUG", value)
    assert invoke(app, "debug").output == f"{debug}\n"
