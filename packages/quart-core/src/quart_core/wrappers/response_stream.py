"""`response.stream`: writing to a response like to a file (API of Flask)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .response_body import DataBody, encode_chunk

if TYPE_CHECKING:
    from .response import Response

__all__ = ("ResponseStream",)


class ResponseStream:
    """Appends what is written to a response whose body is in memory."""

    mode = "wb+"

    def __init__(self, response: Response) -> None:
        self.response = response
        self.closed = False

    def write(self, value: str | bytes) -> int:
        """Append to the body; gives the number of bytes.

        Raises:
            ValueError: The stream is closed.
            RuntimeError: The body is made while it is sent.
        """
        if self.closed:
            raise ValueError("The response's stream is closed")
        body = self.response.response
        if not isinstance(body, DataBody):
            raise RuntimeError(  # noqa: TRY004 - a wrong state, no wrong argument
                f"Nothing can be written to a response made of {type(body).__name__}: "
                "await response.make_sequence() first"
            )
        data = encode_chunk(value)
        self.response.set_data(body.ready_data() + data)
        return len(data)

    def writelines(self, values: Iterable[str | bytes]) -> None:
        """Append several pieces."""
        for value in values:
            self.write(value)

    def close(self) -> None:
        """Refuse further writing."""
        self.closed = True

    def flush(self) -> None:
        """Do nothing but check: what was written is there already.

        Raises:
            ValueError: The stream is closed.
        """
        if self.closed:
            raise ValueError("The response's stream is closed")

    def isatty(self) -> bool:
        """Tell whether a terminal reads this: never.

        Raises:
            ValueError: The stream is closed.
        """
        self.flush()
        return False

    @property
    def encoding(self) -> str:
        """How written text is encoded."""
        return "utf-8"
