"""SQLAlchemy's asyncio: an engine while serving, a session for each request in g."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from quart import Quart, abort, g, request
from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "note"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(100))


def make_app(url: str) -> Quart:
    app = Quart(__name__)
    app.extensions["ended"] = []

    @app.while_serving
    async def engine() -> AsyncGenerator[None, None]:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        app.extensions["sessions"] = async_sessionmaker(engine, expire_on_commit=False)
        yield
        await engine.dispose()
        app.extensions["ended"].append("engine")

    @app.before_request
    async def open_session() -> None:
        g.session = app.extensions["sessions"]()

    @app.teardown_request
    async def close_session(exc: BaseException | None) -> None:
        # Handled exceptions come as None, so the view commits, not the teardown.
        await g.session.close()
        app.extensions["ended"].append("session")

    @app.post("/notes")
    async def create() -> tuple[dict[str, Any], int]:
        note = Note(text=(await request.get_json())["text"])
        g.session.add(note)
        await g.session.flush()
        if note.text == "bad":
            abort(400)
        await g.session.commit()
        return {"id": note.id}, 201

    @app.get("/notes")
    async def notes() -> list[str]:
        found = await g.session.scalars(select(Note).order_by(Note.id))
        return [note.text for note in found]

    return app


async def test_requests_have_sessions_of_their_own(tmp_path: Path) -> None:
    app = make_app(f"sqlite+aiosqlite:///{tmp_path / 'notes.db'}")
    async with app.test_app() as running:
        client = running.test_client()
        created = await client.post("/notes", json={"text": "a"})
        assert created.status_code == 201
        assert await created.get_json() == {"id": 1}
        # What was not committed is rolled back with the session.
        assert (await client.post("/notes", json={"text": "bad"})).status_code == 400
        assert await (await client.get("/notes")).get_json() == ["a"]
    assert app.extensions["ended"] == [*["session"] * 3, "engine"]
