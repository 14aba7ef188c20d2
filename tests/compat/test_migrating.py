"""The differences that the page on migrating names, and what has no test elsewhere."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import takewhile
from pathlib import Path

import pytest
from quart import Quart, request, websocket

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "migrating.md"
TEST = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def rows() -> list[list[str]]:
    """Return the cells of the rows of the differences."""
    table = PAGE.read_text().partition("| what | here | why | test |")[2]
    lines = takewhile(bool, table.splitlines()[2:])
    return [re.split(r" ?(?<!\\)\| ?", line)[1:-1] for line in lines]


@lru_cache(maxsize=1)
def all_tests() -> frozenset[str]:
    folders = [*ROOT.glob("packages/*/tests"), ROOT / "tests"]
    files = [file for folder in folders for file in folder.rglob("test_*.py")]
    return frozenset(name for file in files for name in TEST.findall(file.read_text()))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_difference_has_a_reason_and_a_test(row: list[str]) -> None:
    what, here, why, test = row
    assert what
    assert here
    assert why
    assert test.strip("`") in all_tests()


async def test_get_json_of_another_type_is_none() -> None:
    app = Quart(__name__)

    @app.post("/")
    async def index() -> str:
        return str(await request.get_json())

    response = await app.test_client().post("/", data="{}")
    assert await response.get_data(as_text=True) == "None"


async def test_teardown_appcontext_runs_in_reverse() -> None:
    app = Quart(__name__)
    order: list[int] = []

    @app.teardown_appcontext
    async def first(_: BaseException | None) -> None:
        order.append(1)

    @app.teardown_appcontext
    async def second(_: BaseException | None) -> None:
        order.append(2)

    async with app.app_context():
        pass
    assert order == [2, 1]


async def test_answers_to_head_have_no_body() -> None:
    app = Quart(__name__)

    @app.route("/", methods=["GET", "HEAD"])
    async def index() -> str:
        return request.method

    response = await app.test_client().head("/")
    assert await response.get_data() == b""
    assert response.headers["Content-Length"] == "4"


async def test_websockets_send_text_and_buffers_only() -> None:
    app = Quart(__name__)
    refused: list[str] = []

    @app.websocket("/")
    async def index() -> None:
        for data in ("text", b"bytes", bytearray(b"array"), memoryview(b"view")):
            await websocket.send(data)
        for data in (1, None, {"a": 1}, ["a"]):
            try:
                await websocket.send(data)  # type: ignore[arg-type]
            except TypeError as error:
                refused.append(str(error))

    async with app.test_client().websocket("/") as connection:
        received = [await connection.receive() for _ in range(4)]
    assert received == ["text", b"bytes", b"array", b"view"]
    assert len(refused) == 4
    assert "send_json" in refused[0]
