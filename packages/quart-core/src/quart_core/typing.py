"""Type aliases and protocols for applications, extensions and this package.

API of `quart.typing`. The ASGI types are our own, so that no server is needed to check
types; they are plain dictionaries and callables, as the ASGI specification says.
"""

from __future__ import annotations

import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from http.cookiejar import CookieJar
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,
    Protocol,
    Self,
    TypeAlias,
    TypedDict,
    Union,
)

if TYPE_CHECKING:
    from werkzeug.datastructures import Authorization, Headers
    from werkzeug.sansio.response import Response as SansIOResponse
    from werkzeug.wrappers import Response as WerkzeugResponse

    from .app import Quart
    from .datastructures import FileStorage
    from .sessions import SessionMixin
    from .wrappers.response import Response

__all__ = [
    "ASGIHTTPProtocol",
    "ASGILifespanProtocol",
    "ASGIReceiveCallable",
    "ASGIReceiveEvent",
    "ASGISendCallable",
    "ASGISendEvent",
    "ASGIVersions",
    "ASGIWebsocketProtocol",
    "AfterRequestCallable",
    "AfterServingCallable",
    "AfterWebsocketCallable",
    "AppOrBlueprintKey",
    "BeforeFirstRequestCallable",
    "BeforeRequestCallable",
    "BeforeServingCallable",
    "BeforeWebsocketCallable",
    "ErrorHandlerCallable",
    "Event",
    "FilePath",
    "HTTPScope",
    "HeaderName",
    "HeaderValue",
    "HeadersValue",
    "LifespanScope",
    "ResponseReturnValue",
    "ResponseTypes",
    "ResponseValue",
    "RouteCallable",
    "Scope",
    "ShellContextProcessorCallable",
    "StatusCode",
    "TeardownCallable",
    "TemplateContextProcessorCallable",
    "TemplateFilterCallable",
    "TemplateGlobalCallable",
    "TemplateTestCallable",
    "TestAppProtocol",
    "TestClientProtocol",
    "TestHTTPConnectionProtocol",
    "TestWebsocketConnectionProtocol",
    "URLDefaultCallable",
    "URLValuePreprocessorCallable",
    "WebsocketCallable",
    "WebsocketScope",
    "WhileServingCallable",
]

# What views give back

FilePath: TypeAlias = Union[bytes, str, "os.PathLike[str]"]

#: Anything a view may return without a status or headers.
ResponseValue: TypeAlias = Union[
    "Response",
    "WerkzeugResponse",
    "SansIOResponse",
    bytes,
    bytearray,
    str,
    Mapping[str, Any],  # becomes JSON, so any value that JSON can hold
    list[Any],  # the same
    Iterator[bytes],
    Iterator[str],
    AsyncIterable[bytes],
    AsyncIterable[str],
]
StatusCode: TypeAlias = int

HeaderName: TypeAlias = str
HeaderValue: TypeAlias = str | list[str] | tuple[str, ...]
HeadersValue: TypeAlias = Union[
    "Headers",
    Mapping[HeaderName, HeaderValue],
    Sequence[tuple[HeaderName, HeaderValue]],
]

#: Anything a view may return.
ResponseReturnValue: TypeAlias = (
    ResponseValue
    | tuple[ResponseValue, HeadersValue]
    | tuple[ResponseValue, StatusCode]
    | tuple[ResponseValue, StatusCode, HeadersValue]
)
ResponseTypes: TypeAlias = Union["Response", "WerkzeugResponse"]

# What applications register. `...` and Any stand for the arguments of user code.

#: The name of a blueprint, None for the app.
AppOrBlueprintKey: TypeAlias = str | None

AfterRequestCallable: TypeAlias = Callable[[Any], Any] | Callable[[Any], Awaitable[Any]]
AfterServingCallable: TypeAlias = Callable[[], Any] | Callable[[], Awaitable[Any]]
AfterWebsocketCallable: TypeAlias = (
    Callable[[Any], Any] | Callable[[Any], Awaitable[Any]]
)
BeforeFirstRequestCallable: TypeAlias = (
    Callable[[], None] | Callable[[], Awaitable[None]]
)
BeforeRequestCallable: TypeAlias = (
    Callable[[], ResponseReturnValue | None]
    | Callable[[], Awaitable[ResponseReturnValue | None]]
)
BeforeServingCallable: TypeAlias = Callable[[], Any] | Callable[[], Awaitable[Any]]
BeforeWebsocketCallable: TypeAlias = (
    Callable[[], ResponseReturnValue | None]
    | Callable[[], Awaitable[ResponseReturnValue | None]]
)
ErrorHandlerCallable: TypeAlias = (
    Callable[[Any], ResponseReturnValue]
    | Callable[[Any], Awaitable[ResponseReturnValue]]
)
RouteCallable: TypeAlias = (
    Callable[..., ResponseReturnValue] | Callable[..., Awaitable[ResponseReturnValue]]
)
ShellContextProcessorCallable: TypeAlias = Callable[[], dict[str, Any]]
TeardownCallable: TypeAlias = (
    Callable[[BaseException | None], None]
    | Callable[[BaseException | None], Awaitable[None]]
)
TemplateContextProcessorCallable: TypeAlias = (
    Callable[[], dict[str, Any]] | Callable[[], Awaitable[dict[str, Any]]]
)
TemplateFilterCallable: TypeAlias = Callable[..., Any]
TemplateGlobalCallable: TypeAlias = Callable[..., Any]
TemplateTestCallable: TypeAlias = Callable[..., bool]
URLDefaultCallable: TypeAlias = Callable[[str, dict[str, Any]], None]
URLValuePreprocessorCallable: TypeAlias = Callable[
    [str | None, dict[str, Any] | None], None
]
WebsocketCallable: TypeAlias = (
    Callable[..., ResponseReturnValue | None]
    | Callable[..., Awaitable[ResponseReturnValue | None]]
)
WhileServingCallable: TypeAlias = Callable[[], AsyncGenerator[None, None]]


