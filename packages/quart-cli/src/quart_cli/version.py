"""The versions that ``--version`` prints."""

from __future__ import annotations

import platform
from importlib import import_module
from typing import Any

import click

__all__ = ("distribution_version", "get_version", "version_option")


# Any: what click gives to every callback.
def get_version(
    ctx: click.Context,
    param: click.Parameter,  # noqa: ARG001 - click's signature
    value: Any,
) -> None:
    """Print the versions of Python, Quart and Werkzeug. API of ``quart.cli``."""
    if not value or ctx.resilient_parsing:
        return
    quart = distribution_version("quart") or distribution_version("quart-cli")
    click.echo(
        f"Python {platform.python_version()}\n"
        f"Quart {quart}\n"
        f"Werkzeug {distribution_version('werkzeug')}",
        color=ctx.color,
    )
    ctx.exit()


def distribution_version(name: str) -> str | None:
    """Return the version of an installed distribution, None if it is not there."""
    metadata = import_module("importlib.metadata")
    try:
        version: str = metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
    return version


version_option = click.Option(
    ["--version"],
    help="Show the versions of Python, Quart and Werkzeug.",
    expose_value=False,
    callback=get_version,
    is_flag=True,
    is_eager=True,
)
