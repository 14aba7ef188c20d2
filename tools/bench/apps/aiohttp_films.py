"""The films of the comparison of 2018: aiohttp and asyncpg."""

from __future__ import annotations

import sys

import asyncpg
import uvloop
from aiohttp import web
from shared import ALL_FILMS, DATABASE, NEW_REVIEW, ONE_FILM, POOL_SIZE

POOL = web.AppKey("pool", asyncpg.Pool)


async def pool(app):
    app[POOL] = await asyncpg.create_pool(
        DATABASE, min_size=POOL_SIZE, max_size=POOL_SIZE
    )
    yield
    await app[POOL].close()


async def film(request):
    number = int(request.match_info["number"])
    return web.json_response(dict(await request.app[POOL].fetchrow(ONE_FILM, number)))


async def films(request):
    rows = await request.app[POOL].fetch(ALL_FILMS)
    return web.json_response([dict(row) for row in rows])


async def review(request):
    data = await request.json()
    values = data["film_id"], data["rating"]
    number = await request.app[POOL].fetchval(NEW_REVIEW, *values)
    return web.json_response({"id": number}, status=201)


def make_app():
    app = web.Application()
    app.cleanup_ctx.append(pool)
    app.add_routes(
        [
            web.get(r"/films/{number:\d+}/", film),
            web.get("/films/", films),
            web.post("/reviews/", review),
        ]
    )
    return app


if __name__ == "__main__":
    uvloop.install()
    web.run_app(
        make_app(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None
    )
