"""The reference reader: the gate, h11, our policy. Its verdict is the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.policy import make_head

from .gate import split_head

if TYPE_CHECKING:
    from quart_server.protocols.limits import HTTP1Limits
    from quart_server.protocols.request import RequestHead

__all__ = ["ReferenceReader"]


class ReferenceReader:
    """Reads heads with h11."""

    name = "h11"

    def __init__(self, limits: HTTP1Limits) -> None:
        self._limits = limits

    def read_head(self, block: bytes) -> RequestHead:
        """Return the head whose lines stand in a block that ends with an empty line.

        Raises:
            ProtocolError: The request must not be served.
        """
        lines = split_head(block[:-4])
        if len(lines) - 1 > self._limits.fields:
            raise ProtocolError("more header fields than the limit", 431)
        request = self._parse(block)
        # h11 merges equal lengths and takes lists of them; we take one (H1-05).
        _check_lengths(lines)
        headers = [(name, value) for name, value in request.headers]
        return make_head(request.method, request.target, request.http_version, headers)

    def _parse(self, block: bytes) -> h11.Request:
        connection = h11.Connection(
            h11.SERVER, max_incomplete_event_size=len(block) + 1
        )
        try:
            connection.receive_data(block)
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise ProtocolError(
                "h11 refuses the head", error.error_status_hint
            ) from None
        if not isinstance(event, h11.Request):
            raise ProtocolError("h11 finds no request")
        return event


def _check_lengths(lines: list[bytes]) -> None:
    values = [
        line.partition(b":")[2].strip(b" \t")
        for line in lines
        if line[:15].lower() == b"content-length:"
    ]
    if len(values) > 1:
        raise ProtocolError("more than one Content-Length")
    if values and not values[0].isdigit():
        raise ProtocolError("a Content-Length that is no number")
