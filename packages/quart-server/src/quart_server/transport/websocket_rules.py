"""What all WebSockets of one worker share: limits, policies, turns at shutdown."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.websocket_extensions import DeflatePolicy, agree_on_deflate
from quart_server.protocols.websocket_limits import WebsocketLimits
from quart_server.protocols.websocket_origin import OriginPolicy

if TYPE_CHECKING:
    from quart_server.asgi import Scope
    from quart_server.config import Config
    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead
    from quart_server.protocols.websocket_extensions import Deflate
    from quart_server.protocols.websocket_handshake import Handshake

    from .connection import Address

__all__ = ["LEAVE_TIME", "WebsocketRules", "check_admission", "websocket_rules"]

# Once a client is told that the server stops, it and the app have this long.
LEAVE_TIME: Final = 3.0


class WebsocketRules:
    """The settings of WebSockets in the form in which sockets use them.

    Attributes:
        limits: What clients may send.
        origins: Whose pages may connect.
        queue_messages: Messages held for an app before reading pauses.
        queue_size: Bytes held for an app before reading pauses.
        ping_interval: Seconds of silence before a ping, None for no pings.
        ping_timeout: Seconds for its answer.
        close_timeout: Seconds for the answer to a close frame.
        linger_timeout: Seconds for the client to end after a failure.
    """

    __slots__ = (
        "_deflate",
        "_drain_interval",
        "_latest_turn",
        "_turns",
        "close_timeout",
        "limits",
        "linger_timeout",
        "origins",
        "ping_interval",
        "ping_timeout",
        "queue_messages",
        "queue_size",
    )

    def __init__(self, config: Config) -> None:
        self.limits = WebsocketLimits.from_config(config)
        self.origins = OriginPolicy(config.websocket_allowed_origins)
        self.queue_messages = config.websocket_queue_messages
        self.queue_size = config.websocket_queue_size
        self.ping_interval = config.websocket_ping_interval
        self.ping_timeout = config.websocket_ping_timeout
        self.close_timeout = config.websocket_close_timeout
        self.linger_timeout = config.drain_timeout
        self._deflate: DeflatePolicy | None = None
        if config.websocket_compression:
            self._deflate = DeflatePolicy(
                max_window_bits=config.websocket_max_window_bits,
                context_takeover=config.websocket_context_takeover,
            )
        rate = config.websocket_drain_rate
        self._drain_interval = 0.0 if rate is None else 1.0 / rate
        # All are told before the graceful time is over, whatever the rate.
        self._latest_turn = max(0.0, config.graceful_timeout - LEAVE_TIME - 1.0)
        self._turns = 0

    def agree_on_deflate(self, handshake: Handshake) -> Deflate | None:
        """Return what to agree to of the compression offered."""
        if self._deflate is None or not handshake.offers:
            return None
        return agree_on_deflate(handshake.offers, self._deflate)

    def next_turn(self) -> float:
        """Return in how many seconds the next socket is told that the server stops."""
        if not self._drain_interval:
            return 0.0
        turn = (self._turns + random.random()) * self._drain_interval  # noqa: S311
        self._turns += 1
        return min(turn, self._latest_turn)


def websocket_rules(context: WorkerContext) -> WebsocketRules:
    """Return the rules of a worker; its first WebSocket has them made."""
    if context.websockets is None:
        context.websockets = WebsocketRules(context.config)
    return context.websockets


def check_admission(
    context: WorkerContext, client: Address | None, head: RequestHead
) -> None:
    """Check that a well-formed handshake may reach the app.

    Args:
        context: What all connections of the worker share.
        client: The peer's address.
        head: The request.

    Raises:
        ProtocolError: Its Origin is foreign, or the worker takes no more.
    """
    headers = head.headers
    if context.proxies is not None:
        # The Host to compare with is the one that a trusted proxy tells.
        scope: Scope = {"type": "websocket", "client": client, "headers": headers}
        scope.update(scheme="ws", path=head.path, raw_path=head.raw_path)
        context.proxies.apply(scope)
        headers = scope["headers"]
    if not websocket_rules(context).origins.allows(headers):
        raise ProtocolError("a WebSocket from a foreign Origin", 403)
    limit = context.config.limit_concurrency
    if context.is_stopping or (limit is not None and len(context.exchanges) >= limit):
        raise ProtocolError("a WebSocket over a limit", 503)
