"""A page whose server is killed, started again, and killed again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
from example_server import ExampleServer
from quart_testing import EventStreamParser

RESTARTS = 3
STEPS = 30
WAIT_SECONDS = 20.0


def read(url: str, last_seen: str) -> Iterator[str]:
    """Read steps like a page, from the one after the last that it has seen."""
    parser = EventStreamParser()
    headers = {"Last-Event-ID": last_seen} if last_seen else {}
    with httpx.stream(
        "GET", f"{url}/events", headers=headers, timeout=WAIT_SECONDS
    ) as response:
        assert response.status_code == 200
        for piece in response.iter_raw():
            for event in parser.feed(piece):
                yield event.id


def test_no_step_is_lost_or_doubled_when_the_server_is_killed(tmp_path: Path) -> None:
    env = {
        "QUART_COUNTER_SECONDS": "0.002",
        "QUART_COUNTER_FILE": str(tmp_path / "counter"),
    }
    seen: list[str] = []
    for _ in range(RESTARTS):
        with ExampleServer("sse", env=env) as server:
            last_seen = seen[-1] if seen else ""
            for _, step in zip(range(STEPS), read(server.url, last_seen), strict=False):
                seen.append(step)
            server.stop(signal.SIGKILL)
    first = int(seen[0])
    assert seen == [str(step) for step in range(first, first + RESTARTS * STEPS)]
