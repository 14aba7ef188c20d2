from __future__ import annotations

import asyncio
from typing import Any

from quart.testing import QuartClient

CLIENTS = 100


async def poll(client: QuartClient, **query: Any) -> dict[str, Any]:
    response = await client.get("/news", query_string=query)
    assert response.status_code == 200
    answer: dict[str, Any] = await response.get_json()
    return answer


async def publish(client: QuartClient, text: str) -> int:
    return (await client.post("/news", form={"text": text})).status_code


async def test_request_is_answered_when_there_are_news(client: QuartClient) -> None:
    waiting = asyncio.create_task(poll(client))
    await asyncio.sleep(0)
    assert await publish(client, "hello") == 201
    assert await waiting == {"news": [{"id": 1, "text": "hello"}], "last": 1}


async def test_request_is_answered_at_once_with_what_it_has_missed(
    client: QuartClient,
) -> None:
    for text in ("a", "b", "c"):
        await publish(client, text)
    answer = await poll(client, after=1)
    assert [item["text"] for item in answer["news"]] == ["b", "c"]
    assert answer["last"] == 3


async def test_request_is_answered_with_nothing_when_its_time_is_over(
    client: QuartClient,
) -> None:
    assert await poll(client, after=7, wait=0.01) == {"news": [], "last": 7}


async def test_many_requests_wait_at_once(client: QuartClient) -> None:
    waiting = [asyncio.create_task(poll(client)) for _ in range(CLIENTS)]
    await asyncio.sleep(0)
    await publish(client, "for all")
    for answer in await asyncio.gather(*waiting):
        assert answer["news"] == [{"id": 1, "text": "for all"}]


async def test_empty_text_is_refused(client: QuartClient) -> None:
    assert await publish(client, " ") == 400


async def test_page_is_there(client: QuartClient) -> None:
    assert "<h1>News</h1>" in await (await client.get("/")).get_data(as_text=True)
