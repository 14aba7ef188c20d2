"""What browsers and download managers ask for (RFC 9110, 13 and 14)."""

from __future__ import annotations

from pathlib import Path

import pytest
from quart.testing import QuartClient
from werkzeug.datastructures import Headers

URL = "/videos/counting.webm"
VIDEO = (Path(__file__).parents[1] / "videos" / "counting.webm").read_bytes()
SIZE = len(VIDEO)


async def get(client: QuartClient, **headers: str) -> tuple[int, Headers, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await client.get(URL, headers=named)
    data = await response.get_data(as_text=False)
    return response.status_code, response.headers, data


async def test_page_shows_the_video(client: QuartClient) -> None:
    page = await (await client.get("/")).get_data(as_text=True)
    assert f'src="{URL}"' in page


async def test_whole_video(client: QuartClient) -> None:
    status, headers, data = await get(client)
    assert (status, data) == (200, VIDEO)
    assert headers["Content-Type"] == "video/webm"


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-99", 0, 100),
        (f"bytes={SIZE // 2}-", SIZE // 2, SIZE),
        ("bytes=-100", SIZE - 100, SIZE),
        (f"bytes=100-{10 * SIZE}", 100, SIZE),
    ],
)
async def test_part_of_the_video(
    client: QuartClient, asked: str, begin: int, end: int
) -> None:
    status, headers, data = await get(client, Range=asked)
    assert (status, data) == (206, VIDEO[begin:end])
    assert headers["Content-Range"] == f"bytes {begin}-{end - 1}/{SIZE}"


async def test_two_parts_at_once(client: QuartClient) -> None:
    status, headers, data = await get(client, Range="bytes=0-9,1000-1009")
    assert status == 206
    assert headers["Content-Type"].startswith("multipart/byteranges")
    assert VIDEO[:10] in data
    assert VIDEO[1000:1010] in data
    assert len(data) < 1_000


async def test_part_behind_the_end(client: QuartClient) -> None:
    status, headers, _ = await get(client, Range=f"bytes={SIZE}-")
    assert status == 416
    assert headers["Content-Range"] == f"bytes */{SIZE}"


async def test_video_that_the_browser_has_is_not_sent_again(
    client: QuartClient,
) -> None:
    _, headers, _ = await get(client)
    status, _, data = await get(client, If_None_Match=headers["ETag"])
    assert (status, data) == (304, b"")
    status, _, data = await get(client, If_Modified_Since=headers["Last-Modified"])
    assert (status, data) == (304, b"")


async def test_part_is_sent_if_the_video_is_still_the_same(client: QuartClient) -> None:
    _, headers, _ = await get(client)
    status, _, data = await get(client, Range="bytes=0-9", If_Range=headers["ETag"])
    assert (status, data) == (206, VIDEO[:10])
    status, _, data = await get(client, Range="bytes=0-9", If_Range='"another"')
    assert (status, data) == (200, VIDEO)


@pytest.mark.parametrize("name", ["none.webm", "../app.py", "%2e%2e/app.py"])
async def test_other_files_are_not_sent(client: QuartClient, name: str) -> None:
    response = await client.get(f"/videos/{name}")
    assert response.status_code == 404
