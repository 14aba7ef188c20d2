"""The headers of an ASGI scope as werkzeug's `Headers`, made when they are read.

Most requests read one or two headers, so the list that `Headers` works on is built
only when something needs all of it. Until then single headers are looked up in the
scope's raw list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Self, TypeVar

from werkzeug.datastructures import Headers

__all__ = ("ScopeHeaders",)

Restored = TypeVar("Restored", bound="ScopeHeaders")

#: Where the scope names no client, as for a Unix socket or a test.
LOCAL_ADDRESS: Final = "<local>"
_ADDED_NAMES: Final = frozenset({b"host", b"remote-addr"})

# Title-casing costs more than everything else in building the list.
_COMMON_NAMES: Final = (
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "dnt",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-event-id",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "proxy-authorization",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
)
_TITLES: Final = {name.encode(): name.title() for name in _COMMON_NAMES}
_RAW_NAMES: Final = {
    spelling: name.encode()
    for name in _COMMON_NAMES
    for spelling in (name, name.title())
}


class ScopeHeaders(Headers):
    """The headers of a request or websocket, read lazily from its ASGI scope.

    Behaves like a `Headers` that was filled with the scope's headers: names
    title-cased, values decoded as latin-1, and a `Remote-Addr` in front that holds the
    client's address. Where a client of HTTP/1.0 sent no `Host`, one is added.

    Args:
        scope: An ASGI scope; `headers` may be missing.
        default_host: The `Host` of HTTP/1.0 requests that have none, usually
            `SERVER_NAME`.
    """

    #: Whether the list is made; asking for that must not make a dict of attributes.
    _built = False

    #: The first value of each name, made when one is looked up.
    _first_values: dict[bytes, bytes] | None = None

    #: Whether all names are in lower case, as the specification wants it. Known once
    #: the values are.
    _lower_case = False

    def __init__(
        self,
        # Any: scopes hold whatever their server puts there.
        scope: Mapping[str, Any],
        default_host: str | None = None,
    ) -> None:
        # Headers.__init__ would make the list, which is what is put off here.
        self._scope = scope
        self._default_host = default_host
        raw: Iterable[tuple[bytes, bytes]] = scope.get("headers") or []
        # Any iterable is allowed, also one that is gone after one reading.
        self._raw = raw if type(raw) is list else list(raw)

    def __getattr__(self, name: str) -> Any:
        if name == "_list":
            self._list = self._build_list()
            self._built = True
            return self._list
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # A scope holds functions and the like, the headers alone can be pickled.
        return _restore, (type(self), list(self._list))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return _lowered(self) == _lowered(other)

    __hash__ = None

    # Any: an index gives a string, a pair or headers, as in the class above.
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return _restore(type(self), self._list[key])
        return super().__getitem__(key)

    def __contains__(self, key: str) -> bool:
        return self._find(key) is not None

    # Any: the overloads of the class above depend on type and default.
    def get(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        key: str,
        default: Any = None,
        type: Callable[[str], Any] | None = None,
    ) -> Any:
        """Return the first value of a header, the default if it is not there.

        Args:
            key: The name, in any case.
            default: Given if the header is missing or cannot be converted.
            type: Converts the value; a `ValueError` of it means the default.
        """
        value: str | None = None
        name = _RAW_NAMES.get(key)
        if name is not None and not self._built:
            # What `_find` comes to for most, without the call.
            raw = (self._first_values or self._index()).get(name)
            if raw is not None:
                value = raw.decode("latin-1")
            elif self._lower_case and name not in _ADDED_NAMES:
                return default
        if value is None:
            value = self._find(key)
            if value is None:
                return default
        if type is None:
            return value
        try:
            return type(value)
        except ValueError:
            return default

    def getlist(self, key: str, type: Callable[[str], Any] | None = None) -> list[Any]:
        """Return all values of a header.

        Args:
            key: The name, in any case.
            type: Converts each value; those that raise `ValueError` are left out.
        """
        name = _raw_name(key)
        if type is not None or not self._is_raw(name):
            return super().getlist(key, type)  # type: ignore[arg-type]
        return [
            value.decode("latin-1") for raw_name, value in self._raw if raw_name == name
        ]

    def copy(self) -> Self:
        """Return an independent copy."""
        return _restore(type(self), list(self._list))

    def _get_key(self, key: str) -> str:
        value = self._find(key)
        if value is None:
            # Raises the error that says which key is missing.
            return super()._get_key(key)
        return value

    def _find(self, key: str) -> str | None:
        """Return the first value of a header, without building the list."""
        if not self._built:
            raw_name = _RAW_NAMES.get(key) or _raw_name(key)
            if raw_name == b"remote-addr":
                return _client_address(self._scope)
            value = (self._first_values or self._index()).get(raw_name)
            if value is not None:
                return value.decode("latin-1")
            if self._is_raw(raw_name):
                return None
        wanted = key.lower()
        for listed_name, listed_value in self._list:
            if listed_name.lower() == wanted:
                return listed_value
        return None

    def _is_raw(self, name: bytes) -> bool:
        """Say whether the scope's own list tells all there is to know of a header.

        Not so once the list is built, for the two headers that it adds, and where a
        server or middleware left names in upper case, against the specification.
        """
        if self._built or name in _ADDED_NAMES:
            return False
        if self._first_values is None:
            self._index()
        return self._lower_case

    def _index(self) -> dict[bytes, bytes]:
        # The first of several headers of one name counts.
        first_values = self._first_values = dict(reversed(self._raw))
        self._lower_case = b"".join(first_values).islower()
        return first_values

    def _build_list(self) -> list[tuple[str, str]]:
        titles = _TITLES
        headers = [
            (
                titles.get(name) or name.decode("latin-1").title(),
                value.decode("latin-1"),
            )
            for name, value in self._raw
        ]
        scope = self._scope
        if scope.get("http_version") in {"1.0", "0.9"} and not any(
            name == "Host" for name, _ in headers
        ):
            headers.append(("Host", self._default_host or ""))
        headers.insert(0, ("Remote-Addr", _client_address(scope)))
        return headers


def _raw_name(key: str) -> bytes:
    return key.lower().encode("latin-1", "replace")


def _title(name: bytes) -> str:
    return name.decode("latin-1").title()


def _client_address(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return client[0] if client else LOCAL_ADDRESS


def _lowered(headers: Headers) -> set[tuple[str, str]]:
    return {(name.lower(), value) for name, value in headers}


def _restore(cls: type[Restored], headers: list[tuple[str, str]]) -> Restored:
    """Make headers that already have their list."""
    restored = cls.__new__(cls)
    restored._list = headers
    restored._built = True
    return restored
