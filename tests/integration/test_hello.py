"""The example "hello" behind our server, over real sockets."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from integration_server import Served, serving

HELLO = Path(__file__).parents[2] / "docs" / "examples" / "hello"


@pytest.fixture
def hello(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("hello_app", HELLO / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "hello_app", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
async def served(hello: ModuleType) -> AsyncIterator[Served]:
    async with serving(hello.app) as served:
        yield served


@pytest.fixture
async def http(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://127.0.0.1:{served.port}"
    async with httpx.AsyncClient(base_url=url, timeout=20, trust_env=False) as client:
        yield client


async def test_page_is_html_and_links_a_stylesheet_that_is_there(
    http: httpx.AsyncClient,
) -> None:
    page = await http.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<link rel="stylesheet" href="/static/style.css">' in page.text
    style = await http.get("/static/style.css")
    assert style.status_code == 200
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert style.content == (HELLO / "static" / "style.css").read_bytes()


async def test_json(http: httpx.AsyncClient) -> None:
    film = await http.get("/api/films/7")
    assert film.headers["content-type"] == "application/json"
    assert film.json() == {"id": 7, "title": "Film 7"}


async def test_form(http: httpx.AsyncClient) -> None:
    greeting = await http.post("/greet", data={"name": "Ada Löwe"})
    assert greeting.text == "Hello, Ada Löwe!"


async def test_form_without_its_field_is_a_bad_request(http: httpx.AsyncClient) -> None:
    assert (await http.post("/greet", data={"nam": "Ada"})).status_code == 400


async def test_upload_of_a_file_larger_than_what_stays_in_memory(
    http: httpx.AsyncClient,
) -> None:
    content = bytes(range(256)) * 8192
    answer = await http.post("/upload", files={"file": ("größe.bin", content)})
    assert answer.json() == {
        "name": "größe.bin",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


async def test_upload_without_its_file_is_a_bad_request(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.post("/upload", files={"other": ("a", b"a")})
    assert answer.status_code == 400


async def test_streamed_lines_leave_when_they_are_made(
    http: httpx.AsyncClient,
) -> None:
    async with http.stream("GET", "/countdown") as answer:
        chunks = [chunk async for chunk in answer.aiter_raw()]
    assert b"".join(chunks) == b"5\n4\n3\n2\n1\nliftoff\n"
    # The last two lines are made without a pause between them.
    assert chunks[0] == b"5\n"
    assert len(chunks) >= 5


async def test_unknown_page_and_wrong_method(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/films/seven")).status_code == 404
    wrong = await http.get("/greet")
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "OPTIONS, POST"
