"""Limits and clocks of HTTP/2 connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .options import option

__all__ = ["HTTP2Settings"]

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, kw_only=True)
class HTTP2Settings:
    """HTTP/2; what exceeds a budget ends the connection with ENHANCE_YOUR_CALM."""

    heading: ClassVar[str] = "HTTP/2"

    http2: bool = option(
        True, "Speak HTTP/2: by ALPN on TLS, by prior knowledge in cleartext."
    )
    h2_max_concurrent_streams: int = option(
        100,
        "Requests handled at once on one connection, cancelled ones included.",
        unit="streams",
        minimum=1,
    )
    h2_max_header_list_size: int = option(
        32 * _KIB,
        "Decoded header list, 32 bytes per field included.",
        unit="bytes",
        minimum=1 * _KIB,
    )
    h2_max_header_block_size: int = option(
        64 * _KIB,
        "Header block as it is on the wire.",
        unit="bytes",
        minimum=1 * _KIB,
    )
    h2_max_continuation_frames: int = option(
        8, "CONTINUATION frames of one header block.", unit="frames", minimum=0
    )
    h2_max_inbound_frame_size: int = option(
        16 * _KIB,
        "Payload of one frame.",
        unit="bytes",
        minimum=16 * _KIB,
        maximum=2**24 - 1,
    )
    h2_initial_window_size: int = option(
        64 * _KIB - 1,
        "Body bytes a client may send ahead on one stream.",
        unit="bytes",
        minimum=1,
        maximum=2**31 - 1,
    )
    h2_connection_memory: int = option(
        1 * _MIB,
        "Memory one connection may cost: windows, heads, what waits to go.",
        unit="bytes",
        minimum=64 * _KIB,
    )
    h2_budget_window: float = option(
        10.0,
        "The time over which resets and frames are counted.",
        unit="seconds",
        minimum=0.1,
    )
    h2_max_resets: int = option(
        100,
        "Streams reset within h2_budget_window, when most brought nothing.",
        unit="resets",
        minimum=1,
    )
    h2_max_frames: int = option(
        10_000,
        "Frames other than useful DATA within h2_budget_window.",
        unit="frames",
        minimum=100,
    )
    h2_max_empty_frames: int = option(
        100,
        "Frames that carry nothing within h2_budget_window.",
        unit="frames",
        minimum=1,
    )
    h2_control_queue_size: int = option(
        1_000, "Control frames that wait to be sent.", unit="frames", minimum=10
    )
    h2_max_closed_streams: int = option(
        10, "Streams remembered after a reset.", unit="streams", minimum=0
    )
    h2_stalled_stream_timeout: float = option(
        30.0,
        "Time a stream may wait for the client's window before it is reset.",
        unit="seconds",
        minimum=0.1,
    )
    h2_preface_timeout: float = option(
        5.0,
        "Time for the client's preface and its SETTINGS.",
        unit="seconds",
        minimum=0.1,
    )
    h2_settings_timeout: float = option(
        10.0,
        "Time for acknowledging our SETTINGS.",
        unit="seconds",
        minimum=0.1,
    )
