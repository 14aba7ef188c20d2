"""The httptools reader: llhttp reads, what it read is checked, h11 has the last word.

llhttp is lenient in places (spaces around the target, folded lines, its own list of
methods), so the gate stands in front of it too and the request line is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httptools

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.grammar import is_field_value, is_token
from quart_server.protocols.policy import make_head

from .gate import split_head
from .reference import ReferenceReader

if TYPE_CHECKING:
    from quart_server.protocols.limits import HTTP1Limits
    from quart_server.protocols.request import RequestHead

__all__ = ["HttptoolsReader"]


class HttptoolsReader:
    """Reads heads with httptools and has the reference for all others."""

    name = "httptools"

    def __init__(self, limits: HTTP1Limits) -> None:
        self._limits = limits
        self.reference = ReferenceReader(limits)

    def read_head(self, block: bytes) -> RequestHead:
        """Return the head whose lines stand in a block that ends with an empty line.

        Raises:
            ProtocolError: The request must not be served.
        """
        return self.read_plain(block) or self.reference.read_head(block)

    def read_plain(self, block: bytes) -> RequestHead | None:
        """Return the head if llhttp and our policy agree on it, else None."""
        try:
            lines = split_head(block[:-4])
            if len(lines) - 1 > self._limits.fields:
                return None
            return self._read(block, lines[0])
        except ProtocolError:
            return None

    def _read(self, block: bytes, request_line: bytes) -> RequestHead | None:
        callbacks = _Callbacks()
        parser = httptools.HttpRequestParser(callbacks)
        try:
            parser.feed_data(block)
        except httptools.HttpParserUpgrade:
            pass  # the head is complete, which is all we want
        except httptools.HttpParserError:
            return None
        method, target = parser.get_method(), callbacks.target
        version = parser.get_http_version().encode("ascii")
        if request_line != b"%b %b HTTP/%b" % (method, target, version):
            return None
        headers = callbacks.headers
        for name, value in headers:
            if not is_token(name) or not is_field_value(value):
                return None
            if name == b"transfer-encoding" and value != b"chunked":
                return None
        return make_head(method, target, version, headers)


class _Callbacks:
    __slots__ = ("headers", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip(b" \t")))
