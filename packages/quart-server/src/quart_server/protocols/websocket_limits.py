"""The limits of one WebSocket, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart_server.config import Config

__all__ = ["WebsocketLimits"]

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WebsocketLimits:
    """Sizes in bytes; the defaults are those of `Config`."""

    message: int = 1 * _MIB
    frame: int = 1 * _MIB
    fragments: int = 1_024
    inflate_ratio: int = 25

    @classmethod
    def from_config(cls, config: Config) -> WebsocketLimits:
        """Return the limits that the server's configuration sets."""
        return cls(
            message=config.websocket_max_message_size,
            frame=config.websocket_max_frame_size,
            fragments=config.websocket_max_fragments,
            inflate_ratio=config.websocket_max_inflate_ratio,
        )
