"""What ``quart run`` and ``quart dev`` say, and put around the application."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import click
from quart_core.app import Quart
from quart_core.helpers import get_debug_flag
from quart_core.user_code import display_path

from .banner import dev_banner, show_server_banner
from .browser_reload import BrowserReload
from .dev_console import DevConsole
from .dev_pages import DevPages
from .error_store import ErrorStore

__all__ = ("DevStyle", "RunStyle", "Style")

_MAX_NAMED_FILES: Final = 3

# Any: an ASGI app.
_App = Callable[..., Any]


class Style:
    """What both have in common.

    Attributes:
        url: Where the application is served.
    """

    def __init__(self) -> None:
        self.url = ""

    def begin(self) -> None:
        """Prepare, once, before anything is served."""

    def served(self, target: str) -> None:
        """Say that the application is served."""
        raise NotImplementedError

    def wrapped(self, app: Quart, target: str) -> _App:
        """Return what is served for the application."""
        raise NotImplementedError

    def wrapped_broken(self, app: Quart) -> _App:
        """Return what is served for one that only shows an exception."""
        return app

    def reloaded(self, paths: Sequence[str], seconds: float, *, failed: bool) -> None:
        """Say that another process serves, since files have changed."""
        names = [display_path(path) for path in paths[:_MAX_NAMED_FILES]]
        if len(paths) > len(names):
            names.append(f"{len(paths) - len(names)} more")
        what = "still fails" if failed else f"reloaded in {seconds:.1f} s"
        click.echo(f"{', '.join(names)} changed, {what}")

    def ended(self, status: int) -> None:
        """Say that the application ended by itself."""
        click.echo(f"The application ended with status {status}; waiting for a change")

    def stopped(self, cut: int | None) -> None:
        """Say that serving has ended.

        Args:
            cut: Requests that were still open and had to be cut, None if unknown.
        """
        text = "stopped"
        if cut is not None:
            requests = "1 open request" if cut == 1 else f"{cut} open requests"
            text = f"stopped, {requests}{' cut' if cut else ''}"
        # A terminal has shown ^C on this line.
        click.echo(f" {text}" if sys.stdout.isatty() else text)


class RunStyle(Style):
    """That of ``quart run``, as ``flask run`` has it.

    Args:
        debugger: Show errors in the browser; if None, in debug mode.
    """

    def __init__(self, debugger: bool | None) -> None:
        super().__init__()
        self._has_debugger = debugger

    def served(self, target: str) -> None:
        """Print Flask's lines."""
        show_server_banner(get_debug_flag(), target)
        click.echo(f" * Running on {self.url} (CTRL + C to quit)")

    def wrapped(self, app: Quart, target: str) -> _App:  # noqa: ARG002 - see Style
        """Return the application, without its debug page if that is not wanted."""
        if self._has_debugger is False and app.config["PROPAGATE_EXCEPTIONS"] is None:
            # Without propagation an exception becomes the page for 500.
            app.config["PROPAGATE_EXCEPTIONS"] = False
        return app


class DevStyle(Style):
    """That of ``quart dev``.

    Args:
        watcher: How files are watched, if they are.
        reloads_browser: Whether pages are loaded anew after a reload.
    """

    def __init__(self, watcher: str | None, *, reloads_browser: bool) -> None:
        super().__init__()
        self._watcher = watcher
        self._reloads_browser = reloads_browser
        self._store = ErrorStore()

    def begin(self) -> None:
        """Forget the exceptions of the run before."""
        self._store.clear()

    def served(self, target: str) -> None:
        """Print where, alone on its line."""
        click.echo(dev_banner(target, self.url, self._watcher))

    def wrapped(self, app: Quart, target: str) -> _App:
        """Return the application with a console, its errors, and reloading pages."""
        console = DevConsole(app, url=self.url, target=target, store=self._store)
        return DevPages(self._reloading(console), app, self._store)

    def wrapped_broken(self, app: Quart) -> _App:
        """Return it with reloading pages: the next save is shown by itself."""
        return self._reloading(app)

    def _reloading(self, app: _App) -> _App:
        return BrowserReload(app) if self._reloads_browser else app
