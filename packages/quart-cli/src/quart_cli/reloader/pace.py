"""How slow the machine is for this process, as others use it too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ("Pace",)

MAX_FACTOR: Final = 4.0
"""However slow it is, time limits are not stretched further."""


class Pace:
    """Compares the time that passed with the time that this process was running."""

    def __init__(self) -> None:
        self._passed = 0.0
        self._used = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Measure the block, which computes: it imports."""
        passed, used = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._passed += time.perf_counter() - passed
            self._used += time.process_time() - used

    def factor(self) -> float:
        """Return how many times longer than alone something takes, from 1."""
        if self._used <= 0.0:
            return 1.0
        return min(max(1.0, self._passed / self._used), MAX_FACTOR)
