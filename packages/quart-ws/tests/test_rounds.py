"""Rounds: finding handlers that wait elsewhere."""

from __future__ import annotations

import asyncio
import contextvars

from quart_ws.rounds import Rounds
from ws_driver import rounds

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")


class Visited:
    def __init__(self) -> None:
        self.visits = 0
        self.seen: str | None = None

    def on_round(self) -> None:
        self.visits += 1
        self.seen = variable.get(None)


async def test_each_connection_noted_is_visited_once() -> None:
    all_rounds = Rounds(asyncio.get_running_loop())
    one, two = Visited(), Visited()
    for connection in (one, two, one):
        all_rounds.note(connection)
    await rounds()
    assert (one.visits, two.visits) == (1, 1)
    all_rounds.note(one)
    await rounds()
    assert (one.visits, two.visits) == (2, 1)


async def test_one_that_was_struck_off_is_not_visited() -> None:
    all_rounds = Rounds(asyncio.get_running_loop())
    one, two = Visited(), Visited()
    all_rounds.note(one)
    all_rounds.note(two)
    all_rounds.strike(one)
    all_rounds.strike(one)
    await rounds()
    assert (one.visits, two.visits) == (0, 1)


async def test_visits_happen_in_no_context_of_a_handler() -> None:
    all_rounds = Rounds(asyncio.get_running_loop())
    one = Visited()
    token = variable.set("of a handler")
    all_rounds.note(one)
    variable.reset(token)
    await rounds()
    assert one.visits == 1
    assert one.seen is None
