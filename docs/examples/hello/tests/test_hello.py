"""The tests of the example, on the application itself: no server is needed."""

from __future__ import annotations

import hashlib
import io

from quart.datastructures import FileStorage
from quart.testing import QuartClient


async def test_page_shows_both_forms(client: QuartClient) -> None:
    response = await client.get("/")
    page = await response.get_data(as_text=True)
    assert response.status_code == 200
    assert page.count("<form") == 2


async def test_stylesheet_is_there(client: QuartClient) -> None:
    response = await client.get("/static/style.css")
    assert response.mimetype == "text/css"
    await response.get_data(as_text=False)


async def test_film_is_json(client: QuartClient) -> None:
    response = await client.get("/api/films/7")
    assert await response.get_json() == {"id": 7, "title": "Film 7"}


async def test_form_greets_by_name(client: QuartClient) -> None:
    response = await client.post("/greet", form={"name": "Ada"})
    assert await response.get_data(as_text=True) == "Hello, Ada!"


async def test_upload_tells_size_and_digest(client: QuartClient) -> None:
    file = FileStorage(io.BytesIO(b"content"), filename="a.txt")
    response = await client.post("/upload", files={"file": file})
    assert await response.get_json() == {
        "name": "a.txt",
        "bytes": 7,
        "sha256": hashlib.sha256(b"content").hexdigest(),
    }


async def test_upload_without_a_file_is_refused(client: QuartClient) -> None:
    response = await client.post("/upload", form={"a": "b"})
    assert response.status_code == 400


async def test_countdown_ends_with_liftoff(client: QuartClient) -> None:
    response = await client.get("/countdown")
    lines = (await response.get_data(as_text=True)).splitlines()
    assert lines == ["5", "4", "3", "2", "1", "liftoff"]
