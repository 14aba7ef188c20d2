"""What a list of commands costs."""

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
