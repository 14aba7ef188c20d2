"""Running commands in tests."""

from __future__ import annotations

import asyncio

import click
import pytest
from quart_core import Quart


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


@click.command()
@click.argument("name")
@click.pass_obj
def greet(obj: object, name: str) -> None:
    click.echo(f"hello {name} from {obj}")


@click.command()
def loop() -> None:
    asyncio.run(asyncio.sleep(0))
    click.echo("ran")


def test_a_command_is_run(app: Quart) -> None:
    result = app.test_cli_runner().invoke(greet, ["you"], obj="me")

    assert (result.exit_code, result.output) == (0, "hello you from me\n")


def test_arguments_go_to_click(app: Quart) -> None:
    runner = app.test_cli_runner(env={"A": "1"})

    assert runner.app is app
    assert runner.env == {"A": "1"}


async def test_in_a_coroutine_a_command_may_run_a_loop(app: Quart) -> None:
    result = app.test_cli_runner().invoke(loop, obj=None)

    assert (result.exit_code, result.output) == (0, "ran\n")


async def test_in_a_coroutine_exceptions_come_through(app: Quart) -> None:
    @click.command()
    def fail() -> None:
        raise KeyError("of the command")

    with pytest.raises(KeyError, match="of the command"):
        app.test_cli_runner().invoke(fail, obj=None, catch_exceptions=False)


def test_without_a_command_it_is_the_applications(app: Quart) -> None:
    @app.cli.command("greet")
    @click.pass_obj
    def own(info: object) -> None:
        click.echo(type(info).__name__)
        click.echo(info.load_app() is app)  # type: ignore[attr-defined]

    result = app.test_cli_runner().invoke(args=["greet"])

    assert result.output == "ScriptInfo\nTrue\n"
