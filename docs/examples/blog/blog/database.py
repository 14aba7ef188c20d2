"""SQLite by aiosqlite: a connection for each request that needs one."""

from pathlib import Path

import aiosqlite
from quart import Quart, current_app, g

SCHEMA = """
CREATE TABLE IF NOT EXISTS author (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS post (
    id INTEGER PRIMARY KEY,
    author_id INTEGER NOT NULL REFERENCES author (id),
    created TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    title TEXT NOT NULL,
    body TEXT NOT NULL
);
"""


def init_app(app: Quart) -> None:
    """Make the tables when the app starts, and close connections after requests."""
    app.before_serving(create_tables)
    app.teardown_appcontext(close)


async def connect() -> aiosqlite.Connection:
    """Return the connection of this request."""
    if "database" not in g:
        g.database = await aiosqlite.connect(current_app.config["DATABASE"])
        g.database.row_factory = aiosqlite.Row
        await g.database.execute("PRAGMA foreign_keys = ON")
    return g.database


async def close(_error: BaseException | None) -> None:
    connection = g.pop("database", None)
    if connection is not None:
        # What was not committed is rolled back.
        await connection.close()


async def create_tables() -> None:
    Path(current_app.config["DATABASE"]).parent.mkdir(parents=True, exist_ok=True)
    connection = await connect()
    # Readers and a writer at once.
    await connection.execute("PRAGMA journal_mode = WAL")
    await connection.executescript(SCHEMA)
