from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from quart.testing import QuartClient

FOLDER = Path(__file__).parents[1]
HOW = "PostgreSQL is not installed: apt-get install postgresql"


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"films_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generator = load(FOLDER / "generate.py")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    if sys.platform == "win32":
        pytest.skip("PostgreSQL is started as on Unix")
    postgres = load(FOLDER / "tests" / "postgres.py")
    programs = postgres.find_programs()
    if programs is None:
        if os.environ.get("QUART_PEERS") == "required":
            pytest.fail(HOW)
        pytest.skip(HOW)
    with postgres.running(programs) as found:
        yield found


@pytest.fixture
async def client(app: Quart, dsn: str) -> AsyncIterator[Any]:
    await generator.generate(dsn)
    app.config.update(POSTGRES_DSN=dsn, POSTGRES_CONNECTIONS=2)
    async with app.test_app() as test_app:
        yield test_app.test_client()


async def test_one_film(client: QuartClient) -> None:
    response = await client.get("/films/995/")
    film = await response.get_json()
    assert film["id"] == 995
    assert film["title"].endswith(" 995")
    assert set(film) == {
        "id",
        "title",
        "description",
        "release_year",
        "minutes",
        "language",
        "rating",
    }


async def test_all_films(client: QuartClient) -> None:
    films = (await (await client.get("/films/")).get_json())["films"]
    assert [film["id"] for film in films] == list(range(1, 1_001))


@pytest.mark.parametrize("film_id", [0, 1_001])
async def test_film_that_is_not_there(client: QuartClient, film_id: int) -> None:
    assert (await client.get(f"/films/{film_id}/")).status_code == 404
    review = {"film_id": film_id, "stars": 1}
    assert (await client.post("/reviews/", json=review)).status_code == 404


async def test_reviews_are_added(client: QuartClient) -> None:
    for number in (1, 2):
        response = await client.post("/reviews/", json={"film_id": 995, "stars": 5})
        assert response.status_code == 201
        assert await response.get_json() == {"id": number}


@pytest.mark.parametrize(
    "review",
    [
        None,
        [],
        {},
        {"film_id": 995},
        {"film_id": 995, "stars": 0},
        {"film_id": 995, "stars": 6},
        {"film_id": "995", "stars": 5},
    ],
)
async def test_other_reviews_are_refused(client: QuartClient, review: Any) -> None:
    assert (await client.post("/reviews/", json=review)).status_code == 400


def test_generated_films_are_always_the_same() -> None:
    films = list(generator.films())
    assert films == list(generator.films())
    assert [number for number, *_ in films] == list(range(1, 1_001))
