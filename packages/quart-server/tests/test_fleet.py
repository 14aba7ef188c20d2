import itertools
import logging

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from quart_server.config import Config
from quart_server.fleet import Fleet, State


class Recorder:
    """Hands that only note what they are told."""

    def __init__(self):
        self.orders = []
        self.next_pid = 100
        self.fails = False

    def start(self, slot):
        if self.fails:
            raise BlockingIOError("no more processes")
        self.next_pid += 1
        self.orders.append(("start", slot))
        return self.next_pid

    def drain(self, pid):
        self.orders.append(("drain", pid))

    def kill(self, pid):
        self.orders.append(("kill", pid))

    def take(self):
        orders, self.orders = self.orders, []
        return orders


def make(workers=2, **settings):
    hands = Recorder()
    return Fleet(Config(workers=workers, **settings), hands), hands


def running(workers=2, **settings):
    """Return a fleet whose workers (101, 102, ...) have been ready since 0."""
    fleet, hands = make(workers, **settings)
    fleet.tick(0)
    for pid in tuple(fleet.members):
        fleet.ready(pid, 0)
    hands.take()
    return fleet, hands


def states(fleet):
    return {pid: member.state for pid, member in fleet.members.items()}


# Start


def test_all_workers_are_started_at_once():
    fleet, hands = make(3)
    fleet.tick(0)
    assert hands.take() == [("start", 0), ("start", 1), ("start", 2)]
    fleet.tick(1)
    assert hands.take() == []


def test_the_fleet_is_ready_when_each_slot_is():
    fleet, _ = make(2)
    fleet.tick(0)
    fleet.ready(101, 1)
    assert not fleet.is_ready
    fleet.ready(102, 1)
    assert fleet.is_ready


def test_a_worker_that_is_not_ready_in_time_is_killed_and_tried_again(caplog):
    fleet, hands = make(1, startup_timeout=10)
    fleet.tick(0)
    hands.take()
    assert fleet.seconds_until_due(0) == 10
    fleet.tick(10)
    assert hands.take() == [("kill", 101)]
    fleet.tick(10.1)
    assert hands.take() == []
    fleet.exited(101, "was killed by SIGKILL", 10.2)
    assert "not ready within 10 s" in caplog.text
    fleet.tick(10.5)
    assert hands.take() == [("start", 0)]


# Death and replacement


def test_f_21_a_dead_worker_is_replaced_at_once(caplog):
    fleet, hands = running()
    fleet.beat(102, 49)
    fleet.exited(101, "was killed by SIGKILL", 50)
    fleet.tick(50)
    assert hands.take() == [("start", 0)]
    assert states(fleet) == {102: State.READY, 103: State.STARTING}
    assert "Worker 101 was killed by SIGKILL" in caplog.text


def test_any_number_of_deaths_in_service_never_ends_the_server():
    fleet, _ = running(1)
    for number in range(20):
        now = 10 + 2.0 * number
        fleet.exited(101 + number, "was killed by SIGKILL", now)
        fleet.tick(now)
        fleet.ready(102 + number, now)
    assert not fleet.is_stopping


def test_f_25_a_process_that_is_no_worker_is_ignored():
    fleet, hands = running()
    assert not fleet.exited(4711, "exited with 1", 5)
    fleet.tick(5)
    assert hands.take() == []


def test_f_24_a_blocked_worker_is_replaced_without_waiting_for_its_end():
    fleet, hands = running(worker_heartbeat_timeout=30)
    fleet.beat(102, 29)
    assert fleet.seconds_until_due(29) == 1
    fleet.tick(30)
    assert hands.take() == [("kill", 101), ("start", 0)]
    fleet.exited(101, "was killed by SIGKILL", 31)
    assert states(fleet) == {102: State.READY, 103: State.STARTING}


def test_a_worker_that_drains_by_itself_is_replaced_meanwhile():
    fleet, hands = running()
    fleet.draining(101, 5)
    fleet.tick(5)
    assert hands.take() == [("start", 0)]
    fleet.exited(101, "exited with 0", 6)
    fleet.tick(6)
    assert hands.take() == []


# Crash loops


def fail_until_over(fleet, hands):
    """Let each worker fail on start; return the times of the attempts."""
    now, attempts = 0.0, []
    while not fleet.is_stopping:
        fleet.tick(now)
        assert hands.take() == [("start", 0)]
        attempts.append(now)
        (pid,) = fleet.members
        fleet.failed(pid, "ImportError: no module named 'nope'")
        now += 0.1
        fleet.exited(pid, "exited with 3", now)
        now += fleet.seconds_until_due(now) or 0
    return attempts


