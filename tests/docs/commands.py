"""The commands of the documentation: run, or parsed by the program they name."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from pages import ROOT
from quart_cli.cli import cli
from quart_server.config import Config

SECONDS = 60
# Commands that serve until they are stopped.
SERVING = frozenset({"dev", "serve", "run", "shell"})


# The console script, wherever it is installed.
_MAIN = "import sys; sys.argv[0] = 'quart'; from quart_cli.cli import main; main()"
QUART = (sys.executable, "-c", _MAIN)


def split(text: str, line: int) -> Iterator[tuple[str, str | None, int]]:
    """Yield the commands of a block: command, what it shows, number of its line."""
    current: list[str] | None = None
    start = line
    output: list[str] = []
    for number, each in enumerate(text.split("\n"), line):
        if each.startswith("$ "):
            if current is not None:
                yield _command(current, output, start)
            current, output, start = [each[2:]], [], number
        elif current is not None and current[-1].endswith("\\"):
            current.append(each)
        else:
            output.append(each)
    if current is not None:
        yield _command(current, output, start)


def _command(
    lines: list[str], output: list[str], line: int
) -> tuple[str, str | None, int]:
    command = " ".join(each.removesuffix("\\").strip() for each in lines)
    command = re.sub(r"\s+# .*$", "", command)
    shown = "\n".join(output).strip("\n")
    return command, shown or None, line


def run(command: str, folder: Path, where: str) -> str | None:
    """Run a command; return what it shows, None for one that is only parsed."""
    shown: str | None = None
    for part in command.split(" && "):
        printed = _run_part(part, folder, where)
        shown = shown if printed is None else (shown or "") + printed
    return shown


def _run_part(command: str, folder: Path, where: str) -> str | None:
    words = shlex.split(command)
    variables: dict[str, str] = {}
    while re.match(r"[A-Z_]+=", words[0]):
        name, _, variables[name] = words.pop(0).partition("=")
    if words[:2] == ["uv", "run"]:
        words = words[2:]
    if words[:3] == ["python", "-m", "pip"]:
        words = words[2:]
    if words[:2] in (["pip", "install"], ["uv", "add"]):
        for requirement in words[2:]:
            check_requirement(requirement, where)
        return None
    if words[0] in {"cd", "mkdir"}:
        return None
    if words[0] == "quart":
        return _run_quart(words[1:], variables, folder, where)
    if words[:3] == ["python", "-m", "quart_server"]:
        _check_server_options(words[3:], where)
        return None
    if words[:3] == ["python", "-m", "pytest"] or words[0] == "pytest":
        rest = words[words.index("pytest") + 1 :]
        return _pytest(rest, folder)
    if words[0] == "python":
        return _process([sys.executable, *words[1:]], folder, variables)
    raise AssertionError(f"{where}: the tests do not know how to run {command!r}")


def _run_quart(
    words: list[str], variables: dict[str, str], folder: Path, where: str
) -> str | None:
    name = next((word for word in words if word in cli.commands), None)
    if name is not None and "--help" not in words:
        index = words.index(name)
        command = cli.commands[name]
        for word in words:
            if word.endswith(".pem"):
                (folder / word).touch()
        # Raises click.UsageError for what the command does not know.
        context = command.make_context(
            name, [*words[index + 1 :]], resilient_parsing=False
        )
        context.close()
    if name is not None and "--help" in words:
        return help_of(name)
    if name in SERVING:
        return None
    return _process([*QUART, *words], folder, variables)


def help_of(name: str) -> str:
    """Return what a command says of itself, as terminals of 80 columns show it."""
    result = CliRunner().invoke(
        cli, [name, "--help"], prog_name="quart", terminal_width=78
    )
    assert result.exit_code == 0, result.output
    return result.output


def _check_server_options(words: list[str], where: str) -> None:
    from quart_server.command import _make_parser

    _, unknown = _make_parser().parse_known_args(words)
    assert not unknown, f"{where}: quart_server knows no {unknown}"


def _pytest(words: list[str], folder: Path) -> str:
    # Nothing but our own plugin, which is all that pages ask for.
    command = [sys.executable, "-m", "pytest", "-p", "quart_testing.pytest_plugin"]
    variables = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return _process([*command, "-p", "no:cacheprovider", *words], folder, variables)


def _process(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("QUART_", "PYTEST_"))
    }
    result = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "COLUMNS": "80", **variables},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return result.stdout + result.stderr


def check_requirement(requirement: str, where: str) -> None:
    """Raise unless a requirement is a package of ours with its extras, or pinned."""
    match = re.fullmatch(r"([\w.-]+)(?:\[([\w,-]+)\])?", requirement)
    assert match, f"{where}: {requirement!r} is no requirement"
    name, extras = match[1], match[2]
    project = ROOT / "packages" / name / "pyproject.toml"
    if not project.exists():
        pins = tomllib.loads((ROOT / "pyproject.toml").read_text())
        pinned = [
            each.partition("==")[0]
            for each in pins["tool"]["uv"]["constraint-dependencies"]
        ]
        assert name in {*pinned, "uv"}, f"{where}: {name!r} is not known here"
        return
    declared = tomllib.loads(project.read_text())["project"]
    known = declared.get("optional-dependencies", {})
    for extra in (extras or "").split(","):
        assert not extra or extra in known, f"{where}: {name} has no extra {extra!r}"


def check_toml(document: dict[str, Any], file: str | None) -> None:
    """Raise where a document has settings of the server that it does not know."""
    table = document.get("quart-server") or document.get("tool", {}).get("quart-server")
    if table is None and file == "server.toml":
        table = document
    if table is not None:
        Config.from_mapping({key.replace("-", "_"): table[key] for key in table})
