"""A client that speaks ASGI to an application, without a server between them.

Small on purpose: core is tested without the package that has the real test client.
"""

from __future__ import annotations

import asyncio
import json as json_module
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

WAIT_SECONDS = 10.0


@dataclass
class Answer:
    """What the application sent."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = False
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json_module.loads(self.body)


class Driver:
    """Makes requests to an application; exceptions of the application are raised."""

    def __init__(self, app: Any, *, raise_exceptions: bool = True) -> None:
        self.app = app
        self.raise_exceptions = raise_exceptions

    def scope(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        query: str = "",
        **extra: Any,
    ) -> dict[str, Any]:
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        if not any(name == b"host" for name, _ in raw):
            raw.insert(0, (b"host", b"localhost"))
        extensions = {"quart.raise_exceptions": {}} if self.raise_exceptions else {}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": raw,
            "client": ("127.0.0.1", 50000),
            "server": ("localhost", 80),
            "extensions": extensions,
            **extra,
        }

    async def __call__(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] = b"",
        **options: Any,
    ) -> Answer:
        """Make a request with the whole body at hand and return the answer."""
        chunks = [body] if isinstance(body, bytes) else list(body)
        events = [
            {
                "type": "http.request",
                "body": chunk,
                "more_body": position < len(chunks) - 1,
            }
            for position, chunk in enumerate(chunks)
        ]
        answer = Answer()
        await asyncio.wait_for(
            self.exchange(self.scope(method, path, **options), events, answer),
            WAIT_SECONDS,
        )
        return answer

    async def exchange(
        self,
        scope: dict[str, Any],
        events: list[dict[str, Any]],
        answer: Answer,
        *,
        then_leave: bool = False,
    ) -> None:
        """Run the application over the events; then stay, or leave."""
        waiting = list(events)

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop(0)
            if not then_leave:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            answer.messages.append(message)
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = Headers(
                    [
                        (name.decode(), value.decode())
                        for name, value in message["headers"]
                    ]
                )
            elif message["type"] == "http.response.body":
                answer.chunks.append(message.get("body", b""))
                answer.complete = not message.get("more_body", False)

        await self.app(scope, receive, send)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self("GET", path, **options)

    async def post(
        self, path: str, body: bytes | Iterable[bytes] = b"", **options: Any
    ) -> Answer:
        return await self("POST", path, body, **options)