def test_f_23_five_failures_end_the_server_with_code_3_and_the_reason(caplog):
    fleet, hands = make(1)
    attempts = fail_until_over(fleet, hands)
    assert len(attempts) == 5
    assert attempts[-1] < 30
    assert fleet.exit_code == 3
    assert fleet.is_over
    last = caplog.records[-1]
    assert last.levelno == logging.CRITICAL
    assert "ImportError: no module named 'nope'" in last.getMessage()
    assert "after 5 attempts" in last.getMessage()


def test_the_pause_between_failures_grows():
    fleet, hands = make(1, restart_limit=9)
    attempts = fail_until_over(fleet, hands)
    pauses = [round(b - a - 0.1, 3) for a, b in itertools.pairwise(attempts)]
    assert pauses == [0.25, 0.5, 1, 2, 4, 5, 5, 5]


def test_slow_failures_count_as_well_while_nothing_was_ever_ready():
    fleet, _ = make(1, restart_window=1, restart_limit=3)
    for now in (0, 100, 200):
        fleet.tick(now)
        (pid,) = fleet.members
        fleet.exited(pid, "exited with 3", now + 50)
    assert fleet.exit_code == 3


def test_dying_right_after_ready_is_a_failed_start():
    fleet, hands = make(1, restart_limit=2)
    fleet.tick(0)
    fleet.ready(101, 0)
    fleet.exited(101, "was killed by SIGSEGV", 0.5)
    fleet.tick(0.5)
    assert hands.take() == [("start", 0)]
    assert fleet.seconds_until_due(0.5) == 0.25


def test_while_others_serve_a_failing_slot_is_tried_for_ever():
    fleet, _ = running(2, restart_limit=2, restart_window=30)
    fleet.exited(101, "was killed by SIGKILL", 5)
    for now in range(5, 305, 30):
        fleet.beat(102, now)
        fleet.tick(now)
        (started,) = (pid for pid in fleet.members if pid != 102)
        fleet.exited(started, "exited with 3", now)
    assert not fleet.is_stopping


def test_a_process_that_cannot_be_started_is_tried_again(caplog):
    fleet, hands = make(1)
    hands.fails = True
    fleet.tick(0)
    assert "no more processes" in caplog.text
    hands.fails = False
    fleet.tick(0.25)
    assert hands.take() == [("start", 0)]


# Reload and recycling


def test_f_18_a_reload_drains_each_worker_only_once_its_successor_serves():
    fleet, hands = running(2)
    fleet.reload()
    fleet.tick(10)
    assert hands.take() == [("start", 0)]
    fleet.tick(11)
    assert hands.take() == []
    fleet.ready(103, 12)
    fleet.tick(12)
    assert hands.take() == [("drain", 101), ("start", 1)]
    fleet.ready(104, 13)
    fleet.tick(13)
    assert hands.take() == [("drain", 102)]
    fleet.exited(101, "exited with 0", 14)
    fleet.exited(102, "exited with 0", 14)
    fleet.tick(14)
    assert hands.take() == []
    assert states(fleet) == {103: State.READY, 104: State.READY}


def test_a_reload_that_fails_leaves_the_old_workers_serving(caplog):
    fleet, hands = running(1, restart_limit=2, restart_window=30)
    fleet.reload()
    fleet.tick(10)
    fleet.failed(102, "SyntaxError: invalid syntax")
    fleet.exited(102, "exited with 3", 10)
    assert "SyntaxError" in caplog.text
    assert "goes on serving" in caplog.text
    fleet.tick(10.25)
    fleet.exited(103, "exited with 3", 11)
    fleet.beat(101, 11)
    hands.take()
    fleet.tick(40.9)
    assert ("start", 0) not in hands.take()
    assert states(fleet)[101] is not State.DRAINING
    assert not fleet.is_stopping


def test_a_second_reload_replaces_the_new_workers_too():
    fleet, hands = running(1)
    fleet.reload()
    fleet.tick(1)
    fleet.ready(102, 2)
    fleet.reload()
    fleet.tick(3)
    fleet.ready(103, 4)
    assert hands.take() == [
        ("start", 0),
        ("drain", 101),
        ("start", 0),
        ("drain", 102),
    ]


