"""Flask-SQLAlchemy by way of quart-flask-patch."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask_sqlalchemy import SQLAlchemy
from quart import Quart


@pytest.fixture
async def app(tmp_path: Path) -> Quart:
    app = Quart(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'films.db'}"
    db = SQLAlchemy(app)

    class Film(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        title = db.Column(db.String, unique=True, nullable=False)

    @app.post("/films/<title>")
    async def add(title: str) -> dict:
        film = Film(title=title)
        db.session.add(film)
        db.session.commit()
        return {"id": film.id}

    @app.get("/films")
    async def films() -> list[str]:
        return [film.title for film in Film.query.order_by(Film.title)]

    @app.get("/films/<int:number>")
    async def film(number: int) -> str:
        return db.get_or_404(Film, number).title

    async with app.app_context():
        db.create_all()
    return app


async def test_models_are_kept_and_found(app: Quart) -> None:
    client = app.test_client()
    for title in ("brazil", "alien"):
        await client.post(f"/films/{title}")
    assert await (await client.get("/films")).get_json() == ["alien", "brazil"]
    assert await (await client.get("/films/2")).get_data(as_text=True) == "alien"
    assert (await client.get("/films/3")).status_code == 404


async def test_a_session_ends_with_its_request(app: Quart) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    client = app.test_client()
    assert (await client.post("/films/alien")).status_code == 200
    assert (await client.post("/films/alien")).status_code == 500
    assert await (await client.get("/films")).get_json() == ["alien"]
