"""Forty clients over real connections, to the example in a process of its own."""

from __future__ import annotations

import asyncio

import aiohttp
from example_server import ExampleServer

CLIENTS = 40
WAIT_SECONDS = 40


async def visit(
    session: aiohttp.ClientSession, number: int, done: asyncio.Barrier
) -> list[str]:
    """Say something when all are there, hear everybody, and stay until all have."""
    async with session.ws_connect("/ws") as socket:
        while (await socket.receive_json()).get("present") != CLIENTS:
            pass
        await socket.send_json({"name": f"client {number}", "text": "here"})
        heard: list[str] = []
        while len(heard) < CLIENTS:
            message = await socket.receive_json()
            if "text" in message:
                heard.append(message["name"])
        await done.wait()
        return heard


async def test_each_of_forty_clients_hears_everybody_once() -> None:
    done = asyncio.Barrier(CLIENTS)
    with ExampleServer("chat") as server:
        async with (
            asyncio.timeout(WAIT_SECONDS),
            aiohttp.ClientSession(server.url) as session,
        ):
            visits = [visit(session, number, done) for number in range(CLIENTS)]
            heard = await asyncio.gather(*visits)
    everybody = sorted(f"client {number}" for number in range(CLIENTS))
    assert [sorted(names) for names in heard] == [everybody] * CLIENTS
