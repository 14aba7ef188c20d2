"""Who may see details of an exception: the developer, and nobody else.

By default that is a client on this machine. The page shows source and variables, so
each sign that the request comes from elsewhere is enough to keep it back: another
address, an intermediary that names another address, a host name that is not this
machine's (DNS rebinding), a foreign page (`Origin`).

``DEBUG_HOSTS`` adds to this: a text or a list of addresses, networks (for clients) and
host names (for `Host` and `Origin`); ``"*"`` means everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ("is_for_developers",)

_LOCAL_CLIENT: Final = "<local>"
"""The client of a test, which has no address."""

_ADDRESS_LISTS: Final = frozenset(
    {
        "cf-connecting-ip",
        "true-client-ip",
        "x-client-ip",
        "x-forwarded-for",
        "x-real-ip",
    }
)
_FORWARDED_FOR: Final = re.compile(r"(?i)(?:^|[;,\s])for=\"?([^\";,]*)")

_Address = IPv4Address | IPv6Address


# Any: an application, and a scope with whatever its server puts there.
def is_for_developers(app: Any, scope: Mapping[str, Any]) -> bool:
    """Return whether the client of a request may see details of exceptions.

    Args:
        app: The application; must be in debug mode or being tested.
        scope: The ASGI scope of the request.
    """
    if not (app.debug or app.testing):
        return scope.get("client") is None and is_of_a_test(scope)
    audience = _Audience.of(app.config.get("DEBUG_HOSTS"))
    if audience.is_everybody:
        return True
    headers: dict[str, list[str]] = {}
    for name, value in scope.get("headers", ()):
        headers.setdefault(name.decode("latin-1").lower(), []).append(
            value.decode("latin-1")
        )
    client = scope.get("client")
    return (
        client is not None
        and (client[0] == _LOCAL_CLIENT or audience.has_address(str(client[0])))
        and all(audience.has_address(each) for each in _forwarded(headers))
        and all(audience.has_host(each) for each in headers.get("host", ()))
        and audience.has_origin(headers)
    )


def is_of_a_test(scope: Mapping[str, Any]) -> bool:
    """Return whether a test made the request, which no server's scope says."""
    return "quart.raise_exceptions" in (scope.get("extensions") or ())


@dataclass(frozen=True, slots=True)
class _Audience:
    is_everybody: bool
    networks: tuple[IPv4Network | IPv6Network, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, setting: str | Iterable[str] | None) -> _Audience:
        entries = [setting] if isinstance(setting, str) else list(setting or ())
        networks: list[IPv4Network | IPv6Network] = []
        names: set[str] = set()
        for entry in entries:
            try:
                networks.append(ip_network(entry, strict=False))
            except ValueError:
                names.add(entry.lower().rstrip("."))
        return cls("*" in names, tuple(networks), frozenset(names))

    def has_address(self, text: str) -> bool:
        """Return whether an address is this machine's or one that was listed."""
        address = _address(text)
        if address is None:
            return False
        return address.is_loopback or any(
            address in network for network in self.networks
        )

    def has_host(self, host: str) -> bool:
        """Return whether a `Host` cannot be a foreign name for this machine.

        An address cannot: the browser asked for that address.
        """
        name = _host_name(f"//{host}")
        return name is not None and (_address(name) is not None or self._has_name(name))

    def has_origin(self, headers: Mapping[str, list[str]]) -> bool:
        """Return whether no foreign page made the request."""
        for origin in headers.get("origin", ()):
            if origin in {f"{s}://{h}" for h in headers.get("host", ()) for s in _HTTP}:
                continue
            if origin == "null":
                # From our own page, which sends no referrer, or from a sandbox.
                if headers.get("sec-fetch-site") != ["same-origin"]:
                    return False
                continue
            name = _host_name(origin)
            if name is None or not (self._has_name(name) or self.has_address(name)):
                return False
        return True

    def _has_name(self, name: str) -> bool:
        return name == "localhost" or name.endswith(".localhost") or name in self.names


_HTTP: Final = ("http", "https")


def _forwarded(headers: Mapping[str, list[str]]) -> Iterable[str]:
    """Yield the addresses that intermediaries name; "" where one names none."""
    for name in _ADDRESS_LISTS & headers.keys():
        for value in headers[name]:
            yield from (part.strip() for part in value.split(","))
    for value in headers.get("forwarded", ()):
        yield from _FORWARDED_FOR.findall(value) or [""]
    if "via" in headers and not (_ADDRESS_LISTS | {"forwarded"}) & headers.keys():
        yield ""


def _address(text: str) -> _Address | None:
    """Return an address given with or without brackets and port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _host_name(url: str) -> str | None:
    try:
        name = urlsplit(url).hostname
    except ValueError:
        return None
    return None if name is None else name.rstrip(".")
