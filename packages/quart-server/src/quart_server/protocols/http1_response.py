"""Responses of HTTP/1 as bytes (RFC 9112, 4 and 7; RFC 9110, 6 and 8).

`ResponseEncoder` makes heads and belongs to the worker; `ResponseBody` frames one body.
No text of the app can make a second line: every name and value is checked here, even
if the framework has checked it before (H1-15).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from .grammar import is_field_value, is_token, list_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "BodyLengthError",
    "InvalidFieldError",
    "ResponseBody",
    "ResponseEncoder",
    "encode_early_hints",
    "encode_field",
    "has_no_body",
]

# How the end of a body is known (RFC 9112, 6.3).
NO_BODY: Final = 0
LENGTH: Final = 1
CHUNKS: Final = 2
END_OF_CONNECTION: Final = 3

_WITHOUT_BODY: Final = frozenset({204, 304})

_SPECIAL: Final = frozenset({b"connection", b"content-length", b"transfer-encoding"})

# Values that differ from response to response or are secrets are not remembered.
_MEMORY_LINES: Final = 1024
_MEMORY_LINE_SIZE: Final = 128
_NOT_REMEMBERED: Final = frozenset(
    {
        b"set-cookie",
        b"etag",
        b"last-modified",
        b"location",
        b"content-range",
        b"expires",
    }
)


class InvalidFieldError(ValueError):
    """The app gave a header field whose name or value must not go on the wire."""


class BodyLengthError(RuntimeError):
    """The app sent more or less body than its Content-Length says."""


class ResponseBody:
    """The framing of one response body.

    Attributes:
        framing: How its end is known.
        remaining: Bytes to come under a length; 1 once the last chunk is out.
        must_close: Whether the connection must end after this response.
    """

    __slots__ = ("framing", "must_close", "remaining")

    def __init__(self, framing: int, remaining: int, *, must_close: bool) -> None:
        self.framing = framing
        self.remaining = remaining
        self.must_close = must_close

    def encode(self, data: bytes, *, more: bool, trailers: bool = False) -> bytes:
        """Return a piece of body in this framing.

        Args:
            data: The piece.
            more: Whether further pieces follow.
            trailers: Whether trailer fields follow the last piece.

        Raises:
            BodyLengthError: It is more than was announced.
        """
        if self.framing == CHUNKS:
            end = b"" if more or trailers else b"0\r\n\r\n"
            return b"%x\r\n%b\r\n%b" % (len(data), data, end) if data else end
        if self.framing == LENGTH:
            self.remaining -= len(data)
            if self.remaining < 0:
                raise BodyLengthError(
                    "The app sent more body than its Content-Length says"
                )
            return data
        return data if self.framing == END_OF_CONNECTION else b""

    def encode_trailers(
        self, fields: Iterable[Sequence[bytes]], *, more: bool
    ) -> bytes:
        """Return trailer fields, and the end of the body once no more follow.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """
        if self.framing != CHUNKS:
            return b""
        start = b"0\r\n" if self.remaining == 0 else b""
        self.remaining = 1  # the last chunk is out
        lines = b"".join(encode_field(name, value) for name, value in fields)
        return start + lines + (b"" if more else b"\r\n")

    @property
    def is_short(self) -> bool:
        """Whether less was sent than announced."""
        return self.framing == LENGTH and self.remaining > 0

    def fits(self, size: int) -> bool:
        """Return whether a body of this size is what was announced."""
        return self.framing != LENGTH or self.remaining == size

    @property
    def ends_with_connection(self) -> bool:
        """Whether the client takes the connection's end for the body's end."""
        return self.framing == END_OF_CONNECTION


class ResponseEncoder:
    """Makes response heads, remembering the lines it has made and checked before."""

    __slots__ = (
        "_default_block",
        "_default_end",
        "_default_fields",
        "_lines",
        "_special",
    )

    def __init__(self) -> None:
        self._lines: dict[tuple[bytes, bytes], bytes] = {}
        self._default_fields: list[tuple[bytes, bytes]] = []
        self._default_block = b""
        self._default_end = b"\r\n\r\n"
        self._special = _SPECIAL

    def set_default_fields(self, fields: Sequence[tuple[bytes, bytes]]) -> None:
        """Set the fields that responses get unless the app sets them.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """
        self._default_fields = [(name.lower(), value) for name, value in fields]
        self._default_block = b"".join(encode_field(*field) for field in fields)
        self._default_end = b"\r\n%b\r\n" % self._default_block
        names = {name for name, _ in self._default_fields}
        if not names <= self._special:
            self._special = _SPECIAL | names
            self._lines.clear()

    def encode_response(
        self,
        status: int,
        headers: Iterable[Sequence[bytes]],
        body: bytes,
        *,
        is_head: bool,
        is_http10: bool,
        keep_alive: bool,
    ) -> tuple[bytes, bool]:
        """Return a whole response, and whether the connection must end after it.

        Args:
            status: The status code.
            headers: Pairs of name and value from the app.
            body: The whole body.
            is_head: Whether the request's method is HEAD.
            is_http10: Whether the client speaks HTTP/1.0.
            keep_alive: Whether the connection may live on.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
            BodyLengthError: The body is not as long as the app's Content-Length.
        """
        lines, special = self._make_lines(status, headers)
        size = b"%d" % len(body)
        if (
            (special is None or special == [(b"content-length", size)])
            and keep_alive
            and not is_head
            and not is_http10
            and status not in _WITHOUT_BODY
        ):
            lines += (b"content-length: ", size, self._default_end, body)
            return b"".join(lines), False
        head, framing = self._finish_head(
            status,
            lines,
            special,
            is_head=is_head,
            is_http10=is_http10,
            keep_alive=keep_alive,
            body_size=len(body),
            trailers=False,
        )
        data = framing.encode(body, more=False)
        if framing.is_short:
            raise BodyLengthError("The app sent less body than its Content-Length says")
        return head + data, framing.must_close

    def encode_head(
        self,
        status: int,
        headers: Iterable[Sequence[bytes]],
        *,
        is_head: bool,
        is_http10: bool,
        keep_alive: bool,
        body_size: int | None = None,
        trailers: bool = False,
    ) -> tuple[bytes, ResponseBody]:
        """Return a head, empty line included, and the framing of the body to come.

        Args:
            status: The status code.
            headers: Pairs of name and value from the app.
            is_head: Whether the request's method is HEAD.
            is_http10: Whether the client speaks HTTP/1.0.
            keep_alive: Whether the connection may live on.
            body_size: The size of the body where it is known.
            trailers: Whether trailer fields will follow the body.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """
        lines, special = self._make_lines(status, headers)
        return self._finish_head(
            status,
            lines,
            special,
            is_head=is_head,
            is_http10=is_http10,
            keep_alive=keep_alive,
            body_size=body_size,
            trailers=trailers,
        )

    def _make_lines(
        self, status: int, headers: Iterable[Sequence[bytes]]
    ) -> tuple[list[bytes], list[tuple[bytes, bytes]] | None]:
        """Return the lines of a head, and the fields that decide something."""
        lines = [_STATUS_LINES.get(status) or _status_line(status)]
        special: list[tuple[bytes, bytes]] | None = None
        known = self._lines
        for name, value in headers:
            line = known.get((name, value))
            if line is None:
                # A length is checked where it is compared with the body's.
                if name != b"content-length":
                    line = self._make_line(name, value)
                if line is None:
                    if special is None:
                        special = []
                    special.append((name.lower(), value))
                    continue
            lines.append(line)
        return lines, special

    def _make_line(self, name: bytes, value: bytes) -> bytes | None:
        """Return a field as a checked line, None for one that decides something."""
        line = encode_field(name, value)
        lower = name.lower()
        if lower in self._special:
            return None
        if len(line) <= _MEMORY_LINE_SIZE and lower not in _NOT_REMEMBERED:
            if len(self._lines) >= _MEMORY_LINES:
                self._lines.clear()
            self._lines[name, value] = line
        return line

    def _finish_head(
        self,
        status: int,
        lines: list[bytes],
        special: list[tuple[bytes, bytes]] | None,
        *,
        is_head: bool,
        is_http10: bool,
        keep_alive: bool,
        body_size: int | None,
        trailers: bool,
    ) -> tuple[bytes, ResponseBody]:
        length: int | None = None
        connection: bytes | None = None
        own: set[bytes] | None = None
        for name, value in special or ():
            if name == b"content-length":
                length = _read_length(value, length)
            elif name == b"connection":
                connection = value if connection is None else connection + b", " + value
            elif name != b"transfer-encoding":  # which coding it is, is our affair
                lines.append(encode_field(name, value))
                own = {name} if own is None else own | {name}
        size = body_size if length is None else length
        if is_head or status in _WITHOUT_BODY:
            # An empty body may be one that the app left out, of whatever length.
            known = length if status == 304 or not body_size else size
            body = _frame_none(status, known, lines)
        else:
            body = _frame(None if trailers else size, lines, is_http10=is_http10)
        if connection is not None and b"close" in list_tokens(connection):
            body.must_close = True
        body.must_close |= not keep_alive
        _append_connection(lines, connection, body.must_close, is_http10)
        if own is None:
            lines.append(self._default_block)
        else:
            lines += [encode_field(*f) for f in self._default_fields if f[0] not in own]
        lines.append(b"\r\n")
        return b"".join(lines), body


def has_no_body(status: int, *, is_head: bool) -> bool:
    """Return whether a response has no body whatever its fields say (RFC 9112, 6.3)."""
    return is_head or status in _WITHOUT_BODY


def encode_field(name: bytes, value: bytes) -> bytes:
    """Return a checked field line.

    Raises:
        InvalidFieldError: Name or value must not go on the wire.
    """
    if type(name) is not bytes or type(value) is not bytes:
        raise InvalidFieldError(
            f"Header field {name!r}: {value!r}, expected two bytes objects"
        )
    if not is_token(name):
        raise InvalidFieldError(
            f"Header field name {name!r}, expected a token (RFC 9110, 5.6.2)"
        )
    if not is_field_value(value):
        raise InvalidFieldError(
            f"The value of the header field {name!r} has a control character"
        )
    return b"%b: %b\r\n" % (name, value)


def encode_early_hints(links: Iterable[bytes]) -> bytes:
    """Return a 103 response (RFC 8297).

    Raises:
        InvalidFieldError: A link must not go on the wire.
    """
    lines = b"".join(encode_field(b"link", link) for link in links)
    return b"HTTP/1.1 103 Early Hints\r\n%b\r\n" % lines


def _frame_none(status: int, size: int | None, lines: list[bytes]) -> ResponseBody:
    """Frame a response that has no body whatever its fields say."""
    # RFC 9110, 8.6: no Content-Length on 204; on HEAD and 304 that of the GET.
    if size is not None and status != 204:
        lines.append(b"content-length: %d\r\n" % size)
    return ResponseBody(NO_BODY, 0, must_close=False)


def _frame(size: int | None, lines: list[bytes], *, is_http10: bool) -> ResponseBody:
    """Choose how the end of the body is known and add the field that says so."""
    if size is not None:
        lines.append(b"content-length: %d\r\n" % size)
        return ResponseBody(LENGTH, size, must_close=False)
    if is_http10:
        return ResponseBody(END_OF_CONNECTION, 0, must_close=True)
    lines.append(b"transfer-encoding: chunked\r\n")
    return ResponseBody(CHUNKS, 0, must_close=False)


def _append_connection(
    lines: list[bytes], asked: bytes | None, must_close: bool, is_http10: bool
) -> None:
    if must_close:
        lines.append(b"connection: close\r\n")
    elif asked is not None and asked.lower() != b"keep-alive":
        lines.append(encode_field(b"connection", asked))
    elif is_http10:
        lines.append(b"connection: keep-alive\r\n")


def _read_length(value: bytes, other: int | None) -> int:
    if not value.isdigit() or len(value) > 20:
        raise InvalidFieldError(f"Content-Length {value!r}, expected a number of bytes")
    length = int(value)
    if other is not None and other != length:
        raise InvalidFieldError("Two Content-Length fields that differ")
    return length


def _status_line(status: int) -> bytes:
    # RFC 9112, 4: the space after the code stands even without a phrase.
    return b"HTTP/1.1 %d \r\n" % status


_STATUS_LINES: Final = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode("ascii"))
    for status in HTTPStatus
}
