"""The commands of a newcomer, as processes in a folder."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

SECONDS = 30.0
# The last would let each of many processes compile everything anew.
_OURS = ("QUART_", "FLASK_", "PYTEST_", "COV_", "PYTHONDONTWRITEBYTECODE")


def environment(**variables: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    return {**kept, "PYTHONUNBUFFERED": "1", **variables}


def quart(*args: str) -> list[str]:
    return [sys.executable, "-m", "quart", *args]


def run(folder: Path, command: list[str], text: str = "") -> str:
    """Run a command to its end and return what it printed."""
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


class Running:
    """A command that serves; ended with an interrupt. Every wait is bounded."""

    def __init__(self, folder: Path, command: list[str], **variables: str) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def line_with(self, text: str) -> str:
        """Return the next line that has a text in it."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                line = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"no line with {text!r} in:\n" + "\n".join(self.lines)
                ) from None
            self.lines.append(line)
            if text in line:
                return line

    def url(self) -> str:
        line = self.line_with("http://")
        return "http://" + line.partition("http://")[2].split()[0]

    def stop(self) -> list[str]:
        """Interrupt it and return all lines."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(SECONDS)
            raise
        self._thread.join(SECONDS)
        while not self._queue.empty():
            self.lines.append(self._queue.get())
        return self.lines

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))


def get(url: str, accept: str = "text/plain") -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def get_until(url: str, wanted: str) -> str:
    """Ask until an answer has a text in it, and return that."""
    deadline = time.monotonic() + SECONDS
    while wanted not in (text := get(url)[1]):
        assert time.monotonic() < deadline, text
    return text
