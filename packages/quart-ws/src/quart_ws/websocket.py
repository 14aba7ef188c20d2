"""A websocket as its handler sees it. API of ``quart.wrappers.websocket``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from quart_core.signals import send_signal, websocket_received, websocket_sent
from quart_core.wrappers.base import BaseRequestWebsocket

from .buffer import Buffer
from .disconnects import Closure, WebsocketDisconnectedError

if TYPE_CHECKING:
    import asyncio

    from quart_core.typing import WebsocketScope
    from werkzeug.datastructures import Headers

__all__ = ("Buffer", "Websocket", "WebsocketDisconnectedError")

# Any: given or not, it is told by identity.
_MISSING: Final[Any] = object()


class Websocket(BaseRequestWebsocket):
    """A websocket: the attributes of its request, and messages in both directions.

    ::

        @app.websocket("/echo")
        async def echo():
            async for message in websocket:
                await websocket.send(message)

    The first `receive` or `send` accepts it, `accept` does so explicitly. When it ends,
    the handler gets the messages that still wait, then a `WebsocketDisconnectedError`,
    which is a cancellation; `closure` says how it ended.

    Quart 0.23 calls the constructor without ``receive``; messages then come from
    `buffer`.

    Args:
        path: The decoded path below the `root_path`.
        query_string: What follows the question mark, undecoded.
        scheme: `ws` or `wss`.
        headers: The headers, with the client's address as `Remote-Addr`.
        root_path: The path that the application is mounted under.
        http_version: Such as `1.1` or `2`.
        subprotocols: Those that the client offers, the one it likes best first.
        receive: Returns the next message.
        send: Sends a message.
        accept: Accepts the websocket, given headers and subprotocol.
        close: Closes it, given code and reason.
        scope: The ASGI scope.
    """

    #: Makes `buffer`.
    buffer_class: type[Buffer] = Buffer

    #: Whether an exception left the handler, whoever handled it then.
    _failed = False
    #: Whether the handler and all functions around it are done, teardown apart.
    _ended = False
    _accepted = False
    _buffer: Buffer | None = None
    #: Where it is served, for handlers that run in a thread.
    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(
        self,
        path: str,
        query_string: bytes,
        scheme: str,
        headers: Headers,
        root_path: str,
        http_version: str,
        subprotocols: list[str],
        # Any: in the form of 0.23 each is the one after it.
        receive: Any = _MISSING,
        send: Any = _MISSING,
        accept: Any = _MISSING,
        close: Any = _MISSING,
        scope: WebsocketScope = _MISSING,
    ) -> None:
        if scope is _MISSING:
            receive, send, accept, close, scope = _MISSING, receive, send, accept, close
        if scope is _MISSING:
            raise TypeError(
                "Websocket() needs path, query_string, scheme, headers, root_path, "
                "http_version, subprotocols, [receive,] send, accept, close and scope."
            )
        super().__init__(
            "GET", scheme, path, query_string, headers, root_path, http_version, scope
        )
        self._subprotocols = subprotocols
        self._receive: Callable[[], Awaitable[str | bytes]] = (
            self._get if receive is _MISSING else receive
        )
        self._send: Callable[[str | bytes], Awaitable[None]] = send
        self._accept: Callable[[Any, str | None], Awaitable[None]] = accept
        self._close: Callable[[int, str], Awaitable[None]] = close

    @property
    def requested_subprotocols(self) -> list[str]:
        """The subprotocols that the client offers, the one it likes best first."""
        return self._subprotocols

    @property
    def buffer(self) -> Buffer:
        """What holds the messages for the handler, made on first use."""
        if self._buffer is None:
            self._buffer = self.buffer_class()
        return self._buffer

    @buffer.setter
    def buffer(self, value: Buffer) -> None:
        self._buffer = value

    @property
    def closure(self) -> Closure | None:
        """How it ended: code, reason and who closed it; None as long as it is open.

        Tells a handler that was cancelled while it waited for something else.
        """
        return None if self._buffer is None else self._buffer.closure

    # Opening and closing

    async def accept(
        self,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
        subprotocol: str | None = None,
    ) -> None:
        """Accept the websocket; once it is, this does nothing.

        Args:
            headers: Header fields of the answer.
            subprotocol: The one chosen of `requested_subprotocols`.

        Raises:
            RuntimeError: It was closed before.
            WebsocketDisconnectedError: The client has left.
        """
        await self._accept(headers, subprotocol)
        self._accepted = True

    async def close(self, code: int, reason: str = "") -> None:
        """Close the websocket, or reject it (403) if it is not accepted yet.

        Args:
            code: The close code: 1000 for a normal end, 3000 to 4999 for codes of the
                application's own (RFC 6455, 7.4).
            reason: A text of at most 123 bytes of UTF-8.

        Raises:
            RuntimeError: The application has closed it before.
            ValueError: The code cannot be sent, or the reason is too long.
        """
        await self._close(code, reason)

    # Messages

    def __aiter__(self) -> Websocket:
        return self

    async def __anext__(self) -> str | bytes:
        message: str | bytes = await self.receive()
        return message

    # Any: applications annotate what their clients send, text or bytes.
    async def receive(self) -> Any:
        """Return the next message, text as `str` and binary as `bytes`.

        Raises:
            WebsocketDisconnectedError: It has ended, and all messages were received.
        """
        if not self._accepted:
            await self.accept()
        data = await self._receive()
        if websocket_received.receivers:
            await send_signal(websocket_received, data)
        return data

    async def send(self, data: str | bytes) -> None:
        """Send a message: `str` as text, `bytes` and its like as binary.

        Waits while the client does not take what was sent before.

        Raises:
            WebsocketDisconnectedError: The client has left. Raised in the context of
                this websocket's handler only; what others send to it is lost, as it
                would be on the way.
            RuntimeError: The same task has closed it before.
            TypeError: The data is neither text nor bytes.
        """
        if not self._accepted:
            await self.accept()
        await self._send(data)
        if websocket_sent.receivers:
            await send_signal(websocket_sent, data)

    # Any: JSON holds values of any type.
    async def receive_json(self) -> Any:
        """Return the next message, read as JSON.

        Raises:
            ValueError: The message is no JSON.
            WebsocketDisconnectedError: As for `receive`.
        """
        return self.json_module.loads(await self.receive())

    async def send_json(self, *args: Any, **kwargs: Any) -> None:
        """Send a value as JSON text.

        One argument is sent as it is, several as a list, keywords as an object, none
        as null.

        Raises:
            TypeError: Both arguments and keywords were given.
            WebsocketDisconnectedError: As for `send`.
        """
        await self.send(self.json_module.dumps(_one_value(args, kwargs)))

    async def _get(self) -> str | bytes:
        return await self.buffer.get()


def _one_value(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the value that the arguments of `send_json` stand for."""
    if args and kwargs:
        raise TypeError(
            "send_json() takes either values or keywords, not both: put the keywords "
            "into a dict."
        )
    if len(args) == 1:
        return args[0]
    return args or kwargs or None
