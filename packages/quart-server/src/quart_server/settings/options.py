"""What one setting of the server is: its type, unit, bounds and description.

`Config` declares its fields with `option()`. Everything that shows or reads settings
(keyword arguments, TOML, environment, command line, the README's table) works from
the `Option` objects that `options_of()` derives from those fields, so that no list of
settings is written twice.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
from typing import TYPE_CHECKING, Literal, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as resolve_annotations

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ConfigError", "Option", "option", "options_of", "unknown_key"]

T = TypeVar("T")

Kind = Literal["flag", "integer", "number", "text", "choice", "texts", "pairs"]

_KINDS: dict[object, Kind] = {
    bool: "flag",
    int: "integer",
    float: "number",
    str: "text",
    tuple[str, ...]: "texts",
    tuple[tuple[str, str], ...]: "pairs",
}
_NOUNS: dict[Kind, str] = {
    "flag": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "text": "a text",
    "choice": "one of",
    "texts": "a list of texts",
    "pairs": "a list of (name, value) pairs",
}
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_BINARY_UNITS = {"kib": 1024, "mib": 1024**2, "gib": 1024**3}


_described: dict[type, dict[str, Option]] = {}


class ConfigError(ValueError):
    """A setting is unknown, has a bad value, or contradicts another one.

    The message names the setting, the value, where it came from and what is expected.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def option(
    default: T,
    text: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
) -> T:
    """Declare a dataclass field that is a setting.

    The annotated result is a dataclass field specifier; type checkers see the default.

    Args:
        default: The value when nobody sets it.
        text: One sentence that says what it does.
        unit: "bytes", "seconds", "octal" or a plural noun; "" where it has none.
        minimum: The smallest number allowed.
        maximum: The largest number allowed.
    """
    metadata = {
        "text": text,
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
    }
    field: T = dataclasses.field(default=default, metadata=metadata)
    return field


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """One setting, described."""

    name: str
    kind: Kind
    optional: bool
    choices: tuple[str, ...]
    default: object
    group: str
    text: str
    unit: str
    minimum: float | None
    maximum: float | None

    @property
    def expected(self) -> str:
        """What a value must be, as a phrase for error messages."""
        phrase = _NOUNS[self.kind]
        if self.kind == "choice":
            phrase += " " + ", ".join(repr(choice) for choice in self.choices)
        if self.unit:
            phrase += f" ({self.unit})"
        if self.minimum is not None:
            phrase += f" of at least {self._bound(self.minimum)}"
        if self.maximum is not None:
            phrase += f" and at most {self._bound(self.maximum)}"
        return phrase + (", or none" if self.optional else "")

    @property
    def default_text(self) -> str:
        """The default as people write it: `64 KiB`, `10 s`, `none`."""
        if self.default is None:
            return "none"
        if isinstance(self.default, bool):
            return "on" if self.default else "off"
        if isinstance(self.default, tuple):
            return ", ".join(map(str, self.default)) or "none"
        return _with_unit(self.default, self.unit)

    def check(self, value: object) -> object:
        """Return the value in the field's own type.

        Raises:
            ConfigError: The value is of another type or out of bounds.
        """
        if value is None and self.optional:
            return None
        try:
            checked = self._typed(value)
        except (TypeError, ValueError):
            raise self.mismatch(value) from None
        if isinstance(checked, (int, float)) and not self._within(checked):
            raise self.mismatch(value)
        return checked

    def parse(self, text: str) -> object:
        """Return the value that a text (environment, command line) stands for.

        Raises:
            ConfigError: The text does not stand for a value of this setting.
        """
        if self.optional and text.strip().lower() in {"", "none"}:
            return None
        try:
            return self.check(self._from_text(text.strip()))
        except ValueError as error:
            if isinstance(error, ConfigError):
                raise
            raise self.mismatch(text) from None

    def mismatch(self, value: object) -> ConfigError:
        """Return the error that refuses a value."""
        shown = "a secret" if "password" in self.name else repr(value)
        message = f"{self.name} is {shown}, expected {self.expected}"
        return ConfigError(self.name, message)

    def _bound(self, bound: float) -> str:
        if self.unit == "octal":
            return f"{int(bound):o}"
        return str(bound) if isinstance(bound, int) else f"{bound:g}"

    def _typed(self, value: object) -> object:
        match self.kind, value:
            case ("flag", bool()) | ("text", str()):
                return value
            case "integer", int() if not isinstance(value, bool):
                return value
            case "number", int() | float() if not isinstance(value, bool):
                return _finite(float(value))
            case "choice", str() if value in self.choices:
                return value
            case "texts", str():
                return (value,)
            case "texts", list() | tuple():
                return tuple(_text(item) for item in value)
            case "pairs", list() | tuple():
                return tuple((_text(name), _text(item)) for name, item in value)
        raise TypeError(value)

    def _within(self, value: float) -> bool:
        if isinstance(value, bool):
            return True
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return low <= value <= high

    def _from_text(self, text: str) -> object:
        match self.kind:
            case "flag":
                return _flag(text)
            case "integer":
                return _integer(text, self.unit)
            case "number":
                return float(text)
            case "texts":
                return tuple(item.strip() for item in text.split(",") if item.strip())
            case "pairs":
                return tuple(_pair(line) for line in text.splitlines() if line.strip())
            case _:
                return text


