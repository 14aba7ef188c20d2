"""The command of the full install."""

import subprocess
import sys
from pathlib import Path

import quart.cli
from quart.__main__ import main


def test_python_m_quart_is_the_command(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "quart", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: python -m quart [OPTIONS] COMMAND")
    assert result.stderr == ""


def test_the_console_script_is_the_commands_main() -> None:
    assert main is quart.cli.main
