"""Small tools of the public module ``quart.utils`` (API of Quart)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from .headers import decode_headers, encode_headers
from .reloading import MustReloadError, observe_changes, restart, run_reloader
from .threads import is_coroutine_callable, run_sync, run_sync_iterable

__all__ = (
    "MustReloadError",
    "cancel_tasks",
    "decode_headers",
    "encode_headers",
    "file_path_to_path",
    "is_coroutine_callable",
    "observe_changes",
    "raise_task_exceptions",
    "restart",
    "run_reloader",
    "run_sync",
    "run_sync_iterable",
)


def file_path_to_path(*paths: str | bytes | os.PathLike[str]) -> Path:
    """Join paths given as text, bytes or path objects into one `Path`."""
    return Path(*[os.fsdecode(path) for path in paths])


async def cancel_tasks(tasks: Iterable[asyncio.Task[object]]) -> None:
    """Cancel tasks, wait for their end and raise what one of them failed with."""
    tasks = set(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    raise_task_exceptions(tasks)


def raise_task_exceptions(tasks: Iterable[asyncio.Task[object]]) -> None:
    """Raise the exception of a finished task that failed, if there is one.

    All are raised together, as an exception group, where several have failed.
    """
    failures = [
        error
        for task in tasks
        if task.done() and not task.cancelled()
        if (error := task.exception()) is not None
    ]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise BaseExceptionGroup("Several tasks have failed", failures)
