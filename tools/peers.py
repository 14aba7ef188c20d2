"""Environments of other people's frameworks and servers, for tests and benchmarks.

    python tools/peers.py                # make those that tests need
    python tools/peers.py uvicorn        # or one, and print its interpreter

None of them is in the workspace's own environment: what they need must not decide what
we get. They are made by uv in `tools/bench/.envs`, with our packages installed
editable, and made anew when what stands here has changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "bench" / ".envs"
TIMEOUT_SECONDS = 600

OUR_SERVER = ("quart-server",)
OUR_FRAMEWORK = tuple(sorted(path.name for path in (ROOT / "packages").iterdir()))

# Name of the environment: what it holds, and which of our packages.
PEERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "starlette": (("starlette==1.10.0", "python-multipart==0.0.34"), OUR_SERVER),
    "fastapi": (("fastapi==0.165.0", "python-multipart==0.0.34"), OUR_SERVER),
    "django": (("django==5.2.19",), OUR_SERVER),
    "uvicorn": (
        (
            "uvicorn==0.54.0",
            "httptools==0.9.0",
            "uvloop==0.23.0",
            "websockets==17.4",
            "wsproto==1.3.2",
        ),
        OUR_FRAMEWORK,
    ),
    "hypercorn": (("hypercorn==0.18.0",), OUR_FRAMEWORK),
    "granian": (("granian==2.8.7",), OUR_FRAMEWORK),
    "daphne": (("daphne==4.2.3",), OUR_FRAMEWORK),
    # For tools/bench/compare.py.
    "ours": (("httptools==0.9.0", "uvloop==0.23.0", "asyncpg==0.32.0"), OUR_FRAMEWORK),
    "upstream": (
        (
            "quart==0.22.0",
            "hypercorn==0.18.0",
            "uvicorn==0.54.0",
            "httptools==0.9.0",
            "uvloop==0.23.0",
            "websockets==17.4",
            "asyncpg==0.32.0",
        ),
        (),
    ),
    "frameworks": (
        (
            "aiohttp==3.14.5",
            "asyncpg==0.32.0",
            "blacksheep==2.6.4",
            "falcon==4.4.0",
            "fastapi==0.165.0",
            "flask==3.1.3",
            "granian==2.8.7",
            "gunicorn==27.0.1",
            "httptools==0.9.0",
            "itsdangerous==2.2.0",
            "jinja2==3.1.6",
            "litestar==2.25.0",
            "psycopg2-binary==2.9.13",
            "python-multipart==0.0.34",
            "starlette==1.10.0",
            "uvicorn==0.54.0",
            "uvloop==0.23.0",
            "websockets==17.4",
        ),
        (),
    ),
    # Its own: it wants another multidict than aiohttp.
    "sanic": (("jinja2==3.1.6", "sanic==25.12.1", "uvloop==0.23.0"), ()),
}
# Made by `tools/peers.py` without arguments; the rest are for benchmarks.
FOR_TESTS = (
    "starlette",
    "fastapi",
    "django",
    "uvicorn",
    "hypercorn",
    "granian",
    "daphne",
)


class PeerUnavailableError(Exception):
    """An environment cannot be made here: no uv, or no package registry."""


def environment(name: str) -> Path:
    """Return the interpreter of an environment, which is made if it is not there.

    Raises:
        PeerUnavailableError: uv is missing or the packages cannot be had.
    """
    return environment_of(name, *PEERS[name])


def environment_of(
    name: str,
    packages: tuple[str, ...],
    ours: tuple[str, ...],
    alone: tuple[str, ...] = (),
) -> Path:
    """Return the interpreter of an environment that holds this.

    Args:
        name: What it is called.
        packages: Requirements.
        ours: Our packages, installed editable.
        alone: Requirements whose own requirements are not looked at.

    Raises:
        PeerUnavailableError: uv is missing or the packages cannot be had.
    """
    folder = FOLDER / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    recipe = json.dumps([packages, ours, sys.executable, *alone])
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_name(f"{folder.name}.lock")):
        stamp = folder / "recipe.json"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != recipe:
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, packages, ours)
            if alone:
                _install(folder, "--no-deps", *alone)
            stamp.write_text(recipe, encoding="utf-8")
    return _interpreter(folder)


def _make(folder: Path, packages: tuple[str, ...], ours: tuple[str, ...]) -> None:
    _call(_uv(), "venv", "-q", "--python", sys.executable, str(folder))
    editable = [part for name in ours for part in ("-e", str(ROOT / "packages" / name))]
    _install(folder, *packages, *editable)


def _install(folder: Path, *requirements: str) -> None:
    python = str(_interpreter(folder))
    _call(_uv(), "pip", "install", "-q", "--python", python, *requirements)


def _uv() -> str:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise PeerUnavailableError("uv is not installed: run 'pip install uv'")
    return uv


def _call(*command: str) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(
        command,
        # Outside the workspace, whose settings are not theirs.
        cwd=tempfile.gettempdir(),
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise PeerUnavailableError(f"{' '.join(command)} failed:\n{done.stderr}")


def _interpreter(folder: Path) -> Path:
    if os.name == "nt":
        return folder / "Scripts" / "python.exe"
    return folder / "bin" / "python"


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one process at a time make an environment (tests run in several)."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        yield
        return
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(names: list[str]) -> int:
    """Make the environments named, or those of tests, and print their interpreters."""
    for name in names or FOR_TESTS:
        if name not in PEERS:
            sys.exit(f"no environment {name!r}; there are: {', '.join(PEERS)}")
        print(name, environment(name))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PeerUnavailableError as error:
        sys.exit(str(error))
