"""Parts of the server for the command line; quart-server implements them."""

from __future__ import annotations

from types import ModuleType

from ..missing import import_part

__all__ = ("server_part",)

PACKAGE = "quart-server"


def server_part(module: str, feature: str) -> ModuleType:
    """Return a module of quart-server.

    Args:
        module: Its name in the package: ``binds``.
        feature: What needs it, for the message: ``quart run``.

    Raises:
        MissingPackageError: quart-server is not installed.
    """
    return import_part(f"quart_server.{module}", feature, PACKAGE)
