"""Environment variables from files."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from quart_cli.cli import cli, load_dotenv

Write = Callable[[str, str], Path]
SHOW = """
    import os
    from quart_core import Quart
    app = Quart(__name__)
    @app.cli.command()
    def show(): print(os.environ.get("A"), os.environ.get("B"), os.environ.get("C"))
"""


def test_env_wins_over_quartenv_and_variables_win_over_both(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(".env", "A=env\nC=env\n")
    write(".quartenv", "A=quartenv\nB=quartenv\n")
    monkeypatch.setenv("C", "set")
    assert load_dotenv() is True
    assert [os.environ[name] for name in "ABC"] == ["env", "quartenv", "set"]


def test_files_are_searched_upward(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(".env", "A=above\n")
    inner = write("deep/inner/x.py", "").parent
    monkeypatch.chdir(inner)
    assert load_dotenv() is True
    assert os.environ["A"] == "above"


def test_a_named_file_wins_over_the_defaults(write: Write) -> None:
    write(".env", "A=env\nB=env\n")
    named = write("named", "A=named\n")
    assert load_dotenv(named) is True
    assert (os.environ["A"], os.environ["B"]) == ("named", "env")


def test_defaults_can_be_left_out(write: Write) -> None:
    write(".env", "A=env\n")
    assert load_dotenv(load_defaults=False) is False
    assert "A" not in os.environ


def test_no_file_is_no_failure(folder: Path) -> None:
    assert load_dotenv(folder / "absent", load_defaults=False) is False


def test_without_python_dotenv_a_file_is_pointed_out(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = write(".env", "A=env\n")
    monkeypatch.setitem(sys.modules, "dotenv", None)
    assert load_dotenv() is False
    assert "run 'pip install python-dotenv'" in capsys.readouterr().err
    with pytest.raises(click.BadParameter, match="without python-dotenv"):
        load_dotenv(named)


def test_the_command_reads_the_application_from_a_file(write: Write) -> None:
    write("shop.py", SHOW)
    write(".env", "QUART_APP=shop\nA=1\n")
    assert CliRunner().invoke(cli, ["show"]).output == "1 None None\n"


@pytest.mark.parametrize(
    "order", [["-A", "shop", "-e", "my"], ["-e", "my", "-A", "shop"]]
)
def test_the_order_of_the_options_does_not_matter(
    write: Write, order: list[str]
) -> None:
    write("shop.py", SHOW)
    write("my", "A=named\n")
    write(".env", "A=env\nB=env\n")
    assert CliRunner().invoke(cli, [*order, "show"]).output == "named env None\n"


def test_a_variable_names_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("app.py", SHOW)
    write("my", "A=named\nQUART_APP=app\n")
    monkeypatch.setenv("QUART_ENV_FILE", "my")
    assert CliRunner().invoke(cli, ["show"]).output == "named None None\n"


@pytest.mark.parametrize(
    ("value", "expected"), [("1", "None"), ("yes", "None"), ("0", "env"), ("no", "env")]
)
def test_the_defaults_are_skipped_when_the_variable_says_so(
    write: Write, monkeypatch: pytest.MonkeyPatch, value: str, expected: str
) -> None:
    write("app.py", SHOW)
    write(".env", "A=env\n")
    monkeypatch.setenv("QUART_SKIP_DOTENV", value)
    result = CliRunner().invoke(cli, ["show"])
    assert result.output == f"{expected} None None\n"


def test_a_file_that_is_not_there_is_an_error(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["-e", "absent", "routes"])
    assert result.exit_code == 2
    assert "absent" in result.output
