"""An ordinary response in place of a websocket.

By the ASGI extension ``websocket.http.response``. Servers without it answer 403
themselves when a websocket is closed before it was accepted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from quart_core.utils import encode_headers
from quart_core.wrappers.response import IterableBody, Response
from quart_core.wrappers.response_body import encode_chunk

if TYPE_CHECKING:
    from quart_core.typing import ASGISendCallable

__all__ = ("can_answer", "close_response", "send_response")


# Any: a scope holds whatever its server puts there, a response may be werkzeug's.
def can_answer(scope: Mapping[str, Any]) -> bool:
    """Return whether the server can answer a websocket with a response."""
    return "websocket.http.response" in (scope.get("extensions") or ())


async def send_response(
    send: ASGISendCallable,
    response: Any,
    timeout: float | None,
    limit: Callable[[float | None], AbstractAsyncContextManager[Any]] = asyncio.timeout,
) -> None:
    """Send a response, head and body, and close it.

    Args:
        send: The ASGI callable.
        response: Ours, or any other of werkzeug's.
        timeout: Seconds until it is given up; None for no limit.
        limit: Makes the context that gives it up.

    Raises:
        OSError: The client has left.
        TimeoutError: It took longer.
    """
    if isinstance(response, Response) and response.timeout is not ...:
        timeout = response.timeout
    try:
        async with limit(timeout):
            await send(
                {
                    "type": "websocket.http.response.start",
                    "status": response.status_code,
                    "headers": encode_headers(response.headers),
                }
            )
            await _send_body(send, response)
    finally:
        await close_response(response)


async def _send_body(send: ASGISendCallable, response: Any) -> None:
    ours = isinstance(response, Response)
    data = response.response.ready_data() if ours else None
    if data is None:
        body = response.response if ours else IterableBody(response.iter_encoded())
        async with body as chunks:
            async for chunk in chunks:
                await _send_chunk(send, encode_chunk(chunk), more=True)
        data = b""
    await _send_chunk(send, data, more=False)


async def _send_chunk(send: ASGISendCallable, data: bytes, *, more: bool) -> None:
    await send(
        {"type": "websocket.http.response.body", "body": data, "more_body": more}
    )


async def close_response(response: Any) -> None:
    """Close a response, sent or not."""
    if not isinstance(response, Response):
        response.close()
    elif response._must_close:
        await response._close_body()
