"""Folders with applications, and the command as a process."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

SECONDS = 40.0


class Process:
    """The command, running. Every wait is bounded."""

    def __init__(self, folder: Path, *args: str, **variables: str) -> None:
        # Not the last: each of many processes would compile everything anew.
        names = ("QUART_", "FLASK_", "PYTEST_", "COV_", "PYTHONDONTWRITEBYTECODE")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(names)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "quart_cli", *args],
            cwd=folder,
            env={**environment, "PYTHONUNBUFFERED": "1", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))

    def line_with(self, text: str) -> str:
        """Return the next line that contains a text."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                line = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                output = "\n".join(self.lines)
                raise AssertionError(f"no line with {text!r} in:\n{output}") from None
            self.lines.append(line)
            if text in line:
                return line

    def url(self) -> str:
        """Return the URL that it prints."""
        line = self.line_with("http")
        return "http" + line.partition("http")[2].split(" ")[0]

    def wait(self) -> int:
        status = self.process.wait(SECONDS)
        self._thread.join(SECONDS)
        while not self._queue.empty():
            self.lines.append(self._queue.get())
        return status

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(SECONDS)
        self._thread.join(SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that is the current one; what is imported there is forgotten."""
    for name in tuple(os.environ):
        if name.startswith("QUART_"):
            monkeypatch.delenv(name)
    environment = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]
    os.environ.clear()
    os.environ.update(environment)


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], Path]:
    """Write a file into the folder, with the indentation taken off."""

    def write_file(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    return write_file


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Process]]:
    """Start the command in the folder; it is ended after the test."""
    processes: list[Process] = []

    def start_process(*args: str, **variables: str) -> Process:
        process = Process(folder, *args, **variables)
        processes.append(process)
        return process

    yield start_process
    for process in processes:
        process.close()
