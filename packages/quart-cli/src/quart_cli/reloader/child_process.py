"""A child as the supervisor sees it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from .channel import Channel, Message
from .handover import Handover
from .variable import CHILD_VARIABLE

__all__ = ("ChildProcess", "command_line")

KILL_SECONDS: Final = 5.0
"""A process that was killed is gone within this time."""


class ChildProcess:
    """A process that serves, or stands by.

    Args:
        handover: What it gets, without the channel.
        on_message: Called from a thread with what it tells.
        on_exit: Called from a thread with its exit status, negative for a signal.
    """

    def __init__(
        self,
        handover: Handover,
        on_message: Callable[[ChildProcess, Message], None],
        on_exit: Callable[[ChildProcess, int], None],
    ) -> None:
        self.is_stopping = False
        self.is_ready = False
        self.failure = handover.failure
        self._on_message = on_message
        self._on_exit = on_exit
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            self._process = _start(replace(handover, channel=theirs.fileno()), theirs)
        self._thread = threading.Thread(
            target=self._listen, name="quart-reload-child", daemon=True
        )
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def go(self) -> None:
        """Let a process that stands by serve."""
        self._channel.send("go")

    def stop(self) -> None:
        """Tell it to end, after the requests in flight."""
        self.is_stopping = True
        self._channel.send("stop")

    def kill(self) -> None:
        """End it at once, and wait until it is gone."""
        self.is_stopping = True
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_SECONDS)
        self._channel.close()

    def _listen(self) -> None:
        for message in self._channel.messages():
            self._on_message(self, message)
        self._on_exit(self, self._process.wait())


def command_line() -> list[str]:
    """Return the command that started this program, with the interpreter's options."""
    return [sys.executable, *sys.orig_argv[1:]]


def _start(handover: Handover, channel: socket.socket) -> subprocess.Popen[bytes]:
    environment = {**os.environ, CHILD_VARIABLE: handover.to_text()}
    inherited: Sequence[int] = (channel.fileno(), *handover.listeners)
    if sys.platform == "win32":
        # There descriptors cannot be chosen: all that are inheritable are inherited.
        for number in inherited:
            os.set_handle_inheritable(number, True)
        return subprocess.Popen(command_line(), env=environment, close_fds=False)  # noqa: S603 - our own
    return subprocess.Popen(command_line(), env=environment, pass_fds=inherited)  # noqa: S603 - our own
