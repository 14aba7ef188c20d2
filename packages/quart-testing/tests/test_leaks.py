"""Test client: what requests leave behind, by one switch."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from quart_core import Quart, request, stream_with_context
from quart_testing import LeakError, QuartClient

_kept: list[Any] = []


@pytest.fixture
def app() -> Any:
    yield Quart(__name__)
    for kept in _kept:
        if isinstance(kept, asyncio.Task):
            kept.cancel()
        elif hasattr(kept, "close"):
            kept.close()
    _kept.clear()


def _client(app: Quart) -> QuartClient:
    client: QuartClient = app.test_client(check_leaks=True)
    return client


async def test_a_request_that_leaves_nothing_passes(app: Quart) -> None:
    @app.post("/")
    async def index() -> Any:
        form = await request.form
        with tempfile.NamedTemporaryFile():
            await asyncio.create_task(asyncio.sleep(0))

        @stream_with_context
        async def parts() -> Any:
            yield request.path
            yield form["a"]

        return parts()

    response = await _client(app).post("/", form={"a": "b"})

    assert response.text == "/b"


async def test_a_task_that_goes_on_is_a_leak(app: Quart) -> None:
    @app.get("/")
    async def index() -> str:
        _kept.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))
        return ""

    with pytest.raises(LeakError, match=r"GET / left behind:\n- the task 'forgotten'"):
        await _client(app).get("/")


async def test_a_task_that_ends_soon_is_none(app: Quart) -> None:
    @app.get("/")
    async def index() -> str:
        _kept.append(asyncio.create_task(asyncio.sleep(0.01)))
        return ""

    response = await _client(app).get("/")

    assert response.status_code == 200


async def test_a_background_task_is_none(app: Quart) -> None:
    go_on = asyncio.Event()

    @app.get("/")
    async def index() -> str:
        app.add_background_task(go_on.wait)
        return ""

    response = await _client(app).get("/")

    assert response.status_code == 200
    go_on.set()
    await asyncio.gather(*app.background_tasks)


async def test_a_context_that_is_not_popped_is_a_leak(app: Quart) -> None:
    @app.get("/")
    async def index() -> str:
        context = app.app_context()
        _kept.append(context)
        await context.push()
        return ""

    with pytest.raises(LeakError, match=r"AppContext of .*, pushed and not popped"):
        await _client(app).get("/")


async def test_the_context_that_the_test_keeps_is_none(app: Quart) -> None:
    @app.get("/")
    async def index() -> str:
        return ""

    async with _client(app) as client:
        await client.get("/")
        assert request.path == "/"


async def test_an_open_file_is_a_leak(app: Quart, tmp_path: Path) -> None:
    path = tmp_path / "open"

    @app.get("/")
    async def index() -> str:
        _kept.append(path.open("w"))
        return ""

    with pytest.raises(LeakError, match=r"the open file .*/open"):
        await _client(app).get("/")


@pytest.mark.parametrize("kind", ["file", "folder"])
async def test_a_temporary_file_is_a_leak(
    app: Quart, tmp_path: Path, kind: str
) -> None:
    @app.get("/")
    async def index() -> str:
        if kind == "folder":
            tempfile.mkdtemp(dir=tmp_path, prefix="mine")
        else:
            tempfile.mkstemp(dir=tmp_path, prefix="mine")
        return ""

    with pytest.raises(LeakError, match=f"the temporary {kind} .*/mine") as caught:
        await _client(app).get("/")

    # The descriptor of mkstemp is open as well.
    assert len(caught.value.leaks) == (1 if kind == "folder" else 2)


async def test_without_the_switch_nothing_is_looked_at(app: Quart) -> None:
    @app.get("/")
    async def index() -> str:
        _kept.append(asyncio.create_task(asyncio.Event().wait()))
        return ""

    response = await app.test_client().get("/")

    assert response.status_code == 200


async def test_a_request_in_steps_is_checked_when_it_is_left(app: Quart) -> None:
    @app.get("/")
    async def index() -> str:
        _kept.append(asyncio.create_task(asyncio.Event().wait()))
        return ""

    with pytest.raises(LeakError):
        async with _client(app).request("/") as connection:
            await connection.send_complete()


async def test_an_exception_is_not_hidden_by_a_leak(app: Quart) -> None:
    app.testing = True

    @app.get("/")
    async def index() -> str:
        _kept.append(asyncio.create_task(asyncio.Event().wait()))
        raise KeyError("of the view")

    with pytest.raises(KeyError, match="of the view"):
        await _client(app).get("/")


async def test_requests_side_by_side_are_no_leaks_of_each_other(app: Quart) -> None:
    @app.get("/")
    async def index() -> str:
        await asyncio.sleep(0.01)
        return ""

    client = _client(app)
    responses = await asyncio.gather(client.get("/"), client.get("/"))

    assert [response.status_code for response in responses] == [200, 200]
