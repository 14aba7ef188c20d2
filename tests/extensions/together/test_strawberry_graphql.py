"""Strawberry: queries over HTTP, subscriptions over websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import strawberry
from quart import Quart
from strawberry.quart.views import GraphQLView

SECONDS = 10
PROTOCOL = "graphql-transport-ws"
ended = asyncio.Event()


@strawberry.type
class Query:
    @strawberry.field
    async def hello(self, info: strawberry.Info, name: str = "World") -> str:
        return f"Hello {name} by {info.context['request'].method}"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self, target: int) -> AsyncGenerator[int, None]:
        for number in range(target):
            yield number

    @strawberry.subscription
    async def forever(self) -> AsyncGenerator[int, None]:
        try:
            yield 0
            await asyncio.Event().wait()
        finally:
            ended.set()


def make_app() -> Quart:
    app = Quart(__name__)
    schema = strawberry.Schema(Query, subscription=Subscription)
    view = GraphQLView.as_view("graphql", schema=schema)
    app.add_url_rule("/graphql", view_func=view)
    app.add_url_rule("/graphql", view_func=view, methods=["GET"], websocket=True)
    return app


async def test_queries_are_answered() -> None:
    client = make_app().test_client()
    query = {"query": "query($n: String!) { hello(name: $n) }", "variables": {"n": "Q"}}
    response = await client.post("/graphql", json=query)
    assert await response.get_json() == {"data": {"hello": "Hello Q by POST"}}
    response = await client.get("/graphql", query_string={"query": "{ hello }"})
    assert (await response.get_json())["data"] == {"hello": "Hello World by GET"}


async def test_the_ide_and_what_is_no_query() -> None:
    client = make_app().test_client()
    page = await client.get("/graphql", headers={"Accept": "text/html"})
    assert "GraphiQL" in await page.get_data(as_text=True)
    response = await client.post("/graphql", json={"query": "{ nothing }"})
    assert "Cannot query field" in await response.get_data(as_text=True)
    response = await client.post(
        "/graphql", data="{", headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400


def connect(app: Quart):
    # Upstream's test client does nothing with subprotocols=.
    scope = {"subprotocols": [PROTOCOL]}
    return app.test_client().websocket("/graphql", scope_base=scope)


async def subscribe(connection, query: str) -> None:
    await connection.send_json({"type": "connection_init"})
    assert (await connection.receive_json())["type"] == "connection_ack"
    payload = {"query": query}
    await connection.send_json({"id": "1", "type": "subscribe", "payload": payload})


async def test_subscriptions_send_each_value() -> None:
    async with connect(make_app()) as connection:
        await subscribe(connection, "subscription { count(target: 3) }")
        for number in range(3):
            message = await connection.receive_json()
            assert message["payload"] == {"data": {"count": number}}
        assert (await connection.receive_json())["type"] == "complete"


async def test_a_client_that_leaves_ends_its_subscription() -> None:
    ended.clear()
    async with connect(make_app()) as connection:
        await subscribe(connection, "subscription { forever }")
        await connection.receive_json()
    async with asyncio.timeout(SECONDS):
        await ended.wait()
