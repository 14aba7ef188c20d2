"""What requests and websockets have in common: everything but a body."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from quart_contexts.globals import _cv_app
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.sansio.request import Request as SansIORequest
from werkzeug.sansio.utils import get_content_length

from .. import json
from ..urlencoded import parse_urlencoded

if TYPE_CHECKING:
    from quart_routing import QuartRule
    from werkzeug.routing import Rule

    from ..app import Quart
    from ..typing import HTTPScope, WebsocketScope

#: Werkzeug's way with bytes that are no UTF-8: they stay percent-encoded.
_KEEP_ENCODED: Final = "werkzeug.url_quote"

#: Content types that need no parsing to be known.
_PLAIN_TYPES: Final = frozenset(
    {"application/json", "application/x-www-form-urlencoded"}
)

__all__ = ("BaseRequestWebsocket", "ClientDisconnectedError")


class ClientDisconnectedError(asyncio.CancelledError):
    """The client left before its request was read.

    Raised where a handler reads the body. It is a cancellation, as there is nobody to
    answer: `except Exception` does not catch it, it is not logged, and error handlers
    do not see it.
    """


class Later:
    """An attribute that is made when it is first read, unless it was set before.

    Args:
        make: Makes the value, given the object.
    """

    # Any: the attributes are of several types, and declared with them.
    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = self._make(instance)
        setattr(instance, self._name, value)
        return value


class BaseRequestWebsocket(SansIORequest):
    """An HTTP request or websocket as its ASGI scope describes it (API of Quart).

    Args:
        method: The method, in any case.
        scheme: Such as `http`, `https`, `ws` or `wss`.
        path: The decoded path below the `root_path`.
        query_string: What follows the question mark, undecoded.
        headers: The headers, with the client's address as `Remote-Addr`.
        root_path: The path that the application is mounted under.
        http_version: Such as `1.1` or `2`.
        scope: The ASGI scope.
    """

    #: What reads JSON: has a function `loads`.
    json_module: Any = json  # a module or a JSONProvider, by contract of Flask

    #: The error that matching the URL gave, raised when the request is dispatched.
    routing_exception: Exception | None = None

    #: Whether it is being torn down, which a client that leaves does not interrupt.
    _finalizing = False

    if not TYPE_CHECKING:
        # For those made of a scope alone. Types and words are those of `__init__`.
        scheme = Later(lambda self: self.scope.get("scheme", "http"))
        server = Later(lambda self: self.scope.get("server"))
        query_string = Later(lambda self: self.scope.get("query_string", b""))
        root_path = Later(lambda self: (self.scope.get("root_path") or "").rstrip("/"))
        http_version = Later(lambda self: self.scope.get("http_version", "1.1"))

    #: The rule that matched the URL.
    url_rule: QuartRule | Rule | None = None

    #: The values that the rule found in the URL.
    view_args: dict[str, Any] | None = None  # Any: as its converters give them

    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        root_path: str,
        http_version: str,
        scope: HTTPScope | WebsocketScope,
    ) -> None:
        # The attributes of werkzeug's __init__, which would read the address of the
        # client in advance. This is on the way of every request.
        self.method = method.upper()
        self.scheme = scheme
        self.server = scope.get("server")
        self.root_path = root_path.rstrip("/") if root_path else ""
        is_plain = path[:1] == "/" and path[1:2] != "/"
        self.path = path if is_plain else "/" + path.lstrip("/")
        self.query_string = query_string
        self.headers = headers
        self.http_version = http_version
        self.scope = scope

    @cached_property
    def remote_addr(self) -> str | None:  # type: ignore[override]
        """The address of the client, `<local>` where the server knows none."""
        return self.headers.get("Remote-Addr")

    @property
    def content_length(self) -> int | None:
        """The bytes that `Content-Length` announces for the body.

        None where nothing does, or where `Transfer-Encoding` rules instead (RFC 9112,
        6.3); 0 for what is no number.
        """
        length = self.headers.get("Content-Length")
        if length is None:
            return None
        if self.headers.get("Transfer-Encoding") is None and _is_decimal(length):
            return int(length)
        # The rare cases, among them what is no number.
        return get_content_length(length, self.headers.get("Transfer-Encoding"))

    @property
    def mimetype(self) -> str:
        """The content type without parameters, in lower case; empty without one."""
        kind: str | None = self.headers.get("Content-Type")
        return kind if kind in _PLAIN_TYPES else super().mimetype

    @property
    def is_json(self) -> bool:
        """Whether the content type is one of JSON."""
        kind: str | None = self.headers.get("Content-Type")
        return kind == "application/json" or super().is_json

    @cached_property
    def args(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
    ) -> MultiDict[str, str]:
        """The parameters of the URL; bytes that are no UTF-8 stay percent-encoded."""
        return parse_urlencoded(self.query_string, self.parameter_storage_class)

    @cached_property
    def full_path(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
    ) -> str:
        """The path with the query string."""
        return f"{self.path}?{_decode(self.query_string)}"

    @property
    def endpoint(self) -> str | None:
        """The endpoint that the URL matched, None if it matched none."""
        rule = self.url_rule
        return None if rule is None else rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The name of the blueprint that the endpoint belongs to, None for the app."""
        rule = self.url_rule
        if rule is None or "." not in rule.endpoint:
            return None
        name: str = rule.endpoint.rpartition(".")[0]
        return name

    @property
    def blueprints(self) -> list[str]:
        """The names of the blueprint and of those it is nested in, inner first."""
        name = self.blueprint
        return [] if name is None else list(_nested_names(name))

    @property
    def script_root(self) -> str:
        """The path that the application is mounted under, without a final slash."""
        return self.root_path

    @property
    def url_root(self) -> str:
        """The URL that the application is mounted at."""
        return self.root_url


def current_quart() -> Quart | None:
    """Return the current app, None outside of one; cheaper than the proxy."""
    context = _cv_app.get(None)
    return None if context is None else context.app  # type: ignore[return-value]


def _is_decimal(length: str) -> bool:
    return length.isascii() and length.isdecimal() and len(length) < 20


def _decode(query_string: bytes) -> str:
    return query_string.decode(errors=_KEEP_ENCODED)


# Blueprint names are those of the application, so the cache has an end.
@lru_cache(maxsize=4096)
def _nested_names(name: str) -> tuple[str, ...]:
    parts = name.split(".")
    return tuple(".".join(parts[:count]) for count in range(len(parts), 0, -1))
