"""Readers of request heads: one interface, one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .reference import ReferenceReader
from .strict import StrictReader

try:
    from .httptools import HttptoolsReader
except ModuleNotFoundError as error:
    if error.name != "httptools":
        raise
    HttptoolsReader = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from quart_server.protocols.limits import HTTP1Limits
    from quart_server.protocols.request import RequestHead

__all__ = [
    "HttptoolsReader",
    "Reader",
    "ReferenceReader",
    "StrictReader",
    "make_reader",
]


class Reader(Protocol):
    """Reads complete heads. One reader serves all connections of a worker."""

    name: str

    def read_head(self, block: bytes) -> RequestHead:
        """Return the head whose lines stand in a block that ends with an empty line.

        Raises:
            ProtocolError: The request must not be served.
        """
        ...


def make_reader(choice: str, limits: HTTP1Limits) -> Reader:
    """Return the reader for the setting `http`.

    Raises:
        ModuleNotFoundError: httptools is wanted and not installed.
    """
    if choice == "httptools":
        if HttptoolsReader is None:
            raise ModuleNotFoundError(
                "http = 'httptools' needs httptools, which is not installed: run "
                "'pip install quart-server[fast]', or use http = 'auto'",
                name="httptools",
            )
        return HttptoolsReader(limits)
    # The strict reader is h11's front; it is the fastest of the three as well.
    return StrictReader(limits)
