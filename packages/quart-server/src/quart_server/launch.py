"""Starting worker processes.

A worker is a fresh interpreter, not a fork: it shares nothing with the supervisor but
the listening sockets and one end of the control line, both handed down as descriptors.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from .binds import Listener
from .config import Config
from .control import Channel, ControlMessage, channel_pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Setup", "WorkerProcess", "describe_exit", "launch"]

# A worker starts with these blocked and lets them in once it can handle them, so that
# Ctrl+C while it starts ends in no traceback.
HELD_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker needs to know: the app by name, settings, inherited sockets."""

    target: str
    config: Config
    listeners: Sequence[Listener]
    factory: bool = False
    app_dir: str = "."

    def to_message(self) -> dict[str, object]:
        """Return it as a message's values."""
        return {
            "target": self.target,
            "factory": self.factory,
            "app_dir": self.app_dir,
            "config": self.config.to_mapping(),
            "listeners": [[item.sock.fileno(), item.tls] for item in self.listeners],
            "import_path": sys.path,
        }

    @classmethod
    def from_message(cls, message: ControlMessage) -> Self:
        """Return what the supervisor sent."""
        return cls(
            target=message["target"],
            factory=message["factory"],
            app_dir=message["app_dir"],
            config=Config.from_mapping(message["config"]),
            listeners=[
                Listener.from_descriptor(number, tls=tls)
                for number, tls in message["listeners"]
            ],
        )


@dataclass(frozen=True, slots=True)
class WorkerProcess:
    """A worker, seen from the supervisor."""

    process: subprocess.Popen[bytes]
    channel: Channel

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def kill(self) -> None:
        """End it at once; it is not reaped yet, so the id is still its own."""
        os.kill(self.pid, signal.SIGKILL)

    def forget(self, status: int) -> None:
        """Take note that it was reaped, with the status that waitpid() gave."""
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.channel.close()


def launch(setup: Setup) -> WorkerProcess:
    """Start a worker.

    Raises:
        OSError: The system starts no more processes.
    """
    ours, theirs = channel_pair()
    inherited = [item.sock.fileno() for item in setup.listeners]
    command = [*_interpreter(), "-m", "quart_server.worker_process"]
    try:
        with theirs, _held_signals():
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno(), *inherited],
            )
    except OSError:
        ours.close()
        raise
    ours.send("setup", **setup.to_message())
    return WorkerProcess(process, ours)


def describe_exit(status: int) -> str:
    """Return how a process ended, as a phrase, from the status of waitpid()."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exited with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _interpreter() -> list[str]:
    """Return the command of this interpreter, with the options that it was given."""
    options = [f"-W{text}" for text in sys.warnoptions]
    for name, value in sys._xoptions.items():
        options.append(f"-X{name}" if value is True else f"-X{name}={value}")
    if sys.flags.optimize:
        options.append("-" + "O" * sys.flags.optimize)
    if sys.flags.dont_write_bytecode:
        options.append("-B")
    return [sys.executable, *options]


@contextmanager
def _held_signals() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
