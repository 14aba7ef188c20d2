"""Uploaded files: FileStorage with awaited saving and loading."""

from __future__ import annotations

import asyncio
import threading
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from quart_core.datastructures import FileStorage, close_file
from werkzeug.datastructures import FileStorage as WerkzeugFileStorage


class InThread(BytesIO):
    """A stream that must not be used by the thread of the event loop."""

    def _check(self) -> None:
        if threading.current_thread() is threading.main_thread():
            raise RuntimeError("used by the event loop")

    def read(self, size: int | None = -1) -> bytes:
        self._check()
        return super().read(size)

    def write(self, data: Any) -> int:
        self._check()
        return super().write(data)


def test_it_is_the_file_storage_of_werkzeug() -> None:
    file = FileStorage(BytesIO(b"x"), "f.txt", "upload", "text/plain")
    assert isinstance(file, WerkzeugFileStorage)
    assert (file.filename, file.name, file.mimetype) == (
        "f.txt",
        "upload",
        "text/plain",
    )


# Request table: FileStorage


@pytest.mark.parametrize("as_path", [str, Path])
async def test_saving_writes_the_rest_of_the_file_to_a_path(
    tmp_path: Path, as_path: type[Any]
) -> None:
    file = FileStorage(BytesIO(b"0123456789"))
    file.seek(2)
    await file.save(as_path(tmp_path / "saved"), buffer_size=3)
    assert (tmp_path / "saved").read_bytes() == b"23456789"


async def test_saving_to_an_open_file_leaves_it_open() -> None:
    target = InThread()
    await FileStorage(InThread(b"data")).save(target)
    assert target.getvalue() == b"data"
    assert not target.closed


async def test_saving_to_a_directory_that_is_not_there_is_an_os_error(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileNotFoundError):
        await FileStorage(BytesIO(b"x")).save(tmp_path / "missing" / "file")


async def test_loading_writes_a_file_into_the_stream(tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_bytes(b"hello")
    file = FileStorage()
    await file.load(tmp_path / "source.txt", buffer_size=2)
    assert file.stream.tell() == 5
    file.seek(0)
    assert file.read() == b"hello"
    assert file.filename == "source.txt"


async def test_loading_keeps_the_filename_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "source.txt").write_bytes(b"hello")
    file = FileStorage(filename="mine.txt")
    await file.load(str(tmp_path / "source.txt"))
    assert file.filename == "mine.txt"


async def test_loading_from_an_open_file_leaves_it_open() -> None:
    source = InThread(b"data")
    file = FileStorage()
    await file.load(source)
    assert file.stream.getvalue() == b"data"  # type: ignore[attr-defined]
    assert not source.closed


@pytest.mark.parametrize(
    "filename", ["../../etc/passwd", "C:\\boot.ini", "a\x00b", "/tmp/x", "CON"]
)
async def test_st_11_the_filename_of_the_client_is_data_not_a_path(
    filename: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = FileStorage(BytesIO(b"x"), filename=filename)
    await file.save(tmp_path / "chosen")
    assert file.filename == filename
    assert [path.name for path in tmp_path.rglob("*")] == ["chosen"]


async def test_a_copy_whose_waiter_is_cancelled_stops() -> None:
    started, stopped = threading.Event(), threading.Event()

    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            started.set()
            return b"x"

    class Target(BytesIO):
        def write(self, data: Any) -> int:
            return len(data)

    class Source(Endless):
        def __del__(self) -> None:
            stopped.set()

    task = asyncio.create_task(FileStorage(Source()).save(Target()))
    await asyncio.to_thread(started.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    # The thread lets go of the source when it has stopped.
    assert await asyncio.to_thread(stopped.wait, 10)


async def test_closing_a_file_in_memory_happens_at_once() -> None:
    file = FileStorage(BytesIO(b"x"))
    await close_file(file)
    assert file.stream.closed


async def test_closing_a_file_on_the_disk_happens_in_a_thread() -> None:
    closed_by: list[threading.Thread] = []

    class Spooled(SpooledTemporaryFile[bytes]):
        def close(self) -> None:
            closed_by.append(threading.current_thread())
            super().close()

    file = FileStorage(Spooled(max_size=2))  # type: ignore[arg-type]
    file.write(b"data")
    await close_file(file)
    assert file.stream.closed
    assert closed_by
    assert threading.main_thread() not in closed_by
