from __future__ import annotations

import asyncio
from typing import Any

import pytest
from quart.testing import QuartClient
from quart_testing import LiveServer

FILES = ["/static/style.css", "/static/page.js"]


@pytest.fixture(autouse=True)
def fast_query(example: Any) -> None:
    example.SLOW_QUERY_SECONDS = 0


@pytest.mark.parametrize("path", ["/", "/plain", "/hinted", "/pushed"])
async def test_pages_are_there_for_every_client(client: QuartClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


async def test_files_of_the_page_are_pushed(client: QuartClient) -> None:
    async with client.request("/pushed", http_version="2") as connection:
        await connection.send_complete()
    assert [path for path, _ in connection.push_promises] == FILES


async def test_files_of_the_page_are_hinted_at_ahead_of_it(
    live_server: LiveServer,
) -> None:
    reader, writer = await asyncio.open_connection(live_server.host, live_server.port)
    writer.write(
        b"GET /hinted HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    hints, page, _ = answer.split(b"\r\n\r\n", 2)
    assert hints.split(b"\r\n") == [
        b"HTTP/1.1 103 Early Hints",
        b"link: </static/style.css>; rel=preload; as=style",
        b"link: </static/page.js>; rel=preload; as=script",
    ]
    assert page.startswith(b"HTTP/1.1 200 ")
