"""Class attributes whose value comes from an optional package."""

from __future__ import annotations

from typing import Any

from ..missing import MissingPackageError, import_part


class LazyClass:
    """A class that an optional package defines, imported when it is looked up.

    A non-data descriptor, so assigning to the instance or the class replaces it.
    Where the package is absent, the lookup raises AttributeError with the install
    hint, so that ``hasattr``, ``inspect`` and mocks keep working.

    Args:
        module: The submodule to import.
        name: The name in it.
        package: The distribution that has it.
    """

    def __init__(self, module: str, name: str, package: str) -> None:
        self.module = module
        self.class_name = name
        self.package = package
        self.attribute = name

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        """Return the class."""
        try:
            part = import_part(self.module, f"app.{self.attribute}", self.package)
        except MissingPackageError as error:
            raise AttributeError(str(error), name=self.attribute) from None
        return getattr(part, self.class_name)
