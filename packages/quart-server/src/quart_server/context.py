"""What all connections of one worker share."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from .access_log import AccessLog
from .protocols.http1_response import ResponseEncoder
from .protocols.limits import HTTP1Limits
from .protocols.readers import Reader, make_reader
from .proxies import TrustedProxies
from .transport.clock import Clock
from .transport.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from .asgi import ASGIApp
    from .config import Config
    from .transport.connection import Connection
    from .transport.http2_rules import HTTP2Rules
    from .transport.websocket_rules import WebsocketRules
    from .transport.websocket_session import WebsocketSession

__all__ = ["ShutdownEvent", "WorkerContext"]

_log = logging.getLogger("quart_server.error")

# Between two looks at the event streams of a worker that is stopping.
_END_STREAMS_SECONDS: Final = 1.0


class ShutdownEvent:
    """Set when the server begins to stop: `scope["extensions"]["quart.shutdown"]`.

    Streams and sockets await it to end by themselves within the graceful timeout.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def is_set(self) -> bool:
        """Return whether the server is stopping."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when the server begins to stop."""
        await self._event.wait()

    def set(self) -> None:
        """Tell everybody who waits (the server calls this)."""
        self._event.set()


class WorkerContext:
    """The app, the configuration and the connections of one worker.

    Attributes:
        app: The ASGI app.
        config: The server's settings.
        loop: The running event loop.
        base_context: The context variables that each request starts from.
        clock: Deadlines and the current time.
        connections: All open connections.
        idle_seconds: How long a connection may be idle once the worker is stopping.
        exchanges: Requests and WebSockets whose app is still running.
        lifespan_state: What the app put into the lifespan scope's `state`, copied for
            each request; None where the app has no lifespan.
        shutdown: The event that scopes carry.
        extensions: ASGI extensions of HTTP/1 scopes, copied for each request.
        access_log: None when switched off.
        on_room: Called when a connection has gone.
        proxies: The trusted ones in front of this server, None for none.
        request_count: Requests begun by this worker.
        on_request_limit: Called once when `limit_max_requests` is reached.
        websockets: What WebSockets share, from the first one on.
        http2: What HTTP/2 connections share, from the first one on.
        default_fields: What the server adds to each response, names in lower case.
    """

    __slots__ = (
        "_request_limit",
        "access_log",
        "app",
        "base_context",
        "clock",
        "config",
        "connections",
        "default_fields",
        "encoder",
        "exchanges",
        "extensions",
        "http2",
        "idle_seconds",
        "is_stopping",
        "lifespan_state",
        "limits",
        "loop",
        "on_idle",
        "on_request_limit",
        "on_room",
        "proxies",
        "reader",
        "request_count",
        "root_path",
        "shutdown",
        "websockets",
    )

    def __init__(
        self,
        app: ASGIApp,
        config: Config,
        *,
        shutdown: ShutdownEvent | None = None,
        lifespan_state: dict[str, Any] | None = None,  # the app's own values
    ) -> None:
        self.app = app
        self.config = config
        self.loop = asyncio.get_running_loop()
        self.base_context = contextvars.copy_context()
        self.connections: set[Connection] = set()
        self.exchanges: set[Exchange | WebsocketSession] = set()
        self.websockets: WebsocketRules | None = None
        self.http2: HTTP2Rules | None = None
        self.default_fields: list[tuple[bytes, bytes]] = []
        self.lifespan_state = lifespan_state
        self.shutdown = shutdown or ShutdownEvent()
        self.limits = HTTP1Limits.from_config(config)
        self.reader: Reader = make_reader(config.http, self.limits)
        self.encoder = ResponseEncoder()
        self.access_log = AccessLog.from_config(config)
        self.extensions: dict[str, Any] = _extensions(self.shutdown)
        self.is_stopping = False
        self.idle_seconds = 0.0
        self.on_idle: Callable[[], None] | None = None
        self.proxies = TrustedProxies.from_config(config)
        self.root_path = config.root_path.rstrip("/")
        self.on_room: list[Callable[[], None]] = []
        self.request_count = 0
        self.on_request_limit: Callable[[], None] | None = None
        self._request_limit = -1
        self.clock = Clock(self.loop, self.connections, self.refresh_default_fields)
        self.refresh_default_fields()

    def refresh_default_fields(self) -> None:
        """Renew the fields the server adds to each response; the clock calls this."""
        fields: list[tuple[bytes, bytes]] = []
        if self.config.date_header:
            fields.append((b"date", formatdate(usegmt=True).encode()))
        if self.config.server_header:
            fields.append((b"server", b"quart-server"))
        for name, value in self.config.headers:
            fields.append((name.encode("ascii"), value.encode("latin-1")))
        self.encoder.set_default_fields(fields)
        self.default_fields = [(name.lower(), value) for name, value in fields]
        if self.http2 is not None:
            self.http2.fields.set_default_fields(self.default_fields)

    # Connections

    def add_connection(self, connection: Connection) -> None:
        """Let a new connection be seen by the clock and by the shutdown."""
        self.connections.add(connection)
        self.clock.start()

    def remove_connection(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self.connections.discard(connection)
        for callback in self.on_room:
            callback()
        if self.is_stopping:
            self._report_idle()

    def remove_exchange(self, exchange: Exchange | WebsocketSession) -> None:
        """Forget an exchange whose app has ended."""
        self.exchanges.discard(exchange)
        if self.is_stopping:
            self._report_idle()

    def count_request(self) -> None:
        """Count a request and say so when the worker has served its share."""
        self.request_count += 1
        if self.request_count == self._request_limit and self.on_request_limit:
            self.on_request_limit()

    def set_request_limit(self, limit: int | None) -> None:
        """Set the count at which `on_request_limit` is called."""
        self._request_limit = -1 if limit is None else limit

    def stop(self, on_idle: Callable[[], None], idle_seconds: float = 0.0) -> None:
        """Tell all connections to end; `on_idle` is called when the last one has.

        Connections close after the requests in flight. Idle ones may bring a last
        request for some time: it may be on its way already.
        """
        self.is_stopping = True
        self.idle_seconds = idle_seconds
        self.on_idle = on_idle
        self.shutdown.set()
        self.loop.call_later(self.config.event_stream_timeout, self._end_streams)
        for connection in tuple(self.connections):
            try:
                connection.shut_down()
            except Exception:  # noqa: BLE001  # whatever it is, it is logged
                _log.exception("A connection failed at shutdown, closing it")
                connection.abort()
        self._report_idle()

    def abort(self) -> int:
        """Cut all connections and cancel what runs; return how many apps ran."""
        running = tuple(self.exchanges)
        for connection in tuple(self.connections):
            connection.abort()
        for exchange in running:
            exchange.cancel()
        return len(running)

    def _end_streams(self) -> None:
        """End event streams, now and then: one may have begun just before the stop."""
        for exchange in tuple(self.exchanges):
            if isinstance(exchange, Exchange):
                exchange.end_stream()
        if self.on_idle is not None:
            self.loop.call_later(_END_STREAMS_SECONDS, self._end_streams)

    def _report_idle(self) -> None:
        if self.on_idle is not None and not self.connections and not self.exchanges:
            on_idle, self.on_idle = self.on_idle, None
            on_idle()


def _extensions(shutdown: ShutdownEvent) -> dict[str, Any]:  # ASGI's free form
    return {
        "http.response.early_hint": {},
        "http.response.pathsend": {},
        "http.response.trailers": {},
        "quart.response.filesend": {},
        "quart.shutdown": {"event": shutdown},
    }
