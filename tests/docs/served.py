"""Processes that serve the deployment samples, on free ports of this machine."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


class Process:
    """A program that runs beside the test.

    Attributes:
        child: The process.
        output: The file of what it prints.
    """

    def __init__(self, child: subprocess.Popen[bytes], output: Path) -> None:
        self.child = child
        self.output = output

    def wait_for(self, pattern: str) -> str:
        """Return what the program has printed once a line has the pattern."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            ended = self.child.poll() is not None
            printed = self.output.read_text()
            if re.search(pattern, printed):
                return printed
            if ended:
                break
            time.sleep(0.02)
        raise AssertionError(f"no line with {pattern!r} in:\n{self.output.read_text()}")


@contextlib.contextmanager
def process(
    command: list[str], folder: Path = SAMPLES, **options: Any
) -> Iterator[Process]:
    """Run a program; end it afterwards, by its id."""
    options.setdefault("env", environment())
    with tempfile.NamedTemporaryFile() as output:
        child = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, **options
        )
        try:
            yield Process(child, Path(output.name))
        finally:
            child.terminate()
            try:
                child.wait(WAIT_SECONDS)
            finally:
                child.kill()


@contextlib.contextmanager
def server(*options: str) -> Iterator[int]:
    """Serve the sample application; yield the port."""
    port = free_port()
    command = [sys.executable, "-m", "quart_server", "app:app"]
    command += ["--bind", f"127.0.0.1:{port}", *options]
    with process(command) as child:
        child.wait_for("Serving on")
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
