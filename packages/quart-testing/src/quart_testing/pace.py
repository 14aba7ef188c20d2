"""How fast and how far a client sends and reads, where a test wants it to matter."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ("Pace", "current_pace")


@dataclass(frozen=True)
class Pace:
    """What a test may change about the way a client sends and reads.

    Attributes:
        chunk_size: Bytes in each message of the request's body; one message if None.
        disconnect_after: Bytes of the response after which the client leaves.
        disconnect_after_sending: Bytes of the request after which the client leaves.
        read_delay: Seconds before each reading, as of a slow client.
        receive_window: Bytes unread before the application's sending waits.
        timeout: Seconds that each step waits for the application.
    """

    chunk_size: int | None = None
    disconnect_after: int | None = None
    disconnect_after_sending: int | None = None
    read_delay: float = 0
    receive_window: int | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.chunk_size is not None and self.chunk_size < 1:
            raise ValueError(f"chunk_size={self.chunk_size!r} must be 1 or more")
        for name in ("disconnect_after", "disconnect_after_sending", "read_delay"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name}={value!r} must be 0 or more")

    def chunks(self, body: bytes) -> Iterator[bytes]:
        """Yield the parts of a body that are sent."""
        if self.disconnect_after_sending is not None:
            body = body[: self.disconnect_after_sending]
        size = self.chunk_size or len(body) or 1
        for start in range(0, len(body), size):
            yield body[start : start + size]


_STEADY = Pace()

#: The pace of the request that is being made. Beside the arguments, as extensions
#: override ``_make_request`` with exactly those that it has.
current_pace: ContextVar[Pace] = ContextVar("quart_testing.pace", default=_STEADY)
