"""What a server asks of the messages of a response, so that tests find it as well."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import Headers

from .responses import received_headers

__all__ = ("ResponseRules",)

# Any: ASGI messages are dictionaries of many shapes.


class ResponseRules:
    """Follows a response from its first message to its last.

    Args:
        method: Of the request.
        about: What is answered, for messages: ``GET /films``.

    Attributes:
        has_begun: Whether status and headers came.
        has_ended: Whether the last part of the body came.
        headers: Those that came.
    """

    def __init__(self, method: str, about: str) -> None:
        self.has_begun = False
        self.has_ended = False
        self.headers = Headers()
        self._method = method
        self._about = about
        self._status = 200
        self._left: int | None = None

    def begin(self, message: dict[str, Any]) -> None:
        """Take ``http.response.start``.

        Raises:
            RuntimeError: It came before.
            TypeError: The status is no code, or a header no pair of bytes.
        """
        if self.has_begun:
            raise RuntimeError(
                f"The application began its response to {self._about} twice"
            )
        status = message["status"]
        if not isinstance(status, int) or not 100 <= status <= 999:
            raise TypeError(f"The status of a response is a number, not {status!r}")
        self.headers = received_headers(message)
        self.has_begun = True
        self._status = status
        length = self.headers.get("Content-Length")
        if length is not None and length.isdecimal() and not self._has_no_body():
            self._left = int(length)

    def body(self, message: dict[str, Any]) -> bytes:
        """Take ``http.response.body`` and return the data that is sent.

        Raises:
            RuntimeError: It is not its time, or the body is not as long as its
                Content-Length says.
        """
        if not self.has_begun or self.has_ended:
            when = "after its end" if self.has_ended else "before its start"
            raise RuntimeError(
                f"The application sent a body of the response to {self._about} {when}"
            )
        data: bytes = message.get("body") or b""
        self._count(len(data), more=message.get("more_body", False))
        return b"" if self._has_no_body() else data

    def _has_no_body(self) -> bool:
        """Say whether a body is not sent, whatever the application says.

        RFC 9110, 6.4.1.
        """
        no_content = self._status in {204, 304} or self._status < 200
        return no_content or self._method == "HEAD"

    def _count(self, length: int, *, more: bool) -> None:
        if self._left is None:
            return
        self._left -= length
        if self._left < 0 or (not more and self._left > 0):
            which = "longer" if self._left < 0 else "shorter"
            raise RuntimeError(
                f"The body of the response to {self._about} is {abs(self._left)} bytes "
                f"{which} than its Content-Length says; a server would cut the "
                "connection"
            )
