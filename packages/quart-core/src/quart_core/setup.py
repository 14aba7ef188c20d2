"""Setup methods: what may only be called before the first request."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

__all__ = ("F", "setupmethod")

F = TypeVar("F", bound=Callable[..., Any])


def setupmethod(f: F) -> F:
    """Let a method be called only while the application is being set up.

    Calls ``self._check_setup_finished(name)`` first, which raises when it is too
    late.
    """
    name = f.__name__

    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._check_setup_finished(name)
        return f(self, *args, **kwargs)

    return cast("F", update_wrapper(checked, f))
