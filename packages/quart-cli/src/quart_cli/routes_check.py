"""What ``quart routes --check`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .url_check import UrlCheck

if TYPE_CHECKING:
    from quart_core.app import Quart

__all__ = ("report",)


def report(app: Quart) -> bool:
    """Print the calls of ``url_for`` that no route answers.

    Args:
        app: The application.

    Returns:
        Whether all is well.
    """
    check = UrlCheck(app)
    problems = list(check.problems())
    for problem in problems:
        click.echo(f"{problem.place}  {problem.call}   {problem.reason}")
    for text in check.unread:
        click.echo(f"not checked: {text}", err=True)
    if problems:
        click.echo("1 problem" if len(problems) == 1 else f"{len(problems)} problems")
        return False
    calls = "1 call" if check.call_count == 1 else f"{check.call_count} calls"
    click.echo(f"{calls} of url_for, no problem")
    return True
