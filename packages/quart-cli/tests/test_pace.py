"""How slow the machine is for a process."""

import time

import pytest
from quart_cli.reloader.pace import MAX_FACTOR, Pace


@pytest.mark.parametrize(
    ("passed", "used", "factor"),
    [
        (0.0, 0.0, 1.0),
        (1.0, 1.0, 1.0),
        (1.0, 2.0, 1.0),
        (3.0, 1.5, 2.0),
        (9.0, 1.0, 4.0),
    ],
)
def test_the_factor_is_bounded(
    monkeypatch: pytest.MonkeyPatch, passed: float, used: float, factor: float
) -> None:
    clocks = {"perf_counter": [passed, 0.0], "process_time": [used, 0.0]}
    for name, values in clocks.items():
        monkeypatch.setattr(time, name, values.pop)
    pace = Pace()
    with pace.measured():
        pass
    monkeypatch.undo()
    assert pace.factor() == factor
    assert 1.0 <= pace.factor() <= MAX_FACTOR


def test_nothing_measured_is_no_slowness() -> None:
    assert Pace().factor() == 1.0
