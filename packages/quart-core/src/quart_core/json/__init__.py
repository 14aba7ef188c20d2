"""JSON as the current app writes and reads it.

API of ``quart.json`` and ``flask.json``. Inside an application context these functions
are those of ``app.json``, a ``JSONProvider``; outside they are the standard library's,
with the same conversion of dates, UUIDs and so on.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, Any, cast

from quart_contexts.globals import _cv_app, current_app

from .provider import JSONProvider, _default

if TYPE_CHECKING:
    from ..app import Quart
    from ..wrappers.response import Response

__all__ = ["dump", "dumps", "jsonify", "load", "loads"]

# Quart calls the value object_, Flask obj (and s to load): both may be used as keyword.
_MISSING: Any = object()


# JSON holds values of any type, and keyword arguments are those of the provider: Any.
def dumps(object_: Any = _MISSING, *, obj: Any = _MISSING, **kwargs: Any) -> str:
    """Write a value as JSON text.

    Args:
        object_: The value.
        obj: Flask's name for it.
        **kwargs: Passed on to ``app.json.dumps``, or ``json.dumps`` outside of an app.

    Raises:
        TypeError: A value cannot be written as JSON.
    """
    value = object_
    if value is _MISSING or obj is not _MISSING:
        value = _one_of("dumps", object_=object_, obj=obj)
    provider = _provider()
    if provider is not None:
        return provider.dumps(value, **kwargs)
    kwargs.setdefault("default", _default)
    return json.dumps(value, **kwargs)


def dump(
    object_: Any = _MISSING,
    fp: IO[str] = _MISSING,
    *,
    obj: Any = _MISSING,
    **kwargs: Any,
) -> None:
    """Write a value as JSON text to a file.

    Args:
        object_: The value.
        fp: A file opened for text.
        obj: Flask's name for the value.
        **kwargs: Passed on to ``app.json.dump``, or ``json.dump`` outside of an app.

    Raises:
        TypeError: A value cannot be written as JSON.
    """
    value = _one_of("dump", object_=object_, obj=obj)
    if fp is _MISSING:
        raise TypeError("dump() needs a file to write to: dump(value, file).")
    provider = _provider()
    if provider is not None:
        provider.dump(value, fp, **kwargs)
        return
    kwargs.setdefault("default", _default)
    json.dump(value, fp, **kwargs)


def loads(
    object_: str | bytes = _MISSING, *, s: str | bytes = _MISSING, **kwargs: Any
) -> Any:
    """Read a value from JSON text.

    Args:
        object_: The text.
        s: Flask's name for it.
        **kwargs: Passed on to ``app.json.loads``, or ``json.loads`` outside of an app.

    Raises:
        ValueError: The text is not JSON.
    """
    text = object_
    if text is _MISSING or s is not _MISSING:
        text = _one_of("loads", object_=object_, s=s)
    provider = _provider()
    if provider is not None:
        return provider.loads(text, **kwargs)
    return json.loads(text, **kwargs)


def load(fp: IO[str] | IO[bytes], **kwargs: Any) -> Any:
    """Read a value from a file of JSON text.

    Args:
        fp: A file opened for text or as UTF-8 bytes.
        **kwargs: Passed on to ``app.json.load``, or ``json.load`` outside of an app.

    Raises:
        ValueError: The text is not JSON.
    """
    provider = _provider()
    if provider is not None:
        return provider.load(fp, **kwargs)
    return json.load(fp, **kwargs)


def jsonify(*args: Any, **kwargs: Any) -> Response:
    """Make a response of JSON.

    ``jsonify(value)`` writes the value, ``jsonify(1, 2)`` a list, ``jsonify(a=1)`` an
    object, ``jsonify()`` null.

    Raises:
        RuntimeError: There is no application context.
        TypeError: Positional and keyword arguments were given together, or a value
            cannot be written as JSON.
    """
    provider: JSONProvider = _provider() or current_app.json
    return provider.response(*args, **kwargs)


def _provider() -> JSONProvider | None:
    """Give the current app's provider, None outside of an application context."""
    context = _cv_app.get(None)
    return None if context is None else cast("Quart", context.app).json


def _one_of(function: str, **values: Any) -> Any:
    """Give the one value that was passed, under whichever of its two names."""
    given = [value for value in values.values() if value is not _MISSING]
    if len(given) == 1:
        return given[0]
    names = " and ".join(repr(name) for name in values)
    raise TypeError(
        f"{function}() takes one value, got {len(given)};"
        f" {names} are two names for the same argument."
    )
