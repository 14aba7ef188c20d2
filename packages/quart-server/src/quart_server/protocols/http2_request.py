"""Header lists of HTTP/2 as requests (RFC 9113, 8.2 and 8.3; RFC 8441, 4).

A list that breaks the rules of HTTP/2 is malformed, and resets its stream. One that is
proper HTTP/2 and is not served all the same (a bad Host, a foreign expectation) gets
the answer that HTTP/1 would give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .errors import ProtocolError
from .grammar import FIELD_BYTES, HOST, VISIBLE_BYTES
from .request import CHUNKED, RequestHead, decode_path

if TYPE_CHECKING:
    from .http2_blocks import Field
    from .http2_limits import HTTP2Limits

__all__ = ["HTTP2Request", "MalformedError", "check_trailers", "read_request"]

# RFC 9113, 8.2.1 allows more; RFC 9110, 5.1 says token, here without upper case.
_NAME_BYTES: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
_CONNECTION_FIELDS: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"transfer-encoding",
        b"upgrade",
    }
)
_MAX_LENGTH_DIGITS: Final = 20


class MalformedError(Exception):
    """A header list that RFC 9113, 8.1.1 calls malformed."""


class HTTP2Request:
    """What a header list says, whether or not a body follows.

    Attributes:
        method: As sent.
        path: The decoded path.
        raw_path: The path as sent.
        query_string: What stands behind `?`.
        headers: The fields for a scope; Host comes first.
        length: The content-length, None for none.
        expects_continue: Whether the client waits for 100.
        accepts_trailers: Whether it said `te: trailers`.
        priority: The value of the priority field.
        protocol: The `:protocol` of extended CONNECT, empty for none.
        refusal: The answer, where the request is not served.
        cost: Bytes of memory that its fields cost, about.
    """

    __slots__ = (
        "accepts_trailers",
        "cost",
        "expects_continue",
        "headers",
        "length",
        "method",
        "path",
        "priority",
        "protocol",
        "query_string",
        "raw_path",
        "refusal",
    )

    def __init__(self, headers: list[Field]) -> None:
        self.method = "GET"
        self.path = ""
        self.raw_path = b""
        self.query_string = b""
        self.headers = headers
        self.length: int | None = None
        self.expects_continue = False
        self.accepts_trailers = False
        self.priority = b""
        self.protocol = b""
        self.refusal: ProtocolError | None = None
        self.cost = 0

    def make_head(self, *, ended: bool) -> RequestHead:
        """Return the head of one request; nothing in it is shared.

        Args:
            ended: Whether the header list was all there is.

        Raises:
            MalformedError: A length was announced and nothing follows.
        """
        head = RequestHead(
            self.method,
            self.path,
            self.raw_path,
            self.query_string,
            "2",
            self.headers.copy(),
        )
        head.accepts_trailers = self.accepts_trailers
        if not ended:
            length = self.length
            head.body_length = CHUNKED if length is None else length
            head.expects_continue = self.expects_continue
        elif self.length:
            raise MalformedError("a content-length without a body")
        return head


def read_request(fields: list[Field], limits: HTTP2Limits) -> HTTP2Request:
    """Return what a header list says.

    Raises:
        MalformedError: It breaks the rules of HTTP/2.
    """
    pseudo, start = _read_pseudo(fields)
    request = HTTP2Request([])
    headers = request.headers
    cookies: list[bytes] | None = None
    host: bytes | None = None
    for position in range(start, len(fields)):
        field = fields[position]
        name, value = field
        _check_field(name, value)
        if name in _SPECIAL:
            if name == b"cookie":
                # RFC 9113, 8.2.3: crumbs are joined.
                cookies = [value] if cookies is None else [*cookies, value]
                continue
            if name == b"host":
                if host is not None:
                    raise MalformedError("more than one host")
                host = value
                continue
            _apply_special(request, name, value)
        headers.append(field)
    if cookies is not None:
        headers.append((b"cookie", b"; ".join(cookies)))
    _apply_pseudo(request, pseudo, host, limits)
    _check_sizes(request, limits)
    return request


def check_trailers(fields: list[Field]) -> None:
    """Check trailer fields; the server drops them (ASGI has no place for them).

    Raises:
        MalformedError: They break the rules of HTTP/2.
    """
    for name, value in fields:
        _check_field(name, value)
        if name in _SPECIAL and name != b"priority":
            raise MalformedError(f"a trailer field {name!r}")


def _read_pseudo(fields: list[Field]) -> tuple[dict[bytes, bytes], int]:
    """Return the pseudo-header fields and how many they are."""
    pseudo: dict[bytes, bytes] = {}
    for name, value in fields:
        if name[:1] != b":":
            break
        if name not in _PSEUDO or name in pseudo:
            raise MalformedError("a pseudo-header field unknown or given twice")
        if value.translate(None, FIELD_BYTES) or value != value.strip(b" \t"):
            raise MalformedError(f"a control character or blanks in {name!r}")
        pseudo[name] = value
    return pseudo, len(pseudo)


def _check_field(name: bytes, value: bytes) -> None:
    # This also finds pseudo-header fields behind others: no name has a colon.
    if not name or name.translate(None, _NAME_BYTES):
        raise MalformedError("a field name that is no lower-case token")
    if value.translate(None, FIELD_BYTES):
        raise MalformedError(f"a control character in {name!r}")
    if value and (value[0] in b" \t" or value[-1] in b" \t"):
        raise MalformedError(f"blanks around the value of {name!r}")
    if name in _CONNECTION_FIELDS:
        raise MalformedError(f"the connection-specific field {name!r}")


def _apply_special(request: HTTP2Request, name: bytes, value: bytes) -> None:
    if name == b"content-length":
        if request.length is not None:
            raise MalformedError("more than one content-length")
        if not value.isdigit() or len(value) > _MAX_LENGTH_DIGITS:
            raise MalformedError("a content-length that is no number")
        request.length = int(value)
    elif name == b"te":
        # RFC 9113, 8.2.2
        if value.lower() != b"trailers":
            raise MalformedError("te other than trailers")
        request.accepts_trailers = True
    elif name == b"priority":
        request.priority = (
            request.priority + b"," + value if request.priority else value
        )
    elif value.lower() == b"100-continue":
        request.expects_continue = True
    else:
        # RFC 9110, 10.1.1
        request.refusal = ProtocolError("an expectation other than 100-continue", 417)


def _apply_pseudo(
    request: HTTP2Request,
    pseudo: dict[bytes, bytes],
    host: bytes | None,
    limits: HTTP2Limits,
) -> None:
    method = pseudo.get(b":method")
    if not method or method.translate(None, _METHOD_BYTES):
        raise MalformedError("no :method that is a token")
    request.method = method.decode("ascii").upper()
    request.protocol = pseudo.get(b":protocol", b"")
    if method == b"CONNECT":
        _apply_connect(request, pseudo)
    elif b":protocol" in pseudo:
        raise MalformedError(":protocol without CONNECT")
    elif not pseudo.get(b":scheme") or b":path" not in pseudo:
        raise MalformedError("no :scheme or no :path")
    if b":path" in pseudo:
        _apply_path(request, pseudo[b":path"], limits)
    _apply_authority(request, pseudo.get(b":authority"), host)


def _apply_connect(request: HTTP2Request, pseudo: dict[bytes, bytes]) -> None:
    """Check CONNECT and its extended form (RFC 9113, 8.5; RFC 8441, 4)."""
    if not pseudo.get(b":authority"):
        raise MalformedError("CONNECT without :authority")
    if b":protocol" not in pseudo:
        if b":scheme" in pseudo or b":path" in pseudo:
            raise MalformedError("CONNECT with :scheme or :path")
        request.refusal = ProtocolError("CONNECT is for proxies", 501)
    elif not pseudo.get(b":scheme") or b":path" not in pseudo:
        raise MalformedError("extended CONNECT without :scheme or :path")
    elif request.protocol.lower() != b"websocket":
        # RFC 9220, 3
        request.refusal = ProtocolError("a :protocol that is not spoken here", 501)


def _apply_path(request: HTTP2Request, target: bytes, limits: HTTP2Limits) -> None:
    # RFC 9113, 8.3.1: it begins with a slash, or is * for OPTIONS.
    if target[:1] != b"/" and (target != b"*" or request.method != "OPTIONS"):
        raise MalformedError("a :path without a slash in front")
    if target.translate(None, VISIBLE_BYTES) or b"#" in target:
        request.refusal = ProtocolError("a character that no path has")
        request.raw_path = b"/"
        return
    if len(target) > limits.path:
        request.refusal = ProtocolError("a path over the limit", 414)
    request.raw_path, _, request.query_string = target.partition(b"?")
    request.path = decode_path(request.raw_path)


def _apply_authority(
    request: HTTP2Request, authority: bytes | None, host: bytes | None
) -> None:
    """Make one Host of `:authority` and Host (RFC 9113, 8.3.1)."""
    value = host if authority is None else authority
    if value is None:
        request.refusal = ProtocolError("neither :authority nor Host")
        return
    if host is not None and host.lower() != value.lower():
        request.refusal = ProtocolError("a Host other than :authority")
    elif HOST.fullmatch(value) is None:
        request.refusal = ProtocolError("a Host that is none")
    request.headers.insert(0, (b"host", value))


def _check_sizes(request: HTTP2Request, limits: HTTP2Limits) -> None:
    for name, value in request.headers:
        if len(name) + len(value) > limits.field:
            request.refusal = ProtocolError("a field over the limit", 431)
    if limits.body is not None and (request.length or 0) > limits.body:
        request.refusal = ProtocolError("a body over the limit", 413)


_METHOD_BYTES: Final = _NAME_BYTES + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PSEUDO: Final = frozenset(
    {b":authority", b":method", b":path", b":protocol", b":scheme"}
)
_SPECIAL: Final = frozenset(
    {b"content-length", b"cookie", b"expect", b"host", b"priority", b"te"}
)
