"""Types of options that several commands have."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

__all__ = ("CertParamType", "SeparatedPathType", "is_ssl_context")


class CertParamType(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """A certificate: a file, ``adhoc``, or the import name of an SSLContext.

    API of ``flask.cli``.
    """

    name = "path"

    def __init__(self) -> None:
        self.path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    # Any: what click gives to every type.
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the file's path, ``"adhoc"`` or the context."""
        if is_ssl_context(value):
            return value
        text = os.fspath(value)
        if os.path.isfile(text):
            return self.path_type.convert(text, param, ctx)
        if text.lower() == "adhoc":
            if find_spec("trustme") is None:
                self.fail(
                    "adhoc needs trustme, which is not installed: run "
                    "'pip install quart-server[dev]', or give a certificate's file",
                    param,
                    ctx,
                )
            return "adhoc"
        found = _imported(text)
        if not is_ssl_context(found):
            self.fail(
                f"{text!r} is no file, not 'adhoc', and no SSLContext can be imported "
                "by that name",
                param,
                ctx,
            )
        return found


class SeparatedPathType(click.Path):
    """Paths with the system's separator between them. API of ``flask.cli``."""

    # Any: what click gives to every type.
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        """Return the list of paths."""
        items = self.split_envvar_value(value) if isinstance(value, str) else value
        convert = super().convert
        return [convert(item, param, ctx) for item in items]


def is_ssl_context(value: object) -> bool:
    """Return whether something is an SSLContext, without importing ``ssl`` for it."""
    ssl = sys.modules.get("ssl")
    return ssl is not None and isinstance(value, ssl.SSLContext)


def _imported(text: str) -> object:
    module, colon, name = text.partition(":")
    if not colon:
        module, _, name = text.rpartition(".")
    if not module or not all(part.isidentifier() for part in module.split(".")):
        return None
    try:
        return getattr(import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        return None
