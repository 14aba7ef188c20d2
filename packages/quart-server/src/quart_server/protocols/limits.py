"""The limits of one HTTP/1 connection, as plain numbers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart_server.config import Config

__all__ = ["HTTP1Limits"]

_KIB = 1024


@dataclass(frozen=True, slots=True)
class HTTP1Limits:
    """Sizes in bytes; the defaults are those of `Config`."""

    request_line: int = 8 * _KIB
    field: int = 8 * _KIB
    head: int = 32 * _KIB
    fields: int = 100
    chunk_extensions: int = 1 * _KIB
    # Sizes and line ends of chunks may cost this much more than the chunks hold:
    # many tiny chunks burn processor time, and no client needs them.
    chunk_overhead: int = 64 * _KIB
    # Empty lines skipped before a request line (RFC 9112, 2.2 asks for one).
    empty_lines: int = 8

    # Heads up to this size exceed no limit but that of their number of fields.
    harmless: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        smallest = min(self.request_line, self.field, self.head)
        object.__setattr__(self, "harmless", smallest)

    @classmethod
    def from_config(cls, config: Config) -> HTTP1Limits:
        """Return the limits that the server's configuration sets."""
        return cls(
            request_line=config.max_request_line_size,
            field=config.max_field_size,
            head=config.max_head_size,
            fields=config.max_header_count,
            chunk_extensions=config.max_chunk_extension_size,
        )
