"""What the supervisor decides: which workers to start, drain, give up or kill.

No processes, sockets, signals or clocks in here: events and the time come in as calls,
orders go out through `Hands`. `supervisor` connects both to the system.

A worker's way (each slot of the fleet has one that serves, for a moment two)::

    STARTING --ready--> READY --replaced, recycled, reloaded, stop--> DRAINING
        |                 |                                               |
        +--- too late ----+--- no heartbeat ---> KILLED <--- too late ----+

It may exit at any point; where nobody asked for that, another one is started.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .config import Config

__all__ = ["EXIT_CRASH_LOOP", "Fleet", "Hands", "Member", "State"]

EXIT_CRASH_LOOP = 3

_log = logging.getLogger("quart_server.error")

_FIRST_BACKOFF_SECONDS = 0.25
_LONGEST_BACKOFF_SECONDS = 5.0
# A worker that dies sooner after it was ready counts as one that failed to start.
_HEALTHY_SECONDS = 1.0
# Workers end themselves after their timeouts; this much later they are killed.
_MARGIN_SECONDS = 2.0


class Hands(Protocol):
    """What the fleet can have done."""

    def start(self, slot: int) -> int:
        """Start a worker process and return its id."""
        ...

    def drain(self, pid: int) -> None:
        """Tell a worker to stop accepting and end after its requests in flight."""

    def kill(self, pid: int) -> None:
        """End a worker at once."""


class State(Enum):
    """Where a worker is on its way."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    KILLED = "killed"


@dataclass(slots=True)
class Member:
    """One worker process.

    Attributes:
        since: When it came into its state.
        last_beat: When its event loop was last heard of.
        deadline: When it is killed unless it has moved on.
        is_outdated: Whether another one is to take its place.
        failure: What it reported about why it cannot serve.
    """

    pid: int
    slot: int
    since: float
    deadline: float
    state: State = State.STARTING
    last_beat: float = inf
    is_outdated: bool = False
    failure: str = ""

    def move(self, state: State, now: float, deadline: float = inf) -> None:
        """Enter a state."""
        self.state, self.since, self.deadline = state, now, deadline


@dataclass(slots=True)
class _Slot:
    not_before: float = 0.0
    failures: list[float] = field(default_factory=list)