class Event(Protocol):
    """An event such as `asyncio.Event` or `trio.Event`."""

    def is_set(self) -> bool:
        """Say whether it has happened."""
        ...

    def set(self) -> None:
        """Make it happen."""
        ...

    # asyncio and trio give different results, neither of which is of use.
    async def wait(self) -> Any:
        """Wait until it has happened."""
        ...


# ASGI 3, https://asgi.readthedocs.io/en/latest/specs/


class ASGIVersions(TypedDict):
    """The `asgi` entry of a scope."""

    spec_version: NotRequired[str]
    version: NotRequired[str]


class HTTPScope(TypedDict):
    """The scope of an HTTP request. Header names are lower-case bytes."""

    type: Literal["http"]
    asgi: NotRequired[ASGIVersions]
    http_version: str
    method: str
    scheme: NotRequired[str]
    path: str
    raw_path: NotRequired[bytes | None]
    query_string: NotRequired[bytes]
    root_path: NotRequired[str]
    headers: Iterable[tuple[bytes, bytes]]
    client: NotRequired[tuple[str, int] | None]
    server: NotRequired[tuple[str, int | None] | None]
    state: NotRequired[dict[str, Any]]  # the server's, by the lifespan of the app
    extensions: NotRequired[dict[str, dict[str, Any]] | None]  # one's own content each


class WebsocketScope(TypedDict):
    """The scope of a websocket. Header names are lower-case bytes."""

    type: Literal["websocket"]
    asgi: NotRequired[ASGIVersions]
    http_version: NotRequired[str]
    scheme: NotRequired[str]
    path: str
    raw_path: NotRequired[bytes | None]
    query_string: NotRequired[bytes]
    root_path: NotRequired[str]
    headers: Iterable[tuple[bytes, bytes]]
    client: NotRequired[tuple[str, int] | None]
    server: NotRequired[tuple[str, int | None] | None]
    subprotocols: NotRequired[Iterable[str]]
    state: NotRequired[dict[str, Any]]  # as above
    extensions: NotRequired[dict[str, dict[str, Any]] | None]  # as above


class LifespanScope(TypedDict):
    """The scope of the server's startup and shutdown."""

    type: Literal["lifespan"]
    asgi: NotRequired[ASGIVersions]
    state: NotRequired[dict[str, Any]]  # filled by the app


Scope: TypeAlias = HTTPScope | WebsocketScope | LifespanScope

# Any: every server, middleware and typing package has event classes of its own, and
# parameters of callables are contravariant. What comes in is checked at run time.
ASGIReceiveEvent: TypeAlias = Any
ASGISendEvent: TypeAlias = Any
ASGIReceiveCallable: TypeAlias = Callable[[], Awaitable[ASGIReceiveEvent]]
ASGISendCallable: TypeAlias = Callable[[ASGISendEvent], Awaitable[None]]


class ASGIHTTPProtocol(Protocol):
    """What `Quart.asgi_http_class` is: one HTTP request."""

    def __init__(self, app: Quart, scope: HTTPScope) -> None: ...

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the request."""
        ...


class ASGILifespanProtocol(Protocol):
    """What `Quart.asgi_lifespan_class` is: startup and shutdown."""

    def __init__(self, app: Quart, scope: LifespanScope) -> None: ...

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the lifespan."""
        ...


class ASGIWebsocketProtocol(Protocol):
    """What `Quart.asgi_websocket_class` is: one websocket."""

    def __init__(self, app: Quart, scope: WebsocketScope) -> None: ...

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the websocket."""
        ...


# Testing


class TestHTTPConnectionProtocol(Protocol):
    """What `client.request()` gives: an HTTP request step by step."""

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
    """What `client.websocket()` gives: the client's end of a websocket."""

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
    """What `app.test_client()` gives."""

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

    def set_cookie(  # noqa: PLR0917 - werkzeug's order of arguments
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
    """What `app.test_app()` gives: the app with its startup and shutdown."""

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
