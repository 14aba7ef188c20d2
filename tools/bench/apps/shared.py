"""What the same application serves in every framework."""

from __future__ import annotations

import os
from pathlib import Path

FILES = Path(os.environ.get("BENCH_FILES", "."))
SMALL_FILE = "small.bin"  # 100 KB
LARGE_FILE = "large.bin"  # 50 MB
HELLO = "Hello, World!"
ROUTES = int(os.environ.get("BENCH_ROUTES", "0"))
CHUNK = b"x" * 64
CHUNKS = 1000
ROWS = [{"id": number, "name": f"item <{number}>"} for number in range(50)]
SECRET = "only for measuring"
EVENT_SECONDS = 0.1
DATABASE = os.environ.get("BENCH_DATABASE", "")
POOL_SIZE = 10
HAS_HOOKS = os.environ.get("BENCH_HOOKS") == "1"

TEMPLATE = """<!doctype html>
<title>{{ title }}</title>
<table>
{% for row in rows %}<tr><td>{{ row.id }}</td><td>{{ row.name }}</td></tr>
{% endfor %}</table>
"""

# The queries of the films workload.
ONE_FILM = "SELECT id, title, year, length, rating FROM film WHERE id = $1"
ALL_FILMS = "SELECT id, title, year, length, rating FROM film ORDER BY id"
NEW_REVIEW = "INSERT INTO review (film_id, rating) VALUES ($1, $2) RETURNING id"
