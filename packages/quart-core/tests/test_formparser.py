"""Forms parsed from the body while it arrives."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import tracemalloc
from collections.abc import Callable
from io import BytesIO, FileIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pytest
from quart_core.datastructures import FileStorage
from quart_core.formparser import SPOOL_BYTES, FormDataParser, MultiPartParser
from quart_core.wrappers.base import ClientDisconnectedError
from quart_core.wrappers.body import Body
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import File

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
OPTIONS = {"boundary": "b"}


def body_of(*chunks: bytes) -> Body:
    """Return a body that gives the chunks one by one, from a source."""
    messages = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    body = Body(None, None)
    body.set_source(receive)
    return body


def in_steps(data: bytes, step: int) -> Body:
    return body_of(*(data[at : at + step] for at in range(0, len(data), step)))


def field(name: str, value: bytes, *headers: str) -> bytes:
    head = [f'Content-Disposition: form-data; name="{name}"', *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + value


def file(name: str, filename: str, value: bytes, *headers: str) -> bytes:
    head = [f'Content-Disposition: form-data; name="{name}"; filename="{filename}"']
    return "\r\n".join([*head, *headers]).encode() + b"\r\n\r\n" + value


def form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def content_of(stored: FileStorage) -> bytes:
    """Return the content of a file, which is closed then, as after a request."""
    content = stored.read()
    stored.close()
    return content


async def parse(data: bytes, *, step: int = 65_536, **limits: Any) -> tuple[Any, Any]:
    """Parse a multipart form."""
    parser = FormDataParser(**limits)
    return await parser.parse(in_steps(data, step), MULTIPART, None, OPTIONS)


# Request table: form, files


@pytest.mark.parametrize("mimetype", [URLENCODED, "application/x-url-encoded"])
async def test_an_urlencoded_form_gives_its_fields(mimetype: str) -> None:
    body = body_of(b"a=1&b=%C3%A4", b"+x&a=2&empty=&bare")
    fields, files = await FormDataParser().parse(body, mimetype, None)
    assert fields == MultiDict(
        [("a", "1"), ("b", "\u00e4 x"), ("a", "2"), ("empty", ""), ("bare", "")]
    )
    assert not files


async def test_an_urlencoded_form_stays_readable() -> None:
    body = body_of(b"a=1", b"&b=2")
    await FormDataParser().parse(body, URLENCODED, None)
    assert await body == b"a=1&b=2"


@pytest.mark.parametrize("data", [b"a=%FF", b"a=\xff"])
async def test_bytes_that_are_no_utf_8_stay_encoded(data: bytes) -> None:
    fields, _ = await FormDataParser().parse(body_of(data), URLENCODED, None)
    assert fields["a"] == "%FF"


@pytest.mark.parametrize("step", [1, 10, 65_536])
async def test_a_multipart_form_gives_fields_and_files(step: int) -> None:
    data = form(
        field("a", b"1"),
        field("a", "\u00e4".encode()),
        file("f", "x.txt", b"\r\ndata", "Content-Type: text/plain", "X-More: yes"),
        file("f", "", b""),
    )
    fields, files = await parse(data, step=step)
    assert fields.getlist("a") == ["1", "\u00e4"]
    full, empty = files.getlist("f")
    assert (full.filename, full.name, full.mimetype) == ("x.txt", "f", "text/plain")
    assert full.headers["X-More"] == "yes"
    assert content_of(full) == b"\r\ndata"
    assert not empty
    assert (empty.filename, content_of(empty)) == ("", b"")


async def test_multipart_data_is_consumed() -> None:
    body = body_of(form(field("a", b"1")))
    await FormDataParser().parse(body, MULTIPART, None, OPTIONS)
    assert await body == b""


async def test_fields_have_the_charset_that_they_name_if_it_is_a_known_one() -> None:
    latin = "Content-Type: text/plain; charset=ISO-8859-1"
    other = "Content-Type: text/plain; charset=utf-7"
    fields, _ = await parse(
        form(field("a", b"\xe9", latin), field("b", b"+AGE-\xe9", other))
    )
    assert fields.to_dict() == {"a": "\u00e9", "b": "+AGE-\ufffd"}


@pytest.mark.parametrize("mimetype", ["", "text/plain", "application/json"])
async def test_other_content_types_are_not_read(mimetype: str) -> None:
    body = body_of(b"a=1")
    fields, files = await FormDataParser().parse(body, mimetype, 10**12)
    assert (len(fields), len(files)) == (0, 0)
    assert await body == b"a=1"


UNPARSABLE: dict[str, tuple[bytes, dict[str, str]]] = {
    "no boundary": (form(field("a", b"1")), {}),
    "empty boundary": (form(field("a", b"1")), {"boundary": ""}),
    "boundary over 70": (form(field("a", b"1")), {"boundary": "b" * 71}),
    "boundary of other letters": (form(field("a", b"1")), {"boundary": "\u00e4"}),
    "another boundary": (form(field("a", b"1")), {"boundary": "c"}),
    "empty body": (b"", OPTIONS),
    "no form": (b"a=1", OPTIONS),
    "cut": (form(field("a", b"1"))[:-6], OPTIONS),
    "no disposition": (form(b"X: y\r\n\r\nvalue"), OPTIONS),
    "no name": (form(b"Content-Disposition: form-data\r\n\r\nv"), OPTIONS),
    "head of no UTF-8": (form(b"Content-Disposition: \xff\r\n\r\nvalue"), OPTIONS),
}


@pytest.mark.parametrize(
    ("data", "options"), UNPARSABLE.values(), ids=UNPARSABLE.keys()
)
async def test_st_12_what_cannot_be_parsed_is_an_empty_form(
    data: bytes, options: dict[str, str]
) -> None:
    silent = await FormDataParser().parse(body_of(data), MULTIPART, None, options)
    assert silent == (MultiDict(), MultiDict())
    with pytest.raises(ValueError, match=r"."):
        await FormDataParser(silent=False).parse(
            body_of(data), MULTIPART, None, options
        )


async def test_a_boundary_of_70_characters_is_parsed() -> None:
    boundary = "b" * 70
    data = form(field("a", b"1")).replace(b"--b", b"--" + boundary.encode())
    fields, _ = await FormDataParser().parse(
        body_of(data), MULTIPART, None, {"boundary": boundary}
    )
    assert fields["a"] == "1"


# Limits


@pytest.mark.parametrize("step", [1_000, 65_536])
async def test_fw_12_st_03_one_counter_for_the_bytes_of_all_fields(step: int) -> None:
    fields = [field(f"f{number}", b"x" * 10_000) for number in range(10)]
    parsed, _ = await parse(form(*fields), step=step, max_form_memory_size=100_000)
    assert len(parsed) == 10
    with pytest.raises(RequestEntityTooLarge):
        await parse(form(*fields), step=step, max_form_memory_size=99_999)


async def test_fw_12_a_large_field_in_single_bytes_is_413() -> None:
    data = form(field("a", b"x" * 6_000))
    with pytest.raises(RequestEntityTooLarge):
        await parse(data, step=1, max_form_memory_size=5_000)


async def test_files_do_not_count_as_form_memory() -> None:
    data = form(file("f", "x", bytes(200_000)))
    _, files = await parse(data, max_form_memory_size=1_000)
    assert len(content_of(files["f"])) == 200_000


@pytest.mark.parametrize("declared", [True, False])
async def test_st_08_form_memory_counts_for_urlencoded_forms(declared: bool) -> None:
    data = b"a=" + b"x" * 98
    parser = FormDataParser(max_form_memory_size=100)
    length = 100 if declared else None
    fields, _ = await parser.parse(in_steps(data, 30), URLENCODED, length)
    assert len(fields["a"]) == 98
    with pytest.raises(RequestEntityTooLarge):
        await parser.parse(
            in_steps(data + b"x", 30), URLENCODED, 101 if declared else None
        )


async def test_st_08_parts_count_for_urlencoded_forms() -> None:
    parser = FormDataParser(max_form_parts=3)
    fields, _ = await parser.parse(body_of(b"a=1&b=2&c=3"), URLENCODED, None)
    assert len(fields) == 3
    with pytest.raises(RequestEntityTooLarge):
        await parser.parse(body_of(b"a=1&b=2&c=3&d=4"), URLENCODED, None)
    with pytest.raises(RequestEntityTooLarge):
        await parser.parse(body_of(b"&" * 3), URLENCODED, None)


async def test_fw_10_parts_count_for_multipart_forms() -> None:
    data = form(*[field("a", b"")] * 4)
    fields, _ = await parse(data, max_form_parts=4)
    assert len(fields.getlist("a")) == 4
    with pytest.raises(RequestEntityTooLarge):
        await parse(data, max_form_parts=3)


@pytest.mark.parametrize(
    ("mimetype", "data"),
    [(URLENCODED, b"a=" + b"x" * 100), (MULTIPART, form(file("f", "x", bytes(100))))],
)
async def test_a_parser_holds_its_own_limit_of_the_body(
    mimetype: str, data: bytes
) -> None:
    parser = FormDataParser(max_content_length=50)
    with pytest.raises(RequestEntityTooLarge):
        await parser.parse(body_of(), mimetype, 51, OPTIONS)
    with pytest.raises(RequestEntityTooLarge):
        await parser.parse(in_steps(data, 20), mimetype, None, OPTIONS)


# Files


def new_file() -> IO[bytes]:
    return TemporaryFile("rb+")


async def test_a_small_file_stays_in_memory() -> None:
    _, files = await parse(form(file("f", "x", bytes(SPOOL_BYTES))))
    assert files["f"].stream.name is None
    files["f"].close()


async def test_a_large_file_goes_to_a_temporary_file_without_a_name() -> None:
    content = os.urandom(SPOOL_BYTES + 70_000)
    _, files = await parse(form(file("f", "x", content)), step=50_000)
    stored = files["f"]
    assert isinstance(stored.stream.name, int)
    assert content_of(stored) == content


async def test_st_04_the_disk_is_not_touched_by_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[threading.Thread] = []

    def spy(*args: Any, **kwargs: Any) -> IO[bytes]:
        made.append(threading.current_thread())
        return TemporaryFile(*args, **kwargs)

    monkeypatch.setattr("tempfile.TemporaryFile", spy)
    _, files = await parse(form(file("f", "x", bytes(SPOOL_BYTES * 3))))
    assert made
    assert threading.main_thread() not in made
    files["f"].close()


async def test_st_04_the_loop_turns_while_a_file_is_written() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    _, files = await parse(form(file("f", "x", bytes(SPOOL_BYTES * 10))))
    turning.cancel()
    assert turns > 30
    files["f"].close()


async def test_a_stream_factory_is_called_in_a_thread_with_what_is_known() -> None:
    calls: list[tuple[Any, ...]] = []

    def factory(*args: Any) -> IO[bytes]:
        calls.append((*args, threading.current_thread() is threading.main_thread()))
        return BytesIO()

    data = form(
        file("f", "x.txt", b"data", "Content-Type: text/plain", "Content-Length: 4"),
        file("g", "y", b"", "Content-Length: -1"),
        file("h", "z", b"", "Content-Length: 1" + "0" * 30),
    )
    parser = FormDataParser(stream_factory=factory)
    _, files = await parser.parse(body_of(data), MULTIPART, 123, OPTIONS)
    assert calls == [
        (123, "text/plain", "x.txt", 4, False),
        (123, None, "y", None, False),
        (123, None, "z", None, False),
    ]
    assert files["f"].read() == b"data"


async def test_a_stream_of_a_factory_is_written_in_a_thread(
    tmp_path: Path,
) -> None:
    writers: list[threading.Thread] = []

    class Stored(FileIO):
        def write(self, data: Any) -> int:
            writers.append(threading.current_thread())
            return super().write(data)

    def factory(*args: Any) -> Any:
        return Stored(tmp_path / "upload", "wb+")

    parser = FormDataParser(stream_factory=factory)
    _, files = await parser.parse(
        body_of(form(file("f", "x", b"data"))), MULTIPART, None, OPTIONS
    )
    assert content_of(files["f"]) == b"data"
    assert writers
    assert threading.main_thread() not in writers


class Streams:
    """A stream factory that remembers what it made."""

    def __init__(self, make: Callable[[], IO[bytes]] = BytesIO) -> None:
        self.made: list[IO[bytes]] = []
        self._make = make

    def __call__(self, *args: Any) -> IO[bytes]:
        self.made.append(self._make())
        return self.made[-1]


BROKEN: dict[str, bytes] = {
    "cut": form(file("f", "x", bytes(1_000)), file("g", "y", bytes(1_000)))[:-500],
    "too many fields": form(file("f", "x", b"1"), field("a", b"x" * 200)),
    "no form after": form(file("f", "x", b"1")).replace(b"--b--", b"--b\r\n"),
}


@pytest.mark.parametrize("make", [BytesIO, new_file])
@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
async def test_files_are_closed_when_the_form_fails(
    data: bytes, make: Callable[[], IO[bytes]]
) -> None:
    streams = Streams(make)
    parser = FormDataParser(
        stream_factory=streams, silent=False, max_form_memory_size=100
    )
    with pytest.raises((ValueError, RequestEntityTooLarge)):
        await parser.parse(in_steps(data, 100), MULTIPART, None, OPTIONS)
    assert streams.made
    assert all(stream.closed for stream in streams.made)


async def test_files_are_closed_when_the_client_leaves() -> None:
    body = Body(None, None)
    body.append(form(file("f", "x", bytes(SPOOL_BYTES + 1_000)))[:-500])
    streams = Streams(new_file)
    parser = FormDataParser(stream_factory=streams)
    parsing = asyncio.create_task(parser.parse(body, MULTIPART, None, OPTIONS))
    while not streams.made:
        await asyncio.sleep(0.001)
    body.disconnect()
    with pytest.raises(ClientDisconnectedError):
        await parsing
    assert all(stream.closed for stream in streams.made)


async def test_a_cancelled_parsing_leaves_no_file_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    data = form(file("f", "x", bytes(SPOOL_BYTES * 4)))
    for turns in range(40):
        parser = FormDataParser()
        body = in_steps(data[: -10 - turns], 40_000)
        parsing = asyncio.create_task(parser.parse(body, MULTIPART, None, OPTIONS))
        for _ in range(turns):
            await asyncio.sleep(0)
        parsing.cancel()
        try:
            await parsing
        except asyncio.CancelledError:
            continue
    # Threads that were still writing close what they wrote to.
    deadline = time.monotonic() + 10
    while before and len(os.listdir("/proc/self/fd")) > before + 3:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    gc.collect()
    assert list(tmp_path.iterdir()) == []


async def test_f_09_a_large_upload_takes_little_memory() -> None:
    head = b"--b\r\n" + file("f", "x", b"")
    messages = [head, *[b"x" * 65_536] * 300, b"\r\n--b--\r\n"]
    body = body_of(*messages)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        _, files = await FormDataParser().parse(body, MULTIPART, None, OPTIONS)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    files["f"].seek(0, os.SEEK_END)
    assert files["f"].tell() == 300 * 65_536
    files["f"].close()
    assert peak < 3_000_000


# What can be replaced


async def test_results_and_files_are_of_the_classes_asked_for() -> None:
    class Fields(MultiDict[str, Any]):
        pass

    class Stored(FileStorage):
        pass

    class Parser(FormDataParser):
        file_storage_class = Stored

    parser = Parser(cls=Fields)
    data = form(field("a", b"1"), file("f", "x", b""))
    fields, files = await parser.parse(body_of(data), MULTIPART, None, OPTIONS)
    assert (type(fields), type(files), type(files["f"])) == (Fields, Fields, Stored)
    files["f"].close()
    assert FormDataParser(cls=None).cls is MultiDict


async def test_other_content_types_can_be_given_a_function() -> None:
    async def parse_lines(
        parser: FormDataParser, body: Body, *rest: Any
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        lines = (await body).decode().splitlines()
        return parser.cls([line.split(" ", 1) for line in lines]), parser.cls()

    class Parser(FormDataParser):
        parse_functions = FormDataParser.parse_functions | {"text/x-lines": parse_lines}

    fields, _ = await Parser().parse(body_of(b"a 1\nb 2"), "text/x-lines", None)
    assert fields.to_dict() == {"a": "1", "b": "2"}


async def test_a_multipart_parser_can_be_used_alone() -> None:
    class Parser(MultiPartParser):
        def start_file_streaming(
            self, event: File, total_content_length: int | None
        ) -> IO[bytes]:
            assert event.filename == "x"
            return super().start_file_streaming(event, total_content_length)

    parser = Parser(buffer_size=10)
    fields, files = await parser.parse(
        body_of(form(field("a", b"1"), file("f", "x", b"2"))), b"b", None
    )
    assert fields["a"] == "1"
    assert content_of(files["f"]) == b"2"
    assert parser.get_part_charset(Headers()) == "utf-8"
    with pytest.raises(ValueError, match=r"^no$"):
        parser.fail("no")


# Time


def urlencoded(size: int) -> list[bytes]:
    """Return forms that are hard to read."""
    return [
        b"a=b&" * (size // 4),
        b"%" * size,
        b"a=" + b"%ff" * (size // 3),
        b"a=" + b"+" * size,
        b"a=%ff&" * (size // 6),
        b"=" * size,
    ]


@pytest.mark.parametrize("case", range(6))
async def test_f_38_the_time_for_an_urlencoded_form_grows_with_its_size(
    case: int,
) -> None:
    async def seconds_for(size: int) -> float:
        data = urlencoded(size)[case]
        best = 60.0
        for _ in range(3):
            start = time.process_time()
            await FormDataParser().parse(body_of(data), URLENCODED, None)
            best = min(best, time.process_time() - start)
        return best

    # Quadratic time would be 16 times as much; the rest is room for a busy machine.
    assert await seconds_for(262_144) <= 9 * await seconds_for(65_536) + 0.02
