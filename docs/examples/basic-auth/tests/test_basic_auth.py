from __future__ import annotations

import pytest
from quart import Quart
from quart.testing import QuartClient


@pytest.fixture(autouse=True)
def password(app: Quart) -> None:
    app.config["BASIC_AUTH_PASSWORD"] = "pässword"


async def test_public_page_asks_for_nothing(client: QuartClient) -> None:
    assert (await client.get("/")).status_code == 200


async def test_browser_is_asked_for_name_and_password(client: QuartClient) -> None:
    response = await client.get("/admin")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic realm=")


async def test_right_password_shows_the_secret(client: QuartClient) -> None:
    response = await client.get("/admin", auth=("admin", "pässword"))
    assert response.status_code == 200
    assert "42" in await response.get_data(as_text=True)


@pytest.mark.parametrize(
    "auth", [("admin", "wrong"), ("nobody", "pässword"), ("", ""), ("admin", "")]
)
async def test_anything_else_does_not(
    client: QuartClient, auth: tuple[str, str]
) -> None:
    assert (await client.get("/admin", auth=auth)).status_code == 401


@pytest.mark.parametrize("header", ["Bearer abc", "Basic", "Basic !!!", "nonsense"])
async def test_other_headers_do_not_either(client: QuartClient, header: str) -> None:
    response = await client.get("/admin", headers={"Authorization": header})
    assert response.status_code == 401
