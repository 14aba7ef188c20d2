"""One HTTP/1 connection, server side, without I/O (RFC 9112).

See README.md in this folder for the cycle and its states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .chunked import ChunkedDecoder
from .errors import HTTP2PrefaceError, ProtocolError
from .readers.gate import HeadScanner
from .request import CHUNKED

if TYPE_CHECKING:
    from .limits import HTTP1Limits
    from .readers import Reader
    from .request import RequestHead

__all__ = ["BODY", "CLOSED", "DONE", "HEAD", "HTTP1Connection"]

# What is being read; plain numbers, compared several times for each request.
HEAD: Final = 0
BODY: Final = 1
DONE: Final = 2
CLOSED: Final = 3

_CR: Final = 0x0D
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_PREFACE_HEAD: Final = b"PRI * HTTP/2.0\r\n\r\n"


class HTTP1Connection:
    """The reading side of one connection.

    Attributes:
        state: What is being read: `HEAD`, `BODY`, `DONE` or `CLOSED`.
        is_fresh: Whether no request has been read yet.
        received_eof: Whether the client sends no more.
        body_remaining: Bytes of the body still to come, `CHUNKED` when not known.
    """

    __slots__ = (
        "_buffer",
        "_chunks",
        "_empty_lines",
        "_limits",
        "_position",
        "_reader",
        "_scanner",
        "body_remaining",
        "is_fresh",
        "received_eof",
        "state",
    )

    def __init__(self, reader: Reader, limits: HTTP1Limits) -> None:
        self._reader = reader
        self._limits = limits
        self._buffer: bytes | bytearray = b""
        self._position = 0
        self._scanner: HeadScanner | None = None
        self._empty_lines = 0
        self._chunks: ChunkedDecoder | None = None
        self.state = HEAD
        self.is_fresh = True
        self.received_eof = False
        self.body_remaining = 0

    # Reading

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the client; they are dropped after the end."""
        if self.state == CLOSED:
            return
        if not self._buffer:
            self._buffer = data
        elif isinstance(self._buffer, bytearray):
            if self._position:
                del self._buffer[: self._position]
                self._position = 0
            self._buffer += data
        else:
            buffer = bytearray(memoryview(self._buffer)[self._position :])
            buffer += data
            self._buffer = buffer
            self._position = 0

    def receive_eof(self) -> None:
        """The client sends no more."""
        self.received_eof = True

    @property
    def buffered(self) -> int:
        """Bytes received and not yet read."""
        return len(self._buffer) - self._position

    @property
    def body_complete(self) -> bool:
        """Whether the body of the current request has been read to its end."""
        return self.state == DONE

    def next_request(self) -> RequestHead | None:
        """Return the next request's head, None when more bytes are needed.

        Raises:
            HTTP2PrefaceError: The connection speaks HTTP/2; `unread()` has its bytes.
            ProtocolError: There is something that must not be served.
        """
        if self.state != HEAD or not self._buffer:
            return None
        try:
            return self._read_request()
        except HTTP2PrefaceError:
            self.state = CLOSED
            raise
        except ProtocolError:
            self.close()
            raise

    def read_body(self) -> bytes:
        """Return what there is of the body; `body_complete` says if that was all.

        Raises:
            ProtocolError: The chunks are malformed, or the client stopped in between.
        """
        if self.state != BODY:
            return b""
        try:
            if self._chunks is not None:
                return self._read_chunks(self._chunks)
            return self._read_length()
        except ProtocolError:
            self.close()
            raise

    def next_cycle(self) -> None:
        """Go on to the next request; the body must have been read to its end."""
        if self.state == DONE:
            self.state = HEAD

    def close(self) -> None:
        """Read nothing any more, drop what has been received."""
        self.state = CLOSED
        self._buffer = b""
        self._position = 0
        self._chunks = self._scanner = None

    def unread(self) -> bytes:
        """Take all bytes that have not been read, for another protocol."""
        rest = bytes(self._buffer[self._position :])
        self.close()
        return rest

    # Private

    def _read_request(self) -> RequestHead | None:
        if self._buffer[self._position] == _CR and self._scanner is None:
            self._skip_empty_lines()
        buffer, position = self._buffer, self._position
        end = -1 if self._scanner else buffer.find(b"\r\n\r\n", position)
        if end < 0 or end - position > self._limits.harmless:
            # Incomplete, or long enough to exceed a limit: look at every line.
            length = self._scan()
            if length is None:
                return None
            end = position + length - 4
        stop = end + 4
        block = bytes(buffer[position:stop])
        if self.is_fresh and block == _PREFACE_HEAD:
            self._read_preface()
            return None
        try:
            head = self._reader.read_head(block)
        except ProtocolError:
            # The first broken rule counts: a limit may come before this one.
            HeadScanner(self._limits).scan(block)
            raise
        self._scanner = None
        self._empty_lines = 0
        self.is_fresh = False
        if stop == len(buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = stop
        if head.body_length:
            self._begin_body(head)
        else:
            self.state = DONE
        return head

    def _skip_empty_lines(self) -> None:
        """Skip empty lines before the request line (RFC 9112, 2.2)."""
        buffer, position = self._buffer, self._position
        while buffer[position : position + 2] == b"\r\n":
            position += 2
            self._empty_lines += 1
            if self._empty_lines > self._limits.empty_lines:
                raise ProtocolError("empty lines instead of a request")
        self._consume(position)

    def _scan(self) -> int | None:
        if not self._buffer or self._buffer[self._position :] == b"\r":
            return None
        if self._scanner is None:
            self._scanner = HeadScanner(self._limits)
        if self._position:
            self._buffer = self._buffer[self._position :]
            self._position = 0
        return self._scanner.scan(self._buffer)

    def _read_preface(self) -> None:
        """Raise once the whole preface is there; None while it may still come."""
        start = bytes(self._buffer[self._position : self._position + len(_PREFACE)])
        if start == _PREFACE:
            raise HTTP2PrefaceError
        if not _PREFACE.startswith(start):
            raise ProtocolError("a broken HTTP/2 preface", 505)

    def _consume(self, position: int) -> None:
        if position >= len(self._buffer):
            self._buffer = b""
            self._position = 0
        else:
            self._position = position

    def _begin_body(self, head: RequestHead) -> None:
        self.body_remaining = head.body_length
        self.state = BODY
        if head.body_length == CHUNKED:
            self._chunks = ChunkedDecoder(self._limits)

    def _read_length(self) -> bytes:
        buffer, position = self._buffer, self._position
        available = len(buffer) - position
        taken = min(available, self.body_remaining)
        if position == 0 and taken == available:
            data = bytes(buffer)
        else:
            data = bytes(buffer[position : position + taken])
        self.body_remaining -= taken
        self._consume(position + taken)
        if self.body_remaining == 0:
            self.state = DONE
        elif self.received_eof:
            raise ProtocolError("the client stopped before the end of the body")
        return data

    def _read_chunks(self, chunks: ChunkedDecoder) -> bytes:
        data, position = chunks.decode(self._buffer, self._position)
        self._consume(position)
        if chunks.done:
            self._chunks = None
            self.state = DONE
            self.body_remaining = 0
        elif self.received_eof:
            raise ProtocolError("the client stopped before the last chunk")
        return data
