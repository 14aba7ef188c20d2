"""Servers for the tests here: on sockets in folders of their own, ended with them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

WAIT_SECONDS = 30.0
POSTGRES = Path(__file__).parents[2] / "docs/examples/films/tests/postgres.py"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_postgres", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _missing(what: str) -> None:
    """Skip, or fail where everything must be there."""
    message = f"{what} is not installed here; on Debian: apt install {what}"
    if os.environ.get("QUART_PEERS") == "required":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """The DSN of a PostgreSQL server that is empty at first."""
    server = _load(POSTGRES)
    programs = server.find_programs()
    if programs is None:
        _missing("postgresql")
    with server.running(programs) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The URL of a Redis server that is empty at first."""
    program = shutil.which("redis-server")
    if program is None:
        _missing("redis-server")
    # Not pytest's folder: the path of a socket may have 108 bytes.
    folder = Path(tempfile.mkdtemp(prefix="redis-"))
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    path = folder / "socket"
    options = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
    process = subprocess.Popen(
        [program or "redis-server", *options], user=user, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not path.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("Redis did not start")
            time.sleep(0.02)
        yield f"unix://{path}"
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)
        shutil.rmtree(folder)
