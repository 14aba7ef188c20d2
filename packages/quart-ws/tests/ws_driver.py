"""The client's end of a websocket: it speaks ASGI to an application, without a server.

Small on purpose: quart-ws is tested without the package that has the real test client.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from werkzeug.datastructures import Headers

WAIT_SECONDS = 5.0
RESPONSES: dict[str, Any] = {"websocket.http.response": {}}


async def turns(count: int = 20) -> None:
    """Let other tasks go on until they wait for something."""
    for _ in range(count):
        await asyncio.sleep(0)


async def rounds() -> None:
    """Let the connections notice who waits elsewhere."""
    # What has not begun is noted for no round yet, on a busy machine.
    await turns()
    await asyncio.sleep(0.03)
    await turns()


class Client:
    """One websocket whose events the test makes one by one.

    Args:
        app: The application.
        path: The path.
        headers: Header fields of the handshake.
        stalls: Whether the application's messages are not taken at first.
        closes: Whether the server answers a close with its disconnect, as it should.
        **scope: More entries of the scope.
    """

    def __init__(
        self,
        app: Any,
        path: str = "/",
        *,
        headers: Iterable[tuple[str, str]] = (),
        stalls: bool = False,
        closes: bool = True,
        **scope: Any,
    ) -> None:
        self.scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "query_string": b"",
            "headers": [
                (b"host", b"localhost"),
                *((name.lower().encode(), value.encode()) for name, value in headers),
            ],
            "client": ("127.0.0.1", 50000),
            "subprotocols": [],
            **scope,
        }
        self.app = app
        self.messages: list[dict[str, Any]] = []
        self.waiting: deque[dict[str, Any]] = deque([{"type": "websocket.connect"}])
        self.received = 0
        self.pending = 0
        self.refuses = False
        self.open = asyncio.Event()
        if not stalls:
            self.open.set()
        self._closes = closes
        self._arrived = asyncio.Event()
        self._sent = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def task(self) -> asyncio.Task[None]:
        """The task that the server would make; begins on first use."""
        if self._task is None:
            self._task = asyncio.create_task(
                self.app(self.scope, self._receive, self._send)
            )
        return self._task

    async def __aenter__(self) -> Self:
        _ = self.task
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if not self.task.done():
            self.leave()
        if exc_type is None:
            await self.end()
        else:
            self.task.cancel()

    # What the client does

    def text(self, *messages: str) -> None:
        """Send text messages."""
        for message in messages:
            self._put({"type": "websocket.receive", "text": message})

    def binary(self, *messages: bytes) -> None:
        """Send binary messages."""
        for message in messages:
            self._put({"type": "websocket.receive", "bytes": message})

    def leave(self, code: int = 1000, reason: str = "") -> None:
        """Close the websocket, or vanish with 1006."""
        self._put({"type": "websocket.disconnect", "code": code, "reason": reason})

    def cut(self) -> None:
        """Vanish; the server refuses what is sent from now on."""
        self.refuses = True
        self.open.set()
        self.leave(1006)

    async def take(self, count: int) -> None:
        """Wait until the application has sent this many messages."""
        _ = self.task
        async with asyncio.timeout(WAIT_SECONDS):
            while len(self.data) < count:
                self._sent.clear()
                await self._sent.wait()

    async def end(self) -> None:
        """Wait for the end of the application."""
        await asyncio.wait_for(self.task, WAIT_SECONDS)

    # What it got

    @property
    def types(self) -> list[str]:
        """The types of the messages, without the common prefix."""
        return [message["type"].removeprefix("websocket.") for message in self.messages]

    @property
    def data(self) -> list[str | bytes]:
        """The data of the messages sent."""
        return [
            message["text"] if "text" in message else message["bytes"]
            for message in self.messages
            if message["type"] == "websocket.send"
        ]

    @property
    def close_code(self) -> int | None:
        """The code of the close, None without one."""
        for message in self.messages:
            if message["type"] == "websocket.close":
                code: int = message["code"]
                return code
        return None

    @property
    def status(self) -> int | None:
        """The status of the response, None without one."""
        for message in self.messages:
            if message["type"] == "websocket.http.response.start":
                status: int = message["status"]
                return status
        return None

    @property
    def body(self) -> bytes:
        """The body of the response."""
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def response_headers(self) -> Headers:
        """The header fields of the acceptance or the response."""
        return Headers(
            [
                (name.decode(), value.decode())
                for message in self.messages
                for name, value in message.get("headers", ())
            ]
        )

    # The server

    def _put(self, message: dict[str, Any]) -> None:
        self.waiting.append(message)
        self._arrived.set()

    async def _receive(self) -> dict[str, Any]:
        assert not self.pending, "two calls of receive are pending"
        self.pending += 1
        try:
            while not self.waiting:
                self._arrived.clear()
                await self._arrived.wait()
        finally:
            self.pending -= 1
        self.received += 1
        return self.waiting.popleft()

    async def _send(self, message: dict[str, Any]) -> None:
        await self.open.wait()
        if self.refuses:
            raise OSError("the client has left")
        self.messages.append(message)
        if message["type"] == "websocket.close" and self._closes:
            self.leave(message["code"])
        self._sent.set()


async def talk(app: Any, path: str = "/", *messages: str | bytes, **scope: Any) -> Any:
    """Open a websocket, send messages, leave, and return the client at the end."""
    client = Client(app, path, **scope)
    for message in messages:
        if isinstance(message, str):
            client.text(message)
        else:
            client.binary(message)
    client.leave()
    await client.end()
    return client


async def visit(app: Any, path: str = "/", **scope: Any) -> Any:
    """Open a websocket that the application is expected to end by itself."""
    client = Client(app, path, **scope)
    await client.end()
    return client
