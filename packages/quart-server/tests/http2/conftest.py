"""Makes `http2_peer`, the client's side of the tests, importable by its name."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location(
    "http2_peer", Path(__file__).with_name("peer.py")
)
assert _spec is not None
assert _spec.loader is not None
http2_peer = importlib.util.module_from_spec(_spec)
sys.modules["http2_peer"] = http2_peer
_spec.loader.exec_module(http2_peer)


@pytest.fixture
async def connect(start_worker: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that starts a worker for an app and connects to it."""

    async def connect_to(app: Any, *, greet: bool = True, **settings: Any) -> Any:
        worker = await start_worker(app, **settings)
        client = http2_peer.SocketClient(worker, await worker.connect())
        if greet:
            await client.greet()
        return client

    return connect_to
