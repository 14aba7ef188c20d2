"""Extension offers and what of permessage-deflate is agreed (RFC 6455, 9; RFC 7692)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Deflate", "DeflatePolicy", "Offer", "agree_on_deflate", "read_offers"]

# RFC 6455, 9.1: a quoted value is a token as well once its quotes are off.
_TOKEN_CHARACTERS: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_TOKEN: Final = re.compile(rb"[ \t]*(" + _TOKEN_CHARACTERS + rb"+)[ \t]*")
_VALUE: Final = re.compile(
    rb"[ \t]*(?:("
    + _TOKEN_CHARACTERS
    + rb'+)|"((?:\\?'
    + _TOKEN_CHARACTERS
    + rb')+)")[ \t]*'
)
_BLANK: Final = re.compile(rb"[ \t]*")

_BITS: Final = {b"%d" % bits: bits for bits in range(8, 16)}
# zlib has no raw window of 8 bits, neither to write nor to read.
_MIN_BITS: Final = 9


@dataclass(frozen=True, slots=True)
class Offer:
    """One extension that a client offers, with its parameters as sent."""

    name: bytes
    parameters: tuple[tuple[bytes, bytes | None], ...] = ()


@dataclass(frozen=True, slots=True)
class DeflatePolicy:
    """What the server wants of permessage-deflate.

    Attributes:
        max_window_bits: The largest window for either direction, 9 to 15.
        context_takeover: Whether windows outlive a message; without it an idle socket
            has none.
    """

    max_window_bits: int = 12
    context_takeover: bool = True


@dataclass(frozen=True, slots=True)
class Deflate:
    """What was agreed.

    Attributes:
        server_bits: Window of what the server sends, as a power of two.
        client_bits: Window of what the client sends.
        server_takeover: Whether the server's window outlives a message.
        client_takeover: Whether the client's window outlives a message.
        response: The value of `sec-websocket-extensions` that says so.
    """

    server_bits: int
    client_bits: int
    server_takeover: bool
    client_takeover: bool
    response: bytes


def read_offers(value: bytes) -> list[Offer]:
    """Return the offers in a value of `sec-websocket-extensions`.

    Raises:
        ProtocolError: It does not follow the grammar (RFC 6455, 9.1).
    """
    offers: list[Offer] = []
    position = 0
    while position < len(value):
        match = _TOKEN.match(value, position)
        if match is None:
            # RFC 9110, 5.6.1.2: empty members of a list are ignored.
            position = _end_of_blank(value, position)
        else:
            parameters, position = _read_parameters(value, match.end())
            offers.append(Offer(match[1], parameters))
        if position < len(value) and value[position] != 0x2C:  # ,
            raise ProtocolError("a malformed Sec-WebSocket-Extensions")
        position += 1
    return offers


def agree_on_deflate(offers: Iterable[Offer], policy: DeflatePolicy) -> Deflate | None:
    """Return what to agree to of the first acceptable offer, None for none of them."""
    for offer in offers:
        if offer.name == b"permessage-deflate":
            agreed = _agree(offer, policy)
            if agreed is not None:
                return agreed
    return None


def _end_of_blank(value: bytes, position: int) -> int:
    match = _BLANK.match(value, position)
    return match.end() if match else position


def _read_parameters(
    value: bytes, position: int
) -> tuple[tuple[tuple[bytes, bytes | None], ...], int]:
    parameters: list[tuple[bytes, bytes | None]] = []
    while value[position : position + 1] == b";":
        name = _TOKEN.match(value, position + 1)
        if name is None:
            raise ProtocolError("a malformed Sec-WebSocket-Extensions")
        position = name.end()
        content: bytes | None = None
        if value[position : position + 1] == b"=":
            match = _VALUE.match(value, position + 1)
            if match is None:
                raise ProtocolError("a malformed Sec-WebSocket-Extensions")
            content = match[1] or match[2].replace(b"\\", b"")
            position = match.end()
        parameters.append((name[1], content))
    return tuple(parameters), position


def _agree(offer: Offer, policy: DeflatePolicy) -> Deflate | None:
    """Return the agreement, None where RFC 7692, 7 has the offer declined."""
    values = dict(offer.parameters)
    if len(values) != len(offer.parameters):
        return None
    most = policy.max_window_bits
    server_takeover = client_takeover = policy.context_takeover
    server_bits, client_bits = most, 15
    says_client_bits = False
    for name, value in offer.parameters:
        if name == b"server_no_context_takeover" and value is None:
            server_takeover = False
        elif name == b"client_no_context_takeover" and value is None:
            client_takeover = False
        elif name == b"server_max_window_bits" and value in _BITS:
            server_bits = min(most, _BITS[value])
        elif name == b"client_max_window_bits" and (value is None or value in _BITS):
            client_bits = min(most, 15 if value is None else _BITS[value])
            says_client_bits = True
        else:
            return None
    if server_bits < _MIN_BITS:
        return None
    response = [b"permessage-deflate"]
    if not server_takeover:
        response.append(b"server_no_context_takeover")
    if not client_takeover:
        response.append(b"client_no_context_takeover")
    response.append(b"server_max_window_bits=%d" % server_bits)
    if says_client_bits:
        # RFC 7692, 7.1.2.2: only for clients that know the parameter.
        response.append(b"client_max_window_bits=%d" % client_bits)
    return Deflate(
        server_bits=server_bits,
        client_bits=max(client_bits, _MIN_BITS),
        server_takeover=server_takeover,
        client_takeover=client_takeover,
        response=b"; ".join(response),
    )
