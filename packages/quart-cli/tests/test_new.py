"""Starting projects: each has tests that pass."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner
from quart_cli.cli import cli

# Not announced by an installation that is older than the plugin.
PLUGIN = [] if "quart" in entry_points(group="pytest11").names else [
    "-p", "quart_testing.pytest_plugin",
]  # fmt: skip


def new(*args: str) -> list[str]:
    result = CliRunner().invoke(cli, ["new", *args])
    assert result.exit_code == 0, result.output
    lines: list[str] = result.output.splitlines()
    return lines


def test_six_files_and_the_next_step_are_listed(folder: Path) -> None:
    *files, step = new("hello")
    assert sorted(files) == [
        "hello/.gitignore",
        "hello/README.md",
        "hello/app.py",
        "hello/pyproject.toml",
        "hello/templates/index.html",
        "hello/tests/test_app.py",
    ]
    assert step == "next: cd hello && uv run quart dev"
    assert all((folder / name).is_file() for name in files)


@pytest.mark.parametrize("template", ["minimal", "site", "api", "chat"])
def test_the_tests_of_each_template_pass(folder: Path, template: str) -> None:
    pytest.importorskip("quart")
    new("project", "-t", template)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *PLUGIN,
         "-o", "asyncio_default_fixture_loop_scope=function"],
        cwd=folder / "project",
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout


def test_a_folder_with_files_is_left_alone(folder: Path) -> None:
    (folder / "full").mkdir()
    (folder / "full" / "mine.txt").write_text("mine")
    (folder / "full-2").mkdir()
    result = CliRunner().invoke(cli, ["new", "full"])
    assert result.exit_code == 1
    assert result.output == (
        "Error: full is not empty: name a new folder, such as full-3\n"
    )
    assert [path.name for path in (folder / "full").iterdir()] == ["mine.txt"]


def test_the_current_folder_can_be_the_project(folder: Path) -> None:
    assert new(".")[-1] == "next: uv run quart dev"
    assert (folder / "app.py").is_file()


def test_names_are_made_fit_for_packaging(folder: Path) -> None:
    new("My Shop!")
    assert 'name = "my-shop"' in (folder / "My Shop!" / "pyproject.toml").read_text()


def test_secrets_differ_and_are_kept_out_of_git(folder: Path) -> None:
    new("a", "-t", "site")
    new("b", "-t", "site")
    secrets = {(folder / name / ".env").read_text() for name in "ab"}
    assert len(secrets) == 2
    assert ".env" in (folder / "a" / ".gitignore").read_text().splitlines()
