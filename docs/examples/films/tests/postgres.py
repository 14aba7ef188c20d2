"""A PostgreSQL of its own for tests: in a new folder, on a socket in it, on no port."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

WAIT_SECONDS = 30.0
USER = "postgres"


def find_programs() -> Path | None:
    """Return the folder with initdb and postgres, or None."""
    # Debian has them outside of PATH, by version.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    initdb = shutil.which("initdb")
    if initdb is not None:
        folders.insert(0, Path(initdb).parent)
    return next((path for path in folders if (path / "postgres").exists()), None)


@contextlib.contextmanager
def running(programs: Path) -> Iterator[str]:
    """Start a server, give its DSN, and remove it with all its data."""
    folder = Path(tempfile.mkdtemp(prefix="films-"))
    # PostgreSQL does not run as root.
    user = USER if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    try:
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", USER, "-A", "trust"]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--no-sync"],
            user=user,
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=WAIT_SECONDS,
        )
        postgres = [programs / "postgres", "-D", data, "-k", folder]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*postgres, "-c", "listen_addresses=", "-c", "fsync=off"],
                user=user,
                cwd=folder,
                stderr=log,
            )
        try:
            _wait_until_ready(process, folder)
            yield f"postgresql:///postgres?host={folder}&user={USER}"
        finally:
            # Fast shutdown: connections are closed.
            process.send_signal(signal.SIGINT)
            process.wait(WAIT_SECONDS)
    finally:
        shutil.rmtree(folder)


def _wait_until_ready(process: subprocess.Popen[bytes], folder: Path) -> None:
    log = folder / "log"
    deadline = time.monotonic() + WAIT_SECONDS
    while b"ready to accept connections" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"PostgreSQL did not start:\n{log.read_text()}")
        time.sleep(0.02)
