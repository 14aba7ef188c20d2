"""The ASGI connections of an application: HTTP and lifespan.

API of ``quart.asgi``, after the ASGI specification 3.0 (HTTP 2.4, lifespan 2.0).

A request runs in the task the server made for it, and nothing else is started as
long as it never waits. Only when the handler waits for the first time does a
second task watch for the client leaving, and a timer run for the response.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound

from .debug import traceback_response
from .first_waits import FirstWaits
from .parts.websockets import websocket_connection_class
from .utils import encode_headers
from .wrappers import ClientDisconnectedError, Request, Response
from .wrappers.response import FileBody, IterableBody
from .wrappers.response_body import encode_chunk
from .wrappers.scope_headers import ScopeHeaders
from .wrappers.scope_path import OUTSIDE, request_path

if TYPE_CHECKING:
    from .app import Quart
    from .typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, LifespanScope

# ASGIWebsocketConnection is here as well, where quart-ws is installed.
__all__ = ("ASGIHTTPConnection", "ASGILifespan")

# A scope extension, set by the test client: exceptions leave the application, to be
# seen by the test, where a server would get the debug page.
RAISE_EXTENSION = "quart.raise_exceptions"

# Sends a part of a file: {"type": ..., "path": str, "offset": int, "count": int}.
FILESEND_EXTENSION = "quart.response.filesend"
PATHSEND_EXTENSION = "http.response.pathsend"

# Sends a response 103 with header fields Link: {"type": ..., "links": list[bytes]}.
EARLY_HINT_EXTENSION = "http.response.early_hint"

_NO_BODY = frozenset({204, 304})

# What makes a request: where it is stock, what it comes to is done without it.
_making_of = attrgetter("__new__", "__init__", "set_receive")
_OWN_MAKING = _making_of(Request)


class _ClientLeftError(Exception):
    """The server refused a message because the client has left."""


class ASGIHTTPConnection:
    """One HTTP request. API of ``quart.asgi.ASGIHTTPConnection``.

    Args:
        app: The application.
        scope: The connection scope of type "http"; only ``method`` and ``path``
            are required, as far as this class goes.
    """

    # Defaults on the class, as construction is on the way of every request.
    _send: Any = None
    _receive: Any = None
    _request: Any = None
    _task: asyncio.Task[Any] | None = None
    _watcher: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _timeout: float | None = None
    _has_waited = False
    _client_left = False
    _timed_out = False

    def __init__(self, app: Quart, scope: HTTPScope) -> None:
        self.app = app
        self.scope: Any = scope

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the request."""
        self._receive = receive
        request = self._request = self._create_request_from_scope(send)
        if request._receive is not receive:
            request.set_receive(receive)
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        first_waits = self.app._first_waits
        if first_waits is None or first_waits.loop is not loop:
            first_waits = self.app._first_waits = FirstWaits(loop)
        first_waits.note(self)
        try:
            await self.handle_request(request, send)
        except _ClientLeftError:
            pass
        except asyncio.CancelledError as error:
            if not self._is_ours(error):
                raise
        finally:
            if not self._has_waited:
                first_waits.strike(self)
            if self._timer is not None:
                self._timer.cancel()
            if self._watcher is not None:
                await self._stop_watching()
            # The request refers to this, for its push promises.
            self._request = None

    # Waiting

    def on_first_wait(self) -> None:
        """Start what only a request that waits needs; called by the event loop."""
        self._has_waited = True
        loop = asyncio.get_running_loop()
        self._watcher = loop.create_task(self._watch())
        if self._timeout is not None:
            self._timer = loop.call_later(self._timeout, self._expire)

    async def _watch(self) -> None:
        request = self._request
        await self.handle_messages(request, self._receive)
        self._client_left = True
        # Interrupted once, and not in its cleaning up: what has been told by a read
        # is doing that, and so are the functions that tear the request down.
        is_cleaning_up = self._timed_out or request._finalizing
        if self._task is None or is_cleaning_up:
            return
        if request.body._told_task != id(self._task):
            self._task.cancel()

    def _expire(self) -> None:
        self._timed_out = True
        if self._task is not None:
            self._task.cancel()

    async def _stop_watching(self) -> None:
        watcher = self._watcher
        if watcher is None:
            return
        task = self._task
        before = 0 if task is None else task.cancelling()
        watcher.cancel()
        try:
            await watcher
        except asyncio.CancelledError:
            # The watcher's own end, unless the server cancelled just now.
            if task is not None and task.cancelling() > before:
                raise

    def _is_ours(self, error: asyncio.CancelledError) -> bool:
        """Return whether this connection cancelled the request, not the server.

        Not told by the task's count of cancellations: before Python 3.13 a task
        group that failed leaves its own behind.
        """
        cancelled = self._client_left + self._timed_out
        if self._task is not None:
            for _ in range(cancelled):
                self._task.uncancel()
        if not cancelled and not isinstance(error, ClientDisconnectedError):
            return False
        if self._timed_out:
            self.app.logger.warning(
                "The response to %s %r was not sent within %s seconds "
                "(RESPONSE_TIMEOUT), so its connection was ended",
                self._request.method,
                self._request.path,
                self._timeout,
            )
        return True

    async def handle_messages(
        self,
        request: Request,
        receive: ASGIReceiveCallable,
        request_task: Any = None,  # noqa: ARG002 - as Quart 0.23 calls it
    ) -> None:
        """Read ahead within bounds, and return when the client has left."""
        request.set_receive(receive)
        await request.body.watch()

    # The request

    def _create_request_from_scope(self, send: ASGISendCallable) -> Request:
        self._send = send
        scope = self.scope
        app = self.app
        request_class = app.request_class
        if _making_of(request_class) == _OWN_MAKING and not scope.get("root_path"):
            path = scope["path"]
            if path[:1] == "/" and path[1:2] != "/":
                return request_class._of_scope(scope, path, self, self._receive)
        path = request_path(scope)
        request = app.request_class(
            scope["method"],
            scope.get("scheme", "http"),
            OUTSIDE if path is None else path,
            scope.get("query_string", b""),
            ScopeHeaders(scope, app.config["SERVER_NAME"]),
            scope.get("root_path", ""),
            scope.get("http_version", "1.1"),
            scope,
            max_content_length=app.config["MAX_CONTENT_LENGTH"],
            body_timeout=app.config["BODY_TIMEOUT"],
            send_push_promise=self._send_push_promise,
        )
        request._send_links = self._send_early_hints
        if path is None:
            request.routing_exception = NotFound()
        return request

    async def _send_push_promise(self, path: str, headers: Headers) -> None:
        """Promise a response, where the server can; else do nothing."""
        extensions = self.scope.get("extensions") or ()
        if "http.response.push" not in extensions:
            return
        await self._send(
            {
                "type": "http.response.push",
                "path": path,
                "headers": encode_headers(headers),
            }
        )

    async def _send_early_hints(self, links: list[str]) -> None:
        """Send a response 103, where the server can; else do nothing."""
        extensions = self.scope.get("extensions") or ()
        if EARLY_HINT_EXTENSION not in extensions:
            return
        encoded = [link.encode("latin-1") for link in links]
        message: Any = {"type": EARLY_HINT_EXTENSION, "links": encoded}
        await self._send_messages(self._send, message)

    # The response

    async def handle_request(self, request: Request, send: ASGISendCallable) -> None:
        """Let the application answer, and send its response in time."""
        try:
            response: Any = await self.app.handle_request(request)
        except Exception as error:  # noqa: BLE001 - shown, or raised again
            response = await self._handle_exception(error, request)
        timeout: float | None = self.app.config["RESPONSE_TIMEOUT"]
        data: bytes | None = None
        if isinstance(response, Response):
            if response.timeout is not ...:
                timeout = response.timeout
            data = response._untouched_data()
        if data is None and getattr(response, "autocorrect_location_header", False):
            response._correct_location(request.url)
        self._timeout = timeout
        if self._has_waited and timeout is not None:
            # The first wait is over, so nothing else would start the timer.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(timeout, self._expire)
        if data is None or self._client_left or type(self) is not ASGIHTTPConnection:
            await self._send_response(send, response)
            return
        # The same, for what most responses are.
        status, headers = response._status_code, response._headers_as_made(len(data))
        if request.method == "HEAD" or status in _NO_BODY:
            data = b""
        try:
            # Our own server takes it all at once; see docs/design.md, "The lane".
            respond = getattr(getattr(send, "__self__", None), "respond_whole", None)
            if respond is not None:
                slow = respond(status, headers, data)
                if slow is not None:
                    await slow
                return
            head: Any = {
                "type": "http.response.start",
                "status": status,
                "headers": headers,
            }
            body: Any = {"type": "http.response.body", "body": data}
            await send(head)
            await send(body)
        except OSError as error:
            raise _ClientLeftError from error

    async def _handle_exception(self, error: Exception, request: Request) -> Any:
        """Return the debug page, or raise what is not for this client.

        Raises:
            Exception: The error, for a test or for the server to handle.
        """
        app = self.app
        extensions = self.scope.get("extensions") or ()
        if RAISE_EXTENSION in extensions or not (app.debug or app.testing):
            raise error
        # The context of the request is gone, but log and page tell of the request.
        ctx = app.request_context(request)
        ctx._bind()
        try:
            app.log_exception((type(error), error, error.__traceback__))
            return await traceback_response(error)
        finally:
            ctx.leave()

    async def _send_response(self, send: ASGISendCallable, response: Any) -> None:
        status = response.status_code
        ours = isinstance(response, Response)
        try:
            if self._client_left:
                # Found out by a handler that went on, or while it was torn down.
                raise asyncio.CancelledError
            head: Any = {
                "type": "http.response.start",
                "status": status,
                "headers": encode_headers(response.headers),
            }
            data: bytes | None = None
            if self.scope["method"] == "HEAD" or status in _NO_BODY:
                data = b""
            elif ours:
                data = response.response.ready_data()
            if data is not None and not (ours and response._push_promises):
                # Head and body in one go, which most responses are.
                body: Any = {"type": "http.response.body", "body": data}
                await self._send_messages(send, head, body)
                return
            await self._send_messages(send, head)
            if ours and response._push_promises:
                # Early Quart's set of paths to push.
                for path in response._push_promises:
                    await self._send_push_promise(path, Headers())
            if data is None:
                await self._send_stream(send, response)
            else:
                await self._send_data(send, data)
        finally:
            if not ours:
                response.close()
            elif response._must_close:
                # None where a subclass has a __call__ of its own, as for trio.
                if self._request is not None:
                    self._request._finalizing = True
                await response._close_body()

    async def _send_messages(self, send: Any, *messages: Any) -> None:
        """Send messages; a refusal means that the client has left.

        Specification 2.4 lets the server raise OSError then. Nothing else is inside
        the try, as the application's own OSErrors are another matter.
        """
        try:
            for message in messages:
                await send(message)
        except OSError as error:
            raise _ClientLeftError from error

    async def _send_data(
        self, send: ASGISendCallable, data: bytes, more: bool = False
    ) -> None:
        await self._send_messages(
            send, {"type": "http.response.body", "body": data, "more_body": more}
        )

    async def _send_stream(self, send: ASGISendCallable, response: Any) -> None:
        """Send a body that is not at hand as bytes, in the steps it comes in."""
        if isinstance(response, Response):
            body: Any = response.response
        else:
            body = IterableBody(response.iter_encoded())
        async with body as chunks:
            if isinstance(body, FileBody) and await self._send_file(send, body):
                return
            async for chunk in chunks:
                if self._timed_out:
                    # The cancellation was swallowed, so it is repeated here.
                    raise asyncio.CancelledError
                await self._send_data(send, encode_chunk(chunk), more=True)
        await self._send_data(send, b"")

    async def _send_file(self, send: ASGISendCallable, body: FileBody) -> bool:
        """Let the server send the file, where it can; return whether it does."""
        extensions = self.scope.get("extensions") or ()
        if FILESEND_EXTENSION in extensions:
            message: Any = {
                "type": FILESEND_EXTENSION,
                "path": body.path,
                "offset": body.begin,
                "count": body.end - body.begin,
            }
        elif PATHSEND_EXTENSION in extensions and body.end - body.begin == body.size:
            message = {"type": PATHSEND_EXTENSION, "path": body.path}
        else:
            return False
        await self._send_messages(send, message)
        return True


