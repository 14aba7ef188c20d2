"""The client for tests that are plain functions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import copy_context
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar
from weakref import finalize

from .cookie_access import CookieAccess
from .preserved import let_go, take_over

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

    from quart_core import Quart
    from quart_core.sessions import SessionMixin
    from werkzeug.datastructures import Headers

    from .client import QuartClient
    from .connections import TestHTTPConnection, TestWebsocketConnection
    from .cookies import Cookie
    from .responses import ClientResponse
    from .server_sent_events import ServerSentEvent

__all__ = ("SyncClient", "SyncConnection", "SyncResponse")

Result = TypeVar("Result")
Connection = TypeVar("Connection", bound=AbstractAsyncContextManager[Any])

# Any: arguments and results of the asynchronous methods pass through.
Run = Callable[[Coroutine[Any, Any, Any]], Any]


class SyncResponse:
    """A response whose data, JSON and text are attributes and not awaited.

    Everything else is that of the response.
    """

    def __init__(self, response: ClientResponse, run: Run) -> None:
        self._response = response
        self._run = run

    # Any: whatever the response has.
    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    @property
    def data(self) -> bytes:
        """The body."""
        data: bytes = self._run(self._response.get_data())
        return data

    @property
    def json(self) -> Any:
        """The body as JSON, None where it is of another type."""
        return self.get_json()

    def get_data(self, as_text: bool = False) -> str | bytes:
        """Return the body, as text if asked."""
        data: str | bytes = self._run(self._response.get_data(as_text))
        return data

    def get_json(self, force: bool = False, silent: bool = False) -> Any:
        """Return the body as JSON; see the response's method."""
        return self._run(self._response.get_json(force, silent))

    @property
    def history(self) -> tuple[SyncResponse, ...]:
        """The responses that redirected here."""
        return tuple(SyncResponse(each, self._run) for each in self._response.history)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._response!r}>"


class SyncConnection(Generic[Connection]):
    """A connection whose methods are not awaited, to be entered with ``with``."""

    def __init__(self, connection: Connection, run: Run) -> None:
        self._connection = connection
        self._run = run

    # Any: whatever the connection has; what it would await is run to its end.
    def __getattr__(self, name: str) -> Any:
        value = getattr(self._connection, name)
        if not asyncio.iscoroutinefunction(value):
            return value
        return lambda *args, **kwargs: self._run(value(*args, **kwargs))

    def as_response(self) -> SyncResponse:
        """Receive the rest and give the response."""
        connection: Any = self._connection
        return SyncResponse(self._run(connection.as_response()), self._run)

    def events(self) -> Iterator[ServerSentEvent]:
        """Receive the body as server-sent events, until it ends."""
        connection: Any = self._connection
        events = connection.events()
        try:
            while (event := self._run(anext(events, None))) is not None:
                yield event
        finally:
            self._run(events.aclose())

    def __enter__(self) -> Self:
        self._run(self._connection.__aenter__())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._run(self._connection.__aexit__(exc_type, exc_value, tb))


