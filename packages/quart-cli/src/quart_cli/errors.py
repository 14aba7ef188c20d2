"""The error of an application that cannot be found or loaded."""

from __future__ import annotations

from typing import IO, Any

import click

__all__ = ("NoAppException",)


class NoAppException(click.UsageError):
    """No application was found, or it cannot be made. API of ``quart.cli``.

    Ends a command with status 2. Shown without the usage of the command, which is
    not what was wrong.
    """

    # Any: the stream takes text, its other type parameter is click's matter.
    def show(self, file: IO[Any] | None = None) -> None:
        """Write the message to standard error, or the given stream."""
        click.echo(f"Error: {self.format_message()}", file=file, err=file is None)
