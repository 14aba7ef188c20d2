"""`serve` and `run`: the server in one process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from typing import TYPE_CHECKING

from .binds import bind_all
from .config import Config
from .loops import loop_factory
from .tls import make_ssl_context
from .worker import serve_listeners

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from .asgi import ASGIApp
    from .binds import Listener

__all__ = ["run", "serve"]

_log = logging.getLogger("quart_server.error")


async def serve(
    app: ASGIApp,
    config: Config | None = None,
    *,
    shutdown_trigger: Callable[[], Awaitable[object]] | None = None,
    ready: Callable[[Sequence[Listener]], None] | None = None,
) -> None:
    """Serve an app in this event loop until it is told to stop.

    Args:
        app: The ASGI app.
        config: The server's settings; those of processes do not apply.
        shutdown_trigger: Serving ends when what it returns has been awaited. Without
            it SIGINT and SIGTERM end it, and a second one ends it at once.
        ready: Called with the listeners once connections are accepted.

    Raises:
        BindError: An address cannot be listened on.
        LifespanError: The app's start-up or shutdown failed.
    """
    config = config or Config()
    stop, force = asyncio.Event(), asyncio.Event()
    if shutdown_trigger is None:
        with _signals(stop, force):
            await _serve(app, config, stop, force, ready)
        return
    trigger = asyncio.ensure_future(_await_trigger(shutdown_trigger, stop))
    try:
        await _serve(app, config, stop, force, ready)
    finally:
        trigger.cancel()
        await asyncio.wait({trigger})
    if not trigger.cancelled():
        trigger.result()


async def _serve(
    app: ASGIApp,
    config: Config,
    stop: asyncio.Event,
    force: asyncio.Event,
    ready: Callable[[Sequence[Listener]], None] | None,
) -> None:
    ssl_context = make_ssl_context(config) if config.ssl_enabled else None
    listeners = bind_all(config)

    def announce(_: object) -> None:
        for listener in listeners:
            _log.info("Listening on %s", listener.url)
        if ready is not None:
            ready(listeners)

    try:
        await serve_listeners(
            app,
            config,
            listeners,
            shutdown_event=stop,
            force_event=force,
            ssl_context=ssl_context,
            ready=announce,
        )
    finally:
        for listener in listeners:
            listener.remove()


async def _await_trigger(
    shutdown_trigger: Callable[[], Awaitable[object]], stop: asyncio.Event
) -> None:
    try:
        await shutdown_trigger()
    finally:
        stop.set()


@contextlib.contextmanager
def _signals(stop: asyncio.Event, force: asyncio.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM set the events, the first one `stop`, a second `force`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def on_signal(number: int, _: object) -> None:
        event = force if stop.is_set() else stop
        received.append(number)
        loop.call_soon_threadsafe(event.set)

    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    earlier = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if force.is_set():
        raise SystemExit(128 + received[-1])


def run(app: ASGIApp, config: Config | None = None) -> None:
    """Serve an app in a new event loop, in this process, until a signal ends it.

    Raises:
        BindError: An address cannot be listened on.
        LifespanError: The app's start-up or shutdown failed.
        SystemExit: A second signal ended it at once (130 or 143).
    """
    config = config or Config()
    with asyncio.Runner(loop_factory=loop_factory(config)) as runner:
        runner.run(serve(app, config))
