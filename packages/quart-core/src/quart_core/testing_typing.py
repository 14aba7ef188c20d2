"""What a test client and its parts are, for whoever replaces one of them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from http.cookiejar import CookieJar

    from werkzeug.datastructures import Authorization, Headers

    from .app import Quart
    from .asgi_typing import HTTPScope, WebsocketScope
    from .datastructures import FileStorage
    from .sessions import SessionMixin
    from .wrappers.response import Response

__all__ = [
    "TestAppProtocol",
    "TestClientProtocol",
    "TestHTTPConnectionProtocol",
    "TestWebsocketConnectionProtocol",
]


class TestHTTPConnectionProtocol(Protocol):
    """What ``client.request()`` gives: an HTTP request step by step."""

    push_promises: list[tuple[str, Headers]]

    def __init__(
        self, app: Quart, scope: HTTPScope, _preserve_context: bool = False
    ) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...

    async def send(self, data: bytes) -> None:
        """Send a part of the request's body."""
        ...

    async def send_complete(self) -> None:
        """Send the end of the request's body."""
        ...

    async def receive(self) -> bytes:
        """Receive a part of the response's body."""
        ...

    async def disconnect(self) -> None:
        """Leave, as a client that closes its connection."""
        ...

    async def as_response(self) -> Response:
        """Receive the rest and give all of it as a response."""
        ...


class TestWebsocketConnectionProtocol(Protocol):
    """What ``client.websocket()`` gives: the client's end of a websocket."""

    def __init__(self, app: Quart, scope: WebsocketScope) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...

    async def receive(self) -> str | bytes:
        """Receive a message."""
        ...

    async def send(self, data: str | bytes) -> None:
        """Send a message, text or binary by its type."""
        ...

    # JSON holds any value.
    async def receive_json(self) -> Any:
        """Receive a message of JSON."""
        ...

    async def send_json(self, data: Any) -> None:
        """Send a message of JSON."""
        ...

    async def close(self, code: int) -> None:
        """Close with a code, RFC 6455 section 7.4."""
        ...

    async def disconnect(self) -> None:
        """Leave without closing."""
        ...


class TestClientProtocol(Protocol):
    """What ``app.test_client()`` gives."""

    app: Quart
    cookie_jar: CookieJar | None
    http_connection_class: type[TestHTTPConnectionProtocol]
    push_promises: list[tuple[str, Headers]]
    websocket_connection_class: type[TestWebsocketConnectionProtocol]

    def __init__(self, app: Quart, use_cookies: bool = True) -> None: ...

    async def open(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | Headers | None = None,
        data: str | bytes | None = None,
        form: Mapping[str, Any] | None = None,  # values as their str()
        files: Mapping[str, FileStorage] | None = None,
        query_string: Mapping[str, Any] | None = None,  # values as their str()
        json: Any = ...,  # any value that JSON can hold
        scheme: str = "http",
        follow_redirects: bool = False,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: Mapping[str, Any] | None = None,  # entries of any scope
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> Response:
        """Make a request and receive its response."""
        ...

    def request(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | Headers | None = None,
        query_string: Mapping[str, Any] | None = None,  # values as their str()
        scheme: str = "http",
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: Mapping[str, Any] | None = None,  # entries of any scope
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> TestHTTPConnectionProtocol:
        """Begin a request that the test sends and receives in parts."""
        ...

    def websocket(
        self,
        path: str,
        *,
        headers: dict[str, str] | Headers | None = None,
        query_string: Mapping[str, Any] | None = None,  # values as their str()
        scheme: str = "ws",
        subprotocols: list[str] | None = None,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: Mapping[str, Any] | None = None,  # entries of any scope
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> TestWebsocketConnectionProtocol:
        """Open a websocket."""
        ...

    # The arguments of these are those of open(), hence Any.
    async def delete(self, *args: Any, **kwargs: Any) -> Response:
        """Make a DELETE request."""
        ...

    async def get(self, *args: Any, **kwargs: Any) -> Response:
        """Make a GET request."""
        ...

    async def head(self, *args: Any, **kwargs: Any) -> Response:
        """Make a HEAD request."""
        ...

    async def options(self, *args: Any, **kwargs: Any) -> Response:
        """Make an OPTIONS request."""
        ...

    async def patch(self, *args: Any, **kwargs: Any) -> Response:
        """Make a PATCH request."""
        ...

    async def post(self, *args: Any, **kwargs: Any) -> Response:
        """Make a POST request."""
        ...

    async def put(self, *args: Any, **kwargs: Any) -> Response:
        """Make a PUT request."""
        ...

    async def trace(self, *args: Any, **kwargs: Any) -> Response:
        """Make a TRACE request."""
        ...

    def set_cookie(
        self,
        server_name: str,
        key: str,
        value: str = "",
        max_age: int | timedelta | None = None,
        expires: float | datetime | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        charset: str = "utf-8",
    ) -> None:
        """Put a cookie into the client's jar."""
        ...

    def delete_cookie(
        self, server_name: str, key: str, path: str = "/", domain: str | None = None
    ) -> None:
        """Remove a cookie from the client's jar."""
        ...

    def session_transaction(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: dict[str, str] | Headers | None = None,
        query_string: Mapping[str, Any] | None = None,  # values as their str()
        scheme: str = "http",
        data: str | bytes | None = None,
        form: Mapping[str, Any] | None = None,  # values as their str()
        json: Any = ...,  # any value that JSON can hold
        root_path: str = "",
        http_version: str = "1.1",
    ) -> AbstractAsyncContextManager[SessionMixin]:
        """Open the session of the client's cookies, to read and to change."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...


class TestAppProtocol(Protocol):
    """What ``app.test_app()`` gives: the app with its startup and shutdown."""

    def __init__(self, app: Quart) -> None: ...

    def test_client(self) -> TestClientProtocol:
        """Make a client of the started app."""
        ...

    async def startup(self) -> None:
        """Run the app's startup."""
        ...

    async def shutdown(self) -> None:
        """Run the app's shutdown."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None: ...


# Or pytest would collect them where a test's module imports them. Set behind the
# classes, as it would be a member of the protocols otherwise.
for _protocol in (
    TestAppProtocol,
    TestClientProtocol,
    TestHTTPConnectionProtocol,
    TestWebsocketConnectionProtocol,
):
    setattr(_protocol, "__test__", False)  # noqa: B010 - no declared attribute
