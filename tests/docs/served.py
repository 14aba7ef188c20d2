"""Processes that serve the deployment samples, on free ports of this machine."""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pages import ROOT

SAMPLES = ROOT / "docs" / "deploying"
WAIT_SECONDS = 30.0


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    """Return the environment for a process, without settings of this one."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("QUART_", "LISTEN_"))
    }


@contextlib.contextmanager
def process(
    command: list[str], folder: Path = SAMPLES, **options: object
) -> Iterator[subprocess.Popen[str]]:
    """Run a process; end it afterwards, by its id."""
    child = subprocess.Popen(  # type: ignore[call-overload]
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **{"env": environment(), **options},
    )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(WAIT_SECONDS)
        finally:
            child.kill()
            child.stdout.close()


def wait_for_line(child: subprocess.Popen[str], pattern: str) -> str:
    """Return what a process has printed up to a line with the pattern."""
    assert child.stdout is not None
    deadline = time.monotonic() + WAIT_SECONDS
    printed = ""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([child.stdout], [], [], 0.2)
        if ready:
            line = child.stdout.readline()
            printed += line
            if re.search(pattern, line):
                return printed
            if not line:
                break
    raise AssertionError(f"no line with {pattern!r} in:\n{printed}")


@contextlib.contextmanager
def server(*options: str) -> Iterator[int]:
    """Serve the sample application; yield the port."""
    port = free_port()
    command = [sys.executable, "-m", "quart_server", "app:app"]
    command += ["--bind", f"127.0.0.1:{port}", *options]
    with process(command) as child:
        wait_for_line(child, "Serving on")
        yield port


def wait_for_port(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
