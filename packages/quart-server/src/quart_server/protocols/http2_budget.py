"""What a client may make us do for nothing (THREATS of floods and resets).

Work that brings something raises the budget: whoever downloads fast sends many
WINDOW_UPDATE frames, whoever makes many requests cancels some of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .http2_errors import ConnectionFailed, ErrorCodes

if TYPE_CHECKING:
    from .http2_limits import HTTP2Limits

__all__ = ["Budget"]

# Control frames that a served request pays for, and bytes of DATA that pay for one.
_FRAMES_PER_RESPONSE: Final = 4
_BYTES_PER_FRAME: Final = 2048


class Budget:
    """Counts over windows of `budget_seconds`.

    Attributes:
        responses: Responses completed in this window; the sender counts them.
        bytes_sent: Bytes of DATA sent in this window; the sender counts them.
    """

    __slots__ = (
        "_empty",
        "_end",
        "_frames",
        "_limits",
        "_refused",
        "_resets",
        "bytes_sent",
        "responses",
    )

    def __init__(self, limits: HTTP2Limits) -> None:
        self._limits = limits
        self._end = 0.0
        self._frames = self._empty = self._resets = self._refused = 0
        self.responses = 0
        self.bytes_sent = 0

    def tick(self, now: float) -> None:
        """Begin a new window when the old one is over."""
        if now >= self._end:
            self._end = now + self._limits.budget_seconds
            self._frames = self._empty = self._resets = self._refused = 0
            self.responses = self.bytes_sent = 0

    def count_frame(self) -> None:
        """Count a frame that carries neither a request nor a body.

        Raises:
            ConnectionFailed: It was one too many.
        """
        self._frames += 1
        limit = self._limits.frames
        if self._frames <= limit:
            return
        earned = self.responses * _FRAMES_PER_RESPONSE
        earned += self.bytes_sent // _BYTES_PER_FRAME
        if self._frames > limit + earned:
            raise _calm("more frames without use than a client needs")

    def count_empty(self) -> None:
        """Count a frame that carries nothing.

        Raises:
            ConnectionFailed: It was one too many.
        """
        self._empty += 1
        if self._empty > self._limits.empty_frames:
            raise _calm("empty frames")

    def count_reset(self) -> None:
        """Count a stream reset by the client or because of what it sent.

        Raises:
            ConnectionFailed: It was one too many, and most brought nothing.
        """
        self._resets += 1
        if self._resets > self._limits.resets and self._resets > self.responses:
            raise _calm("streams opened only to be reset")

    def count_refused(self) -> None:
        """Count a request for which the work of earlier ones leaves no room.

        Most of that work is for streams that are over: a client whose streams are open
        knows their limit.

        Raises:
            ConnectionFailed: It was one too many, and more than were served.
        """
        self._refused += 1
        if self._refused > self._limits.resets and self._refused > self.responses:
            raise _calm("requests on top of those that are given up")


def _calm(message: str) -> ConnectionFailed:
    return ConnectionFailed(ErrorCodes.ENHANCE_YOUR_CALM, message)
