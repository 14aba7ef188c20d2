"""Rendering a page of 50 rows: ours beside Flask's, in one process.

    python tools/bench/templates.py

Needs an environment with quart-core, quart-templating and flask. The two take turns,
so that a change of the machine's speed hits both; quoted is the median of the ratios.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import flask
from quart_core import Quart
from quart_templating import render_template

ROUNDS, RENDERINGS, ROWS = 15, 200, 50
PAGE = """<!doctype html><title>{{ title }}</title><table>
{% for film in films %}<tr><td>{{ film.id }}</td><td>{{ film.title }}</td>
<td>{{ film.year }}</td></tr>{% endfor %}</table>"""


class Film:
    """A row of the page."""

    def __init__(self, number: int) -> None:
        self.id = number
        self.title = f"Film <{number}>"
        self.year = 1970 + number


FILMS = [Film(number) for number in range(ROWS)]


async def ours(app: Quart) -> tuple[float, str]:
    async with app.app_context():
        start = time.perf_counter()
        for _ in range(RENDERINGS):
            text = await render_template("page.html", films=FILMS, title="Films")
        return (time.perf_counter() - start) / RENDERINGS * 1e6, text


def theirs(app: flask.Flask) -> tuple[float, str]:
    with app.app_context():
        start = time.perf_counter()
        for _ in range(RENDERINGS):
            text = flask.render_template("page.html", films=FILMS, title="Films")
        return (time.perf_counter() - start) / RENDERINGS * 1e6, text


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        templates = Path(folder) / "templates"
        templates.mkdir()
        (templates / "page.html").write_text(PAGE)
        quart_app = Quart("bench", root_path=folder)
        flask_app = flask.Flask("bench", root_path=folder)
        if asyncio.run(ours(quart_app))[1] != theirs(flask_app)[1]:
            raise SystemExit("the two pages differ")
        pairs = [
            (asyncio.run(ours(quart_app))[0], theirs(flask_app)[0])
            for _ in range(ROUNDS)
        ]
    print(f"ours  {statistics.median(pair[0] for pair in pairs):8.1f} us")
    print(f"flask {statistics.median(pair[1] for pair in pairs):8.1f} us")
    print(f"ratio {statistics.median(pair[0] / pair[1] for pair in pairs):8.2f}")


if __name__ == "__main__":
    main()
