"""What can go wrong in HTTP/2, and how far it reaches (RFC 9113, 5.4).

HTTP2Error
+-- ConnectionFailed: GOAWAY, all streams end
+-- StreamFailed: RST_STREAM, the neighbours notice nothing

A request that is well-formed but not served (a header list over the limit, a body that
is too large) is neither: it gets a response.
"""

from __future__ import annotations

from typing import Final

from h2.errors import ErrorCodes

__all__ = ["ConnectionFailed", "ErrorCodes", "HTTP2Error", "StreamFailed"]

# Sent in the first GOAWAY of a graceful shutdown (RFC 9113, 6.8).
HIGHEST_STREAM_ID: Final = 2**31 - 1


class HTTP2Error(Exception):
    """The peer broke the protocol or a limit; the text is for logs only.

    Attributes:
        code: The error code that is sent.
    """

    def __init__(self, code: ErrorCodes, message: str) -> None:
        super().__init__(message)
        self.code = code


class ConnectionFailed(HTTP2Error):  # noqa: N818  # what happened, not only an error
    """The connection cannot go on."""


class StreamFailed(HTTP2Error):  # noqa: N818
    """One stream is reset.

    Attributes:
        stream_id: The stream.
    """

    def __init__(self, stream_id: int, code: ErrorCodes, message: str) -> None:
        super().__init__(code, message)
        self.stream_id = stream_id
