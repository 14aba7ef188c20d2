"""Files: send_file, send_from_directory, static files, resources."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from quart import Blueprint, Quart, Response, send_file, send_from_directory
from werkzeug.exceptions import NotFound

CONTENT = b"0123456789" * 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "a.txt").write_bytes(CONTENT)
    (tmp_path / "static" / "ünï.txt").write_bytes(CONTENT)
    (tmp_path / "static" / "sub").mkdir()
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "static" / "unknown.zzz").write_bytes(CONTENT)
    return tmp_path


@pytest.fixture
def app(folder: Path) -> Quart:
    return Quart("files", root_path=str(folder))


async def _sent(app: Quart, *args: Any, **kwargs: Any) -> Response:
    async with app.test_request_context("/", headers=kwargs.pop("headers", None)):
        return await send_file(*args, **kwargs)


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
async def test_path_of_any_type(app: Quart, folder: Path, kind: Any) -> None:
    response = await _sent(app, kind(str(folder / "static" / "a.txt")))
    assert await response.get_data() == CONTENT
    assert response.mimetype == "text/plain"


async def test_relative_path_is_below_the_root(app: Quart) -> None:
    assert await (await _sent(app, "static/a.txt")).get_data() == CONTENT


async def test_file_objects(app: Quart, folder: Path) -> None:
    response = await _sent(app, io.BytesIO(CONTENT), "a/b")
    assert await response.get_data() == CONTENT
    file = (folder / "static" / "a.txt").open("rb")
    response = await _sent(app, file, "a/b")
    assert await response.get_data() == CONTENT
    await response.close()
    assert file.closed
    with pytest.raises(TypeError):
        await _sent(app, io.StringIO("text"), "a/b")


async def test_type_is_guessed_from_the_name(app: Quart) -> None:
    unknown = await _sent(app, "static/unknown.zzz")
    assert unknown.mimetype == "application/octet-stream"
    named = await _sent(app, io.BytesIO(b"x"), attachment_filename="a.png")
    assert named.mimetype == "image/png"
    with pytest.raises(ValueError, match="mimetype"):
        await _sent(app, io.BytesIO(b"x"))


async def test_missing_file_is_an_error(app: Quart) -> None:
    with pytest.raises(FileNotFoundError):
        await _sent(app, "static/none.txt")


@pytest.mark.parametrize(
    "name",
    ["none.txt", "../secret.txt", "sub", "sub/../../secret.txt", "/etc/passwd", "."],
)
async def test_directory_gives_nothing_outside_of_it(app: Quart, name: str) -> None:
    async with app.test_request_context("/"):
        with pytest.raises(NotFound):
            await send_from_directory("static", name)
        found = await send_from_directory("static", "a.txt")
        assert await found.get_data() == CONTENT


async def test_flasks_names(app: Quart) -> None:
    response = await _sent(
        app,
        path_or_file="static/a.txt",
        mimetype="a/b",
        as_attachment=True,
        download_name="b.txt",
        etag="own",
        max_age=5,
        conditional=True,
        last_modified=1_700_000_000,
    )
    assert response.headers["Content-Disposition"] == "attachment; filename=b.txt"
    assert response.headers["ETag"] == '"own"'
    assert response.headers["Cache-Control"] == "public, max-age=5"
    assert response.headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    async with app.test_request_context("/"):
        response = await send_from_directory(
            directory="static", path="a.txt", download_name="c.txt", max_age=lambda p: 7
        )
    assert response.headers["Cache-Control"] == "public, max-age=7"


async def test_headers_of_a_file(app: Quart) -> None:
    headers = (await _sent(app, "static/a.txt")).headers
    assert headers["Content-Length"] == "100"
    assert headers["Cache-Control"] == "public, max-age=43200"
    assert {"Last-Modified", "Expires", "ETag"} <= set(headers.keys())


async def test_names_beyond_ascii_are_sent_by_rfc_6266(app: Quart) -> None:
    response = await _sent(app, "static/ünï.txt", as_attachment=True)
    disposition = response.headers["Content-Disposition"]
    assert "filename*=UTF-8''%C3%BCn%C3%AF.txt" in disposition
    assert disposition.isascii()


async def test_conditional_only_where_asked_for(app: Quart) -> None:
    headers = {"Range": "bytes=0-1"}
    plain = await _sent(app, "static/a.txt", headers=headers)
    assert plain.status_code == 200
    part = await _sent(app, "static/a.txt", conditional=True, headers=headers)
    assert (part.status_code, await part.get_data()) == (206, b"01")


async def test_static_route(app: Quart) -> None:
    client = app.test_client()
    for method, status in [
        ("GET", 200),
        ("HEAD", 200),
        ("OPTIONS", 200),
        ("POST", 405),
    ]:
        response = await client.open("/static/a.txt", method=method)
        assert (method, response.status_code) == (method, status)
    assert (await client.get("/static/../secret.txt")).status_code == 404
    assert (await client.get("/static/%2e%2e/secret.txt")).status_code == 404
    async with app.test_request_context("/"):
        assert app.url_for("static", filename="a.txt") == "/static/a.txt"


def test_static_route_is_there_whenever_the_folder_is_not_none(tmp_path: Path) -> None:
    assert "static" in Quart("a", root_path=str(tmp_path)).view_functions
    assert "static" not in Quart("a", static_folder=None).view_functions
    assert Quart("a", static_folder="x/assets").static_url_path == "/assets"


async def test_blueprints_have_static_files_too(app: Quart, folder: Path) -> None:
    blueprint = Blueprint(
        "bp", __name__, url_prefix="/bp", static_folder="static", root_path=str(folder)
    )
    app.register_blueprint(blueprint)
    response = await app.test_client().get("/bp/static/a.txt")
    assert await response.get_data() == CONTENT


async def test_max_age_is_overridable_on_app_and_blueprint(folder: Path) -> None:
    class App(Quart):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 3

    class Own(Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 4

    app = App("files", root_path=str(folder))
    blueprint = Own(
        "bp", __name__, url_prefix="/bp", static_folder="static", root_path=str(folder)
    )
    app.register_blueprint(blueprint)
    client = app.test_client()
    cached = [
        (await client.get(path)).headers["Cache-Control"]
        for path in ("/static/a.txt", "/bp/static/a.txt")
    ]
    assert cached == ["public, max-age=3", "public, max-age=4"]
    plain = Quart("files")
    async with plain.app_context():
        assert plain.get_send_file_max_age("a") == 43_200
        plain.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(seconds=9)
        assert plain.get_send_file_max_age("a") == 9
        plain.config["SEND_FILE_MAX_AGE_DEFAULT"] = 8
        assert plain.get_send_file_max_age("a") == 8
        plain.config["SEND_FILE_MAX_AGE_DEFAULT"] = None
        assert plain.get_send_file_max_age("a") is None


async def test_resources(folder: Path) -> None:
    app = Quart("files", root_path=str(folder), instance_path=str(folder / "instance"))
    (folder / "instance").mkdir()
    (folder / "instance" / "i.txt").write_text("i")
    async with await app.open_resource("secret.txt") as file:
        assert await file.read() == b"secret"
    async with await app.open_resource("secret.txt", "rt", encoding="utf-8") as text:
        assert await text.read() == "secret"
    with pytest.raises(ValueError, match="mode"):
        await app.open_resource("secret.txt", "w")
    async with await app.open_instance_resource("i.txt") as file:
        assert await file.read() == b"i"
    async with await app.open_instance_resource("o.txt", "wb") as file:
        await file.write(b"o")
    assert (folder / "instance" / "o.txt").read_text() == "o"
