"""What proxies say about the client: `X-Forwarded-*` and `Forwarded` (RFC 7239).

Sans-IO and without trust: this module reads; `quart_server.proxies` decides whom to
believe.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from .grammar import HOST, is_token

__all__ = ["Hop", "read_address", "read_forwarded", "read_x_forwarded"]

Headers = list[tuple[bytes, bytes]]

# More hops than any chain of proxies has; what stands further left is not read.
_MAX_HOPS = 32


class Hop(NamedTuple):
    """What one proxy said about who connected to it; empty where it said nothing."""

    address: bytes = b""
    scheme: bytes = b""
    host: bytes = b""
    prefix: bytes = b""


def read_x_forwarded(headers: Headers) -> list[Hop]:
    """Return the hops of `X-Forwarded-*`, the one nearest to us last.

    Fields with fewer values than there are addresses are read from the right, where
    the nearest proxy writes.
    """
    addresses = _values(headers, b"x-forwarded-for")
    schemes = _values(headers, b"x-forwarded-proto")
    hosts = _values(headers, b"x-forwarded-host")
    prefixes = _values(headers, b"x-forwarded-prefix")
    count = max(map(len, (addresses, schemes, hosts, prefixes)))
    columns = [
        [b""] * (count - len(values)) + values
        for values in (addresses, schemes, hosts, prefixes)
    ]
    return [Hop(*row) for row in zip(*columns, strict=True)]


def _values(headers: Headers, name: bytes) -> list[bytes]:
    values: list[bytes] = []
    for found, value in headers:
        if found == name:
            values += [part.strip(b" \t") for part in value.rsplit(b",", _MAX_HOPS)]
    return values[-_MAX_HOPS:]


def read_forwarded(headers: Headers) -> list[Hop]:
    """Return the hops of `Forwarded` (RFC 7239, 4), the one nearest to us last.

    A malformed field yields no hops at all: half of one must not be believed.
    """
    hops: list[Hop] = []
    for name, value in headers:
        if name != b"forwarded":
            continue
        for element in _split(value, b","):
            hop = _read_element(element)
            if hop is None:
                return []
            hops.append(hop)
    return hops[-_MAX_HOPS:]


def _read_element(element: bytes) -> Hop | None:
    found: dict[bytes, bytes] = {}
    for pair in _split(element, b";"):
        if not pair:
            continue
        name, equals, value = pair.partition(b"=")
        name = name.lower()
        if value[:1] == b'"':
            if len(value) < 2 or value[-1:] != b'"':
                return None
            value = value[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
        elif not is_token(value):
            return None
        if not equals or not is_token(name) or name in found:
            return None
        found[name] = value
    return Hop(
        found.get(b"for", b""), found.get(b"proto", b""), found.get(b"host", b"")
    )


def _split(value: bytes, separator: bytes) -> list[bytes]:
    """Split outside of quoted strings, in one pass."""
    parts: list[bytes] = []
    start = 0
    is_quoted = is_escaped = False
    for place, byte in enumerate(value):
        if is_escaped:
            is_escaped = False
        elif is_quoted and byte == 0x5C:
            is_escaped = True
        elif byte == 0x22:
            is_quoted = not is_quoted
        elif not is_quoted and byte == separator[0]:
            parts.append(value[start:place].strip(b" \t"))
            start = place + 1
    parts.append(value[start:].strip(b" \t"))
    return parts


def read_address(
    value: bytes,
) -> tuple[IPv4Address | IPv6Address, int] | None:
    """Return address and port (0 where there is none), None for anything else."""
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        return None
    port = ""
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
        if port and port[0] != ":":
            return None
        port = port[1:]
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
    if port and not (port.isdecimal() and port.isascii() and int(port[:6]) <= 65535):
        return None
    try:
        return ip_address(text), int(port or 0)
    except ValueError:
        return None


def is_host(value: bytes) -> bool:
    """Return whether a value may stand in Host."""
    return HOST.fullmatch(value) is not None
