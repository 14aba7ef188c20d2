"""Ending this process in time, whatever its threads and its event loop do."""

from __future__ import annotations

import logging
import os
import sys
import threading

__all__ = ["exit_after"]


def exit_after(seconds: float, exit_code: int) -> threading.Timer:
    """End the process after a time, unless the timer is cancelled before.

    Neither a blocked event loop nor threads that never return can hold it up.
    """
    timer = threading.Timer(seconds, _exit_now, (exit_code,))
    timer.daemon = True
    timer.start()
    return timer


def _exit_now(exit_code: int) -> None:
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(exit_code)
