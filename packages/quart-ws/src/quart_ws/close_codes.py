"""The codes of close frames, and what such a frame may hold (RFC 6455, 5.5 and 7.4)."""

from __future__ import annotations

from typing import Final

__all__ = (
    "INTERNAL_ERROR",
    "MAX_REASON_BYTES",
    "NORMAL",
    "SERVICE_RESTART",
    "TRY_AGAIN_LATER",
    "check_close_code",
    "check_reason",
)

NORMAL: Final = 1000
INTERNAL_ERROR: Final = 1011
SERVICE_RESTART: Final = 1012
TRY_AGAIN_LATER: Final = 1013

#: RFC 6455, 5.5: the payload of a control frame, less the code.
MAX_REASON_BYTES: Final = 123

# RFC 6455, 7.4.1: one without a meaning, one for no code, one for no close at all.
_RESERVED: Final = frozenset({1004, 1005, 1006})


def check_close_code(code: int) -> None:
    """Refuse a code that a close frame may not have.

    Raises:
        ValueError: It is one of these.
    """
    is_standard = 1000 <= code <= 1014 and code not in _RESERVED
    if not (is_standard or 3000 <= code <= 4999):
        raise ValueError(
            f"The close code {code} cannot be sent (RFC 6455, 7.4): use 1000 for a "
            "normal end, or one of the application's own from 3000 to 4999."
        )


def check_reason(reason: str) -> None:
    """Refuse a reason that fits no close frame.

    Raises:
        ValueError: It is too long.
    """
    size = len(reason.encode())
    if size > MAX_REASON_BYTES:
        raise ValueError(
            f"The reason has {size} bytes in UTF-8, a close frame takes "
            f"{MAX_REASON_BYTES} (RFC 6455, 5.5): shorten it."
        )
