"""What a WebSocket connection tells besides its messages."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Closed", "Event", "Failed", "Ping", "Pong"]


class Ping:
    """The client asks for a pong with the same payload."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class Pong:
    """The client answers a ping, or says that it is there."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class Closed:
    """The client's close frame; it sends nothing after it.

    Attributes:
        code: The close code, 1005 for a frame without one.
        reason: The reason, up to 123 bytes of UTF-8.
    """

    __slots__ = ("code", "reason")

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


class Failed:
    """The client broke the protocol or a limit (RFC 6455, 7.1.7).

    Attributes:
        code: The close code that says so.
        reason: What it did, for close frame and log; it quotes nothing received.
    """

    __slots__ = ("code", "reason")

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason


Event: TypeAlias = str | bytes | Ping | Pong | Closed | Failed
