"""What happens when an optional package is not installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["MissingPackageError", "import_part", "missing"]


class MissingPackageError(ImportError):
    """A feature was used whose package is not installed.

    ``name`` is the import name of the package, as on every ``ImportError``.
    """


def missing(feature: str, package: str) -> MissingPackageError:
    """Make the error that says which package a feature needs, and how to get it.

    Args:
        feature: What was used, as the user wrote it: ``app.websocket()``.
        package: The distribution that holds it: ``quart-ws``.
    """
    return MissingPackageError(
        f"{feature} needs {package}, which is not installed: "
        f"run 'pip install {package}', or 'pip install quart' for everything",
        name=package.replace("-", "_"),
    )


def import_part(module: str, feature: str, package: str) -> ModuleType:
    """Import a module of an optional package on first use.

    Args:
        module: The submodule to import: ``quart_ws.registration``.
        feature: What needs it, for the message: ``app.websocket()``.
        package: The distribution that holds it: ``quart-ws``.

    Raises:
        MissingPackageError: The package is not installed.
        ImportError: It is installed and broken; the original error, untouched.
    """
    top = module.partition(".")[0]
    try:
        import_module(top)
    except ModuleNotFoundError as error:
        # An installed package that lacks one of *its* modules is broken, not absent.
        if error.name != top:
            raise
        raise missing(feature, package) from None
    return import_module(module)
