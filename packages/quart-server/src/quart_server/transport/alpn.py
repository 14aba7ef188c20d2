"""TLS connections, whose client has chosen the protocol in the handshake (RFC 7301)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .connection import Connection
from .http1 import HTTP1Transport
from .upgrades import make_http2

if TYPE_CHECKING:
    import asyncio

__all__ = ["TLSTransport"]


class TLSTransport(Connection):
    """Lets the protocol that ALPN has agreed on have the connection."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand over at once: the handshake is done."""
        super().connection_made(transport)
        ssl_object = transport.get_extra_info("ssl_object")
        if ssl_object is not None and ssl_object.selected_alpn_protocol() == "h2":
            self.hand_over(make_http2(self.context))
        else:
            self.hand_over(HTTP1Transport(self.context))

    def shut_down(self) -> None:
        """Close: no request has begun."""
        self.close()
