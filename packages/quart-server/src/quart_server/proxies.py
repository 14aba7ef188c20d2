"""Which proxies are believed, and what changes in a scope when they are.

A peer that is not trusted changes nothing, whatever it sends (F-45).
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .protocols.forwarded import (
    Hop,
    is_host,
    read_address,
    read_forwarded,
    read_x_forwarded,
)

if TYPE_CHECKING:
    from .asgi import Scope
    from .config import Config

__all__ = ["TrustedProxies"]

_SCHEMES = {b"http": "http", b"https": "https", b"ws": "http", b"wss": "https"}

# Answers remembered about peers; at the bound all are forgotten.
_MEMORY = 4096


class TrustedProxies:
    """The proxies in front of this server, by address or by number."""

    __slots__ = ("_hops", "_known", "_networks", "_read", "_trusts_unix")

    def __init__(self, config: Config) -> None:
        names = config.trusted_proxies
        self._trusts_unix = "unix" in names
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(name, strict=False) for name in names if name != "unix"
        ]
        self._hops = config.trusted_hops
        is_standard = config.proxy_headers == "forwarded"
        self._read = read_forwarded if is_standard else read_x_forwarded
        self._known: dict[str, bool] = {}

    @classmethod
    def from_config(cls, config: Config) -> TrustedProxies | None:
        """Return the proxies that a configuration names, None for none."""
        if not config.trusted_proxies and not config.trusted_hops:
            return None
        return cls(config)

    def trusts_peer(self, client: tuple[str, int | None] | None) -> bool:
        """Return whether the other end of a connection is a trusted proxy.

        Args:
            client: Its address, None for a Unix socket's peer.
        """
        if self._hops:
            return True
        if client is None:
            return self._trusts_unix
        known = self._known.get(client[0])
        if known is None:
            known = self._trusts_text(client[0])
            if len(self._known) >= _MEMORY:
                self._known.clear()
            self._known[client[0]] = known
        return known

    def apply(self, scope: Scope) -> None:
        """Let a scope say what the trusted proxies say.

        They may set the client's address, the scheme, Host and the mount prefix.
        """
        if not self.trusts_peer(scope["client"]):
            return
        hops = self._read(scope["headers"])
        hop = self._choose(hops)
        if hop is None:
            return
        address = read_address(hop.address) if hop.address else None
        if address is not None:
            scope["client"] = (str(address[0]), address[1])
        scheme = _SCHEMES.get(hop.scheme.lower())
        if scheme is not None:
            is_websocket = scope["type"] == "websocket"
            scope["scheme"] = scheme.replace("http", "ws") if is_websocket else scheme
        if hop.host and is_host(hop.host):
            scope["headers"] = [
                (b"host", hop.host),
                *(field for field in scope["headers"] if field[0] != b"host"),
            ]
        if hop.prefix:
            _apply_prefix(scope, hop.prefix)

    def _choose(self, hops: list[Hop]) -> Hop | None:
        """Return the hop that the outermost trusted proxy wrote.

        From the right: what a trusted proxy wrote is believed, and if the address it
        names is that of a trusted proxy as well, so is what that one wrote.
        """
        if not hops:
            return None
        if self._hops:
            return _filled(hops, len(hops) - min(self._hops, len(hops)))
        place = len(hops) - 1
        while place > 0:
            found = read_address(hops[place].address)
            if found is None or not self._trusts_address(found[0]):
                break
            place -= 1
        return _filled(hops, place)

    def _trusts_text(self, text: str) -> bool:
        try:
            return self._trusts_address(ip_address(text.partition("%")[0]))
        except ValueError:
            return False

    def _trusts_address(self, address: IPv4Address | IPv6Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)


def _filled(hops: list[Hop], place: int) -> Hop:
    """Return a hop, with what it lacks from trusted ones nearer to us."""
    hop = hops[place]
    for nearer in hops[place + 1 :]:
        hop = hop._replace(
            scheme=hop.scheme or nearer.scheme,
            host=hop.host or nearer.host,
            prefix=hop.prefix or nearer.prefix,
        )
    return hop


def _apply_prefix(scope: Scope, prefix: bytes) -> None:
    """Mount the app under a prefix that the proxy has taken off the path."""
    prefix = prefix.rstrip(b"/")
    if prefix[:1] != b"/" or prefix[:2] == b"//" or not prefix.isascii():
        return
    text = unquote(prefix.decode("ascii"))
    if not text.isprintable() or "?" in text or "#" in text:
        return
    scope["root_path"] = text
    path: str = scope["path"]
    if path != text and not path.startswith(f"{text}/"):
        scope["path"] = text + path
        scope["raw_path"] = prefix + scope["raw_path"]
