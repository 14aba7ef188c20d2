"""The strict reader: reads the plain common case, hands everything else on.

It accepts a subset of what the reference accepts and refuses nothing by itself. Lines
repeat from request to request, so checked lines are remembered: reading one again is a
look into a dictionary. Those that may hold secrets are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.grammar import HOST, is_field_value, is_token
from quart_server.protocols.policy import SPECIAL_FIELDS, apply_fields
from quart_server.protocols.request import RequestHead, decode_path

from .reference import ReferenceReader

if TYPE_CHECKING:
    from quart_server.protocols.limits import HTTP1Limits

__all__ = ["StrictReader"]

Field = tuple[bytes, bytes]
# Method, path, raw path, query string.
_Start = tuple[str, str, bytes, bytes]
_Value = TypeVar("_Value")

_METHODS: Final = frozenset(
    {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
)

# Remembered lines are bounded in number and length; at the bound all are forgotten.
_MEMORY_LINES: Final = 1024
_MEMORY_LINE_SIZE: Final = 256
# So are heads all of whose lines are remembered, a second look at most.
_MEMORY_HEADS: Final = 256
_MEMORY_HEAD_SIZE: Final = 1024

_REMEMBERED: Final = frozenset(
    {
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"content-type",
        b"dnt",
        b"origin",
        b"pragma",
        b"priority",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"upgrade-insecure-requests",
        b"user-agent",
    }
)


class StrictReader:
    """Reads plain heads by itself and has the reference for all others."""

    name = "strict"

    __slots__ = ("_heads", "_hosts", "_limits", "_lines", "_plain", "reference")

    def __init__(self, limits: HTTP1Limits) -> None:
        self._limits = limits
        self.reference = ReferenceReader(limits)
        self._lines: dict[bytes, _Start] = {}
        self._plain: dict[bytes, Field] = {}
        self._hosts: dict[bytes, Field] = {}
        self._heads: dict[bytes, tuple[_Start, list[Field]]] = {}

    def read_head(self, block: bytes) -> RequestHead:
        """Return the head whose lines stand in a block that ends with an empty line.

        Raises:
            ProtocolError: The request must not be served.
        """
        return self.read_plain(block) or self.reference.read_head(block)

    def read_plain(self, block: bytes) -> RequestHead | None:
        """Return the head if it is a plain one, None for the reference to decide."""
        known = self._heads.get(block)
        if known is not None:
            return RequestHead(*known[0], "1.1", known[1].copy())
        lines = block[:-4].split(b"\r\n")
        if len(lines) > self._limits.fields:
            return None
        line = lines[0]
        start = self._lines.get(line) or self._read_line(line)
        if start is None:
            return None
        fields = self._read_fields(lines)
        if fields is None:
            return None
        headers, has_special, has_new = fields
        if not has_new and line in self._lines and len(block) <= _MEMORY_HEAD_SIZE:
            self._remember_head(block, start, headers)
        head = RequestHead(*start, "1.1", headers)
        if has_special:
            try:
                apply_fields(head)
            except ProtocolError:
                return None
        return head

    def _remember_head(self, block: bytes, start: _Start, headers: list[Field]) -> None:
        """Remember a head that consists of remembered lines: none means anything."""
        if len(self._heads) >= _MEMORY_HEADS:
            self._heads.clear()
        self._heads[block] = (start, headers.copy())

    def _read_line(self, line: bytes) -> _Start | None:
        """Read a request line that is not remembered; None if it is not plain."""
        try:
            method, target, version = line.decode("ascii").split(" ")
        except ValueError:
            return None
        if (
            version != "HTTP/1.1"
            or method not in _METHODS
            or target[:1] != "/"
            or "#" in target
            or not target.isprintable()
        ):
            return None
        path, mark, query = target.partition("?")
        raw_path = path.encode("ascii")
        if "%" in path:
            path = decode_path(raw_path)
        start = (method, path, raw_path, query.encode("ascii"))
        if not mark:  # queries hold secrets now and then
            self._remember(self._lines, line, start)
        return start

    def _read_fields(self, lines: list[bytes]) -> tuple[list[Field], bool, bool] | None:
        """Return the fields, if any means something to the server, if any was new."""
        headers: list[Field] = []
        append = headers.append
        known = self._plain.get
        hosts = 0
        has_special = has_new = False
        rest = iter(lines)
        next(rest)  # the request line
        for line in rest:
            field = known(line)
            if field is None:
                field = self._hosts.get(line)
                if field is not None:
                    hosts += 1
                else:
                    has_new = True
                    field = self._read_field(line)
                    if field is None:
                        return None
                    if field[0] in SPECIAL_FIELDS:
                        if field[0] == b"host":
                            hosts += 1
                        else:
                            has_special = True
            append(field)
        return (headers, has_special, has_new) if hosts == 1 else None

    def _read_field(self, line: bytes) -> Field | None:
        """Read a line that is not remembered; None if it is not plain."""
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not is_token(name) or not is_field_value(value):
            return None
        field = (name.lower(), value)
        if field[0] == b"host":
            if HOST.fullmatch(value) is None:
                return None
            self._remember(self._hosts, line, field)
        elif field[0] == b"transfer-encoding" and value != b"chunked":
            return None
        elif field[0] in _REMEMBERED:
            self._remember(self._plain, line, field)
        return field

    @staticmethod
    def _remember(memory: dict[bytes, _Value], line: bytes, value: _Value) -> None:
        if len(line) > _MEMORY_LINE_SIZE:
            return
        if len(memory) >= _MEMORY_LINES:
            memory.clear()
        memory[line] = value
