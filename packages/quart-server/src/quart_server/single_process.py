"""The server as a single process: no supervisor, one event loop."""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from .config import ConfigError
from .ending import exit_after
from .loops import loop_factory
from .signals import ServerSignals
from .tls import renew_certificate
from .watchdog import LoopWatch, Watchdog
from .worker import serve_listeners

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from .asgi import ASGIApp
    from .binds import Listener
    from .config import Config

__all__ = ["SECONDS_FOR_THREADS", "renewer", "run_single_process"]

_log = logging.getLogger("quart_server.error")

# Threads of the application may never return; the process ends all the same.
SECONDS_FOR_THREADS = 2.0


def run_single_process(
    app: ASGIApp,
    config: Config,
    listeners: Sequence[Listener],
    ssl_context: ssl.SSLContext | None,
    on_ready: Callable[[], None],
) -> int:
    """Serve until a signal ends it; return the exit code.

    Must be called from the main thread.

    Raises:
        LifespanError: The app's start-up or shutdown failed.
    """
    with ExitStack() as stack:
        factory = loop_factory(config)
        runner = stack.enter_context(asyncio.Runner(loop_factory=factory))
        code = runner.run(_serve(app, config, listeners, ssl_context, on_ready))
        # The runner waits for threads without an end.
        timer = exit_after(SECONDS_FOR_THREADS, code)
    timer.cancel()
    return code


async def _serve(
    app: ASGIApp,
    config: Config,
    listeners: Sequence[Listener],
    ssl_context: ssl.SSLContext | None,
    on_ready: Callable[[], None],
) -> int:
    loop = asyncio.get_running_loop()
    stop, force = asyncio.Event(), asyncio.Event()
    signals = ServerSignals(loop, stop, force, renewer(ssl_context, config))
    watchdog = Watchdog(LoopWatch(loop, config.loop_lag_warning))
    if config.loop_lag_warning:
        watchdog.start()
    try:
        with signals.handled():
            await serve_listeners(
                app,
                config,
                listeners,
                shutdown_event=stop,
                force_event=force,
                ssl_context=ssl_context,
                ready=lambda _context: on_ready(),
            )
    finally:
        watchdog.stop()
    return signals.exit_code


def renewer(ssl_context: ssl.SSLContext | None, config: Config) -> Callable[[], None]:
    """Return a function that reads the certificates again and logs the outcome."""

    def renew() -> None:
        if ssl_context is None:
            _log.info(
                "There is no certificate to read again; to reload the app, run "
                "with supervisor = 'on' or several workers"
            )
            return
        try:
            renew_certificate(ssl_context, config)
        except ConfigError as error:
            _log.error("The certificate is not renewed: %s", error)
        else:
            _log.info("The certificate is renewed")

    return renew
