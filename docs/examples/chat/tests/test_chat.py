from __future__ import annotations

import asyncio
from typing import Any

from quart.testing import QuartClient

CLIENTS = 40


async def receive_text(socket: Any) -> tuple[str, str]:
    """Return the next message that somebody said."""
    while True:
        message = await socket.receive_json()
        if "text" in message:
            return message["name"], message["text"]


async def test_page_has_a_form_to_say_something(client: QuartClient) -> None:
    page = await (await client.get("/")).get_data(as_text=True)
    assert '<form id="say">' in page
    assert (await client.get("/static/chat.js")).status_code == 200


async def test_two_tabs_hear_each_other(client: QuartClient) -> None:
    async with client.websocket("/ws") as ada, client.websocket("/ws") as bob:
        await ada.send_json({"name": "Ada", "text": "hello"})
        await bob.send_json({"name": "Bob", "text": "hi"})
        for tab in (ada, bob):
            heard = {await receive_text(tab), await receive_text(tab)}
            assert heard == {("Ada", "hello"), ("Bob", "hi")}


async def test_presence_is_told_to_those_who_stay(client: QuartClient) -> None:
    async with client.websocket("/ws") as ada:
        assert await ada.receive_json() == {"present": 1}
        async with client.websocket("/ws"):
            assert await ada.receive_json() == {"present": 2}
        assert await ada.receive_json() == {"present": 1}


async def test_all_of_many_clients_get_each_message_once(
    client: QuartClient,
) -> None:
    all_are_here = asyncio.Event()

    async def visit(number: int) -> list[tuple[str, str]]:
        async with client.websocket("/ws") as tab:
            while (await tab.receive_json())["present"] < CLIENTS:
                pass
            await tab.send_json({"name": f"client {number}", "text": "here"})
            heard = [await receive_text(tab) for _ in range(CLIENTS)]
            if number == 0:
                all_are_here.set()
            await all_are_here.wait()
            return heard

    heard = await asyncio.gather(*[visit(number) for number in range(CLIENTS)])
    expected = sorted((f"client {number}", "here") for number in range(CLIENTS))
    for messages in heard:
        assert sorted(messages) == expected
        # The same order for everybody.
        assert messages == heard[0]


async def test_what_is_no_message_is_ignored(client: QuartClient) -> None:
    async with client.websocket("/ws") as tab:
        for other in ({}, [], "text", None, {"name": 1, "text": "a"}, {"text": "a"}):
            await tab.send_json(other)
        await tab.send_json({"name": "Ada", "text": "still here"})
        assert await receive_text(tab) == ("Ada", "still here")


async def test_long_texts_are_cut_and_empty_ones_dropped(
    client: QuartClient,
) -> None:
    async with client.websocket("/ws") as tab:
        await tab.send_json({"name": "", "text": "   "})
        await tab.send_json({"name": "", "text": "a" * 2_000})
        assert await receive_text(tab) == ("anonymous", "a" * 1_000)
