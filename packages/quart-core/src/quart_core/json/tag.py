"""Lossless JSON for values that JSON lacks: tuples, bytes, UUIDs, dates, markup.

A value that JSON lacks is written as an object with one key, its tag: the tuple
``(1, 2)`` as ``{" t": [1, 2]}``. A user's dictionary that looks like that is itself
tagged, ``{" di": {" t__": [1, 2]}}``, so every value comes back as it went in. Session
cookies are written this way; the format is Flask's, cookies are interchangeable.
"""

# ruff: noqa: D102 - the methods of all tags are documented by JSONTag
from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from markupsafe import Markup
from werkzeug.http import http_date, parse_date

from . import dumps, loads

__all__ = [
    "JSONTag",
    "PassDict",
    "PassList",
    "TagBytes",
    "TagDateTime",
    "TagDict",
    "TagMarkup",
    "TagTuple",
    "TagUUID",
    "TaggedJSONSerializer",
]


# Tags take and give values of any type, hence Any in all of them.
class JSONTag:
    """One kind of value: how to know it, how to write it, how to read it.

    Args:
        serializer: The serializer that the tag is registered with.
    """

    __slots__ = ("serializer",)

    #: The mark in the JSON object. Empty for values that are written as they are.
    key: ClassVar[str] = ""

    def __init__(self, serializer: TaggedJSONSerializer) -> None:
        self.serializer = serializer

    def check(self, value: Any) -> bool:
        """Say whether the value is of this kind."""
        raise NotImplementedError(f"{type(self).__name__} must define check(value).")

    def to_json(self, value: Any) -> Any:
        """Turn the value into what JSON can hold."""
        raise NotImplementedError(f"{type(self).__name__} must define to_json(value).")

    def to_python(self, value: Any) -> Any:
        """Turn what ``to_json`` gave back into the value."""
        raise NotImplementedError(
            f"{type(self).__name__} must define to_python(value)."
        )

    def tag(self, value: Any) -> dict[str, Any]:
        """Turn the value into an object with the tag as its only key."""
        return {self.key: self.to_json(value)}


_CONTAINERS = frozenset({dict, list})


class TagDict(JSONTag):
    """A dictionary whose only key is one of the tags."""

    __slots__ = ()
    key = " di"

    def check(self, value: Any) -> bool:
        return (
            isinstance(value, dict)
            and len(value) == 1
            and next(iter(value)) in self.serializer.tags
        )

    def to_json(self, value: Any) -> Any:
        [(key, inner)] = value.items()
        return {f"{key}__": self.serializer.tag(inner)}

    def to_python(self, value: Any) -> Any:
        [(key, inner)] = value.items()
        return {key.removesuffix("__"): inner}


