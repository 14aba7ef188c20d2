"""Run every check that needs no test: format, lint, imports, types, hygiene.

    uv run tools/check.py            # all of them
    uv run tools/check.py types      # those whose name contains a word

Exits with 1 if one fails; prints the output of those that do.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [str(path) for path in sorted(ROOT.glob("packages/*/src"))]
TIMEOUT_SECONDS = 900

# What no file of the project may hold: a package index's host, a home directory.
FORBIDDEN = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org"
    r"|/root/\.|/home/[a-z]+/|/work/(?:main|shared)|pyenv"
)
# Where the rule itself is written down.
ALLOWED_IN = {"tools/check.py"}

COMMANDS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "imports": ["lint-imports"],
    "types (mypy)": ["mypy", *SOURCES],
    "types of users (mypy)": [
        "mypy",
        "tests/typing/core_only.py",
        "tests/typing/full.py",
    ],
    "types (pyright)": ["pyright"],
}


def run(command: list[str]) -> tuple[bool, str]:
    """Run a tool of this environment; return whether it passed, and its output."""
    tool = shutil.which(command[0], path=str(Path(sys.executable).parent))
    if tool is None:
        return False, f"{command[0]} is not installed here: run 'uv sync' first"
    result = subprocess.run(
        [tool, *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    return result.returncode == 0, result.stdout + result.stderr


def tracked_files() -> list[str]:
    """Return the files that git tracks."""
    result = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in result.stdout.split("\0") if name]


def hygiene() -> tuple[bool, str]:
    """Look for machine paths and index hosts, and for packages without a file."""
    problems = []
    for name in tracked_files():
        path = ROOT / name
        if name in ALLOWED_IN or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        problems += [
            f"{name}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.split("\n"), 1)
            if FORBIDDEN.search(line)
        ]
    for package in sorted((ROOT / "packages").iterdir()):
        for needed in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
            if not (package / needed).is_file():
                problems.append(f"{package.name} has no {needed}")
        if not list(package.glob("src/*/py.typed")):
            problems.append(f"{package.name} has no py.typed")
        if not list(package.glob("tests/test_*.py")):
            problems.append(f"{package.name} has no tests")
    return not problems, "\n".join(problems)


def main(words: list[str]) -> int:
    """Run the checks whose name contains one of the words."""
    failed = []
    checks = [*COMMANDS, "hygiene"]
    for name in checks:
        if words and not any(word in name for word in words):
            continue
        start = time.monotonic()
        passed, output = hygiene() if name == "hygiene" else run(COMMANDS[name])
        seconds = time.monotonic() - start
        print(
            f"{'ok  ' if passed else 'FAIL'}  {name:<24} {seconds:5.1f} s", flush=True
        )
        if not passed:
            failed.append(name)
            print(output.rstrip(), flush=True)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
