"""Request targets and Host: where a request is meant for (RFC 9112, 3.2 and 3.3)."""

from __future__ import annotations

from typing import NamedTuple

from .errors import ProtocolError
from .grammar import HOST, VISIBLE_BYTES

__all__ = ["Target", "read_target"]


class Target(NamedTuple):
    """A request target, split.

    Attributes:
        raw_path: The path, or `*`.
        query_string: What stands behind the first `?`.
        authority: Host and port of the absolute form, else None.
    """

    raw_path: bytes
    query_string: bytes
    authority: bytes | None


def read_target(method: bytes, target: bytes) -> Target:
    """Split a request target.

    Raises:
        ProtocolError: It has none of the forms that the method allows.
    """
    if target.translate(None, VISIBLE_BYTES) or b"#" in target:
        raise ProtocolError("a character that no request target has")
    if method == b"CONNECT":
        # RFC 9110, 9.3.6: authority-form; this server is no proxy.
        raise ProtocolError("CONNECT is for proxies", 501)
    if target.startswith(b"/"):
        path, _, query = target.partition(b"?")
        return Target(path, query, None)
    if target == b"*":
        if method != b"OPTIONS":
            raise ProtocolError("the target * is for OPTIONS only")
        return Target(b"*", b"", None)
    return _read_absolute(target)


def _read_absolute(target: bytes) -> Target:
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() not in {b"http", b"https"}:
        raise ProtocolError("a request target in no known form")
    end = min((rest.find(mark) % (len(rest) + 1) for mark in (b"/", b"?")), default=0)
    authority, rest = rest[:end], rest[end:]
    if HOST.fullmatch(authority) is None:
        raise ProtocolError("an absolute target without a proper host")
    path, _, query = rest.partition(b"?")
    return Target(path or b"/", query, authority)
