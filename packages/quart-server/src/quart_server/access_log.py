"""One line per request, when it is really over: served or refused."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .config import Config
    from .protocols.errors import ProtocolError
    from .protocols.request import RequestHead
    from .transport.connection import Connection
    from .transport.exchange import Exchange
    from .transport.websocket_session import WebsocketSession

__all__ = ["AccessLog"]

_logger = logging.getLogger("quart_server.access")

# A line stays a line, whatever a client puts into its path.
_MAX_TARGET: Final = 1024


class AccessLog:
    """Writes to the logger `quart_server.access`, as text or JSON."""

    __slots__ = ("_is_json",)

    def __init__(self, *, is_json: bool) -> None:
        self._is_json = is_json

    @classmethod
    def from_config(cls, config: Config) -> AccessLog | None:
        """Return the log that a configuration asks for, None for none."""
        if not config.access_log:
            return None
        return cls(is_json=config.access_log_format == "json")

    def write_exchange(self, exchange: Exchange | WebsocketSession) -> None:
        """Write the line of a request that an app has answered, or not.

        That of a WebSocket has the status of its handshake and its whole duration.
        """
        if not _logger.isEnabledFor(logging.INFO):
            return
        head = exchange.head
        seconds = exchange.context.loop.time() - exchange.started_at
        size = 0 if head.method == "HEAD" else exchange.bytes_sent
        client = exchange.scope.get("client")
        self._write(
            client=client,
            head=head,
            status=exchange.status,
            size=size,
            seconds=seconds,
            outcome=exchange.outcome,
        )

    def write_refused(
        self,
        connection: Connection,
        error: ProtocolError,
        head: RequestHead | None = None,
    ) -> None:
        """Write the line of a request that no app has seen."""
        if _logger.isEnabledFor(logging.INFO):
            outcome = "timeout" if error.status == 408 else "refused"
            self._write(
                client=connection.client,
                head=head,
                status=error.status,
                size=0,
                seconds=0.0,
                outcome=outcome,
                reason=str(error),
            )

    def _write(
        self,
        *,
        client: tuple[str, int | None] | None,
        head: RequestHead | None,
        status: int,
        size: int,
        seconds: float,
        outcome: str,
        reason: str | None = None,
    ) -> None:
        address = client[0] if client else "-"
        method = head.method if head else "-"
        target = _target(head) if head else "-"
        version = head.http_version if head else "-"
        if self._is_json:
            fields: dict[str, object] = {
                "client": address,
                "method": method,
                "target": target,
                "http_version": version,
                "status": status,
                "bytes": size,
                "duration_ms": round(seconds * 1000, 3),
                "outcome": outcome,
            }
            if reason is not None:
                fields["reason"] = reason
            _logger.info("%s", json.dumps(fields))
            return
        _logger.info(
            '%s "%s %s HTTP/%s" %d %d %.1fms %s%s',
            escape(address),
            method,
            target,
            version,
            status,
            size,
            seconds * 1000,
            outcome,
            f" ({reason})" if reason else "",
        )


def escape(text: str) -> str:
    """Return a text in which control and non-ASCII characters are escapes."""
    text = text.encode("ascii", "backslashreplace").decode("ascii")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _target(head: RequestHead) -> str:
    target = head.raw_path
    if head.query_string:
        target += b"?" + head.query_string
    text = target[:_MAX_TARGET].decode("latin-1")
    return escape(text).replace('"', "%22")