def test_a_worker_that_served_its_share_is_replaced_first_and_drained_then():
    fleet, hands = running(2)
    fleet.outdated(102)
    fleet.tick(5)
    assert hands.take() == [("start", 1)]
    fleet.ready(103, 6)
    assert hands.take() == [("drain", 102)]


# Stop


def test_f_17_stop_drains_all_and_is_over_when_they_are_gone():
    fleet, hands = running(2)
    fleet.stop(10)
    assert hands.take() == [("drain", 101), ("drain", 102)]
    fleet.exited(101, "exited with 0", 11)
    assert not fleet.is_over
    fleet.exited(102, "exited with 0", 11)
    assert fleet.is_over
    assert fleet.exit_code == 0
    fleet.tick(12)
    assert hands.take() == []


def test_a_worker_that_does_not_end_in_time_is_killed():
    fleet, hands = running(1, graceful_timeout=30, shutdown_timeout=10)
    fleet.stop(0)
    hands.take()
    assert fleet.seconds_until_due(0) == 42
    fleet.tick(42)
    assert hands.take() == [("kill", 101)]


def test_stop_during_start_drains_those_that_start():
    fleet, hands = make(1)
    fleet.tick(0)
    hands.take()
    fleet.stop(1)
    assert hands.take() == [("drain", 101)]
    fleet.ready(101, 2)
    assert states(fleet) == {101: State.DRAINING}


def test_f_20_force_kills_all_and_keeps_the_code():
    fleet, hands = running(2)
    fleet.stop(0)
    hands.take()
    fleet.force(130, 1)
    assert hands.take() == [("kill", 101), ("kill", 102)]
    fleet.exited(101, "was killed by SIGKILL", 1)
    fleet.exited(102, "was killed by SIGKILL", 1)
    assert fleet.is_over
    assert fleet.exit_code == 130


class FleetMachine(RuleBasedStateMachine):
    """Any order of events keeps the promises the operator relies on."""

    def __init__(self):
        super().__init__()
        self.fleet, self.hands = make(2, restart_limit=3)
        self.now = 0.0
        self.fleet.tick(0)

    def pick(self, data):
        pids = sorted(self.fleet.members)
        return data.draw(st.sampled_from(pids)) if pids else None

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0, 61.0]))
    def time_passes(self, seconds):
        self.now += seconds
        self.fleet.tick(self.now)

    @rule(data=st.data())
    def a_worker_is_ready(self, data):
        if pid := self.pick(data):
            self.fleet.ready(pid, self.now)

    @rule(data=st.data())
    def a_worker_beats(self, data):
        if pid := self.pick(data):
            self.fleet.beat(pid, self.now)

    @rule(data=st.data())
    def a_worker_is_outdated(self, data):
        if pid := self.pick(data):
            self.fleet.outdated(pid)

    @rule(data=st.data())
    def a_worker_exits(self, data):
        if pid := self.pick(data):
            self.fleet.exited(pid, "exited with 1", self.now)

    @rule()
    def the_operator_reloads(self):
        self.fleet.reload()

    @rule(enough=st.integers(0, 20))
    def the_operator_stops(self, enough):
        if enough == 20:
            self.fleet.stop(self.now)

    @invariant()
    def each_slot_has_at_most_one_that_starts(self):
        for slot in range(2):
            starting = [
                member
                for member in self.fleet.members.values()
                if member.slot == slot and member.state is State.STARTING
            ]
            assert len(starting) <= 1

    @invariant()
    def a_fleet_that_goes_on_always_has_somebody_or_a_plan(self):
        if self.fleet.is_stopping:
            return
        is_waiting_for_an_end = any(
            order == "kill" and pid in self.fleet.members
            for order, pid in self.hands.orders
        )
        due = self.fleet.seconds_until_due(self.now)
        assert is_waiting_for_an_end or due is not None

    @invariant()
    def nobody_is_drained_while_alone_and_healthy(self):
        if self.fleet.is_stopping:
            return
        for slot in range(2):
            ready = [
                member
                for member in self.fleet.members.values()
                if member.slot == slot and member.state is State.READY
            ]
            assert len(ready) <= 1


FleetMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
test_any_order_of_events = FleetMachine.TestCase


@pytest.mark.parametrize("workers", [1, 4])
def test_nothing_is_due_for_idle_workers_but_their_heartbeat(workers):
    fleet, _ = running(workers, worker_heartbeat_timeout=30)
    assert fleet.seconds_until_due(10) == 20
