"""The films of the comparison of 2018: Starlette and asyncpg."""

from __future__ import annotations

import contextlib

import asyncpg
from shared import ALL_FILMS, DATABASE, NEW_REVIEW, ONE_FILM, POOL_SIZE
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


@contextlib.asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(
        DATABASE, min_size=POOL_SIZE, max_size=POOL_SIZE
    )
    async with app.state.pool:
        yield


async def film(request):
    pool = request.app.state.pool
    row = await pool.fetchrow(ONE_FILM, request.path_params["number"])
    return JSONResponse(dict(row))


async def films(request):
    rows = await request.app.state.pool.fetch(ALL_FILMS)
    return JSONResponse([dict(row) for row in rows])


async def review(request):
    data = await request.json()
    pool = request.app.state.pool
    number = await pool.fetchval(NEW_REVIEW, data["film_id"], data["rating"])
    return JSONResponse({"id": number}, 201)


app = Starlette(
    routes=[
        Route("/films/{number:int}/", film),
        Route("/films/", films),
        Route("/reviews/", review, methods=["POST"]),
    ],
    lifespan=lifespan,
)
