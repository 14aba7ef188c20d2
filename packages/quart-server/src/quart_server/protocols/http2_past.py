"""What is remembered of streams that are over: little, and bounded (H2-12).

Most streams end by END_STREAM on both sides, and nothing is kept about them: what is
below the highest id, not open and not listed here has ended that way. Only resets are
listed, since frames that crossed them may still come, and ids that were skipped.
"""

from __future__ import annotations

from typing import Final

__all__ = ["BY_CLIENT", "BY_SERVER", "ENDED", "FORGOTTEN", "SKIPPED", "PastStreams"]

ENDED: Final = 0
BY_CLIENT: Final = 1
BY_SERVER: Final = 2
SKIPPED: Final = 3
FORGOTTEN: Final = 4

_MAX_GAPS: Final = 10


class PastStreams:
    """Tells how a stream ended."""

    __slots__ = ("_forgotten", "_gaps", "_limit", "_resets")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._resets: dict[int, int] = {}
        self._gaps: list[range] | None = None
        # Streams up to this id may have been reset without our knowing it any more.
        self._forgotten = 0

    def add_reset(self, stream_id: int, how: int) -> None:
        """Remember a reset: `BY_CLIENT` or `BY_SERVER`."""
        self._resets[stream_id] = how
        while len(self._resets) > self._limit:
            oldest = next(iter(self._resets))
            del self._resets[oldest]
            self._forgotten = max(self._forgotten, oldest)

    def add_gap(self, first: int, after: int) -> None:
        """Remember ids that will never be used (RFC 9113, 5.1.1)."""
        self._gaps = [*(self._gaps or ()), range(first, after)][-_MAX_GAPS:]

    def fate(self, stream_id: int) -> int:
        """Return how a stream ended that is neither open nor idle."""
        how = self._resets.get(stream_id)
        if how is not None:
            return how
        if any(stream_id in gap for gap in self._gaps or ()):
            return SKIPPED
        return FORGOTTEN if stream_id <= self._forgotten else ENDED
