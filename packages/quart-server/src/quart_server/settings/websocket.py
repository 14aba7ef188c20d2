"""Limits and clocks of WebSockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .options import option

__all__ = ["WebsocketSettings"]

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, kw_only=True)
class WebsocketSettings:
    """WebSockets, over HTTP/1.1 and HTTP/2."""

    heading: ClassVar[str] = "WebSocket"

    websocket_max_message_size: int = option(
        1 * _MIB,
        "One message, inflated; larger ones close the socket with 1009.",
        unit="bytes",
        minimum=1,
    )
    websocket_max_frame_size: int = option(
        1 * _MIB,
        "One frame's payload; larger ones close the socket with 1009.",
        unit="bytes",
        minimum=125,
    )
    websocket_max_fragments: int = option(
        1_024,
        "Frames of one message; more close the socket with 1009.",
        unit="frames",
        minimum=1,
    )
    websocket_compression: bool = option(True, "Agree to permessage-deflate.")
    websocket_context_takeover: bool = option(
        True,
        "Compress with what earlier messages had in common; off, an idle socket "
        "holds no compression windows.",
    )
    websocket_max_window_bits: int = option(
        12,
        "The largest compression window, as a power of two.",
        unit="bits",
        minimum=9,
        maximum=15,
    )
    websocket_max_inflate_ratio: int = option(
        25,
        "How many times its wire size a message over 128 KiB may inflate to.",
        unit="times",
        minimum=1,
    )
    websocket_queue_messages: int = option(
        16,
        "Messages held for the app; then reading pauses.",
        unit="messages",
        minimum=1,
    )
    websocket_queue_size: int = option(
        1 * _MIB,
        "Message bytes held for the app; then reading pauses.",
        unit="bytes",
        minimum=1 * _KIB,
    )
    websocket_ping_interval: float | None = option(
        20.0,
        "Time of silence after which the client is pinged.",
        unit="seconds",
        minimum=0.1,
    )
    websocket_ping_timeout: float = option(
        20.0, "Time a client has to answer a ping.", unit="seconds", minimum=0.1
    )
    websocket_close_timeout: float = option(
        5.0, "Time a client has to answer a close.", unit="seconds", minimum=0
    )
    websocket_drain_rate: float | None = option(
        None,
        "Sockets told to go per second when the server stops, so that their clients "
        "do not come back together; none tells all at once.",
        unit="sockets",
        minimum=0.1,
    )
    websocket_allowed_origins: tuple[str, ...] = option(
        ("same-origin",),
        "Origins whose pages may connect: same-origin, "
        "scheme://host[:port], or * for all. Clients without Origin always may.",
    )
