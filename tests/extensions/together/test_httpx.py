"""httpx: its ASGI transport, without a server between."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from quart import Quart, Response, redirect, request, session


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "httpx"

    @app.post("/echo")
    async def echo() -> dict:
        files = await request.files
        return {
            "form": (await request.form).to_dict(),
            "files": {name: file.read().decode() for name, file in files.items()},
        }

    @app.get("/stream")
    async def stream() -> Response:
        async def parts() -> AsyncIterator[str]:
            for number in range(3):
                yield f"{number}\n"

        return Response(parts())

    @app.get("/old")
    async def old():
        session["visited"] = True
        return redirect("/new")

    @app.get("/new")
    async def new() -> dict:
        return {"visited": session.get("visited"), "host": request.host}

    @app.get("/broken")
    async def broken() -> str:
        raise ValueError("broken")

    return app


def client_of(app: Quart, **options) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, **options)
    return httpx.AsyncClient(transport=transport, base_url="http://films.example")


async def test_forms_and_files_arrive(app: Quart) -> None:
    async with client_of(app) as client:
        response = await client.post(
            "/echo", data={"title": "Alien"}, files={"photo": ("a.txt", b"pixels")}
        )
    assert response.json() == {
        "form": {"title": "Alien"},
        "files": {"photo": "pixels"},
    }


async def test_streams_are_read(app: Quart) -> None:
    async with client_of(app) as client, client.stream("GET", "/stream") as response:
        assert [line async for line in response.aiter_lines()] == ["0", "1", "2"]


async def test_redirects_and_cookies_work(app: Quart) -> None:
    async with client_of(app) as client:
        response = await client.get("/old", follow_redirects=True)
    assert response.json() == {"visited": True, "host": "films.example"}


async def test_an_error_is_a_500(app: Quart) -> None:
    async with client_of(app, raise_app_exceptions=False) as client:
        assert (await client.get("/broken")).status_code == 500
