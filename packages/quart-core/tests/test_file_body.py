"""Bodies that come from files: reading in a thread, ranges, closing."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from quart_core.wrappers import file_body
from quart_core.wrappers.file_body import READ_SIZE, FileBody, IOBody
from werkzeug.exceptions import RequestedRangeNotSatisfiable

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "file.bin"
    made.write_bytes(CONTENT)
    return made


class Recorder(io.RawIOBase):
    """A file object that knows who read it and how often it was closed."""

    def __init__(self, content: bytes) -> None:
        self.stream = io.BytesIO(content)
        self.threads: set[int] = set()
        self.times_closed = 0

    def read(self, size: int = -1) -> bytes:
        self.threads.add(threading.get_ident())
        return self.stream.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.stream.seek(offset, whence)

    def close(self) -> None:
        if not self.closed:
            self.times_closed += 1
        super().close()


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def chunks_of(body: Any) -> list[bytes]:
    async with body as entered:
        return [chunk async for chunk in entered]


# FileBody


def test_a_step_reads_256_kib() -> None:
    assert FileBody.buffer_size == IOBody.buffer_size == READ_SIZE == 262_144


async def test_a_file_is_read_in_steps(path: Path) -> None:
    chunks = await chunks_of(FileBody(path, buffer_size=4096))
    assert [len(chunk) for chunk in chunks] == [4096, 4096, 2048]
    assert b"".join(chunks) == CONTENT


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
async def test_a_path_may_be_text_bytes_or_an_object(path: Path, kind: Any) -> None:
    body = FileBody(kind(path))
    assert body.path == str(path)
    assert body.file_path == path
    assert b"".join(await chunks_of(body)) == CONTENT


def test_the_path_is_absolute_for_servers_that_send_files() -> None:
    assert FileBody("some/file").path == os.path.abspath("some/file")


async def test_begin_and_end_choose_the_part(path: Path) -> None:
    body = FileBody(path, buffer_size=100)
    assert await body.make_conditional(10, 250) == len(CONTENT)
    assert (body.begin, body.end, body.size) == (10, 250, len(CONTENT))
    assert b"".join(await chunks_of(body)) == CONTENT[10:250]


async def test_a_part_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable):
        await FileBody(path).make_conditional(len(CONTENT), None)


async def test_a_file_can_be_sent_twice(path: Path) -> None:
    body = FileBody(path)
    assert await chunks_of(body) == await chunks_of(body) == [CONTENT]


async def test_parts_can_be_read_one_after_the_other(path: Path) -> None:
    body = FileBody(path, buffer_size=8)
    got = []
    async with body:
        for begin, end in [(20, 40), (0, 10)]:
            await body.make_conditional(begin, end)
            got.append(b"".join([chunk async for chunk in body]))
    assert got == [CONTENT[20:40], CONTENT[:10]]


async def test_an_empty_file_has_no_chunks(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert await chunks_of(FileBody(empty)) == []


async def test_nothing_is_open_before_the_first_and_after_the_last_read(
    path: Path,
) -> None:
    body = FileBody(path, buffer_size=8192)
    before = open_descriptors()
    async with body:
        assert open_descriptors() == before
        iterator = aiter(body)
        await anext(iterator)
        assert open_descriptors() == before + 1
        await anext(iterator)
        assert open_descriptors() == before


async def test_breaking_off_closes_the_file(path: Path) -> None:
    before = open_descriptors()
    async with FileBody(path, buffer_size=16) as body:
        async for _chunk in body:
            break
    assert open_descriptors() == before


async def test_a_cancelled_read_closes_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    class SlowFile(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            begun.set()
            assert go_on.wait(10)
            return super().read(size) or b""

    monkeypatch.setattr(file_body, "FileIO", SlowFile)
    before = open_descriptors()
    task = asyncio.ensure_future(chunks_of(FileBody(path)))
    async with asyncio.timeout(10):
        while not begun.is_set():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        while open_descriptors() != before:
            await asyncio.sleep(0)


async def test_a_file_that_shrank_ends_the_response_with_an_error(path: Path) -> None:
    body = FileBody(path)
    body.size = len(CONTENT) + 1
    with pytest.raises(RuntimeError, match="changed while it was sent"):
        await chunks_of(body)


async def test_of_a_file_that_grew_only_the_announced_bytes_are_sent(
    path: Path,
) -> None:
    body = FileBody(path)
    body.size = 100
    assert await chunks_of(body) == [CONTENT[:100]]


async def test_a_file_that_is_gone_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await chunks_of(FileBody(tmp_path / "none"))


async def test_content_that_was_read_already_is_not_read_again(path: Path) -> None:
    body = FileBody(path)
    body.size, body.content = len(CONTENT), CONTENT
    path.unlink()
    assert body.ready_data() == CONTENT
    await body.make_conditional(5, 9)
    assert body.ready_data() == CONTENT[5:9]
    assert await chunks_of(body) == [CONTENT[5:9]]


def test_content_that_was_not_read_is_not_ready(path: Path) -> None:
    assert FileBody(path).ready_data() is None


# IOBody


async def test_bytes_io_is_sent_from_its_first_byte_and_stays_open() -> None:
    stream = io.BytesIO(CONTENT)
    stream.seek(100)
    body = IOBody(stream, buffer_size=4096)
    assert b"".join(await chunks_of(body)) == CONTENT
    assert not stream.closed
    assert stream.tell() == 100


async def test_two_responses_can_send_one_bytes_io_at_once() -> None:
    stream = io.BytesIO(CONTENT)
    bodies = [IOBody(stream, buffer_size=7), IOBody(stream, buffer_size=11)]
    results = await asyncio.gather(*[chunks_of(body) for body in bodies])
    assert [b"".join(chunks) for chunks in results] == [CONTENT, CONTENT]


def test_a_small_bytes_io_is_ready_and_a_large_one_is_not() -> None:
    assert IOBody(io.BytesIO(b"abc")).ready_data() == b"abc"
    assert IOBody(io.BytesIO(b"abc"), buffer_size=2).ready_data() is None


async def test_a_file_object_is_read_in_threads_and_closed() -> None:
    stream = Recorder(CONTENT)
    assert b"".join(await chunks_of(IOBody(stream, buffer_size=512))) == CONTENT
    assert threading.get_ident() not in stream.threads
    assert stream.times_closed == 1


async def test_a_file_object_that_was_never_read_is_closed_once() -> None:
    stream = Recorder(CONTENT)
    body = IOBody(stream)
    await body.aclose()
    await body.aclose()
    assert stream.times_closed == 1


@pytest.mark.parametrize("make", [io.BytesIO, Recorder])
async def test_a_part_of_a_file_object_is_sent(make: Any) -> None:
    body = IOBody(make(CONTENT), buffer_size=8)
    assert await body.make_conditional(3, 30) == len(CONTENT)
    assert (body.begin, body.end, body.size) == (3, 30, len(CONTENT))
    assert b"".join(await chunks_of(body)) == CONTENT[3:30]


def test_file_objects_that_read_text_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.touch()
    with pytest.raises(TypeError, match=r"StringIO reads text.*binary"):
        IOBody(io.StringIO("x"))  # type: ignore[arg-type]
    with text.open() as file, pytest.raises(TypeError, match="binary mode"):
        IOBody(file)  # type: ignore[arg-type]
    with tempfile.NamedTemporaryFile("w+") as file, pytest.raises(TypeError):
        IOBody(file)  # type: ignore[arg-type]


async def test_temporary_files_are_sent() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"abc")
        assert await chunks_of(IOBody(file)) == [b"abc"]
        assert file.closed


async def test_a_file_object_that_gives_text_after_all_is_reported() -> None:
    class Liar(Recorder):
        def read(self, size: int = -1) -> Any:
            return "text"

    with pytest.raises(TypeError, match="instead of bytes"):
        await chunks_of(IOBody(Liar(CONTENT)))
