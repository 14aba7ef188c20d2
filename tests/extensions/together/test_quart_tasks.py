"""quart-tasks: functions that run on a schedule while the application serves."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from quart import Quart, current_app
from quart_tasks import QuartTasks

SECONDS = 10


async def test_tasks_run_while_the_application_serves() -> None:
    app = Quart(__name__)
    tasks = QuartTasks(app)
    ran: asyncio.Queue[str] = asyncio.Queue()

    @tasks.periodic(timedelta(milliseconds=5))
    async def often() -> None:
        ran.put_nowait(current_app.name)

    async with app.test_app():
        async with asyncio.timeout(SECONDS):
            names = [await ran.get() for _ in range(3)]
    assert names == [app.name] * 3
    left = ran.qsize()
    await asyncio.sleep(0.02)
    assert ran.qsize() == left


async def test_sync_tasks_run_in_threads_between_hooks() -> None:
    app = Quart(__name__)
    tasks = QuartTasks(app)
    events: list[str] = []

    @tasks.before_task
    async def before() -> None:
        events.append("before")

    @tasks.after_task
    async def after() -> None:
        events.append("after")

    @tasks.cron("*/5 * * * *")
    def seldom() -> None:
        events.append(current_app.name)

    await tasks.test_run("seldom")
    assert events == ["before", app.name, "after"]


async def test_a_task_that_fails_is_logged_and_runs_again(caplog) -> None:
    app = Quart(__name__)
    tasks = QuartTasks(app)
    runs: asyncio.Queue[None] = asyncio.Queue()

    @tasks.periodic(timedelta(milliseconds=5))
    async def broken() -> None:
        runs.put_nowait(None)
        raise ValueError("broken task")

    async with app.test_app():
        async with asyncio.timeout(SECONDS):
            for _ in range(2):
                await runs.get()
    assert "broken task" in caplog.text


def test_tasks_are_listed_and_run_by_commands() -> None:
    app = Quart(__name__)
    tasks = QuartTasks(app)
    ran = []

    @tasks.cron("*/5 * * * *", name="five")
    async def every_five() -> None:
        ran.append(current_app.name)

    runner = app.test_cli_runner()
    assert "five" in runner.invoke(args=["list-tasks"]).output
    result = runner.invoke(args=["invoke-task", "five"])
    assert result.exit_code == 0, result.output
    assert ran == [app.name]
