from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from quart import Quart
from quart.testing import QuartClient

ROUTES = ["/files/", "/aiofiles/"]


@pytest.fixture(autouse=True)
def folder(app: Quart, tmp_path: Path) -> Path:
    app.config["UPLOAD_FOLDER"] = tmp_path
    return tmp_path


@pytest.mark.parametrize("route", ROUTES)
async def test_file_is_stored_as_it_was_sent(
    client: QuartClient, folder: Path, route: str
) -> None:
    data = bytes(range(256)) * 1_000
    response = await client.put(f"{route}a.bin", data=data)
    assert response.status_code == 201
    assert await response.get_json() == {
        "name": "a.bin",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    assert (folder / "a.bin").read_bytes() == data
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("route", ROUTES)
async def test_empty_file_is_a_file(
    client: QuartClient, folder: Path, route: str
) -> None:
    assert (await client.put(f"{route}empty")).status_code == 201
    assert (folder / "empty").read_bytes() == b""


@pytest.mark.parametrize("route", ROUTES)
async def test_file_over_the_limit_is_refused_and_says_so(
    app: Quart, client: QuartClient, folder: Path, route: str
) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10
    response = await client.put(f"{route}a.bin", data=b"a" * 11)
    assert response.status_code == 413
    assert "exceeds" in (await response.get_json())["error"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("route", ROUTES)
async def test_file_that_is_not_sent_to_its_end_leaves_nothing(
    client: QuartClient, folder: Path, route: str
) -> None:
    async with client.request(f"{route}a.bin", method="PUT") as connection:
        await connection.send(b"the beginning")
        await connection.disconnect()
    assert list(folder.iterdir()) == []


async def test_name_leads_nowhere_else(client: QuartClient, folder: Path) -> None:
    response = await client.put("/files/..%5C..%5Cetc%5Cpasswd", data=b"a")
    assert response.status_code in {201, 404}
    assert all(path.parent == folder for path in folder.rglob("*"))
    assert (await client.put("/files/...", data=b"a")).status_code == 400


async def test_page_tells_the_limit(app: Quart, client: QuartClient) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 2 * 1024**2
    page = await (await client.get("/")).get_data(as_text=True)
    assert "up to 2.0 MiB" in page
