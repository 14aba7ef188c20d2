"""Submodules as attributes that are imported when they are first asked for.

After ``import quart``, upstream's ``quart.wrappers.request`` is there, as everything
has been imported; here that would cost what nobody uses.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

__all__ = ("lazy_submodules",)


def lazy_submodules(package: str, *names: str) -> Callable[[str], ModuleType]:
    """Return the ``__getattr__`` of a package for its submodules.

    Args:
        package: The package's name.
        names: Those of its submodules.
    """

    def find(name: str) -> ModuleType:
        if name in names:
            module = import_module(f"{package}.{name}")
            # The import itself sets it only where the module is no alias.
            setattr(sys.modules[package], name, module)
            return module
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)

    return find
