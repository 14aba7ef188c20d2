"""What a request head must be beyond its grammar, and what it asks of the server.

The one place that decides about framing: which body follows and whether the
connection lives on (RFC 9112, 6 and 9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .errors import ProtocolError
from .grammar import HOST, list_tokens
from .request import CHUNKED, RequestHead, decode_path
from .target import read_target

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SPECIAL_FIELDS", "apply_fields", "check_host", "make_head"]

# More digits than any length has (H1-02).
_MAX_LENGTH_DIGITS: Final = 20

# Fields that mean something to the server itself.
SPECIAL_FIELDS: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)


def make_head(
    method: bytes, target: bytes, version: bytes, headers: list[tuple[bytes, bytes]]
) -> RequestHead:
    """Return the checked head of a request whose grammar has been checked.

    Args:
        method: The method as sent.
        target: The request target.
        version: Like `b"1.1"`.
        headers: Pairs of lower-case names and values, one for each field line.

    Raises:
        ProtocolError: The request must not be served.
    """
    if version[:1] != b"1":
        raise ProtocolError("a version other than HTTP/1", 505)
    http_version = "1.0" if version == b"1.0" else "1.1"
    raw_path, query, authority = read_target(method, target)
    _apply_host(headers, authority, http_version)
    head = RequestHead(
        method.decode("ascii").upper(),
        decode_path(raw_path),
        raw_path,
        query,
        http_version,
        headers,
    )
    apply_fields(head)
    return head


def check_host(value: bytes) -> None:
    """Check the value of Host (RFC 9110, 7.2).

    Raises:
        ProtocolError: It is no host with an optional port.
    """
    if HOST.fullmatch(value) is None:
        raise ProtocolError("a Host that is none")


def _apply_host(
    headers: list[tuple[bytes, bytes]], authority: bytes | None, http_version: str
) -> None:
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1:
        raise ProtocolError("more than one Host")
    if not hosts and http_version == "1.1":
        raise ProtocolError("no Host")
    for value in hosts:
        check_host(value)
    if authority is None:
        return
    # RFC 9112, 3.2.2 has the target win; a difference is an attempt at confusion.
    if hosts and hosts[0].lower() != authority.lower():
        raise ProtocolError("a Host other than that of the target")
    if not hosts:
        headers.insert(0, (b"host", authority))


def apply_fields(head: RequestHead) -> None:
    """Set framing, keep-alive and the like from the fields of a head.

    Raises:
        ProtocolError: The fields contradict each other or ask for the impossible.
    """
    length: bytes | None = None
    coding: bytes | None = None
    connection: list[bytes] = []
    upgrade: list[bytes] = []
    for name, value in head.headers:
        if name not in SPECIAL_FIELDS or name == b"host":
            continue
        if name == b"content-length":
            if length is not None:
                raise ProtocolError("more than one Content-Length")
            length = value
        elif name == b"transfer-encoding":
            if coding is not None:
                raise ProtocolError("more than one Transfer-Encoding")
            coding = value
        elif name == b"connection":
            connection += list_tokens(value)
        elif name == b"upgrade":
            upgrade += list_tokens(value)
        elif name == b"te":
            head.accepts_trailers |= b"trailers" in list_tokens(value)
        else:
            _apply_expect(head, value)
    _apply_framing(head, length, coding)
    _apply_connection(head, connection, upgrade)


def _apply_expect(head: RequestHead, value: bytes) -> None:
    if value.lower() != b"100-continue":
        # RFC 9110, 10.1.1
        raise ProtocolError("an expectation other than 100-continue", 417)
    head.expects_continue = head.http_version != "1.0"


def _apply_framing(
    head: RequestHead, length: bytes | None, coding: bytes | None
) -> None:
    """Decide the length of the body (RFC 9112, 6.3), strictly."""
    if coding is not None:
        if length is not None:
            raise ProtocolError("both Content-Length and Transfer-Encoding")
        if head.http_version == "1.0":
            raise ProtocolError("Transfer-Encoding in HTTP/1.0")
        if coding.lower() != b"chunked":
            raise ProtocolError("a transfer coding other than chunked", 501)
        head.body_length = CHUNKED
    elif length is not None:
        if not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS:
            raise ProtocolError("a Content-Length that is no number")
        head.body_length = int(length)
    if head.body_length == 0:
        head.expects_continue = False


def _apply_connection(
    head: RequestHead, connection: Iterable[bytes], upgrade: list[bytes]
) -> None:
    """Decide whether the connection lives on (RFC 9112, 9.3)."""
    options = frozenset(connection)
    if b"close" in options:
        head.keep_alive = False
    elif head.http_version == "1.0":
        head.keep_alive = b"keep-alive" in options
    # RFC 9110, 7.8: ignored in HTTP/1.0 and unless named in Connection.
    if b"upgrade" in options and head.http_version != "1.0":
        head.upgrade = b", ".join(upgrade)
