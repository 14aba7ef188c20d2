"""The small tools of quart.utils."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from quart_core import utils
from quart_core.utils import cancel_tasks, file_path_to_path, raise_task_exceptions


async def fail(error: BaseException) -> None:
    raise error


def test_all_names_of_the_public_module_are_there() -> None:
    for name in utils.__all__:
        assert hasattr(utils, name), name


def test_paths_of_every_kind_are_joined() -> None:
    assert file_path_to_path("a", b"b", Path("c")) == Path("a/b/c")
    assert file_path_to_path(os.fsencode("/é")) == Path("/é")


async def test_cancel_tasks_waits_for_their_end() -> None:
    ended = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(1)

    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    await cancel_tasks({task})
    assert task.cancelled()
    assert ended == [1]


async def test_cancel_tasks_takes_none() -> None:
    await cancel_tasks(set())


async def test_cancel_tasks_raises_what_a_task_failed_with() -> None:
    failed = asyncio.ensure_future(fail(LookupError("no")))
    waiting = asyncio.ensure_future(asyncio.Event().wait())
    await asyncio.sleep(0)
    with pytest.raises(LookupError, match="no"):
        await cancel_tasks({failed, waiting})
    assert waiting.cancelled()


async def test_raise_task_exceptions_passes_over_what_did_not_fail() -> None:
    done = asyncio.ensure_future(asyncio.sleep(0))
    pending = asyncio.ensure_future(asyncio.Event().wait())
    cancelled = asyncio.ensure_future(asyncio.Event().wait())
    cancelled.cancel()
    await asyncio.wait({done, cancelled})
    raise_task_exceptions({done, pending, cancelled})
    await cancel_tasks({pending})


async def test_several_failures_are_raised_together() -> None:
    tasks = {asyncio.ensure_future(fail(error)) for error in (KeyError(), ValueError())}
    await asyncio.wait(tasks)
    with pytest.raises(ExceptionGroup) as caught:
        raise_task_exceptions(tasks)
    assert {type(error) for error in caught.value.exceptions} == {KeyError, ValueError}
