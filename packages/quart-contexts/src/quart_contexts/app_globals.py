"""The namespace behind ``g``."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

_MISSING: Any = object()


class _AppCtxGlobals:
    """A plain namespace, alive as long as its application context.

    API of ``flask.ctx._AppCtxGlobals``. Values are the application's, hence Any.
    """

    def __getattr__(self, name: str) -> Any:
        # Only called for names that are not set.
        raise AttributeError(f"g has no attribute {name!r} in this context", name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self.__dict__[name]
        except KeyError:
            raise AttributeError(
                f"g has no attribute {name!r} in this context", name=name
            ) from None

    def get(self, name: str, default: Any | None = None) -> Any:
        """Return the attribute, or the default where it is not set."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _MISSING) -> Any:
        """Remove the attribute and return its value.

        Raises:
            KeyError: It is not set and no default was given.
        """
        if default is _MISSING:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the attribute, set to the default first where it is not set."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, item: str) -> bool:
        return item in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        ctx = import_module(".globals", __package__)._cv_app.get(None)
        name = None if ctx is None else getattr(ctx.app, "name", None)
        return f"<quart.g of {name!r}>" if name else object.__repr__(self)
