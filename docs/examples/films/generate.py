"""Make the tables and a thousand films, the same ones every time.

python generate.py [postgresql://...]
"""

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

import asyncpg

FILMS = 1_000

SCHEMA = """
DROP TABLE IF EXISTS review, film;
CREATE TABLE film (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    release_year INTEGER NOT NULL,
    minutes INTEGER NOT NULL,
    language TEXT NOT NULL,
    rating TEXT NOT NULL
);
CREATE TABLE review (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    film_id INTEGER NOT NULL REFERENCES film (id),
    stars SMALLINT NOT NULL CHECK (stars BETWEEN 1 AND 5),
    created TIMESTAMPTZ NOT NULL DEFAULT now()
);
"""

# Titles are one of each, and so are descriptions.
ADJECTIVES = ["Silent", "Golden", "Broken", "Hidden", "Last", "Electric", "Distant"]
NOUNS = ["River", "Mirror", "Garden", "Station", "Harbour", "Signal", "Letter"]
WHO = ["A retired pilot", "A young chemist", "An honest thief", "Two sisters"]
DOES = ["once found", "tried to forget", "had to rescue", "fell for", "wrote about"]
WHAT = ["a lost city", "an old rival", "the perfect recipe", "a stranger", "the truth"]

LANGUAGES = ["English", "French", "Italian", "Japanese", "Mandarin", "German"]
RATINGS = ["G", "PG", "PG-13", "R"]


def films(count: int = FILMS) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table film."""
    choose = random.Random(2018)
    for number in range(1, count + 1):
        title = f"{choose.choice(ADJECTIVES)} {choose.choice(NOUNS)} {number}"
        description = " ".join(choose.choice(part) for part in (WHO, DOES, WHAT))
        yield (
            number,
            title,
            f"{description}.",
            choose.randint(1950, 2018),
            choose.randint(45, 185),
            choose.choice(LANGUAGES),
            choose.choice(RATINGS),
        )


async def generate(dsn: str) -> None:
    """Fill a database; what was in these tables is gone."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(SCHEMA)
        await connection.copy_records_to_table("film", records=films())
    finally:
        await connection.close()


if __name__ == "__main__":
    default = os.environ.get("QUART_POSTGRES_DSN", "postgresql://localhost/films")
    asyncio.run(generate(sys.argv[1] if len(sys.argv) > 1 else default))
    print(f"{FILMS} films")
