"""send_file and send_from_directory: the rows of the table "Files"."""

from __future__ import annotations

import asyncio
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest
from quart_contexts.globals import _cv_app, _cv_request
from quart_core import file_lookup, files
from quart_core.files import send_file, send_from_directory
from quart_core.threads import run_sync
from quart_core.wrappers.response import DataBody, FileBody, Response
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable
from werkzeug.http import parse_date

CONTENT = b"hello, world"


class App:
    """As much of an app as sending files needs."""

    response_class = Response

    def __init__(self, root_path: Path) -> None:
        self.root_path = str(root_path)
        self.max_age: int | None = 43200
        self.asked_max_age_of: list[str | None] = []
        self.thread_steps = 0

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        self.asked_max_age_of.append(filename)
        return self.max_age

    def sync_to_async(self, func: Callable[..., Any]) -> Callable[..., Any]:
        self.thread_steps += 1
        return run_sync(func)

    def _get_current_object(self) -> App:
        return self


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    (made / "folder" / "sub").mkdir(parents=True)
    (made / "folder" / "a.txt").write_bytes(CONTENT)
    (made / "folder" / "large.bin").write_bytes(b"x" * 300_000)
    return made


@pytest.fixture
def path(root: Path) -> Path:
    return root / "folder" / "a.txt"


