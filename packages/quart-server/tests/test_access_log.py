"""The access log: one line per request when it is over."""

from __future__ import annotations

import asyncio
import json
import logging
import re

import pytest
from quart_server.access_log import escape

CLOSE = b"GET %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 201, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "quart_server.access")

    def found() -> list[str]:
        return [
            r.getMessage() for r in caplog.records if r.name == "quart_server.access"
        ]

    return found


async def test_line_of_a_served_request(start_worker, lines) -> None:
    worker = await start_worker(app, lifespan="off")
    await worker.talk(CLOSE % b"/path?query=1")
    [line] = lines()
    assert re.fullmatch(
        r'127\.0\.0\.1 "GET /path\?query=1 HTTP/1\.1" 201 5 [0-9.]+ms complete', line
    )


async def test_line_as_json(start_worker, lines) -> None:
    worker = await start_worker(app, lifespan="off", access_log_format="json")
    await worker.talk(CLOSE % b"/path")
    fields = json.loads(lines()[0])
    assert fields.pop("duration_ms") >= 0
    assert fields == {
        "client": "127.0.0.1",
        "method": "GET",
        "target": "/path",
        "http_version": "1.1",
        "status": 201,
        "bytes": 5,
        "outcome": "complete",
    }


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x1b[31mred\r\n\r\n", 400),
        (b"GET /" + b"x" * 9000, 414),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 9000, 431),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ],
)
async def test_f_53_refused_request_has_one_line_too(
    start_worker, lines, data, status
) -> None:
    worker = await start_worker(app, lifespan="off")
    await worker.talk(data)
    [line] = lines()
    assert f" {status} 0 0.0ms refused" in line
    assert line.isprintable()
    assert "red" not in line.replace("refused", "")


async def test_request_refused_for_its_body_has_its_target(start_worker, lines) -> None:
    worker = await start_worker(app, lifespan="off", max_body_size=1)
    await worker.talk(b"POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
    assert '"POST /big HTTP/1.1" 413' in lines()[0]


async def test_client_that_left_is_an_outcome(start_worker, lines) -> None:
    async def waits(scope, receive, send):
        await receive()
        await receive()

    worker = await start_worker(waits, lifespan="off")
    client = await worker.connect()
    await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
    await worker.settled(lambda: worker.context.exchanges)
    client.abort()
    await worker.settled(lambda: len(lines()) == 1)
    assert lines()[0].endswith("client closed")


async def test_app_that_breaks_off_is_an_outcome(start_worker, lines, caplog) -> None:
    async def breaks(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        raise ValueError

    worker = await start_worker(breaks, lifespan="off")
    await worker.talk(CLOSE % b"/")
    [line] = lines()
    assert " 200 3 " in line
    assert line.endswith("reset")


async def test_line_comes_when_the_request_is_over(start_worker, lines) -> None:
    release = asyncio.Event()

    async def streams(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        await release.wait()
        await send({"type": "http.response.body", "body": b"def"})

    worker = await start_worker(streams, lifespan="off")
    client = await worker.connect()
    await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await client.until(b"abc")
    assert lines() == []
    release.set()
    await client.until(b"def")
    assert " 200 6 " in lines()[0]


async def test_no_line_when_switched_off(start_worker, lines) -> None:
    worker = await start_worker(app, lifespan="off", access_log=False)
    await worker.talk(CLOSE % b"/")
    await worker.talk(b"bad\r\n\r\n")
    assert lines() == []
    assert worker.context.access_log is None


@pytest.mark.parametrize("byte", [*range(0x20), 0x22, *range(0x7F, 0x100)])
def test_f_53_no_control_character_reaches_the_log(byte: int) -> None:
    text = escape(chr(byte) + "\u202e\x1b[0m")
    assert text.isprintable()
    assert text.isascii()