class PassDict(JSONTag):
    """Any other dictionary: its values are tagged. JSON makes its keys strings."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, dict)

    def to_json(self, value: Any) -> Any:
        tag = self.serializer.tag
        return {key: tag(inner) for key, inner in value.items()}

    tag = to_json


class TagTuple(JSONTag):
    """A tuple."""

    __slots__ = ()
    key = " t"

    def check(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    def to_python(self, value: Any) -> Any:
        return tuple(value)


class PassList(JSONTag):
    """A list: its items are tagged."""

    __slots__ = ()

    def check(self, value: Any) -> bool:
        return isinstance(value, list)

    def to_json(self, value: Any) -> Any:
        return [self.serializer.tag(item) for item in value]

    tag = to_json


class TagBytes(JSONTag):
    """Bytes, as base64."""

    __slots__ = ()
    key = " b"

    def check(self, value: Any) -> bool:
        return isinstance(value, bytes)

    def to_json(self, value: Any) -> Any:
        return b64encode(value).decode("ascii")

    def to_python(self, value: Any) -> Any:
        return b64decode(value)


class TagMarkup(JSONTag):
    """Anything with an ``__html__`` method, read back as ``markupsafe.Markup``."""

    __slots__ = ()
    key = " m"

    def check(self, value: Any) -> bool:
        return callable(getattr(value, "__html__", None))

    def to_json(self, value: Any) -> Any:
        return str(value.__html__())

    def to_python(self, value: Any) -> Any:
        return Markup(value)  # noqa: S704 - signed, and it was markup when written


class TagUUID(JSONTag):
    """A UUID, as its hexadecimal digits."""

    __slots__ = ()
    key = " u"

    def check(self, value: Any) -> bool:
        return isinstance(value, UUID)

    def to_json(self, value: Any) -> Any:
        return value.hex

    def to_python(self, value: Any) -> Any:
        return UUID(value)


class TagDateTime(JSONTag):
    """A datetime, as an HTTP date: whole seconds, in UTC, naive ones taken as UTC."""

    __slots__ = ()
    key = " d"

    def check(self, value: Any) -> bool:
        return isinstance(value, datetime)

    def to_json(self, value: Any) -> Any:
        return http_date(value)

    def to_python(self, value: Any) -> Any:
        return parse_date(value)


# These pass through unchanged, subclasses (Markup is a str) do not: the commonest
# values need not be shown to every tag.
_PLAIN = frozenset({str, int, float, bool, type(None)})


class TaggedJSONSerializer:
    """Writes and reads JSON with tags; compact, as text for a cookie.

    Further kinds of values are added with ``register``.
    """

    __slots__ = ("_checks", "order", "tags")

    #: The tags of a new serializer, in the order in which values are tried.
    default_tags: ClassVar[list[type[JSONTag]]] = [
        TagDict,
        PassDict,
        TagTuple,
        PassList,
        TagBytes,
        TagMarkup,
        TagUUID,
        TagDateTime,
    ]

    def __init__(self) -> None:
        self.tags: dict[str, JSONTag] = {}
        self.order: list[JSONTag] = []
        for tag_class in self.default_tags:
            self.register(tag_class)

    def register(
        self,
        tag_class: type[JSONTag],
        force: bool = False,
        index: int | None = None,
    ) -> None:
        """Add a kind of value.

        Args:
            tag_class: The tag.
            force: Replace a tag that has the same key.
            index: Place in the order of trying, last by default. A tag for a subclass
                of ``dict`` or another known type stands before that type's.

        Raises:
            KeyError: The key is taken and ``force`` is not set.
        """
        tag = tag_class(self)
        if tag.key:
            if not force and tag.key in self.tags:
                raise KeyError(
                    f"Tag {tag.key!r} is already registered, to"
                    f" {type(self.tags[tag.key]).__name__}. Use another key, or"
                    f" force=True to replace it."
                )
            self.tags[tag.key] = tag
        if index is None:
            self.order.append(tag)
        else:
            self.order.insert(index, tag)

    def tag(self, value: Any) -> Any:
        """Turn a value into what JSON can hold."""
        if type(value) in _PLAIN:
            return value
        for tag in self.order:
            if tag.check(value):
                return tag.tag(value)
        return value

    def untag(self, value: dict[str, Any]) -> Any:
        """Turn an object that has been read into the value its tag stands for."""
        if len(value) != 1:
            return value
        [(key, inner)] = value.items()
        tag = self.tags.get(key)
        return value if tag is None else tag.to_python(inner)

    def dumps(self, value: Any) -> str:
        """Write a value as compact JSON.

        Raises:
            TypeError: A value has no tag, and the app's JSON provider has no way
                to write it.
        """
        return dumps(self.tag(value), separators=(",", ":"))

    def loads(self, value: str) -> Any:
        """Read what ``dumps`` wrote.

        Raises:
            ValueError: The text is not JSON.
        """
        return self._untag_all(loads(value))

    def _untag_all(self, value: Any) -> Any:
        # Inner values first, so that a tag finds its content ready.
        if type(value) is dict:
            untag = self._untag_all
            for key, inner in value.items():
                if type(inner) in _CONTAINERS:
                    value[key] = untag(inner)
            return self.untag(value)
        if type(value) is list:
            return [self._untag_all(item) for item in value]
        return value
