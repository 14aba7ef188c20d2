"""Connections of proxies that begin with a PROXY header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.proxy_protocol import ProxyHeader, read_proxy_header

from .connection import Connection
from .http1 import HTTP1Transport

if TYPE_CHECKING:
    import asyncio

    from quart_server.context import WorkerContext

__all__ = ["ProxyProtocolTransport"]


class ProxyProtocolTransport(Connection):
    """Reads the PROXY header, then lets HTTP/1 have the connection.

    Peers that are not trusted have no such header: what they send is HTTP, and a
    PROXY line in it is an error there.
    """

    __slots__ = ("_buffer",)

    def __init__(self, context: WorkerContext) -> None:
        super().__init__(context)
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the header if the peer is a trusted proxy."""
        super().connection_made(transport)
        proxies = self.context.proxies
        if proxies is None or not proxies.trusts_peer(self.client):
            self.hand_over(HTTP1Transport(self.context))
            return
        timeout = self.context.config.first_byte_timeout
        self.deadline = self.context.clock.now + timeout

    def data_received(self, data: bytes) -> None:
        """Read on until the header is complete."""
        self._buffer += data
        try:
            header = read_proxy_header(self._buffer)
        except ProtocolError:
            # The specification, section 2: a connection without it is dropped.
            self.abort()
            return
        if header is not None:
            self._take_over(header)

    def shut_down(self) -> None:
        """Close: no request has begun."""
        self.close()

    def _take_over(self, header: ProxyHeader) -> None:
        successor = HTTP1Transport(self.context)
        unread = self._buffer[header.size :]
        self.hand_over(successor)
        if header.source is not None:
            successor.client = header.source
            successor.server = header.destination
        if unread:
            successor.data_received(unread)
