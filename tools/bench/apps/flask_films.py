"""The films of the comparison of 2018: Flask and psycopg2."""

from __future__ import annotations

import re
from contextlib import contextmanager

from flask import Flask, request
from psycopg2.extras import RealDictCursor
from psycopg2.pool import ThreadedConnectionPool
from shared import ALL_FILMS, DATABASE, NEW_REVIEW, ONE_FILM

THREADS = 16

app = Flask(__name__)
pool = ThreadedConnectionPool(THREADS, THREADS, DATABASE, cursor_factory=RealDictCursor)


def for_psycopg2(query):
    return re.sub(r"\$\d", "%s", query)


@contextmanager
def cursor():
    connection = pool.getconn()
    try:
        with connection, connection.cursor() as found:
            yield found
    finally:
        pool.putconn(connection)


@app.get("/films/<int:number>/")
def film(number: int):
    with cursor() as found:
        found.execute(for_psycopg2(ONE_FILM), (number,))
        return dict(found.fetchone())


@app.get("/films/")
def films():
    with cursor() as found:
        found.execute(ALL_FILMS)
        return [dict(row) for row in found.fetchall()]


@app.post("/reviews/")
def review():
    data = request.get_json()
    with cursor() as found:
        found.execute(for_psycopg2(NEW_REVIEW), (data["film_id"], data["rating"]))
        return {"id": found.fetchone()["id"]}, 201
