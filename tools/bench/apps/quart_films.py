"""The films of the comparison of 2018: Quart and asyncpg."""

from __future__ import annotations

import asyncpg
from quart import Quart, request
from shared import ALL_FILMS, DATABASE, NEW_REVIEW, ONE_FILM, POOL_SIZE

app = Quart(__name__)


@app.before_serving
async def connect():
    app.pool = await asyncpg.create_pool(
        DATABASE, min_size=POOL_SIZE, max_size=POOL_SIZE
    )


@app.after_serving
async def close():
    await app.pool.close()


@app.get("/films/<int:number>/")
async def film(number: int):
    return dict(await app.pool.fetchrow(ONE_FILM, number))


@app.get("/films/")
async def films():
    return [dict(row) for row in await app.pool.fetch(ALL_FILMS)]


@app.post("/reviews/")
async def review():
    data = await request.get_json()
    number = await app.pool.fetchval(NEW_REVIEW, data["film_id"], data["rating"])
    return {"id": number}, 201