class Fleet:
    """The workers of one server and the rules of their lives.

    Attributes:
        members: The living workers by process id.
        exit_code: What the server ends with.
        is_stopping: Whether no worker is started any more.
    """

    def __init__(self, config: Config, hands: Hands) -> None:
        self._config = config
        self._hands = hands
        self._slots = [_Slot() for _ in range(config.workers)]
        self._was_ready = False
        self.members: dict[int, Member] = {}
        self.exit_code = 0
        self.is_stopping = False

    @property
    def is_over(self) -> bool:
        """Whether the server was told to stop and the last worker is gone."""
        return self.is_stopping and not self.members

    @property
    def is_ready(self) -> bool:
        """Whether every slot has a worker that serves."""
        serving = {member.slot for member in self._in_state(State.READY)}
        return len(serving) == len(self._slots)

    def seconds_until_due(self, now: float) -> float | None:
        """Return when `tick` has something to do next, None for never."""
        due = min(self._due_times(), default=inf)
        return None if due == inf else max(0.0, due - now)

    def tick(self, now: float) -> None:
        """Kill what is too late and start what is missing."""
        for member in tuple(self.members.values()):
            self._check_deadlines(member, now)
        if self.is_stopping:
            return
        for index, slot in enumerate(self._slots):
            if slot.not_before <= now and self._lacks_worker(index):
                self._start(index, now)

    # What workers say

    def ready(self, pid: int, now: float) -> None:
        """Let a worker serve and drain the one whose place it takes."""
        member = self.members[pid]
        if member.state is not State.STARTING:
            return
        self._was_ready = True
        member.move(State.READY, now)
        member.last_beat = now
        for other in self._in_slot(member.slot, State.READY):
            if other is not member:
                self._drain(other, now)

    def beat(self, pid: int, now: float) -> None:
        """Note that a worker's event loop runs."""
        self.members[pid].last_beat = now

    def failed(self, pid: int, reason: str) -> None:
        """Note why a worker is about to exit."""
        self.members[pid].failure = reason

    def outdated(self, pid: int) -> None:
        """Replace a worker that has served its share of requests."""
        self.members[pid].is_outdated = True

    def draining(self, pid: int, now: float) -> None:
        """Note that a worker drains without having been told by us."""
        member = self.members[pid]
        if member.state is State.READY:
            member.move(State.DRAINING, now, now + self._drain_seconds)

    def exited(self, pid: int, reason: str, now: float) -> bool:
        """Take note of a process that ended; return whether it was a worker.

        Args:
            pid: Its id; adopted processes are none of ours.
            reason: How it ended, as a phrase.
            now: The time.
        """
        member = self.members.pop(pid, None)
        if member is None:
            return False
        if self.is_stopping or member.state is State.DRAINING:
            return True
        if member.state is State.STARTING or self._died_young(member, now):
            cause = f"{reason}: {member.failure}" if member.failure else reason
            self._count_failure(member.slot, f"Worker {pid} {cause}", now)
        elif member.state is State.READY:
            _log.error("Worker %d %s, starting another", pid, reason)
            self._slots[member.slot].failures.clear()
        return True

    # What the operator says

    def reload(self) -> None:
        """Replace all workers, one after the other, each once its successor serves."""
        for member in self._in_state(State.READY):
            member.is_outdated = True
        for slot in self._slots:
            slot.not_before = 0.0
            slot.failures.clear()

    def stop(self, now: float) -> None:
        """Drain all workers and start no more."""
        self.is_stopping = True
        for member in self.members.values():
            if member.state in {State.STARTING, State.READY}:
                self._drain(member, now)

    def force(self, exit_code: int, now: float) -> None:
        """End all workers at once."""
        self.is_stopping = True
        self.exit_code = exit_code
        for member in tuple(self.members.values()):
            self._kill(member, now)

    # Private

    @property
    def _drain_seconds(self) -> float:
        config = self._config
        return config.graceful_timeout + config.shutdown_timeout + _MARGIN_SECONDS

    def _in_state(self, state: State) -> list[Member]:
        return [member for member in self.members.values() if member.state is state]

    def _in_slot(self, slot: int, state: State) -> list[Member]:
        return [member for member in self._in_state(state) if member.slot == slot]

    def _due_times(self) -> Iterator[float]:
        for member in self.members.values():
            yield member.deadline
            if member.state is State.READY:
                yield member.last_beat + self._config.worker_heartbeat_timeout
        if not self.is_stopping:
            for index, slot in enumerate(self._slots):
                if self._lacks_worker(index):
                    yield slot.not_before

    def _lacks_worker(self, slot: int) -> bool:
        if self._in_slot(slot, State.STARTING):
            return False
        ready = self._in_slot(slot, State.READY)
        if not ready:
            return True
        # Successors start one at a time: a reload must not double the load at once.
        return ready[0].is_outdated and not self._in_state(State.STARTING)

    def _start(self, slot: int, now: float) -> None:
        try:
            pid = self._hands.start(slot)
        except OSError as error:
            text = f"A worker process cannot be started: {error}"
            self._count_failure(slot, text, now)
            return
        deadline = now + self._config.startup_timeout
        self.members[pid] = Member(pid, slot, now, deadline)

    def _drain(self, member: Member, now: float) -> None:
        member.move(State.DRAINING, now, now + self._drain_seconds)
        self._hands.drain(member.pid)

    def _kill(self, member: Member, now: float) -> None:
        member.move(State.KILLED, now)
        self._hands.kill(member.pid)

    def _check_deadlines(self, member: Member, now: float) -> None:
        pid, config = member.pid, self._config
        silent = now - member.last_beat
        if member.state is State.READY and silent >= config.worker_heartbeat_timeout:
            _log.error(
                "Worker %d has blocked its event loop for %.0f s, replacing it",
                pid,
                silent,
            )
            self._kill(member, now)
        elif member.state is State.DRAINING and now >= member.deadline:
            _log.error("Worker %d did not end in time, killing it", pid)
            self._kill(member, now)
        elif member.state is State.STARTING and now >= member.deadline:
            member.failure = f"not ready within {config.startup_timeout:g} s"
            self._hands.kill(pid)
            member.deadline = inf  # Still STARTING: its exit counts as a failure.

    def _died_young(self, member: Member, now: float) -> bool:
        return member.state is State.READY and now - member.since < _HEALTHY_SECONDS

    def _count_failure(self, slot: int, text: str, now: float) -> None:
        """Back off; give up on a server none of whose workers can serve."""
        record = self._slots[slot]
        if self._was_ready:
            oldest = now - self._config.restart_window
            record.failures = [moment for moment in record.failures if moment > oldest]
        record.failures.append(now)
        count = len(record.failures)
        is_last = count >= self._config.restart_limit
        if is_last and not self._in_state(State.READY):
            _log.critical("%s; giving up after %d attempts", text, count)
            self.exit_code = EXIT_CRASH_LOOP
            self.stop(now)
            return
        # Others still serve: go on trying, without haste.
        delay = self._config.restart_window if is_last else _backoff(count)
        record.not_before = now + delay
        _log.error("%s; trying again in %.2f s", text, delay)
        if self._in_slot(slot, State.READY):
            _log.warning("The worker that was to be replaced goes on serving")


def _backoff(failures: int) -> float:
    delay = _FIRST_BACKOFF_SECONDS * 2.0 ** (failures - 1)
    return min(delay, _LONGEST_BACKOFF_SECONDS)
