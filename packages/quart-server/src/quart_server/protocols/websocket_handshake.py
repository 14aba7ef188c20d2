"""What a client says when it asks for a WebSocket (RFC 6455, 4.2.1; RFC 8441, 5)."""

from __future__ import annotations

import binascii
import hashlib
from typing import TYPE_CHECKING, Final

from .errors import ProtocolError
from .grammar import is_token
from .websocket_extensions import read_offers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .websocket_extensions import Offer

__all__ = ["Handshake", "accept_value", "read_handshake"]

# RFC 6455, 1.3
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_SIZE: Final = 16

_PREFIX: Final = b"sec-websocket-"


class Handshake:
    """A handshake that may be accepted.

    Attributes:
        key: The value of `sec-websocket-key`, empty over HTTP/2.
        subprotocols: The subprotocols offered, in the client's order.
        offers: The extensions offered, in the client's order.
    """

    __slots__ = ("key", "offers", "subprotocols")

    def __init__(
        self, key: bytes, subprotocols: list[str], offers: list[Offer]
    ) -> None:
        self.key = key
        self.subprotocols = subprotocols
        self.offers = offers


def read_handshake(
    headers: Iterable[tuple[bytes, bytes]], *, needs_key: bool
) -> Handshake:
    """Return what the `sec-websocket-*` fields of a request say.

    Args:
        headers: Pairs of lower-case names and values.
        needs_key: Whether it came over HTTP/1.1; HTTP/2 has no key (RFC 8441, 5).

    Raises:
        ProtocolError: They are not what a WebSocket client says.
    """
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name.startswith(_PREFIX):
            values.setdefault(name[len(_PREFIX) :], []).append(value)
    _check_version(values.get(b"version", []))
    key = _read_key(values.get(b"key", [])) if needs_key else b""
    subprotocols = _read_subprotocols(values.get(b"protocol"))
    offers: list[Offer] = []
    for value in values.get(b"extensions", ()):
        offers += read_offers(value)
    return Handshake(key, subprotocols, offers)


def accept_value(key: bytes) -> bytes:
    """Return the value of `sec-websocket-accept` (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1(key + _GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False)


def _check_version(values: list[bytes]) -> None:
    if len(values) > 1:
        raise ProtocolError("more than one Sec-WebSocket-Version")
    if values != [b"13"]:
        # RFC 6455, 4.4; RFC 9110, 15.5.22 asks for Upgrade with 426.
        fields = (
            (b"sec-websocket-version", b"13"),
            (b"upgrade", b"websocket"),
        )
        raise ProtocolError("a WebSocket version other than 13", 426, fields)


def _read_key(values: list[bytes]) -> bytes:
    if len(values) != 1:
        raise ProtocolError("not exactly one Sec-WebSocket-Key")
    try:
        key = binascii.a2b_base64(values[0], strict_mode=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_SIZE:
        raise ProtocolError("a Sec-WebSocket-Key that is not 16 bytes in base64")
    return values[0]


def _read_subprotocols(values: list[bytes] | None) -> list[str]:
    if values is None:
        return []
    members = [item.strip(b" \t") for value in values for item in value.split(b",")]
    tokens = [member for member in members if member]
    if not tokens or not all(map(is_token, tokens)):
        raise ProtocolError("a Sec-WebSocket-Protocol that is no list of tokens")
    if len(set(tokens)) != len(tokens):
        # RFC 6455, 4.1, 10
        raise ProtocolError("a Sec-WebSocket-Protocol with a member twice")
    return [token.decode("ascii") for token in tokens]
