"""Whether a template has anything to await.

Compiled for asyncio, a template awaits at every step and costs about 1.7 times what
the same template costs as plain code. Most templates have nothing to await, so they
are rendered as plain code, and the moment something awaitable shows up the rendering
starts again, asynchronously. That template is then known and never tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import iscoroutinefunction
from types import CoroutineType
from typing import Any, NoReturn

from jinja2 import Environment, nodes
from jinja2.runtime import Context
from markupsafe import Markup
from werkzeug.local import LocalProxy

__all__ = (
    "CheckedContext",
    "NeedsAsync",
    "allows_an_attempt",
    "uses_async_functions",
)

# Types of values that are looked at no further; proxies answer for what is behind.
PLAIN_TYPES: frozenset[type] = frozenset(
    {str, int, float, bool, type(None), dict, list, tuple, Markup, LocalProxy}
)


class NeedsAsync(BaseException):
    """Something awaitable showed up in a template that was run as plain code.

    No Exception, so that no function a template calls takes it for an error.
    """


def refuse(value: Any) -> NoReturn:
    """Drop an awaitable that was just made, and turn to asynchronous rendering.

    Raises:
        NeedsAsync: Always.
    """
    if isinstance(value, CoroutineType):
        # Not started, so nothing of it has happened; closed, so nothing warns.
        value.close()
    raise NeedsAsync


def is_awaitable(value: Any) -> bool:
    """Return whether an asynchronous template would await or async-iterate it."""
    kind = type(value)
    if kind in PLAIN_TYPES:
        return False
    return hasattr(kind, "__await__") or hasattr(kind, "__aiter__")


class CheckedContext(Context):
    """A template context whose calls notice what they would have to await."""

    def call(self, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function from a template."""
        result = super().call(obj, *args, **kwargs)
        if is_awaitable(result):
            refuse(result)
        return result


def allows_an_attempt(context: Mapping[str, Any]) -> bool:
    """Return whether a template may be tried as plain code with some values.

    Not with one that is awaitable itself, and not with an iterator: what an attempt
    takes from it would be missing from the rendering that follows.
    """
    return not any(
        is_awaitable(value) or _is_iterator(value) for value in context.values()
    )


def _is_iterator(value: Any) -> bool:
    kind = type(value)
    return kind not in PLAIN_TYPES and hasattr(kind, "__next__")


def uses_async_functions(environment: Environment, tree: nodes.Template) -> bool:
    """Return whether a template names a filter or test that is asynchronous."""
    filters = _async_names(environment.filters)
    if filters and any(node.name in filters for node in tree.find_all(nodes.Filter)):
        return True
    tests = _async_names(environment.tests)
    return bool(tests) and any(node.name in tests for node in tree.find_all(nodes.Test))


def _async_names(functions: Mapping[str, Any]) -> set[str]:
    return {name for name, function in functions.items() if _is_async(function)}


def _is_async(function: Any) -> bool:
    # Jinja's own filters choose their asynchronous variant by the environment.
    if getattr(function, "jinja_async_variant", False):
        return False
    return iscoroutinefunction(function)
