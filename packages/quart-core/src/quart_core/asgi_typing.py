"""The types of ASGI 3: scopes, and what receives and sends.

They are our own, so that no server is needed to check types. Scopes and events are
plain dictionaries, see https://asgi.readthedocs.io/en/latest/specs/.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

__all__ = [
    "ASGIReceiveCallable",
    "ASGIReceiveEvent",
    "ASGISendCallable",
    "ASGISendEvent",
    "ASGIVersions",
    "HTTPScope",
    "LifespanScope",
    "Scope",
    "WebsocketScope",
]


class ASGIVersions(TypedDict):
    """The ``asgi`` entry of a scope."""

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
