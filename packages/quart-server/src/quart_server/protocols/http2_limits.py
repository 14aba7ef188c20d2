"""The limits of one HTTP/2 connection, as plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quart_server.config import Config

__all__ = ["HTTP2Limits"]

_KIB = 1024
_MIB = 1024 * _KIB


@dataclass(frozen=True, slots=True)
class HTTP2Limits:
    """Sizes in bytes, times in seconds; the defaults are those of `Config`."""

    streams: int = 100
    header_list: int = 32 * _KIB
    header_block: int = 64 * _KIB
    continuations: int = 8
    fields: int = 100
    field: int = 8 * _KIB
    path: int = 8 * _KIB
    frame: int = 16 * _KIB
    window: int = 64 * _KIB - 1
    memory: int = 1 * _MIB
    budget_seconds: float = 10.0
    resets: int = 100
    frames: int = 10_000
    empty_frames: int = 100
    control_queue: int = 1_000
    closed_streams: int = 10
    body: int | None = None
    stream_buffer: int = 64 * _KIB
    # Lists beyond a limit are read on, so that the request can be answered and the
    # compression state stays right; but no further than this many times the limit.
    hard_factor: int = 4
    # Pushed streams of one request.
    pushes: int = 16

    @property
    def receive_window(self) -> int:
        """What the client may send ahead on all streams together."""
        return max(64 * _KIB - 1, self.memory // 2)

    @property
    def head_memory(self) -> int:
        """What the heads of all open requests may cost."""
        return self.memory // 4

    @property
    def queue_memory(self) -> int:
        """What may wait for the client's windows on all streams together."""
        return self.memory // 4

    @classmethod
    def from_config(cls, config: Config) -> HTTP2Limits:
        """Return the limits that the server's configuration sets."""
        return cls(
            streams=config.h2_max_concurrent_streams,
            header_list=config.h2_max_header_list_size,
            header_block=config.h2_max_header_block_size,
            continuations=config.h2_max_continuation_frames,
            fields=config.max_header_count,
            field=config.max_field_size,
            path=config.max_request_line_size,
            frame=config.h2_max_inbound_frame_size,
            window=config.h2_initial_window_size,
            memory=config.h2_connection_memory,
            budget_seconds=config.h2_budget_window,
            resets=config.h2_max_resets,
            frames=config.h2_max_frames,
            empty_frames=config.h2_max_empty_frames,
            control_queue=config.h2_control_queue_size,
            closed_streams=config.h2_max_closed_streams,
            body=config.max_body_size,
            stream_buffer=config.write_buffer_size,
        )
