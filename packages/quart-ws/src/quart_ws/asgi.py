"""The ASGI connection of a websocket.

API of ``quart.asgi.ASGIWebsocketConnection``, after the ASGI specification (websocket
2.5).

A websocket runs in the task the server made for it. As long as its handler reads, it
awaits the server in that task and nothing else is started. Only when the handler is
found waiting for something else (`Rounds`) does a second task watch for the client
leaving.

When the client leaves, a handler that reads is told by a `WebsocketDisconnectedError`.
One that waits elsewhere is cancelled: at once if no message waits for it, else when it
has not read for ``WEBSOCKET_DRAIN_TIMEOUT`` seconds. When the application shuts down
the same happens, and the websocket is closed with 1012.
"""

from __future__ import annotations

import asyncio
import warnings
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from quart_contexts.globals import _cv_websocket
from quart_core.debug import traceback_response
from quart_core.utils import encode_headers
from quart_core.wrappers.scope_headers import ScopeHeaders
from quart_core.wrappers.scope_path import OUTSIDE, request_path
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound

from .buffer import QUEUE_BYTES, QUEUE_MESSAGES, Buffer
from .close_codes import (
    INTERNAL_ERROR,
    NORMAL,
    SERVICE_RESTART,
    check_close_code,
    check_reason,
)
from .disconnects import Closure, WebsocketDisconnectedError
from .handler_watch import HandlerWatch
from .rejection import can_answer, close_response, send_response

if TYPE_CHECKING:
    from quart_core.app import Quart
    from quart_core.typing import (
        ASGIReceiveCallable,
        ASGISendCallable,
        WebsocketScope,
    )

    from .websocket import Websocket

__all__ = ("ASGIWebsocketConnection",)

#: Seconds for the last word to a client when the server cancels its handler.
GOODBYE_SECONDS: Final = 1.0

#: Messages sent without a pause before other tasks have their turn.
SENDS_IN_A_ROW: Final = 16

_VANISHED: Final = Closure(1006, "", "client")

# Set by the test client, see quart_core.asgi.
_RAISE_EXTENSION: Final = "quart.raise_exceptions"


