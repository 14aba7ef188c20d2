"""Type aliases and protocols for applications, extensions and this package.

API of ``quart.typing`` and ``flask.typing``.
"""

from __future__ import annotations

import os
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, Union

from .asgi_typing import (
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    ASGIVersions,
    HTTPScope,
    LifespanScope,
    Scope,
    WebsocketScope,
)
from .testing_typing import (
    TestAppProtocol,
    TestClientProtocol,
    TestHTTPConnectionProtocol,
    TestWebsocketConnectionProtocol,
)

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers
    from werkzeug.sansio.response import Response as SansIOResponse
    from werkzeug.wrappers import Response as WerkzeugResponse

    from .app import Quart
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

# What applications register. ``...`` and Any stand for the arguments of user code.

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
    """An event such as ``asyncio.Event`` or ``trio.Event``."""

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


class ASGIHTTPProtocol(Protocol):
    """What ``Quart.asgi_http_class`` is: one HTTP request."""

    def __init__(self, app: Quart, scope: HTTPScope) -> None: ...

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the request."""
        ...


class ASGILifespanProtocol(Protocol):
    """What ``Quart.asgi_lifespan_class`` is: startup and shutdown."""

    def __init__(self, app: Quart, scope: LifespanScope) -> None: ...

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the lifespan."""
        ...


class ASGIWebsocketProtocol(Protocol):
    """What ``Quart.asgi_websocket_class`` is: one websocket."""

    def __init__(self, app: Quart, scope: WebsocketScope) -> None: ...

    async def __call__(
        self, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Serve the websocket."""
        ...
