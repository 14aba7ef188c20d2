"""What the test's ends of an HTTP request and of a websocket have in common."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias

from quart_core.wrappers import Response
from werkzeug.datastructures import Headers

from .exchange import WINDOW_BYTES, Exchange, Message
from .leaks import LeakCheck
from .responses import make_response
from .waits import DEFAULT_WAIT_SECONDS, Deadline

__all__ = ("TestConnection",)

# Any: an ASGI application of whatever kind.
App: TypeAlias = Any


class TestConnection:
    """One end of a connection that the application is called with.

    The attributes may be set until it is entered.

    Attributes:
        wait_seconds: How long each step waits for the application.
        send_window: Bytes that the application may leave unread before sending waits.
        receive_window: Bytes that the test may leave unread before the application's
            sending waits.
        check_leaks: Whether leaving raises `LeakError` where something is left behind.
        headers_received: Called with the headers of the response.
        response_class: The class of the response, the application's if None.
    """

    __test__: ClassVar[bool] = False

    wait_seconds: float = DEFAULT_WAIT_SECONDS
    send_window: int = WINDOW_BYTES
    receive_window: int = WINDOW_BYTES
    check_leaks: bool = False
    headers_received: Callable[[Headers], object] | None = None
    # Any: a class of responses that takes a body, a status and headers.
    response_class: type[Any] | None = None

    _kind = "connection"

    def __init__(self, app: App, scope: Any) -> None:
        self.app = app
        self.scope = scope
        self.headers: Headers | None = None
        self.response_data = bytearray()
        self.status_code: int | None = None
        about = f"{scope.get('method', 'GET')} {scope['path']}"
        self._exchange = Exchange(app, scope, about)

    @property
    def _about(self) -> str:
        return self._exchange.about

    def _deadline(self) -> Deadline:
        return Deadline(self.wait_seconds)

    async def __aenter__(self) -> Self:
        exchange = self._exchange
        exchange.to_app.window = self.send_window
        exchange.from_app.window = self.receive_window
        if self.check_leaks:
            exchange.leak_check = LeakCheck(self.app, self._about)
        exchange.start(self._asgi_receive, self._asgi_send)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if exc_value is None:
            await self._leave_in_order()
            await self._exchange.check_leaks()
        else:
            await self._abandon(exc_value)

    async def _leave_in_order(self) -> None:
        try:
            await self._finish()
        except BaseException:
            await self._exchange.stop()
            if self._exchange.leak_check is not None:
                self._exchange.leak_check.abandon()
            raise

    async def _abandon(self, error: BaseException) -> None:
        """Leave because of an exception, which stays the one that is raised."""
        self._leave()
        try:
            await self._exchange.end(self._deadline(), self._not_ended)
        except TimeoutError as still_waiting:
            error.add_note(str(still_waiting))
        if self._exchange.leak_check is not None:
            self._exchange.leak_check.abandon()
        failure = self._exchange.error()
        if failure is not None and failure is not error:
            error.add_note(f"The application failed as well, with {failure!r}")

    # For the classes below.

    async def _asgi_receive(self) -> Message:
        raise NotImplementedError

    async def _asgi_send(self, message: Message) -> None:
        raise NotImplementedError

    async def _finish(self) -> None:
        """Leave after everything has gone well so far."""
        raise NotImplementedError

    def _leave(self) -> None:
        """Be gone."""
        self._exchange.leave()

    def _not_ended(self) -> str:
        return f"The client has left {self._about}, and the application did not end"

    def _raise_failure(self) -> None:
        """Raise what the application failed with, once."""
        failure = self._exchange.error()
        if failure is not None:
            raise failure

    def _make_response(self, *, is_complete: bool = True) -> Any:
        cls: type[Any] = getattr(self.app, "response_class", Response)
        headers = Headers() if self.headers is None else self.headers
        return make_response(
            self.response_class or cls,
            self.status_code or 0,
            headers,
            bytes(self.response_data),
            is_complete=is_complete,
        )

    def _take_headers(self, headers: Headers) -> None:
        self.headers = headers
        if self.headers_received is not None:
            self.headers_received(headers)
