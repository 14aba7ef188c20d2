"""The README: its examples run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from quart_ws.asgi import SERVICE_RESTART
from quart_ws.buffer import QUEUE_BYTES, QUEUE_MESSAGES
from quart_ws.handler_watch import DRAIN_TIMEOUT
from ws_driver import Client

README = (Path(__file__).parent.parent / "README.md").read_text()


def example_app() -> Any:
    namespace: dict[str, Any] = {"__name__": "readme"}
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(code, "README.md", "exec"), namespace)
    return namespace["app"]


@pytest.mark.parametrize("path", ["/echo", "/chat", "/sync"])
async def test_the_examples_echo(path: str) -> None:
    client = Client(example_app(), path)
    client.text("hello")
    await client.take(1)
    assert client.data == ["hello"]
    client.leave()
    await client.end()


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"`WEBSOCKET_QUEUE_MESSAGES` | {QUEUE_MESSAGES} |" in README
    assert f"`WEBSOCKET_QUEUE_BYTES` | {QUEUE_BYTES} |" in README
    assert f"`WEBSOCKET_DRAIN_TIMEOUT` | {DRAIN_TIMEOUT} |" in README
    assert f"{SERVICE_RESTART} when the" in README
