"""Serves listening sockets in this process until it is told to stop, then drains."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from .config import ConfigError
from .context import WorkerContext
from .control import IDLE_SECONDS
from .lifespan import Lifespan
from .transport.acceptor import Acceptor
from .transport.alpn import TLSTransport
from .transport.http1 import HTTP1Transport
from .transport.proxy_protocol import ProxyProtocolTransport
from .transport.upgrades import load_http2, load_websockets

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from .asgi import ASGIApp
    from .binds import Listener
    from .config import Config
    from .transport.connection import Connection

__all__ = ["serve_listeners"]

_log = logging.getLogger("quart_server.error")

# What was cancelled gets this long to clean up.
_CANCEL_TIMEOUT = 1.0
# From accept() to connection_made() other loops' servers take some turns.
_TURNS_TO_CONNECT = 4
# After this the clients that waited for the start have been served.
_QUIET_SECONDS = 0.5
# Connections in their handshake are known to nobody yet.
_HANDSHAKE_SECONDS = 0.2


async def serve_listeners(
    app: ASGIApp,
    config: Config,
    listeners: Sequence[Listener],
    *,
    shutdown_event: asyncio.Event,
    force_event: asyncio.Event | None = None,
    ssl_context: ssl.SSLContext | None = None,
    ready: Callable[[WorkerContext], None] | None = None,
    on_request_limit: Callable[[], None] | None = None,
    idle_seconds: Callable[[], float] = lambda: IDLE_SECONDS,
) -> int:
    """Serve an app on listening sockets until the shutdown event is set.

    Args:
        app: The ASGI app.
        config: The server's settings.
        listeners: The sockets, closed in the end.
        shutdown_event: Set to stop: no new connections, requests in flight end within
            `graceful_timeout`.
        force_event: Set to stop waiting for them.
        ssl_context: For the listeners that speak TLS.
        ready: Called once connections are accepted.
        on_request_limit: Called when `limit_max_requests` are served; without it that
            sets the shutdown event.
        idle_seconds: Asked, when it is set, how long connections without a request are
            kept for a last one.

    Returns:
        How many requests were cut because the graceful timeout was over.

    Raises:
        LifespanError: The app's start-up or shutdown failed.
    """
    lifespan = Lifespan(app, config)
    try:
        await lifespan.start()
    except BaseException:
        _close(listeners)
        raise
    context = WorkerContext(app, config, lifespan_state=lifespan.state)
    acceptors: list[Acceptor] = []
    servers: list[asyncio.Server] = []
    preloading: asyncio.TimerHandle | None = None
    try:
        for listener in listeners:
            acceptor = _make_acceptor(context, listener, ssl_context)
            acceptors.append(acceptor)
            if config.max_connections is not None or _is_asyncio(context.loop):
                acceptor.start()
            else:
                servers.append(await _listen(context, acceptor))
        if config.limit_max_requests is not None:
            _limit_requests(context, on_request_limit or shutdown_event.set)
        if ready is not None:
            ready(context)
        preloading = context.loop.call_later(_QUIET_SECONDS, load_websockets)
        await _either(shutdown_event, force_event)
    finally:
        if preloading is not None:
            preloading.cancel()
        for acceptor in acceptors:
            acceptor.close()
        for server in servers:
            server.close()
        _close(listeners)
        await _settle(acceptors, servers, is_tls=ssl_context is not None)
        cut = await _drain(context, force_event, idle_seconds())
        context.clock.stop()
        await lifespan.stop()
    return cut


def _close(listeners: Sequence[Listener]) -> None:
    for listener in listeners:
        listener.close()


def _make_acceptor(
    context: WorkerContext, listener: Listener, ssl_context: ssl.SSLContext | None
) -> Acceptor:
    config = context.config
    if listener.tls and config.proxy_protocol:
        raise ConfigError(
            "proxy_protocol",
            "proxy_protocol is on and an address speaks TLS; the PROXY header is read "
            "on cleartext addresses only: let the proxy speak TLS with the clients",
        )
    ssl_context = ssl_context if listener.tls else None
    factory: Callable[[WorkerContext], Connection] = HTTP1Transport
    if config.proxy_protocol:
        factory = ProxyProtocolTransport
    elif ssl_context is not None:
        factory = TLSTransport
        if config.http2 and "h2" in config.alpn_protocols:
            load_http2()  # nearly all clients will choose it
    return Acceptor(
        context,
        listener.sock,
        lambda: factory(context),
        maximum=config.max_connections,
        ssl_context=ssl_context,
    )


async def _listen(context: WorkerContext, acceptor: Acceptor) -> asyncio.Server:
    """Let the loop accept, which it does faster; the acceptor takes the last ones."""
    config, ssl_context = context.config, acceptor.ssl_context
    return await context.loop.create_server(
        acceptor.factory,
        sock=acceptor.sock,
        backlog=config.backlog,
        ssl=ssl_context,
        ssl_handshake_timeout=config.ssl_handshake_timeout if ssl_context else None,
    )


def _is_asyncio(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a loop's own server is worse than ours, which needs readers."""
    return isinstance(loop, asyncio.SelectorEventLoop)


def _limit_requests(context: WorkerContext, callback: Callable[[], None]) -> None:
    config = context.config
    extra = random.randint(0, config.limit_max_requests_jitter)  # noqa: S311
    limit = config.limit_max_requests
    context.set_request_limit(None if limit is None else limit + extra)
    context.on_request_limit = callback


async def _either(first: asyncio.Event, second: asyncio.Event | None) -> None:
    """Wait until one of two events is set."""
    if second is None:
        await first.wait()
        return
    tasks = {asyncio.ensure_future(event.wait()) for event in (first, second)}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _settle(
    acceptors: Sequence[Acceptor], servers: Sequence[asyncio.Server], *, is_tls: bool
) -> None:
    """Let connections that are accepted become ones that the context knows."""
    for acceptor in acceptors:
        await acceptor.settle(_HANDSHAKE_SECONDS)
    if not servers:
        return
    for _ in range(_TURNS_TO_CONNECT):
        await asyncio.sleep(0)
    if is_tls:
        await asyncio.sleep(_HANDSHAKE_SECONDS)


async def _drain(
    context: WorkerContext, force_event: asyncio.Event | None, idle_seconds: float
) -> int:
    """Let what is in flight end; return how many requests had to be cut."""
    idle = asyncio.Event()
    context.stop(idle.set, idle_seconds)
    timeout = context.config.graceful_timeout
    try:
        async with asyncio.timeout(timeout):
            await _either(idle, force_event)
    except TimeoutError:
        pass
    if idle.is_set():
        return 0
    cut = context.abort()
    try:
        async with asyncio.timeout(_CANCEL_TIMEOUT):
            await idle.wait()
    except TimeoutError:
        _log.error("%d requests did not end when cancelled", len(context.exchanges))
    if cut:
        _log.warning("%d requests were cut by the shutdown", cut)
    return cut
