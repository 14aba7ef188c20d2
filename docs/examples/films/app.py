"""Films and reviews in PostgreSQL: the application of the well-known benchmark.

In 2018 it showed what changing from Flask to Quart does to the number of requests per
second: one film, all thousand films, and a new review.
"""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from quart import Quart, abort, request

app = Quart(__name__)
app.config["POSTGRES_DSN"] = "postgresql://localhost/films"
app.config["POSTGRES_CONNECTIONS"] = 10
# Such as QUART_POSTGRES_DSN.
app.config.from_prefixed_env()

ONE = """
SELECT id, title, description, release_year, minutes, language, rating
FROM film WHERE id = $1
"""
ALL = "SELECT id, title, release_year, minutes, language, rating FROM film ORDER BY id"
ADD_REVIEW = "INSERT INTO review (film_id, stars) VALUES ($1, $2) RETURNING id"


@app.while_serving
async def connect() -> AsyncIterator[None]:
    """Have connections as long as the app is served."""
    connections = app.config["POSTGRES_CONNECTIONS"]
    async with asyncpg.create_pool(
        app.config["POSTGRES_DSN"], min_size=connections, max_size=connections
    ) as pool:
        app.extensions["pool"] = pool
        yield


def pool() -> asyncpg.Pool:
    return app.extensions["pool"]


@app.get("/films/<int:film_id>/")
async def get_film(film_id: int) -> dict[str, Any]:
    film = await pool().fetchrow(ONE, film_id)
    if film is None:
        abort(404, f"There is no film {film_id}.")
    return dict(film)


@app.get("/films/")
async def get_films() -> dict[str, Any]:
    return {"films": [dict(film) for film in await pool().fetch(ALL)]}


@app.post("/reviews/")
async def add_review() -> tuple[dict[str, int], int]:
    review = await request.get_json()
    match review:
        case {"film_id": int(film_id), "stars": int(stars)} if 1 <= stars <= 5:
            pass
        case _:
            abort(400, "A review has a film_id, and 1 to 5 stars.")
    try:
        return {"id": await pool().fetchval(ADD_REVIEW, film_id, stars)}, 201
    except asyncpg.ForeignKeyViolationError:
        abort(404, f"There is no film {film_id}.")


if __name__ == "__main__":
    app.run()
