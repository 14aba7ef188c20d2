"""What is printed when serving begins."""

from __future__ import annotations

import platform

import click

__all__ = ("dev_banner", "show_server_banner")


def show_server_banner(debug: bool, app_import_path: str | None) -> None:
    """Print which application is served, in which mode. API of ``flask.cli``.

    Args:
        debug: Whether debug mode is on.
        app_import_path: Where the application is from, if known.
    """
    if app_import_path is not None:
        click.echo(f" * Serving Quart app '{app_import_path}'")
    click.echo(f" * Debug mode: {'on' if debug else 'off'}")
    click.echo(" * For development; use 'quart serve' in production")


def dev_banner(target: str, url: str, watcher: str | None) -> str:
    """Return what ``quart dev`` begins with; the URL is alone on its line.

    Args:
        target: The application: ``app.py:app``.
        url: Where it is served.
        watcher: How files are watched, if they are.
    """
    version = ".".join(platform.python_version_tuple()[:2])
    modes = ["debug"]
    if watcher is not None:
        modes.append(f"reload ({watcher})")
    modes.append(f"python {version}")
    return f"{target}   {', '.join(modes)}\n\n  {url}\n"