class ASGILifespan:
    """The start and stop of the application. API of ``quart.asgi.ASGILifespan``.

    Args:
        app: The application.
        scope: The connection scope of type "lifespan".
    """

    def __init__(self, app: Quart, scope: LifespanScope) -> None:
        self.app = app
        self.scope = scope

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Start and stop the application as the server says."""
        while True:
            message: Any = await receive()
            if message["type"] == "lifespan.startup":
                await self._answer(send, "startup", self.app.startup)
            elif message["type"] == "lifespan.shutdown":
                await self._answer(send, "shutdown", self.app.shutdown)
                return

    @staticmethod
    async def _answer(send: Any, phase: str, run: Callable[[], Any]) -> None:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - told to the server
            # Logged where it was raised; the server is told what to print.
            message = str(error) or type(error).__name__
            await send({"type": f"lifespan.{phase}.failed", "message": message})
        else:
            await send({"type": f"lifespan.{phase}.complete"})


# Names that Quart's own tests and quart-trio import.


def _convert_version(raw: str) -> list[int]:
    """Return the numbers of a version such as ``2.1``."""
    return [int(number) for number in raw.split(".")]


def _convert_os_error(send: Any) -> Any:
    """Return a ``send`` whose OSErrors say that the client has left."""

    async def converted(message: Any) -> None:
        try:
            await send(message)
        except OSError as error:
            raise ClientDisconnectedError from error

    return converted


async def _handle_exception(app: Quart, error: Exception) -> Response:
    """Return the debug page where an application shows such, else raise the error."""
    if app.debug or app.testing:
        return await traceback_response(error)
    raise error


def __getattr__(name: str) -> Any:
    if name == "ASGIWebsocketConnection":
        return websocket_connection_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
