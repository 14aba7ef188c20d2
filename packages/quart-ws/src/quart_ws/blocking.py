"""Websockets for handlers that are plain functions and run in a thread.

::

    @app.websocket("/echo")
    def echo():
        socket = BlockingWebsocket()
        for message in socket:
            socket.send(message)

Each such websocket occupies a thread of the executor as long as it is open: fine for a
few, while coroutines serve many.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Coroutine, Iterator
from typing import Any, Final, TypeVar

from quart_contexts.globals import websocket as current_websocket

from .disconnects import WebsocketDisconnectedError
from .websocket import Websocket

__all__ = ("BlockingWebsocket",)

Result = TypeVar("Result")

#: Seconds between two looks whether the event loop still runs.
LOOK_SECONDS: Final = 1.0


class BlockingWebsocket:
    """A websocket whose methods wait instead of being awaited.

    Args:
        websocket: The current one if not given.

    Raises:
        RuntimeError: Called in the event loop's thread, or without a websocket that is
            being served.
    """

    def __init__(self, websocket: Websocket | None = None) -> None:
        current: Websocket = websocket or current_websocket._get_current_object()
        loop = current._loop
        if loop is None:
            raise RuntimeError("This websocket is not being served by an application.")
        if asyncio._get_running_loop() is loop:
            raise RuntimeError(
                "BlockingWebsocket would block the event loop: in a coroutine, await "
                "the methods of 'websocket'."
            )
        self.websocket = current
        self._loop = loop

    def __iter__(self) -> Iterator[str | bytes]:
        while True:
            yield self.receive()

    # Any: as for Websocket.
    def receive(self) -> Any:
        """Return the next message.

        Raises:
            WebsocketDisconnectedError: The websocket has ended; let it pass.
        """
        return self._run(self.websocket.receive())

    def send(self, data: str | bytes) -> None:
        """Send a message.

        Raises:
            WebsocketDisconnectedError: The websocket has ended; let it pass.
        """
        self._run(self.websocket.send(data))

    def receive_json(self) -> Any:
        """Return the next message, read as JSON."""
        return self._run(self.websocket.receive_json())

    def send_json(self, *args: Any, **kwargs: Any) -> None:
        """Send a value as JSON text, see `Websocket.send_json`."""
        self._run(self.websocket.send_json(*args, **kwargs))

    def accept(self, headers: Any = None, subprotocol: str | None = None) -> None:
        """Accept the websocket, see `Websocket.accept`."""
        self._run(self.websocket.accept(headers, subprotocol))

    def close(self, code: int, reason: str = "") -> None:
        """Close the websocket, see `Websocket.close`."""
        self._run(self.websocket.close(code, reason))

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in the event loop and wait for its end here.

        Raises:
            WebsocketDisconnectedError: The websocket or the event loop has ended.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            # The loop is closed.
            coroutine.close()
            raise WebsocketDisconnectedError(closed_by="server") from None
        while not concurrent.futures.wait((future,), LOOK_SECONDS).done:
            if not self._loop.is_running():
                raise WebsocketDisconnectedError(closed_by="server")
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            closure = self.websocket.closure
            if closure is None:
                raise
            raise WebsocketDisconnectedError(*closure) from None
