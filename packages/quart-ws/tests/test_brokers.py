"""Brokers: between the rooms of one name."""

from __future__ import annotations

from typing import Any

import pytest
from quart_ws.brokers import Broker, LocalBroker


async def test_subscribers_of_the_channel_get_what_is_published() -> None:
    broker: Broker = LocalBroker()
    got: list[Any] = []

    async def one(message: Any) -> None:
        got.append(("one", message))

    async def two(message: Any) -> None:
        got.append(("two", message))

    await broker.subscribe("chat", one)
    await broker.subscribe("chat", two)
    await broker.subscribe("other", two)
    await broker.publish("chat", "hello")
    assert got == [("one", "hello"), ("two", "hello")]
    await broker.unsubscribe("chat", one)
    await broker.publish("chat", b"bye")
    assert got[2:] == [("two", b"bye")]
    await broker.publish("nobody", "lost")


async def test_unsubscribing_what_is_not_subscribed_is_an_error() -> None:
    async def deliver(message: Any) -> None: ...

    with pytest.raises(ValueError, match="'chat'"):
        await LocalBroker().unsubscribe("chat", deliver)
