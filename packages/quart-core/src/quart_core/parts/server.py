"""Serving the application; quart-server implements it."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from ..helpers import get_debug_flag
from ..missing import import_part
from ..utils import MustReloadError, observe_changes, run_reloader

__all__ = ("ServerMethods",)

PACKAGE = "quart-server"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5000
# Tells the reloading parent to start the program anew.
RELOAD_STATUS = 3


class ServerMethods:
    """Running the application on its own server. API of ``quart.Quart``.

    What is passed to the server is described there, hence the ``Any``.
    """

    def run(
        self,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        use_reloader: bool = True,
        loop: asyncio.AbstractEventLoop | None = None,
        ca_certs: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Serve the application until it is interrupted, for development.

        In production use ``quart serve``, which has workers and reloads them.

        Args:
            host: Address to listen on, or ``unix:PATH`` or ``fd://NUMBER``; the host
                of SERVER_NAME if not given, else 127.0.0.1.
            port: Port to listen on; that of SERVER_NAME if not given, else 5000.
            debug: Sets the debug mode; else QUART_DEBUG does, where it is set.
            use_reloader: Start anew when a source file changes.
            loop: The event loop to run in, a new one if not given.
            ca_certs: File of authorities whose client certificates are accepted.
            certfile: File of the TLS certificate.
            keyfile: File of its private key.
            **kwargs: Accepted for Flask's sake; a warning names what has no effect.

        Raises:
            MissingPackageError: quart-server is not installed.
            SystemExit: The address cannot be listened on.
        """
        if kwargs:
            warnings.warn(
                f"run() ignores {', '.join(sorted(kwargs))}; quart-server's Config "
                "has the settings of the server",
                stacklevel=2,
            )
        app: Any = self  # this class is a base of the application
        if "QUART_DEBUG" in os.environ:
            app.debug = get_debug_flag()
        if debug is not None:
            app.debug = debug
        if use_reloader:
            run_reloader()
        bind_error = import_part("quart_server.binds", "app.run()", PACKAGE).BindError
        host, port = _address(app.config["SERVER_NAME"], host, port)
        _print_banner(app, _url(host, port, tls=certfile is not None))
        serving = self._serve(
            _bind(host, port),
            None,
            watched=use_reloader,
            ca_certs=ca_certs,
            certfile=certfile,
            keyfile=keyfile,
        )
        try:
            if loop is None:
                asyncio.run(serving)
            else:
                loop.run_until_complete(serving)
        except MustReloadError:
            sys.exit(RELOAD_STATUS)
        except bind_error as error:
            # A traceback through the server would tell less.
            text = str(error).replace("with --bind", "with app.run(port=...)")
            sys.exit(f"Error: {text}")
        except KeyboardInterrupt:
            # Interrupted before the server was listening for it.
            return

    def run_task(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        debug: bool | None = None,
        ca_certs: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        shutdown_trigger: Callable[..., Awaitable[Any]] | None = None,
    ) -> Coroutine[None, None, None]:
        """Return a coroutine that serves the application in the current loop.

        Installs no signal handler.

        Args:
            host: As for :meth:`run`.
            port: As for :meth:`run`.
            debug: Sets the debug mode, if given.
            ca_certs: As for :meth:`run`.
            certfile: As for :meth:`run`.
            keyfile: As for :meth:`run`.
            shutdown_trigger: Serving ends when what it returns has been awaited;
                without it, when the task is cancelled.
        """
        if debug is not None:
            app: Any = self
            app.debug = debug
        return self._serve(
            _bind(host, port),
            shutdown_trigger or _never,
            ca_certs=ca_certs,
            certfile=certfile,
            keyfile=keyfile,
        )

    async def _serve(
        self,
        bind: str,
        shutdown_trigger: Callable[..., Awaitable[Any]] | None,
        *,
        watched: bool = False,
        **files: str | None,
    ) -> None:
        server = import_part("quart_server.server", "app.run()", PACKAGE)
        config = server.Config(bind=(bind,), **files)
        if not watched:
            await server.serve(self, config, shutdown_trigger=shutdown_trigger)
            return
        async with _ended_by_changes():
            await server.serve(self, config)


@asynccontextmanager
async def _ended_by_changes() -> AsyncIterator[None]:
    """Cancel the block when a source file changes.

    The block stays in this task: a second interrupt raises SystemExit in it, which
    would not pass from another task to this one unnoticed.

    Raises:
        MustReloadError: A file has changed.
    """
    task: Any = asyncio.current_task()
    watcher = asyncio.ensure_future(observe_changes(asyncio.sleep, asyncio.Event()))
    watcher.add_done_callback(lambda done: done.cancelled() or task.cancel())
    try:
        yield
    except asyncio.CancelledError:
        if watcher.done():
            task.uncancel()
            watcher.result()
        raise
    finally:
        watcher.cancel()
        await asyncio.wait({watcher})


def _address(
    server_name: str | None, host: str | None, port: int | None
) -> tuple[str, int]:
    """Complete what was not given, from SERVER_NAME or the defaults."""
    named_host, _, named_port = (server_name or "").partition(":")
    if host is None:
        host = named_host or DEFAULT_HOST
    if port is None:
        port = int(named_port) if named_port else DEFAULT_PORT
    return host, port


def _print_banner(app: Any, url: str) -> None:
    print(f" * Serving Quart app '{app.name}'")
    print(f" * Debug mode: {'on' if app.debug else 'off'}")
    print(" * For development; use 'quart serve' in production")
    print(f" * Running on {url} (CTRL + C to quit)", flush=True)


async def _never() -> None:
    await asyncio.Event().wait()


def _bind(host: str, port: int) -> str:
    """Return the address in the server's notation."""
    if host.startswith("unix:"):
        return host
    if host.startswith("fd:"):
        return f"fd://{host[3:].lstrip('/')}"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _url(host: str, port: int, *, tls: bool) -> str:
    if host.startswith(("unix:", "fd:")):
        return host
    return f"{'https' if tls else 'http'}://{_bind(host, port)}"
