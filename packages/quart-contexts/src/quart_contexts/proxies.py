"""Proxies that read what is current in one step.

They are werkzeug's ``LocalProxy`` in all respects. Only what views do most is shorter
than its general way: reading and setting attributes, and the items of the session.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from werkzeug.local import LocalProxy

__all__ = ("attribute_proxy", "session_proxy")

# What stands behind a proxy is of any type. A class has a `__doc__` of its own, which
# would hide the descriptor that gives the object's.
_DOC: Any = vars(LocalProxy)["__doc__"]


def attribute_proxy(
    variable: ContextVar[Any], attribute: str | None, unbound_message: str
) -> Any:
    """Return a proxy for an attribute of what a context variable holds.

    Args:
        variable: The context variable.
        attribute: The name of the attribute; None for the object itself.
        unbound_message: The text of the ``RuntimeError`` where it holds nothing.
    """
    current = variable.get

    # A class for each: a closure is read faster than an attribute of the proxy, which
    # has none of its own.
    class ContextProxy(LocalProxy[Any]):
        __slots__ = ()
        __doc__ = _DOC

        def __getattribute__(self, name: str) -> Any:
            # What has an underscore may be the proxy's own, and is for it to tell.
            if name[:1] != "_" and (ctx := current(None)) is not None:
                found = ctx if attribute is None else getattr(ctx, attribute)
                return getattr(found, name)
            return object.__getattribute__(self, name)

    # What it is to whoever prints it.
    ContextProxy.__name__ = "LocalProxy"
    return ContextProxy(variable, attribute, unbound_message=unbound_message)


def session_proxy(current: Callable[[], Any]) -> Any:
    """Return a proxy for the session.

    Args:
        current: Returns the current session, or raises ``RuntimeError``.
    """

    class SessionProxy(LocalProxy[Any]):
        __slots__ = ()
        __doc__ = _DOC

        def __getattribute__(self, name: str) -> Any:
            if name[:1] != "_":
                return getattr(current(), name)
            return object.__getattribute__(self, name)

        def __getitem__(self, key: Any) -> Any:
            return current()[key]

        def __setitem__(self, key: Any, value: Any) -> None:
            current()[key] = value

        def __contains__(self, key: Any) -> bool:
            return key in current()

    return SessionProxy(current)
