"""What a value looks like: bounded, with secrets masked, whatever its repr does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..user_code import printable
from .masking import MASK, Masker

__all__ = ("Representation", "text_of")

MAX_CHARACTERS: Final = 1_000
"""Characters shown of one value."""
MAX_DEPTH: Final = 4
"""Containers inside containers that are shown."""
MAX_ITEMS: Final = 25
"""Items shown of one container."""
MAX_VALUES: Final = 200
"""Values looked at to show one, in all its containers together."""
MAX_READ_CHARACTERS: Final = 100_000
"""Characters of a text or a repr that are searched for secrets."""

# What a repr may raise and must not: the page is made while handling an error.
_FAILURES: Final = (Exception, SystemExit, GeneratorExit, asyncio.CancelledError)


def text_of(error: BaseException) -> str:
    """Return the message of an exception, or what went wrong in making it."""
    try:
        text = str(error)
    except _FAILURES as failure:
        return f"<its message cannot be shown: str() raised {type(failure).__name__}>"
    return text if len(text) <= MAX_READ_CHARACTERS else _cut(text, MAX_READ_CHARACTERS)


# Any: whatever a variable holds.
class Representation:
    """Makes texts of values.

    Containers are walked here instead of by their own ``repr``, so that their size
    does not matter and the names in them are seen.

    Args:
        masker: Knows the secrets.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._left = 0

    def __call__(self, name: str, value: Any) -> str:
        """Return the text of a value; of its name depends whether it is shown."""
        self._left = MAX_VALUES
        try:
            text = self._named(name, value, 0, ())
        except _FAILURES as failure:
            # Changed by another thread meanwhile, or a class that lies about itself.
            text = f"<a {type(value).__name__}: {type(failure).__name__} in showing it>"
        return printable(_cut(text, MAX_CHARACTERS))

    def _named(
        self, name: object, value: Any, depth: int, within: tuple[int, ...]
    ) -> str:
        if value is not None and self._masker.is_secret(name, value):
            return MASK
        return self._text(value, depth, within)

    def _text(self, value: Any, depth: int, within: tuple[int, ...]) -> str:
        self._left -= 1
        # Not isinstance: a proxy claims to be of the class it stands for.
        kind = type(value)
        if kind in {str, bytes, bytearray}:
            return self._string(value)
        if not issubclass(kind, (dict, list, tuple, set, frozenset)):
            return self._other(value)
        if id(value) in within or depth >= MAX_DEPTH or self._left <= 0:
            return "..."
        text = self._container(value, kind, depth + 1, (*within, id(value)))
        return text if kind.__module__ == "builtins" else f"{kind.__name__}({text})"

    # The methods of the builtin classes: a subclass may do anything in its own.

    def _container(
        self, value: Any, kind: type, depth: int, within: tuple[int, ...]
    ) -> str:
        if issubclass(kind, dict):
            return f"{{{self._items(value, depth, within)}}}"
        if issubclass(kind, list):
            length = list.__len__(value)
            return f"[{self._each(list.__iter__(value), length, depth, within)}]"
        if issubclass(kind, tuple):
            return self._tuple(value, kind, depth, within)
        base: Any = set if issubclass(kind, set) else frozenset
        length = base.__len__(value)
        text = self._each(base.__iter__(value), length, depth, within)
        return f"{{{text}}}" if length else f"{kind.__name__}()"

    def _items(self, value: Any, depth: int, within: tuple[int, ...]) -> str:
        return self._joined(
            (
                f"{self._text(key, depth, within)}: "
                f"{self._named(key, item, depth, within)}"
                for key, item in dict.items(value)
            ),
            dict.__len__(value),
        )

    def _tuple(
        self, value: Any, kind: type, depth: int, within: tuple[int, ...]
    ) -> str:
        items = tuple(tuple.__iter__(value))
        fields = getattr(kind, "_fields", None)
        if isinstance(fields, tuple) and len(fields) == len(items):
            named = (
                f"{field}={self._named(field, item, depth, within)}"
                for field, item in zip(fields, items, strict=True)
            )
            return self._joined(named, len(items))
        if len(items) == 2:
            # Headers are pairs, and so are the items of a mapping.
            first = self._text(items[0], depth, within)
            return f"({first}, {self._named(items[0], items[1], depth, within)})"
        text = self._each(iter(items), len(items), depth, within)
        return f"({text},)" if len(items) == 1 else f"({text})"

    def _each(
        self, items: Iterator[Any], length: int, depth: int, within: tuple[int, ...]
    ) -> str:
        return self._joined((self._text(x, depth, within) for x in items), length)

    def _joined(self, texts: Iterable[str], length: int) -> str:
        shown: list[str] = []
        for text in texts:
            if len(shown) >= MAX_ITEMS or self._left <= 0:
                shown.append(f"... {length - len(shown)} more")
                break
            shown.append(text)
        return ", ".join(shown)

    def _string(self, value: str | bytes | bytearray) -> str:
        note = ""
        if len(value) > MAX_READ_CHARACTERS:
            unit = "characters" if isinstance(value, str) else "bytes"
            note = f" ({len(value)} {unit})"
            value = value[:MAX_READ_CHARACTERS]
        return _cut(self._masker.values(repr(value)), MAX_CHARACTERS - 50) + note

    def _other(self, value: Any) -> str:
        kind = type(value)
        try:
            text = repr(value)
        except _FAILURES as failure:
            return f"<{kind.__name__} whose repr raised {type(failure).__name__}>"
        # A repr longer than what is searched could show a secret half.
        if len(text) > MAX_READ_CHARACTERS:
            return f"<{kind.__name__} whose repr has {len(text)} characters>"
        return _cut(self._masker.representation(text), MAX_CHARACTERS)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
