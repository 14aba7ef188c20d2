"""The PROXY protocol, versions 1 and 2: who connected to the proxy in front of us.

One header at the very beginning of a connection. See the specification at
https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from .errors import ProtocolError

__all__ = ["ProxyHeader", "read_proxy_header"]

_SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
# Section 2.1: the longest line there can be, CRLF included.
_MAX_LINE: Final = 107
# Section 2.2: addresses and TLVs; more than any proxy sends.
_MAX_PAYLOAD: Final = 4096

Address = tuple[str, int]


class ProxyHeader(NamedTuple):
    """What the header said.

    Attributes:
        size: Its length in bytes.
        source: The client's address, None where the proxy speaks for itself.
        destination: The address the client connected to.
    """

    size: int
    source: Address | None
    destination: Address | None


def read_proxy_header(data: bytes | bytearray) -> ProxyHeader | None:
    """Return the header at the beginning of some bytes, None while it is incomplete.

    Raises:
        ProtocolError: There is no header or a malformed one.
    """
    start = bytes(data[: len(_SIGNATURE)])
    if _SIGNATURE.startswith(start):
        return _read_binary(data)
    if b"PROXY ".startswith(start[:6]):
        return _read_line(data)
    raise ProtocolError("no PROXY header")


def _read_line(data: bytes | bytearray) -> ProxyHeader | None:
    """Read version 1 (section 2.1)."""
    end = data.find(b"\r\n", 0, _MAX_LINE)
    if end < 0:
        if len(data) >= _MAX_LINE:
            raise ProtocolError("a PROXY line without end")
        return None
    try:
        words = data[:end].decode("ascii").split(" ")
    except UnicodeDecodeError:
        raise ProtocolError("a PROXY line that is not ASCII") from None
    if words[1:2] == ["UNKNOWN"]:
        return ProxyHeader(end + 2, None, None)
    if len(words) != 6 or words[1] not in {"TCP4", "TCP6"}:
        raise ProtocolError("a malformed PROXY line")
    version = 4 if words[1] == "TCP4" else 6
    source = (_address(words[2], version), _port(words[4]))
    destination = (_address(words[3], version), _port(words[5]))
    return ProxyHeader(end + 2, source, destination)


def _address(text: str, version: int) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        raise ProtocolError("an address in a PROXY line that is none") from None
    if address.version != version:
        raise ProtocolError("an address of the other family in a PROXY line")
    return str(address)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise ProtocolError("a port in a PROXY line that is none")
    if int(text) > 65535 or (text[0] == "0" and text != "0"):
        raise ProtocolError("a port in a PROXY line that is none")
    return int(text)


def _read_binary(data: bytes | bytearray) -> ProxyHeader | None:
    """Read version 2 (section 2.2)."""
    if len(data) < 16:
        return None
    version, command = data[12] >> 4, data[12] & 0x0F
    if version != 2 or command > 1:
        raise ProtocolError("a PROXY header of an unknown version or command")
    size = int.from_bytes(data[14:16], "big")
    if size > _MAX_PAYLOAD:
        raise ProtocolError("a PROXY header over the limit")
    if len(data) < 16 + size:
        return None
    if command == 0:  # LOCAL: the proxy's own connection
        return ProxyHeader(16 + size, None, None)
    return _read_addresses(data[13], bytes(data[16 : 16 + size]))


def _read_addresses(family: int, payload: bytes) -> ProxyHeader:
    size = 16 + len(payload)
    if family == 0x11 and len(payload) >= 12:
        source, destination = IPv4Address(payload[:4]), IPv4Address(payload[4:8])
        return ProxyHeader(size, *_with_ports(source, destination, payload[8:12]))
    if family == 0x21 and len(payload) >= 36:
        first, second = IPv6Address(payload[:16]), IPv6Address(payload[16:32])
        return ProxyHeader(size, *_with_ports(first, second, payload[32:36]))
    if family in {0x11, 0x21}:
        raise ProtocolError("a PROXY header too short for its addresses")
    # Unix sockets, datagrams and families to come: the connection's own addresses.
    return ProxyHeader(size, None, None)


def _with_ports(
    source: IPv4Address | IPv6Address,
    destination: IPv4Address | IPv6Address,
    ports: bytes,
) -> tuple[Address, Address]:
    return (
        (str(source), int.from_bytes(ports[:2], "big")),
        (str(destination), int.from_bytes(ports[2:], "big")),
    )