class ASGIWebsocketConnection(HandlerWatch):
    """One websocket. API of ``quart.asgi.ASGIWebsocketConnection``.

    Args:
        app: The application.
        scope: The connection scope of type "websocket"; only ``path`` is required, as
            far as this class goes.

    Attributes:
        queue: The messages for the handler.
    """

    # Defaults on the class, as idle websockets are many.
    _closer: Any = None
    _accepted = False
    _closed = False
    _is_gone = False
    _is_stopping = False
    _sent_in_a_row = 0

    def __init__(self, app: Quart, scope: WebsocketScope) -> None:
        self.app = app
        self.scope: Any = scope
        # Any: whatever class stands in for ours.
        websocket_class: Any = app.websocket_class
        self.queue: Buffer = getattr(websocket_class, "buffer_class", Buffer)()

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the websocket."""
        try:
            self._begin(receive)
            websocket = self._websocket = self._create_websocket_from_scope(send)
            # ASGI: first comes websocket.connect, or the client has left already.
            self.queue.accept(await receive())
            if self._is_gone:
                return
            self._start_watching(ASGIWebsocketConnection.handle_messages)
            await self.handle_websocket(websocket, send)
        except asyncio.CancelledError as error:
            ours = self._is_ours(error)
            if ours or self._is_shutting_down():
                await self._say_goodbye(send)
            if not ours:
                raise
        finally:
            await self._end()

    # Overridable steps

    def _create_websocket_from_scope(self, send: ASGISendCallable) -> Websocket:
        scope, app = self.scope, self.app
        path = request_path(scope)
        # Any: whatever class stands in for ours.
        websocket_class: Any = app.websocket_class
        websocket: Websocket = websocket_class(
            OUTSIDE if path is None else path,
            scope.get("query_string", b""),
            scope.get("scheme", "ws"),
            ScopeHeaders(scope, app.config["SERVER_NAME"]),
            scope.get("root_path", ""),
            scope.get("http_version", "1.1"),
            list(scope.get("subprotocols") or ()),
            self.queue.get,
            partial(self.send_data, send),
            partial(self.accept_connection, send),
            partial(self.close_connection, send),
            scope,
        )
        websocket.buffer = self.queue
        websocket._loop = self._loop
        if path is None:
            websocket.routing_exception = NotFound()
        return websocket

    async def handle_messages(self, receive: ASGIReceiveCallable) -> None:
        """Read ahead within bounds, and return when the websocket has ended.

        A subclass may do it its own way: put data into `queue`, return at the end.
        """
        self.queue.set_source(receive, self)
        await self.queue.watch()

    async def handle_websocket(
        self, websocket: Websocket, send: ASGISendCallable
    ) -> None:
        """Let the application handle the websocket, then close or reject it."""
        try:
            response = await self.app.handle_websocket(websocket)
        except Exception as error:  # noqa: BLE001 - shown, or raised again
            response = await self._handle_exception(error, websocket, send)
        if self._is_gone or self._closed:
            return
        if self._accepted:
            await self.close_connection(send, self._end_code(websocket), "")
        elif response is not None:
            await self._reject(send, response)

    async def accept_connection(
        self, send: ASGISendCallable, headers: Any, subprotocol: str | None
    ) -> None:
        """Accept, unless that has been done.

        Args:
            send: The ASGI callable.
            headers: Header fields of the answer: a mapping, pairs, or None.
            subprotocol: The one chosen.

        Raises:
            RuntimeError: The websocket was closed before.
            WebsocketDisconnectedError: The client has left.
        """
        if self._accepted:
            return
        if self._closed:
            raise RuntimeError("The websocket was closed, so it cannot be accepted.")
        if self._is_gone:
            self._refuse()
            return
        message: dict[str, Any] = {
            "type": "websocket.accept",
            "subprotocol": subprotocol,
            "headers": [],
        }
        if self._spec_version() >= (2, 1):
            message["headers"] = encode_headers(Headers(headers))
        elif headers:
            warnings.warn(
                "The server knows ASGI websockets 2.0 only, which have no headers in "
                "the answer: they are not sent.",
                stacklevel=2,
            )
        self._accepted = True
        await self._send_message(send, message)

    async def send_data(self, send: ASGISendCallable, data: str | bytes) -> None:
        """Send a message.

        Raises:
            WebsocketDisconnectedError: The client has left.
            RuntimeError: The same task has closed the websocket before.
            TypeError: The data is neither text nor bytes.
        """
        if self._closed or self._is_gone:
            self._refuse()
            return
        if isinstance(data, str):
            message: Any = {"type": "websocket.send", "text": data}
        elif isinstance(data, bytes):
            message = {"type": "websocket.send", "bytes": data}
        else:
            message = {"type": "websocket.send", "bytes": _as_bytes(data)}
        await self._send_message(send, message)

    async def close_connection(
        self, send: ASGISendCallable, code: int, reason: str
    ) -> None:
        """Close the websocket, or reject it if it is not accepted yet.

        Raises:
            RuntimeError: The application has closed it before.
            ValueError: The code cannot be sent, or the reason is too long.
        """
        if self._closed:
            raise RuntimeError("The websocket was closed before: close() it once.")
        if self._accepted:
            check_close_code(code)
        check_reason(reason)
        self._closed = True
        if self._is_gone:
            return
        if self._loop is not None:
            await self._end_reading(Closure(code, reason, "application"))
        message: dict[str, Any] = {"type": "websocket.close", "code": code}
        if self._spec_version() >= (2, 3):
            message["reason"] = reason
        try:
            await send(message)
        except OSError:
            # It has left by itself, and so it is closed as asked.
            self._is_gone = True

    async def _end_reading(self, closure: Closure) -> None:
        self._closer = asyncio.current_task()
        self.queue.end(closure)
        if self._closer is not self._task:
            self._loop.call_soon(self._check_handler)
        # Granian sends no close as long as a message is awaited.
        await self._stop_watching()

    # Beginning and end

    def _begin(self, receive: ASGIReceiveCallable) -> None:
        config, queue = self.app.config, self.queue
        self._attend(receive)
        queue.max_messages = config.get("WEBSOCKET_QUEUE_MESSAGES", QUEUE_MESSAGES)
        queue.max_bytes = config.get("WEBSOCKET_QUEUE_BYTES", QUEUE_BYTES)
        queue.set_source(receive, self)
        self.app._open_websockets.add(self)

    async def _end(self) -> None:
        self.app._open_websockets.discard(self)
        # Tasks that outlive the handler are told when they read or send.
        self.queue.end(Closure(NORMAL, "", "application"))
        self.queue.release()
        self._closed = True
        self._closer = None
        await self._stop_attending()

    def _end_code(self, websocket: Websocket) -> int:
        if websocket._failed:
            return INTERNAL_ERROR
        return SERVICE_RESTART if self._is_shutting_down() else NORMAL

    async def _say_goodbye(self, send: ASGISendCallable) -> None:
        """Tell a client that is still there why its handler was ended."""
        if self._closed or self._is_gone:
            return
        # Else what ended the handler was another websocket's end.
        stops = self._is_shutting_down()
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                code = SERVICE_RESTART if stops else INTERNAL_ERROR
                await self.close_connection(send, code, "")
        except TimeoutError:
            self._is_gone = True

    async def _handle_exception(
        self, error: Exception, websocket: Websocket, send: ASGISendCallable
    ) -> Any:
        """Return the debug page, or raise what is not for this client.

        Raises:
            Exception: The error, for a test or for the server to handle.
        """
        app = self.app
        if self._accepted and not (self._closed or self._is_gone):
            await self.close_connection(send, INTERNAL_ERROR, "")
        extensions = self.scope.get("extensions") or ()
        if _RAISE_EXTENSION in extensions or not (app.debug or app.testing):
            raise error
        # The context is gone, but log and page tell of the websocket.
        ctx = app.websocket_context(websocket)
        ctx._bind()
        try:
            app.log_exception((type(error), error, error.__traceback__))
            return None if self._accepted else await traceback_response(error)
        finally:
            ctx.leave()

    async def _reject(self, send: ASGISendCallable, response: Any) -> None:
        if not can_answer(self.scope):
            await self.close_connection(send, NORMAL, "")
            await close_response(response)
            return
        self._closed = True
        timeout = self.app.config["RESPONSE_TIMEOUT"]
        try:
            # The event loop of a subclass's own __call__ may not be asyncio's.
            limit = nullcontext if self._loop is None else asyncio.timeout
            await send_response(send, response, timeout, limit)
        except OSError as error:
            # The client has left, or takes too long (TimeoutError is an OSError).
            self._is_gone = True
            if isinstance(error, TimeoutError):
                self.app.logger.warning(
                    "The rejection of websocket %r was not sent within %s seconds "
                    "(RESPONSE_TIMEOUT)",
                    self.scope["path"],
                    timeout,
                )

    # Sending

    async def _send_message(self, send: ASGISendCallable, message: Any) -> None:
        if self._loop is None:
            # A subclass has a __call__ of its own; that of quart-trio has no asyncio.
            await send(message)
            return
        try:
            await send(message)
            # A server whose socket takes everything never waits; others must go on.
            self._sent_in_a_row += 1
            if self._sent_in_a_row >= SENDS_IN_A_ROW:
                self._sent_in_a_row = 0
                await asyncio.sleep(0)
        except OSError:
            # ASGI 2.4: the client has left.
            self._is_gone = True
            self.queue.end(_VANISHED)
            self._refuse()
        except asyncio.CancelledError:
            if self._was_cancelled:
                raise self._told() from None
            raise

    def _refuse(self) -> None:
        """Tell whoever sends that nobody takes it.

        A handler that sends to the websocket of another one must not end because that
        client has left: what it sends is lost, as it would be on the way.
        """
        if self._loop is None:
            raise RuntimeError("The websocket was closed, so nothing can be sent.")
        if self._closer is not None and self._closer is asyncio.current_task():
            raise RuntimeError("This task closed the websocket, so it cannot send.")
        ctx = _cv_websocket.get(None)
        if ctx is not None and ctx.websocket.buffer is self.queue:
            raise self._told()

    def _told(self) -> WebsocketDisconnectedError:
        if asyncio.current_task() is self._task:
            self.on_told()
        elif self._loop is not None:
            self._loop.call_soon(self._check_handler)
        return WebsocketDisconnectedError(*(self.queue.closure or _VANISHED))

    def _spec_version(self) -> tuple[int, ...]:
        version = (self.scope.get("asgi") or {}).get("spec_version", "2.0")
        return tuple(map(int, version.split(".")))

    # What the buffer says

    def on_disconnect(self, code: int, reason: str) -> Closure:
        """Return how the websocket has ended, when the server said that it has."""
        self._is_gone = True
        by_server = self._is_shutting_down()
        return Closure(code, reason, "server" if by_server else "client")

    # Shutdown

    def shut_down(self) -> None:
        """End the websocket with 1012; called when the application shuts down."""
        self._is_stopping = True
        self.queue.end(Closure(SERVICE_RESTART, "", "server"))
        self._loop.call_soon(self._check_handler)

    def _is_shutting_down(self) -> bool:
        if self._is_stopping:
            return True
        extensions = self.scope.get("extensions") or {}
        offered = (extensions.get("quart.shutdown") or {}).get("event")
        own = getattr(self.app, "shutdown_event", None)
        return any(event is not None and event.is_set() for event in (offered, own))


# Any: what a handler passed.
def _as_bytes(data: Any) -> bytes:
    """Return the content of a buffer such as a bytearray or a memoryview.

    Raises:
        TypeError: It is none.
    """
    try:
        return bytes(memoryview(data))
    except TypeError:
        raise TypeError(
            f"A websocket sends str or bytes, not {type(data).__name__}: use "
            "send_json() for values."
        ) from None