def options_of(config_class: type) -> dict[str, Option]:
    """Return the settings that a dataclass declares with `option()`, in order."""
    if config_class not in _described:
        _described[config_class] = _describe_all(config_class)
    return _described[config_class]


def _describe_all(config_class: type) -> dict[str, Option]:
    hints = resolve_annotations(config_class)
    groups = _groups_of(config_class)
    return {
        field.name: _describe(field, hints[field.name], groups[field.name])
        for field in dataclasses.fields(config_class)
    }


def unknown_key(key: str, known: Iterable[str], renamed: Mapping[str, str]) -> str:
    """Return the message that refuses a setting nobody knows, with close names."""
    message = f"There is no setting {key!r}"
    if key in renamed:
        return f"{message}: it is called {renamed[key]!r} here"
    close = difflib.get_close_matches(key, list(known), n=3)
    if close:
        return f"{message}, did you mean {' or '.join(map(repr, close))}?"
    return f"{message}, see 'python -m quart_server --help' for all of them"


def _groups_of(config_class: type) -> dict[str, str]:
    """Return each field's heading: the `heading` of the class that declares it."""
    return {
        name: vars(base).get("heading", "")
        for base in reversed(config_class.__mro__)
        for name in vars(base).get("__annotations__", ())
    }


def _describe(field: dataclasses.Field[object], hint: object, group: str) -> Option:
    arguments = get_args(hint)
    optional = False
    if get_origin(hint) in {Union, types.UnionType}:
        (hint,) = (item for item in arguments if item is not type(None))
        optional = True
    choices: tuple[str, ...] = get_args(hint) if get_origin(hint) is Literal else ()
    kind: Kind = "choice" if choices else _KINDS[hint]
    default = field.default
    return Option(field.name, kind, optional, choices, default, group, **field.metadata)


def _with_unit(value: object, unit: str) -> str:
    if unit == "octal" and isinstance(value, int):
        return f"{value:o}"
    if unit == "bytes" and isinstance(value, int):
        for suffix, size in (("MiB", 1024**2), ("KiB", 1024)):
            if value and value % size == 0:
                return f"{value // size} {suffix}"
    number = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{number} s" if unit == "seconds" else number


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered not in _TRUE | _FALSE:
        raise ValueError(text)
    return lowered in _TRUE


def _integer(text: str, unit: str) -> int:
    if unit == "octal":
        return int(text, 8)
    if unit == "bytes" and text[-3:].lower() in _BINARY_UNITS:
        return int(text[:-3].strip()) * _BINARY_UNITS[text[-3:].lower()]
    return int(text)


def _pair(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(line)
    return name.strip(), value.strip()
