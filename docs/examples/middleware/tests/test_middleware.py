from __future__ import annotations

import pytest
from quart.testing import QuartClient


async def test_quart_answers_its_own_routes(client: QuartClient) -> None:
    response = await client.get("/")
    assert "From Quart" in await response.get_data(as_text=True)


async def test_flask_answers_below_its_path(client: QuartClient) -> None:
    response = await client.get("/old/")
    assert "From Flask" in await response.get_data(as_text=True)


async def test_flask_sees_its_own_path_and_the_form(client: QuartClient) -> None:
    response = await client.post("/old/echo", form={"a": "1"})
    assert await response.get_json() == {"path": "/echo", "form": {"a": "1"}}


async def test_paths_that_only_begin_alike_are_not_mounted(
    client: QuartClient,
) -> None:
    response = await client.get("/older")
    assert response.status_code == 404
    assert "Flask" not in await response.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/old/", "/nowhere", "/old/nowhere"])
async def test_every_response_is_timed(client: QuartClient, path: str) -> None:
    response = await client.get(path)
    assert response.headers["Server-Timing"].startswith("app;dur=")
