"""The head of one request, the same for every version of HTTP."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

__all__ = ["CHUNKED", "RequestHead", "decode_path"]

CHUNKED: Final = -1


class RequestHead:
    """A request's method, target and header fields, checked and ready for a scope.

    Attributes:
        method: The method in upper case.
        path: The path, percent-decoded as UTF-8.
        raw_path: The path as sent, without the query.
        query_string: What stands behind the first `?`, as sent.
        http_version: `"1.0"`, `"1.1"` or `"2"`.
        headers: Pairs of lower-case names and values, in the order received.
        body_length: Bytes of body to come, 0 for none, `CHUNKED` when not known.
        keep_alive: Whether the client lets the connection live on.
        expects_continue: Whether it waits for `100 Continue` before the body.
        accepts_trailers: Whether it said `TE: trailers`.
        upgrade: The protocols it would like instead, lower case, as one value.
    """

    __slots__ = (
        "accepts_trailers",
        "body_length",
        "expects_continue",
        "headers",
        "http_version",
        "keep_alive",
        "method",
        "path",
        "query_string",
        "raw_path",
        "upgrade",
    )

    def __init__(  # made for each request, keywords cost
        self,
        method: str,
        path: str,
        raw_path: bytes,
        query_string: bytes,
        http_version: str,
        headers: list[tuple[bytes, bytes]],
    ) -> None:
        self.method = method
        self.path = path
        self.raw_path = raw_path
        self.query_string = query_string
        self.http_version = http_version
        self.headers = headers
        self.body_length = 0
        self.keep_alive = True
        self.expects_continue = False
        self.accepts_trailers = False
        self.upgrade = b""


def decode_path(raw_path: bytes) -> str:
    """Return the scope's `path` of a raw path: percent-decoded, read as UTF-8.

    Bytes that are not UTF-8 become U+FFFD; `raw_path` keeps them.
    """
    path = raw_path.decode("ascii", "replace")
    return unquote(path) if "%" in path else path
