"""What is urlencoded, query strings and forms, as werkzeug's MultiDict."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from urllib.parse import unquote

from werkzeug.datastructures import ImmutableMultiDict, MultiDict

__all__ = ("parse_urlencoded",)

#: Werkzeug's way with bytes that are no UTF-8: they stay percent-encoded.
_KEEP_ENCODED: Final = "werkzeug.url_quote"

# Whose content is lists in a dict, whatever their `__init__` checks before.
_STOCK: Final = frozenset({ImmutableMultiDict, MultiDict})

Storage = TypeVar("Storage")


def parse_urlencoded(data: bytes, cls: type[Storage]) -> Storage:
    """Return the names and values; empty values are kept, empty pairs are not.

    Bytes that are no UTF-8 stay percent-encoded.

    Args:
        data: What follows the question mark, or a body.
        cls: What to return, made of pairs.
    """
    if not data:
        return cls()
    pairs = _pairs(data.decode(errors=_KEEP_ENCODED))
    if cls not in _STOCK:
        return cls(pairs)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    made = cls()
    # Any: the class is known to be a dict of lists, which its types hide.
    values: Any = made
    setdefault = dict.setdefault
    for name, value in pairs:
        setdefault(values, name, []).append(value)
    return made


def _pairs(text: str) -> list[tuple[str, str]]:
    """Do what `urllib.parse.parse_qsl` does, without what it checks for others."""
    pairs = []
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors=_KEEP_ENCODED) if "%" in text else text
