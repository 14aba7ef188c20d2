"""What can go wrong on the wire, and which status answers it.

ProtocolError
+-- HTTP2PrefaceError: not a mistake, the client speaks HTTP/2 by prior knowledge
"""

from __future__ import annotations

from http import HTTPStatus

__all__ = ["HTTP2PrefaceError", "ProtocolError"]


class ProtocolError(Exception):
    """The peer broke the protocol or a limit; the connection ends after the answer.

    The text is for logs. It never holds bytes of the peer, and is never sent to it.

    Attributes:
        status: The status of the answer.
        fields: Header fields of the answer that tell the client what to do instead.
    """

    def __init__(
        self,
        message: str,
        status: int = 400,
        fields: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.fields = fields

    @property
    def phrase(self) -> str:
        """The standard reason phrase of the status."""
        return HTTPStatus(self.status).phrase


class HTTP2PrefaceError(ProtocolError):
    """The bytes received are the preface of HTTP/2 (RFC 9113, 3.4)."""

    def __init__(self) -> None:
        super().__init__("HTTP/2 preface", 505)
