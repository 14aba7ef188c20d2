"""graphql-server: schemas of graphql-core over HTTP and websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)
from graphql_server.quart.views import GraphQLView
from quart import Quart


async def hello(root: Any, info: Any, name: str = "World") -> str:
    await asyncio.sleep(0)
    return f"Hello {name}"


async def count(root: Any, info: Any, target: int) -> AsyncGenerator[int, None]:
    for number in range(target):
        yield number


SCHEMA = GraphQLSchema(
    query=GraphQLObjectType(
        "Query",
        {
            "hello": GraphQLField(
                GraphQLString, {"name": GraphQLArgument(GraphQLString)}, resolve=hello
            )
        },
    ),
    subscription=GraphQLObjectType(
        "Subscription",
        {
            "count": GraphQLField(
                GraphQLInt,
                {"target": GraphQLArgument(GraphQLInt)},
                subscribe=count,
                resolve=lambda number, info, target: number,
            )
        },
    ),
)


def make_app() -> Quart:
    app = Quart(__name__)
    view = GraphQLView.as_view("graphql", schema=SCHEMA)
    app.add_url_rule("/graphql", view_func=view)
    app.add_url_rule("/graphql", view_func=view, methods=["GET"], websocket=True)
    return app


async def test_queries_are_answered() -> None:
    client = make_app().test_client()
    response = await client.post("/graphql", json={"query": '{ hello(name: "Q") }'})
    assert await response.get_json() == {"data": {"hello": "Hello Q"}}


async def test_errors_are_told() -> None:
    client = make_app().test_client()
    response = await client.post("/graphql", json={"query": "{ nothing }"})
    assert "Cannot query field" in await response.get_data(as_text=True)
    assert (await client.put("/graphql")).status_code == 405


async def test_subscriptions_send_each_value() -> None:
    client = make_app().test_client()
    # Upstream's test client does nothing with subprotocols=.
    scope = {"subprotocols": ["graphql-transport-ws"]}
    async with client.websocket("/graphql", scope_base=scope) as connection:
        await connection.send_json({"type": "connection_init"})
        assert (await connection.receive_json())["type"] == "connection_ack"
        payload = {"query": "subscription { count(target: 2) }"}
        await connection.send_json({"id": "1", "type": "subscribe", "payload": payload})
        for number in range(2):
            message = await connection.receive_json()
            assert message["payload"]["data"] == {"count": number}
        assert (await connection.receive_json())["type"] == "complete"
