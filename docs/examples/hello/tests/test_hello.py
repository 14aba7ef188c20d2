"""The tests of the example, on the application itself: no server is needed."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType

import pytest
from quart.datastructures import FileStorage


@pytest.fixture(scope="module")
def hello() -> ModuleType:
    """Load the app by its path, whatever folder pytest was started in."""
    path = Path(__file__).parents[1] / "app.py"
    spec = importlib.util.spec_from_file_location("hello_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # The app finds its folder, and so its static files, by this entry.
    sys.modules["hello_app"] = module
    spec.loader.exec_module(module)
    return module


async def test_page_shows_both_forms(hello: ModuleType) -> None:
    response = await hello.app.test_client().get("/")
    page = await response.get_data(as_text=True)
    assert response.status_code == 200
    assert page.count("<form") == 2


async def test_stylesheet_is_there(hello: ModuleType) -> None:
    response = await hello.app.test_client().get("/static/style.css")
    assert response.mimetype == "text/css"
    await response.get_data(as_text=False)


async def test_film_is_json(hello: ModuleType) -> None:
    response = await hello.app.test_client().get("/api/films/7")
    assert await response.get_json() == {"id": 7, "title": "Film 7"}


async def test_form_greets_by_name(hello: ModuleType) -> None:
    response = await hello.app.test_client().post("/greet", form={"name": "Ada"})
    assert await response.get_data(as_text=True) == "Hello, Ada!"


async def test_upload_tells_size_and_digest(hello: ModuleType) -> None:
    file = FileStorage(io.BytesIO(b"content"), filename="a.txt")
    response = await hello.app.test_client().post("/upload", files={"file": file})
    assert await response.get_json() == {
        "name": "a.txt",
        "bytes": 7,
        "sha256": hashlib.sha256(b"content").hexdigest(),
    }


async def test_upload_without_a_file_is_refused(hello: ModuleType) -> None:
    response = await hello.app.test_client().post("/upload", form={"a": "b"})
    assert response.status_code == 400


async def test_countdown_ends_with_liftoff(hello: ModuleType) -> None:
    response = await hello.app.test_client().get("/countdown")
    lines = (await response.get_data(as_text=True)).splitlines()
    assert lines == ["5", "4", "3", "2", "1", "liftoff"]
