"""A PostgreSQL of its own with a thousand films, for the time of a block."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE film (
    id integer PRIMARY KEY, title text NOT NULL, year integer NOT NULL,
    length integer NOT NULL, rating real NOT NULL
);
CREATE TABLE review (
    id bigserial PRIMARY KEY, film_id integer NOT NULL REFERENCES film,
    rating integer NOT NULL
);
INSERT INTO film
SELECT n, 'Film ' || n, 1950 + n % 75, 60 + n % 120, (n % 50) / 10.0
FROM generate_series(1, 1000) AS n;
"""
START_SECONDS = 20.0
STOP_SECONDS = 10.0
# PostgreSQL refuses to run as root; Debian's package makes this user.
UNPRIVILEGED_USER = "postgres"
# Arguments of Popen.
Owner = dict[str, Any]


@contextlib.contextmanager
def films_database() -> Iterator[str]:
    """Start PostgreSQL on a loopback port; yield the URL of the database.

    Raises:
        RuntimeError: PostgreSQL is not installed or does not start.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        raise RuntimeError(
            "PostgreSQL is not installed: run 'apt-get install postgresql'"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        owner: Owner = {}
        if os.geteuid() == 0:
            shutil.chown(folder, UNPRIVILEGED_USER)
            owner = {"user": UNPRIVILEGED_USER, "extra_groups": []}
        yield from _serve(programs[-1], folder, owner)


def _serve(programs: Path, folder: Path, owner: Owner) -> Iterator[str]:
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "films", "-A", "trust"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner,
    )  # fmt: skip
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    settings = [
        *("-h", "127.0.0.1", "-p", str(port), "-k", str(folder)),
        *("-c", "fsync=off", "-c", "log_min_messages=fatal"),
    ]
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, *settings], cwd=folder, **owner
    )
    url = f"postgresql://films@127.0.0.1:{port}/postgres"
    try:
        _fill(programs / "psql", url)
        yield url
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _fill(psql: Path, url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        done = subprocess.run(
            [psql, "-q", "-v", "ON_ERROR_STOP=1", url],
            input=SCHEMA, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL does not start: {done.stderr}")
        time.sleep(0.1)
