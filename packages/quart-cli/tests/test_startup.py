"""What a list of commands costs."""

import os
import subprocess
import sys
from pathlib import Path

HEAVY = ("asyncio", "quart_core", "werkzeug", "jinja2", "ssl", "quart_server")


def test_help_imports_nothing_heavy_and_no_application(folder: Path) -> None:
    (folder / "app.py").write_text("raise RuntimeError('imported')")
    code = (
        "import sys\n"
        "from quart_cli.cli import cli\n"
        "try:\n    cli.main(['--help'])\n"
        "except SystemExit as error:\n    assert not error.code\n"
        f"assert not [name for name in {HEAVY} if name in sys.modules], 'heavy'\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage: ")
    assert result.stderr == ""


def test_help_in_an_empty_folder_is_quick_and_clean(folder: Path) -> None:
    command = [sys.executable, "-m", "quart_cli", "--help"]
    environment = {k: v for k, v in os.environ.items() if "BYTECODE" not in k}
    seconds = []
    for _ in range(4):
        before = times()
        result = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30,
            check=False,
        )  # fmt: skip
        seconds.append(times() - before)
        assert result.returncode == 0
        assert result.stderr == ""
        assert "None found here. Looked for app.py" in " ".join(result.stdout.split())
    # Of the processor, as others use it too; it takes a tenth of this alone.
    assert min(seconds) < 1.0


def times() -> float:
    """Return the seconds of processor time that processes which ended have used."""
    spent = os.times()
    return spent.children_user + spent.children_system