def begin_request(method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = SimpleNamespace(method=method, headers=Headers(named))
    return _cv_request.set(SimpleNamespace(request=request))  # type: ignore[arg-type]


@pytest.fixture
def app(root: Path) -> Iterator[App]:
    """Give an app that is answering a plain GET."""
    made = App(root)
    app_token = _cv_app.set(SimpleNamespace(app=made))  # type: ignore[arg-type]
    request_token = begin_request()
    yield made
    _cv_request.reset(request_token)
    _cv_app.reset(app_token)


class Opened(io.BytesIO):
    """A file object that is no plain BytesIO, though it is in memory."""


class Pipe(io.RawIOBase):
    """A file object without places."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = list(chunks)

    def read(self, _size: int = -1) -> bytes:
        return self.chunks.pop(0) if self.chunks else b""


# send_file: what can be sent


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
async def test_paths_are_text_bytes_or_objects(app: App, path: Path, kind: Any) -> None:
    response = await send_file(kind(path))
    assert await response.get_data() == CONTENT
    assert response.headers["Content-Length"] == str(len(CONTENT))


async def test_relative_paths_begin_at_the_apps_root_path(app: App) -> None:
    assert await (await send_file("folder/a.txt")).get_data() == CONTENT


async def test_bytes_io_is_sent_and_stays_open(app: App) -> None:
    stream = io.BytesIO(CONTENT)
    response = await send_file(stream, "text/plain")
    assert await response.get_data() == CONTENT
    await response._close_body()
    assert response.headers["Content-Length"] == str(len(CONTENT))
    assert not stream.closed


async def test_files_that_the_caller_opened_are_sent_and_closed(
    app: App, path: Path
) -> None:
    stream = path.open("rb")
    response = await send_file(stream, "text/plain")
    assert response.headers["Content-Length"] == str(len(CONTENT))
    assert await response.get_data() == CONTENT
    assert stream.closed


async def test_a_file_that_the_caller_opened_is_closed_unsent(
    app: App, path: Path
) -> None:
    stream = path.open("rb")
    await (await send_file(stream, "text/plain"))._close_body()
    assert stream.closed


async def test_file_objects_that_cannot_seek_are_streamed_and_closed(app: App) -> None:
    stream = Pipe(b"a", b"b")
    response = await send_file(stream, "text/plain")  # type: ignore[arg-type]
    assert "Content-Length" not in response.headers
    assert await response.get_data() == b"ab"
    await response._close_body()
    assert stream.closed


async def test_text_is_refused_clearly(app: App, path: Path) -> None:
    with pytest.raises(TypeError, match=r"StringIO reads text: .*binary mode"):
        await send_file(io.StringIO("x"), "text/plain")  # type: ignore[arg-type]
    with path.open() as stream, pytest.raises(TypeError, match="binary mode"):
        await send_file(stream, "text/plain")  # type: ignore[arg-type]


async def test_the_type_is_guessed_from_the_name(app: App, root: Path) -> None:
    assert (await send_file("folder/a.txt")).content_type == "text/plain; charset=utf-8"
    assert (await send_file("folder/large.bin")).mimetype == "application/octet-stream"
    (root / "noext").touch()
    assert (await send_file("noext")).mimetype == "application/octet-stream"
    named = await send_file("folder/a.txt", attachment_filename="x.pdf")
    assert named.mimetype == "application/pdf"
    given = await send_file("folder/a.txt", "image/png")
    assert given.mimetype == "image/png"


async def test_a_name_gives_the_type_of_a_file_object(app: App) -> None:
    response = await send_file(io.BytesIO(b""), attachment_filename="x.png")
    assert response.mimetype == "image/png"


async def test_a_file_object_without_type_or_name_is_refused(app: App) -> None:
    with pytest.raises(ValueError, match=r"mimetype.*attachment_filename"):
        await send_file(io.BytesIO(b""))


async def test_a_missing_file_raises_file_not_found(app: App) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        await send_file("none")


async def test_a_folder_is_no_file(app: App) -> None:
    with pytest.raises(IsADirectoryError):
        await send_file("folder")


async def test_a_named_pipe_is_not_waited_for(app: App, root: Path) -> None:
    os.mkfifo(root / "folder" / "pipe")
    async with asyncio.timeout(10):
        with pytest.raises(ValueError, match="no regular file"):
            await send_file("folder/pipe")
        with pytest.raises(NotFound):
            await send_from_directory("folder", "pipe")


async def test_nothing_to_send_is_a_mistake(app: App) -> None:
    with pytest.raises(TypeError, match="filename_or_io is missing"):
        await send_file()
    with pytest.raises(TypeError, match="file_name is missing"):
        await send_from_directory("folder")


# send_file: headers


async def test_headers_of_a_file(app: App, path: Path) -> None:
    os.utime(path, (1_000_000_000, 1_000_000_000))
    before = int(time.time())
    response = await send_file(path)
    headers = response.headers
    assert headers["Last-Modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert headers["Cache-Control"] == "public, max-age=43200"
    expires = parse_date(headers["Expires"])
    assert expires is not None
    assert 0 <= expires.timestamp() - before - 43200 <= 5
    assert "Content-Disposition" not in headers
    assert "Accept-Ranges" not in headers
    assert app.asked_max_age_of == [str(path)]


async def test_the_etag_follows_time_size_and_path(app: App, path: Path) -> None:
    async def etag(**arguments: Any) -> str:
        return (await send_file(path, **arguments)).headers["ETag"]

    os.utime(path, (1_000_000_000, 1_000_000_000))
    first = await etag()
    assert first == await etag()
    assert first.startswith('"')
    os.utime(path, (1_000_000_000, 1_000_000_001))
    second = await etag()
    path.write_bytes(CONTENT + b"!")
    os.utime(path, (1_000_000_000, 1_000_000_001))
    third = await etag()
    other = path.with_name("b.txt")
    path.rename(other)
    path = other
    fourth = await etag()
    assert len({first, second, third, fourth}) == 4


async def test_the_etag_can_be_left_out_or_given(app: App, path: Path) -> None:
    assert "ETag" not in (await send_file(path, add_etags=False)).headers
    assert "ETag" not in (await send_file(path, etag=False)).headers
    assert (await send_file(path, etag="v1")).headers["ETag"] == '"v1"'
    stream = io.BytesIO(b"")
    assert "ETag" not in (await send_file(stream, "a/b")).headers
    assert (await send_file(stream, "a/b", etag="v1")).headers["ETag"] == '"v1"'


async def test_the_cache_time_can_be_given(app: App, path: Path) -> None:
    def seconds_for(name: str | None) -> int:
        assert name == str(path)
        return 7

    for arguments, expected in [
        ({"cache_timeout": 5}, "public, max-age=5"),
        ({"cache_timeout": 0}, "public, max-age=0"),
        ({"max_age": 6}, "public, max-age=6"),
        ({"max_age": seconds_for}, "public, max-age=7"),
    ]:
        response = await send_file(path, **arguments)
        assert response.headers["Cache-Control"] == expected
        assert "Expires" in response.headers
    assert app.asked_max_age_of == []


async def test_without_a_cache_time_there_is_no_expiry(app: App, path: Path) -> None:
    app.max_age = None
    for response in (await send_file(path), await send_file(io.BytesIO(b""), "a/b")):
        assert response.headers["Cache-Control"] == "public"
        assert "Expires" not in response.headers


async def test_the_time_can_be_given(app: App, path: Path) -> None:
    when = datetime(2020, 1, 1, tzinfo=UTC)
    for source in (path, io.BytesIO(b"")):
        response = await send_file(source, "a/b", last_modified=when)
        assert response.headers["Last-Modified"] == "Wed, 01 Jan 2020 00:00:00 GMT"
    response = await send_file(path, last_modified=0)
    assert response.headers["Last-Modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"


async def test_names_of_attachments(app: App, path: Path) -> None:
    async def disposition(source: Any, **arguments: Any) -> str | None:
        response = await send_file(source, "a/b", **arguments)
        return response.headers.get("Content-Disposition")

    assert await disposition(path, as_attachment=True) == "attachment; filename=a.txt"
    assert await disposition(
        path, as_attachment=True, attachment_filename="né.txt"
    ) == ("attachment; filename=ne.txt; filename*=UTF-8''n%C3%A9.txt")
    assert await disposition(path, attachment_filename="b.txt") is None
    assert await disposition(path, download_name="b.txt") == "inline; filename=b.txt"
    assert (
        await disposition(path, as_attachment=True, download_name="b.txt")
        == "attachment; filename=b.txt"
    )
    assert await disposition(io.BytesIO(b""), as_attachment=True) == "attachment"


async def test_st_17_names_and_types_cannot_add_a_header(app: App, path: Path) -> None:
    response = await send_file(
        path, as_attachment=True, attachment_filename="a\r\nSet-Cookie: b=c"
    )
    disposition = response.headers["Content-Disposition"]
    assert disposition.isprintable()
    with pytest.raises(ValueError, match="newline"):
        await send_file(path, "text/plain\r\nX: y")


# Flask's names


async def test_flasks_names_are_accepted(app: App, path: Path) -> None:
    response = await send_file(
        path_or_file=path, download_name="b.txt", etag=True, max_age=1
    )
    assert await response.get_data() == CONTENT
    response = await send_from_directory("folder", path="a.txt", max_age=1)
    assert await response.get_data() == CONTENT


@pytest.mark.parametrize(
    "arguments",
    [
        {"path_or_file": "a"},
        {"attachment_filename": "a", "download_name": "b"},
        {"cache_timeout": 1, "max_age": 1},
    ],
)
async def test_two_names_of_one_argument_are_refused(
    app: App, path: Path, arguments: dict[str, Any]
) -> None:
    with pytest.raises(TypeError, match="two names of one argument"):
        await send_file(path, **arguments)


# conditional


async def test_send_file_ignores_preconditions_unless_asked(
    app: App, path: Path
) -> None:
    begin_request(Range="bytes=0-3")
    assert (await send_file(path)).status_code == 200
    response = await send_file(path, conditional=True)
    assert response.status_code == 206
    assert await response.get_data() == CONTENT[:4]


async def test_send_from_directory_respects_preconditions(app: App) -> None:
    begin_request()
    first = await send_from_directory("folder", "a.txt")
    assert first.status_code == 200
    begin_request(If_None_Match=first.headers["ETag"])
    assert (await send_from_directory("folder", "a.txt")).status_code == 304
    begin_request(If_Modified_Since=first.headers["Last-Modified"])
    response = await send_from_directory("folder", "a.txt")
    assert response.status_code == 304
    assert "Content-Length" not in response.headers


@pytest.mark.parametrize("name", ["a.txt", "large.bin"])
@pytest.mark.parametrize("span", ["bytes=2-5", "bytes=-3", "bytes=7-", "bytes=0-1,4-5"])
async def test_ranges_of_small_and_large_files(
    app: App, root: Path, name: str, span: str
) -> None:
    begin_request(Range=span)
    response = await send_from_directory("folder", name)
    assert response.status_code == 206
    sent = await response.get_data()
    assert str(len(sent)) == response.headers["Content-Length"]
    content = (root / "folder" / name).read_bytes()
    if "," in span:
        assert content[0:2] in sent
        assert content[4:6] in sent
    else:
        first, _, last = span.removeprefix("bytes=").partition("-")
        begin = int(first) if first else -int(last)
        end = int(last) + 1 if first and last else None
        assert sent == content[begin:end]


async def test_an_unsatisfiable_range_closes_what_was_opened(
    app: App, path: Path
) -> None:
    begin_request(Range="bytes=99-")
    stream = path.open("rb")
    with pytest.raises(RequestedRangeNotSatisfiable):
        await send_file(stream, "text/plain", conditional=True)
    assert stream.closed


async def test_ranges_of_file_objects(app: App, path: Path) -> None:
    begin_request(Range="bytes=2-5")
    for stream in (io.BytesIO(CONTENT), Opened(CONTENT), path.open("rb")):
        response = await send_file(stream, "a/b", conditional=True)
        assert response.status_code == 206
        assert await response.get_data() == CONTENT[2:6]


# send_from_directory


@pytest.mark.parametrize("name", ["none", "sub", "sub/none", "a.txt/b", "x" * 255])
async def test_what_is_not_there_is_404(app: App, name: str) -> None:
    with pytest.raises(NotFound):
        await send_from_directory("folder", name)


async def test_a_link_to_itself_is_404(app: App, root: Path) -> None:
    (root / "folder" / "loop").symlink_to("loop")
    with pytest.raises(NotFound):
        await send_from_directory("folder", "loop")


@pytest.mark.parametrize(
    "name",
    ["../root/folder/a.txt", "..", "/etc/passwd", "a\0", "..\\a.txt", "C:/a", "nul"],
)
async def test_fw_13_what_the_grammar_forbids_is_404_without_a_thread(
    app: App, name: str
) -> None:
    with pytest.raises(NotFound):
        await send_from_directory("folder", name)
    assert app.thread_steps == 0


async def test_fw_14_a_link_out_of_the_folder_is_404(app: App, root: Path) -> None:
    (root / "secret").write_text("secret")
    (root / "folder" / "link").symlink_to(root / "secret")
    with pytest.raises(NotFound):
        await send_from_directory("folder", "link")


async def test_a_link_inside_of_the_folder_is_followed(app: App, root: Path) -> None:
    (root / "folder" / "link").symlink_to("a.txt")
    response = await send_from_directory("folder", "link")
    assert await response.get_data() == CONTENT


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
async def test_the_folder_is_text_bytes_or_an_object(
    app: App, root: Path, kind: Any
) -> None:
    response = await send_from_directory(kind(root / "folder"), PurePosixPath("a.txt"))
    assert await response.get_data() == CONTENT


async def test_a_file_that_may_not_be_read_is_an_error(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(file_lookup.os, "stat", refuse)
    with pytest.raises(PermissionError):
        await send_from_directory("folder", "a.txt")


# Cost: threads, reading, sending without reading


async def test_st_04_the_file_system_is_asked_in_one_thread_step(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = set()
    stat = os.stat

    def watching_stat(*args: Any, **kwargs: Any) -> os.stat_result:
        threads.add(threading.get_ident())
        return stat(*args, **kwargs)

    monkeypatch.setattr(file_lookup.os, "stat", watching_stat)
    await send_from_directory("folder", "a.txt")
    assert app.thread_steps == 1
    assert threads
    assert threading.get_ident() not in threads


async def test_small_files_are_ready_and_large_ones_are_left_to_the_server(
    app: App, root: Path
) -> None:
    small = (await send_from_directory("folder", "a.txt")).response
    assert isinstance(small, FileBody)
    assert small.ready_data() == CONTENT
    large = (await send_from_directory("folder", "large.bin")).response
    assert isinstance(large, FileBody)
    assert large.ready_data() is None
    assert large.path == str(root / "folder" / "large.bin")
    assert (large.begin, large.end) == (0, 300_000)
    assert files.MAX_SIZE_READ_AT_ONCE == 262_144


@pytest.mark.parametrize("request_", [("HEAD", {}), ("GET", {"If_None_Match": '"x"'})])
async def test_files_that_will_hardly_be_sent_are_not_read(
    app: App, request_: tuple[str, dict[str, str]]
) -> None:
    method, headers = request_
    begin_request(method, **headers)
    response = await send_from_directory("folder", "a.txt")
    assert response.response.ready_data() is None
    assert response.headers["Content-Length"] == str(len(CONTENT))


async def test_the_apps_own_response_class_is_used(app: App) -> None:
    class OwnBody(FileBody):
        pass

    class OwnResponse(Response):
        file_body_class = OwnBody

    app.response_class = OwnResponse
    response = await send_file("folder/a.txt")
    assert type(response) is OwnResponse
    assert type(response.response) is OwnBody
    assert not isinstance(response.response, DataBody)


async def test_a_missing_file_is_404_without_an_application(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await send_from_directory(tmp_path, "none.txt")
    (tmp_path / "there.txt").write_text("")
    with pytest.raises(RuntimeError, match="application context"):
        await send_from_directory(tmp_path, "there.txt")


async def test_a_path_that_comes_back_into_the_folder_is_found(app: App) -> None:
    response = await send_from_directory("folder", "none/../a.txt")
    assert await response.get_data() == CONTENT