class SyncClient:
    """A client whose methods are not awaited.

    ::

        def test_index():
            client = SyncClient(app)
            assert client.get("/").json == {"hello": "world"}

    It has an event loop of its own, which runs while one of its methods does. With
    ``with`` the context of the last request is kept, as in Flask, and the loop closed
    at the end.

    Args:
        app: The application, or a client of it whose cookies and settings are shared.
        lifespan: Whether ``with`` starts the application and stops it.
        **kwargs: As for `QuartClient`.
    """

    def __init__(
        self,
        app: Quart | QuartClient,
        *,
        lifespan: bool = False,
        **kwargs: Any,
    ) -> None:
        self.client: QuartClient = _client_of(app, kwargs)
        self.app = self.client.app
        self._runner = asyncio.Runner()
        # For tests that do not close it.
        self._close_runner = finalize(self, _close, self._runner)
        self._test_app: Any = self.app.test_app() if lifespan else None
        self._context: Any = None  # the context of the last request

    @property
    def cookie_jar(self) -> CookieJar | None:
        """The cookies, None for a client without."""
        return self.client.cookie_jar

    @property
    def push_promises(self) -> list[tuple[str, Headers]]:
        """Paths and headers that the last request pushed."""
        return self.client.push_promises

    def close(self) -> None:
        """Close the event loop. The client cannot be used afterwards."""
        self._close_runner()

    def __enter__(self) -> Self:
        if self._test_app is not None:
            self._run(self._test_app.startup())
            self.client.lifespan_state = self._test_app.state
        self._run(self.client.__aenter__())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        try:
            self._run(self.client.__aexit__(exc_type, exc_value, tb))
            if self._test_app is not None:
                self._run(self._test_app.shutdown())
        finally:
            self.close()

    # Any: arguments are those of QuartClient.open().

    def open(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a request; see `QuartClient.open`."""
        return SyncResponse(self._run(self.client.open(*args, **kwargs)), self._run)

    def delete(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a DELETE request; see `open`."""
        return self.open(*args, method="DELETE", **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a GET request; see `open`."""
        return self.open(*args, method="GET", **kwargs)

    def head(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a HEAD request; see `open`."""
        return self.open(*args, method="HEAD", **kwargs)

    def options(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make an OPTIONS request; see `open`."""
        return self.open(*args, method="OPTIONS", **kwargs)

    def patch(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a PATCH request; see `open`."""
        return self.open(*args, method="PATCH", **kwargs)

    def post(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a POST request; see `open`."""
        return self.open(*args, method="POST", **kwargs)

    def put(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a PUT request; see `open`."""
        return self.open(*args, method="PUT", **kwargs)

    def trace(self, *args: Any, **kwargs: Any) -> SyncResponse:
        """Make a TRACE request; see `open`."""
        return self.open(*args, method="TRACE", **kwargs)

    def request(self, *args: Any, **kwargs: Any) -> SyncConnection[TestHTTPConnection]:
        """Return a request in steps, for ``with``; see `QuartClient.request`."""
        return SyncConnection(self.client.request(*args, **kwargs), self._run)

    def websocket(
        self, *args: Any, **kwargs: Any
    ) -> SyncConnection[TestWebsocketConnection]:
        """Return a websocket, for ``with``; see `QuartClient.websocket`."""
        return SyncConnection(self.client.websocket(*args, **kwargs), self._run)

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[SessionMixin]:
        """Open the session of the client's cookies, to read and to change."""
        transaction = self.client.session_transaction(*args, **kwargs)
        session: SessionMixin = self._run(transaction.__aenter__())
        try:
            yield session
        except BaseException as error:
            self._run(transaction.__aexit__(type(error), error, error.__traceback__))
            raise
        self._run(transaction.__aexit__(None, None, None))

    def set_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Put a cookie into the jar; see `QuartClient.set_cookie`."""
        self.client.set_cookie(*args, **kwargs)

    def get_cookie(self, *args: Any, **kwargs: Any) -> Cookie | None:
        """Return a cookie, None if there is none; see `QuartClient.get_cookie`."""
        return self.client.get_cookie(*args, **kwargs)

    def delete_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Remove a cookie from the jar; see `QuartClient.delete_cookie`."""
        self.client.delete_cookie(*args, **kwargs)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end.

        Raises:
            RuntimeError: An event loop runs already, as in a coroutine.
        """
        _refuse_running_loop(coroutine)
        if self._context is not None:
            let_go(self._context)
            self._context = None
        try:
            return self._runner.run(coroutine, context=copy_context())
        finally:
            if self.client.preserve_context:
                self._context = take_over(self.app)


def _close(runner: asyncio.Runner) -> None:
    """Close a loop, also where the client is collected while another loop runs."""
    if not _loop_is_running():
        runner.close()
        return
    thread = Thread(target=runner.close, name="closing the loop of a client")
    thread.start()
    thread.join()


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _refuse_running_loop(coroutine: Coroutine[Any, Any, Any]) -> None:
    if not _loop_is_running():
        return
    coroutine.close()
    raise RuntimeError(
        "SyncClient runs an event loop of its own, and cannot in a coroutine, where "
        "one runs already: use 'await app.test_client().get(...)' there"
    )


# Any: see the class.
def _client_of(app: Any, kwargs: dict[str, Any]) -> Any:
    if isinstance(app, CookieAccess):
        if kwargs:
            raise TypeError(
                f"SyncClient() got a client and {sorted(kwargs)}: pass these where the "
                "client is made"
            )
        return app
    return app.test_client(**kwargs)
