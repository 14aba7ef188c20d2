"""`serve`: the server within a running event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import ExitStack, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .binds import bind_all
from .config import Config
from .development import with_development_certificate
from .signals import ServerSignals
from .single_process import renewer
from .tls import make_ssl_context
from .worker import serve_listeners

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractContextManager

    from .asgi import ASGIApp
    from .binds import Listener

__all__ = ["serve"]

_log = logging.getLogger("quart_server.error")


async def serve(
    app: ASGIApp,
    config: Config | None = None,
    *,
    shutdown_trigger: Callable[[], Awaitable[object]] | None = None,
    ready: Callable[[Sequence[Listener]], None] | None = None,
    **settings: object,
) -> int:
    """Serve an app in this event loop until it is told to stop.

    Loggers are left as they are: configure `quart_server.error` and
    `quart_server.access` to see anything below warnings.

    Args:
        app: The ASGI app.
        config: The server's settings; those of processes do not apply.
        shutdown_trigger: Serving ends when what it returns has been awaited. Without
            it SIGINT and SIGTERM end it (in the main thread), a second one at once.
        ready: Called with the listeners once connections are accepted.
        settings: Settings by name, over those of the config.

    Returns:
        How many requests were cut because the graceful timeout was over.

    Raises:
        ConfigError: A setting is unknown, bad, or does not fit the others.
        BindError: An address cannot be listened on.
        LifespanError: The app's start-up or shutdown failed.
        SystemExit: A second signal ended it (130 or 143).
    """
    config = (config or Config()).replace(**settings)
    stop, force = asyncio.Event(), asyncio.Event()
    with ExitStack() as stack:
        if config.https:
            folder = stack.enter_context(TemporaryDirectory(prefix="quart-server-"))
            config = with_development_certificate(config, Path(folder))
        ssl_context = make_ssl_context(config) if config.ssl_enabled else None
        listeners = bind_all(config)
        for listener in listeners:
            stack.callback(listener.remove)
        serving = serve_listeners(
            app,
            config,
            listeners,
            shutdown_event=stop,
            force_event=force,
            ssl_context=ssl_context,
            ready=lambda _context: _announce(listeners, ready),
        )
        if shutdown_trigger is None:
            return await _until_signal(serving, config, stop, force, ssl_context)
        return await _until_trigger(serving, shutdown_trigger, stop)


def _announce(
    listeners: Sequence[Listener], ready: Callable[[Sequence[Listener]], None] | None
) -> None:
    for listener in listeners:
        _log.info("Serving on %s", listener.url)
    if ready is not None:
        ready(listeners)


async def _until_signal(
    serving: Awaitable[int],
    config: Config,
    stop: asyncio.Event,
    force: asyncio.Event,
    ssl_context: ssl.SSLContext | None,
) -> int:
    loop = asyncio.get_running_loop()
    signals = ServerSignals(loop, stop, force, renewer(ssl_context, config))
    is_main = threading.current_thread() is threading.main_thread()
    handled: AbstractContextManager[None] = (
        signals.handled() if is_main else nullcontext()
    )
    with handled:
        cut = await serving
    if signals.exit_code:
        raise SystemExit(signals.exit_code)
    return cut


async def _until_trigger(
    serving: Awaitable[int],
    shutdown_trigger: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
) -> int:
    """Serve until the trigger returns; its exception is raised after the drain."""

    async def wait() -> None:
        try:
            await shutdown_trigger()
        finally:
            stop.set()

    trigger = asyncio.ensure_future(wait())
    try:
        cut = await serving
    finally:
        trigger.cancel()
        await asyncio.wait({trigger})
    if not trigger.cancelled():
        trigger.result()
    return cut
