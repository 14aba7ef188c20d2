"""Response headers on their way between text and the bytes of ASGI.

Names and values are checked here once more before they leave, whatever set them: no
string of an application can begin another header line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from werkzeug.datastructures import Headers

__all__ = ("check_header_value", "decode_headers", "encode_headers")

MAX_CACHED_NAMES: Final = 1024
"""How many header names are remembered in their encoded form."""

# RFC 9110, 5.6.2.
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# RFC 9110, 5.5: no control characters but the tab.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

_encoded_names: dict[str, bytes] = {}


def encode_headers(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Turn headers into what ASGI takes: lower-case names, UTF-8 values.

    Raises:
        ValueError: A name is no token or a value holds a control character
            (RFC 9110, 5.1 and 5.5).
    """
    encoded = []
    names = _encoded_names
    for name, value in headers:
        # isprintable is a quick way to know that the exact check is not needed.
        if not value.isprintable():
            check_header_value(name, value)
        encoded.append((names.get(name) or _encode_name(name), value.encode()))
    return encoded


def decode_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Turn headers as ASGI gives them into text: UTF-8, else Latin-1."""
    return Headers([(_decode(name), _decode(value)) for name, value in headers])


def check_header_value(name: str, value: str) -> None:
    """Refuse a value that could not stay on its header line.

    Raises:
        ValueError: The value holds a control character other than the tab.
    """
    match = _CONTROL.search(value)
    if match is not None:
        raise ValueError(
            f"The value of the header {name!r} holds the control character "
            f"{match[0]!r} at position {match.start()}: remove or encode it"
        )


def _encode_name(name: str) -> bytes:
    if _TOKEN.fullmatch(name) is None:
        raise ValueError(
            f"The header name {name!r} is invalid: only letters, digits and "
            "!#$%&'*+-.^_`|~ may be part of one"
        )
    encoded = name.lower().encode("ascii")
    if len(_encoded_names) >= MAX_CACHED_NAMES:
        _encoded_names.clear()
    _encoded_names[name] = encoded
    return encoded


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
