r"""The grammar of RFC 9110 and 9112 as byte tables and patterns without backtracking.

Nothing here uses `str.splitlines`, `\d` or `\s`: they know more line ends, digits and
spaces than HTTP does.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "CONTROLS",
    "FIELD_BYTES",
    "HOST",
    "TOKEN",
    "TOKEN_BYTES",
    "VISIBLE_BYTES",
    "is_field_value",
    "is_token",
    "list_tokens",
]

# RFC 9110, 5.6.2
TOKEN_BYTES: Final = (
    b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")

# RFC 9110, 5.5: field-vchar, SP, HTAB and obs-text. No other control character.
FIELD_BYTES: Final = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))

# What no head may contain besides its line ends.
CONTROLS: Final = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D}) + b"\x7f"

VISIBLE_BYTES: Final = bytes(range(0x21, 0x7F))

# RFC 3986, 3.2.2 and 3.2.3, without userinfo. An empty host is none (RFC 9110, 4.2.1).
HOST: Final = re.compile(
    rb"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\])"
    rb"(?::[0-9]{0,5})?"
)


def is_token(value: bytes) -> bool:
    """Return whether a value is a token (RFC 9110, 5.6.2)."""
    return bool(value) and not value.translate(None, TOKEN_BYTES)


def is_field_value(value: bytes) -> bool:
    """Return whether a value may stand in a field line (RFC 9110, 5.5)."""
    return not value.translate(None, FIELD_BYTES)


def list_tokens(value: bytes) -> list[bytes]:
    """Return the members of a comma-separated list, lower case, without empty ones."""
    members = (member.strip(b" \t") for member in value.lower().split(b","))
    return [member for member in members if member]
