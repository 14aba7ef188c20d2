"""quart-uploads: sets of uploaded files, saved and served."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest
from quart import Quart, request
from quart.datastructures import FileStorage
from quart_uploads import FE, UploadNotAllowed, UploadSet, configure_uploads


@pytest.fixture
def app(tmp_path: Path) -> Quart:
    app = Quart(__name__)
    app.config["UPLOADED_PHOTOS_DEST"] = str(tmp_path / "photos")
    photos = UploadSet("photos", FE.Images)
    configure_uploads(app, photos)

    @app.post("/")
    async def upload() -> dict[str, str]:
        name = await photos.save((await request.files)["photo"])
        return {"name": name, "url": photos.url(name)}

    @app.errorhandler(UploadNotAllowed)
    async def refused(error: UploadNotAllowed) -> tuple[str, int]:
        return "not allowed", 415

    return app


def photo(name: str) -> dict[str, FileStorage]:
    return {"photo": FileStorage(BytesIO(b"pixels"), filename=name)}


async def test_an_upload_is_saved_and_served(app: Quart, tmp_path: Path) -> None:
    client = app.test_client()
    answer = await (await client.post("/", files=photo("a.png"))).get_json()
    assert answer["name"] == "a.png"
    assert (tmp_path / "photos" / "a.png").read_bytes() == b"pixels"
    served = await client.get(answer["url"])
    assert await served.get_data() == b"pixels"
    assert served.mimetype == "image/png"


async def test_a_name_that_is_taken_gets_a_number(app: Quart) -> None:
    client = app.test_client()
    await client.post("/", files=photo("a.png"))
    answer = await (await client.post("/", files=photo("a.png"))).get_json()
    assert answer["name"] == "a_1.png"


async def test_other_types_are_refused(app: Quart, tmp_path: Path) -> None:
    response = await app.test_client().post("/", files=photo("a.exe"))
    assert response.status_code == 415
    assert not (tmp_path / "photos").exists()
