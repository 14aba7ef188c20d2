"""The parent of the workers: signals, control lines and child processes.

It binds nothing and imports no application code; `fleet` decides, this module sees to
it. One thread, no event loop: `select` on the control lines and on the signals.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import socket
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from .control import IDLE_SECONDS
from .fleet import Fleet, State
from .launch import Setup, WorkerProcess, describe_exit, launch

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from .control import ControlMessage

__all__ = ["Supervisor"]

_log = logging.getLogger("quart_server.error")

_STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class Supervisor:
    """Runs the workers of one server until it is told to stop.

    SIGTERM and SIGINT drain, the second one ends at once; SIGHUP reloads.
    """

    def __init__(
        self, setup: Setup, *, on_ready: Callable[[], None] | None = None
    ) -> None:
        self._setup = setup
        self._on_ready = on_ready
        self._fleet = Fleet(setup.config, self)
        self._workers: dict[int, WorkerProcess] = {}
        self._selector = selectors.DefaultSelector()
        self._signals: list[int] = []

    def run(self) -> int:
        """Serve until the last worker is gone; return the exit code.

        Must be called from the main thread.
        """
        with ExitStack() as stack:
            stack.callback(self._selector.close)
            stack.enter_context(self._watch_signals())
            self._fleet.tick(time.monotonic())
            while not self._fleet.is_over:
                self._turn()
        return self._fleet.exit_code

    # Hands of the fleet

    def start(self, slot: int) -> int:
        """Start a worker process and return its id."""
        worker = launch(self._setup)
        self._workers[worker.pid] = worker
        self._selector.register(worker.channel, selectors.EVENT_READ, worker)
        _log.debug("Started worker %d in slot %d", worker.pid, slot)
        return worker.pid

    def drain(self, pid: int) -> None:
        """Tell a worker to stop accepting and end after its requests in flight."""
        # While successors serve there is time: idle connections are kept as long as
        # ever, so that no close crosses a request that is on its way.
        config = self._setup.config
        is_end = self._fleet.is_stopping
        seconds = IDLE_SECONDS if is_end else config.keep_alive_timeout
        self._workers[pid].channel.send("drain", idle_seconds=seconds)

    def kill(self, pid: int) -> None:
        """End a worker at once."""
        self._workers[pid].kill()

    # Private

    def _turn(self) -> None:
        """Wait for something to happen, act on it."""
        timeout = self._fleet.seconds_until_due(time.monotonic())
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, WorkerProcess):
                self._listen(key.data)
            else:
                _empty(key.data)
        self._reap()
        while self._signals:
            self._obey(self._signals.pop(0))
        self._fleet.tick(time.monotonic())

    def _listen(self, worker: WorkerProcess) -> None:
        for message in worker.channel.receive():
            self._hear(worker.pid, message)
        if worker.channel.is_closed:
            # Its end is reported by the system; silence is noticed by the heartbeat.
            self._unregister(worker)

    def _hear(self, pid: int, message: ControlMessage) -> None:
        now = time.monotonic()
        match message["kind"]:
            case "beat":
                self._fleet.beat(pid, now)
            case "ready":
                self._welcome(pid, now)
            case "outdated":
                self._fleet.outdated(pid)
            case "draining":
                self._fleet.draining(pid, now)
            case "failed":
                self._fleet.failed(pid, message["reason"])
            case kind:
                _log.warning("Worker %d sent an unknown message %r", pid, kind)

    def _welcome(self, pid: int, now: float) -> None:
        _log.info("Worker %d is ready", pid)
        self._fleet.ready(pid, now)
        if self._fleet.is_ready and self._on_ready is not None:
            on_ready, self._on_ready = self._on_ready, None
            on_ready()

    # Signals

    def _watch_signals(self) -> ExitStack:
        """Collect signals, and wake the selector when one arrives."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._selector.register(ours, selectors.EVENT_READ, ours)
        undo = ExitStack()
        undo.callback(ours.close)
        undo.callback(theirs.close)
        previous = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        undo.callback(signal.set_wakeup_fd, previous)
        for number in (*_STOP_SIGNALS, signal.SIGHUP, signal.SIGCHLD):
            undo.callback(signal.signal, number, signal.getsignal(number))
            signal.signal(number, self._note_signal)
        return undo

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP and not self._fleet.is_stopping:
            _log.info("Reloading")
            self._fleet.reload()
            self._renew_certificates()
        elif number in _STOP_SIGNALS:
            self._stop(signal.Signals(number))

    def _renew_certificates(self) -> None:
        """Let old workers use new certificates already, importing may take its time."""
        for pid, member in self._fleet.members.items():
            if member.state is State.READY and self._setup.config.ssl_enabled:
                self._workers[pid].channel.send("renew")

    def _stop(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if self._fleet.is_stopping:
            _log.warning("%s again, ending at once", number.name)
            self._fleet.force(128 + number, now)
            return
        # Nobody will accept any more: with our hold gone as well, new connections
        # are refused, where they would wait for nothing otherwise.
        for listener in self._setup.listeners:
            listener.remove()
        seconds = self._setup.config.graceful_timeout
        _log.info("%s, stopping within %g s", number.name, seconds)
        self._fleet.stop(now)

    # Children

    def _reap(self) -> None:
        """Collect ended processes; PID 1 also has those that others left behind."""
        if os.getpid() != 1:
            for pid in tuple(self._workers):
                self._reap_one(pid)
            return
        while self._reap_one(-1):
            pass

    def _reap_one(self, which: int) -> bool:
        try:
            pid, status = os.waitpid(which, os.WNOHANG)
        except ChildProcessError:
            return False
        if pid == 0:
            return False
        worker = self._workers.pop(pid, None)
        if worker is not None:
            self._bury(worker, status)
        return True

    def _bury(self, worker: WorkerProcess, status: int) -> None:
        for message in worker.channel.receive_rest():
            self._hear(worker.pid, message)
        self._unregister(worker)
        worker.forget(status)
        self._fleet.exited(worker.pid, describe_exit(status), time.monotonic())

    def _unregister(self, worker: WorkerProcess) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(worker.channel)


def _empty(sock: socket.socket) -> None:
    with suppress(BlockingIOError):
        while sock.recv(4096):
            pass
