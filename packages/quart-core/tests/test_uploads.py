"""Files on their way from the network to memory or disk."""

from __future__ import annotations

import asyncio
import threading
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

import pytest
from quart_core.uploads import WRITE_BYTES, Upload


class Recorder(BytesIO):
    """A stream that knows in which threads it was used."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[int, bool]] = []
        self.closed_in_loop: bool | None = None

    def write(self, data: Any) -> int:
        self.writes.append((len(data), in_loop()))
        return super().write(data)

    def close(self) -> None:
        if not self.closed:
            self.closed_in_loop = in_loop()
        super().close()


def in_loop() -> bool:
    return threading.current_thread() is threading.main_thread()


async def test_a_stream_in_memory_is_written_in_the_loop() -> None:
    stream = Recorder()
    upload = Upload(stream, None)
    await upload.write(b"one ")
    await upload.write(b"two")
    assert await upload.finish() is stream
    assert stream.read() == b"one two"
    assert stream.writes == [(4, True), (3, True)]


async def test_st_04_what_may_reach_the_disk_is_written_in_a_thread_in_steps() -> None:
    stream = Recorder()
    upload = Upload(stream, 10)
    await upload.write(b"0123456789")
    for _ in range(3):
        await upload.write(bytes(WRITE_BYTES // 2))
    assert await upload.finish() is stream
    assert stream.writes == [
        (10, True),
        (WRITE_BYTES, False),
        (WRITE_BYTES // 2, False),
    ]
    assert stream.read() == b"0123456789" + bytes(WRITE_BYTES // 2 * 3)


async def test_a_stream_of_the_disk_is_never_written_in_the_loop() -> None:
    stream = Recorder()
    upload = Upload(stream, 0)
    await upload.write(b"x")
    await upload.finish()
    assert stream.writes == [(1, False)]


async def test_an_upload_given_up_in_memory_is_closed() -> None:
    stream = Recorder()
    upload = Upload(stream, None)
    await upload.write(b"x")
    await upload.abandon()
    assert stream.closed_in_loop is True


async def test_an_upload_given_up_on_the_disk_is_closed_in_a_thread() -> None:
    stream = Recorder()
    upload = Upload(stream, 0)
    await upload.write(b"x")
    await upload.abandon()
    assert stream.closed_in_loop is False


async def test_a_file_is_closed_after_the_step_that_a_cancelled_writer_began() -> None:
    started, go_on = threading.Event(), threading.Event()
    closed = threading.Event()
    written: list[int] = []

    class Slow(Recorder):
        def write(self, data: Any) -> int:
            started.set()
            go_on.wait(10)
            written.append(super().write(data))
            return written[-1]

        def close(self) -> None:
            super().close()
            closed.set()

    upload = Upload(Slow(), 0)
    writer = asyncio.create_task(upload.write(bytes(WRITE_BYTES)))
    await asyncio.to_thread(started.wait, 10)
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    await upload.abandon()
    assert not closed.is_set()
    go_on.set()
    assert await asyncio.to_thread(closed.wait, 10)
    assert written == [WRITE_BYTES]


async def test_a_real_file_has_what_was_written() -> None:
    with TemporaryFile("rb+") as file:
        upload = Upload(file, 0)
        for _ in range(5):
            await upload.write(b"x" * 60_000)
        assert len((await upload.finish()).read()) == 300_000
