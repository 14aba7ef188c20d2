"""Responses as header blocks (RFC 9113, 8.2 and 8.3.2; RFC 9110, 6 and 8).

h2 and hpack send whatever they are given. Here every name and value is checked, even if
the framework has checked it before: CR, LF and NUL would become a second line behind a
proxy that speaks HTTP/1 to others (F-48).

How a field is coded depends on how often it is seen. The first time it goes as a
literal that no table remembers; a field seen again gets an index. So values that
never come back (identifiers, dates, lengths) do not push useful ones out of the
client's table, and cost no search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hpack.hpack import encode_integer
from hpack.table import HeaderTable

from .grammar import is_field_value, is_token
from .http1_response import BodyLengthError, InvalidFieldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .http2_blocks import BlockEncoder, Field

__all__ = ["FieldRules", "HeadEncoder", "ResponseSize", "literal"]

_STATIC: Final = HeaderTable.STATIC_TABLE_MAPPING

# RFC 7541, 6.2.2 and 6.2.3
_WITHOUT_INDEXING: Final = 0x00
_NEVER_INDEXED: Final = 0x10

# RFC 9113, 8.2.2: apps written for HTTP/1 set them, they mean nothing here.
_CONNECTION_FIELDS: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"transfer-encoding",
        b"upgrade",
    }
)
# RFC 9113, 10.6 and RFC 7541, 7.1.3: secrets stay out of all compression contexts.
_SECRET_FIELDS: Final = frozenset({b"set-cookie", b"authorization"})
# Fields whose value hardly ever comes back.
_VOLATILE_FIELDS: Final = frozenset(
    {b"content-length", b"content-range", b"etag", b"last-modified", b"location"}
)
_MEMORY_FIELDS: Final = 512
_MEMORY_FIELD_SIZE: Final = 256
_WITHOUT_BODY: Final = frozenset({204, 304})


def literal(name: bytes, value: bytes, mark: int = _WITHOUT_INDEXING) -> bytes:
    """Return a field as a literal that changes no table, without Huffman coding."""
    known = _STATIC.get(name)
    if known is not None:
        prefix = encode_integer(known[0], 4)
        prefix[0] |= mark
    else:
        prefix = bytearray((mark,)) + encode_integer(len(name), 7) + name
    return bytes(prefix + encode_integer(len(value), 7) + value)


_STATUS: Final = {
    status: (
        bytes((0x80 | _STATIC[b":status"][1][b"%d" % status],))
        if b"%d" % status in _STATIC[b":status"][1]
        else literal(b":status", b"%d" % status)
    )
    for status in range(100, 1000)
}


class ResponseSize:
    """Holds a body to the length that was announced for it.

    Attributes:
        has_body: Whether there is a body at all (not for HEAD, 204 and 304).
        remaining: Bytes still to come, None where no length was announced.
    """

    __slots__ = ("has_body", "remaining")

    def __init__(self, remaining: int | None, *, has_body: bool) -> None:
        self.remaining = remaining
        self.has_body = has_body

    def count(self, size: int, *, more: bool) -> None:
        """Count bytes of body.

        Raises:
            BodyLengthError: They are more than announced, or the last ones and less.
        """
        if self.remaining is None or not self.has_body:
            return
        self.remaining -= size
        if self.remaining < 0:
            raise BodyLengthError("The app sent more body than its Content-Length says")
        if self.remaining and not more:
            raise BodyLengthError("The app sent less body than its Content-Length says")


class FieldRules:
    """What one worker knows about response fields: which are valid, how they go out."""

    __slots__ = ("_literals", "default_fields", "own_names")

    def __init__(self) -> None:
        # Those seen once; the second time they are indexed.
        self._literals: dict[Field, bytes] = {}
        self.default_fields: list[Field] = []
        self.own_names: frozenset[bytes] = frozenset()

    def set_default_fields(self, fields: list[Field]) -> None:
        """Set the fields that responses get unless the app sets them."""
        self.default_fields = fields
        self.own_names = frozenset(name for name, _ in fields)

    def check(self, name: bytes, value: bytes) -> bytes:
        """Check a field and return its name in lower case.

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
        return name.lower()

    def encode(self, encoder: BlockEncoder, name: bytes, value: bytes) -> bytes:
        """Return a checked field with a lower-case name in its coding."""
        value = value.strip(b" \t")
        if name in _SECRET_FIELDS:
            return literal(name, value, _NEVER_INDEXED)
        if len(name) + len(value) > _MEMORY_FIELD_SIZE or name in _VOLATILE_FIELDS:
            return literal(name, value)
        field = (name, value)
        if field in self._literals:
            return encoder.add_indexed(field)
        if len(self._literals) >= _MEMORY_FIELDS:
            self._literals.clear()
        data = self._literals[field] = literal(name, value)
        return data


class HeadEncoder:
    """Makes the response heads of one connection."""

    __slots__ = ("_default_block", "_default_key", "_encoder", "_rules")

    def __init__(self, encoder: BlockEncoder, rules: FieldRules) -> None:
        self._encoder = encoder
        self._rules = rules
        self._default_key: tuple[object, object] | None = None
        self._default_block = b""

    def encode_head(
        self,
        status: int,
        headers: Iterable[Sequence[bytes]],
        body_size: int | None,
        *,
        is_head: bool,
    ) -> tuple[bytes, ResponseSize | None]:
        """Return a header block, and what the body must be (None: exactly `body_size`).

        Args:
            status: The status code.
            headers: Pairs of name and value from the app.
            body_size: The size of the body where it is known.
            is_head: Whether the request's method is HEAD.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
            BodyLengthError: The body is not as long as the app's Content-Length.
        """
        encoder = self._encoder
        if not isinstance(headers, (list, tuple)):
            headers = list(headers)
        if not (encoder.table_size_changes or is_head or status in _WITHOUT_BODY):
            known = encoder.known
            size = b"%d" % body_size if body_size is not None else None
            parts = [_STATUS[status]]
            for name, value in headers:
                data = known.get((name, value))
                if data is not None:
                    parts.append(data)
                elif name != b"content-length" or value != size:
                    break
            else:
                if size is not None:
                    parts.append(_content_length(size))
                parts.append(self._default_fields())
                return b"".join(parts), None if size is not None else _UNKNOWN
        return self._encode_slowly(status, headers, body_size, is_head=is_head)

    def check_fields(self, headers: Iterable[Sequence[bytes]]) -> None:
        """Check fields that are encoded later.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """
        for name, value in headers:
            self._rules.check(name, value)

    def encode_fields(
        self, headers: Iterable[Sequence[bytes]], status: int | None = None
    ) -> bytes:
        """Return a block of trailers, or of an informational response.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """
        check = self._rules.check
        fields = [(check(name, value), value) for name, value in headers]
        parts = [self._encoder.start_block()]
        if status is not None:
            parts.append(_STATUS[status])
        for name, value in fields:
            if name not in _CONNECTION_FIELDS and name != b"content-length":
                parts.append(self._rules.encode(self._encoder, name, value))
        return b"".join(parts)

    def _encode_slowly(
        self,
        status: int,
        headers: Iterable[Sequence[bytes]],
        body_size: int | None,
        *,
        is_head: bool,
    ) -> tuple[bytes, ResponseSize | None]:
        """Encode a head in two steps: check everything, then touch the table."""
        rules, encoder = self._rules, self._encoder
        fields, length = self._check(headers)
        has_body = not is_head and status not in _WITHOUT_BODY
        if has_body and length is not None and body_size is not None:
            _compare(length, body_size)
        if length is None and status != 304:
            length = body_size
        parts = [encoder.start_block(), _STATUS[status]]
        own: set[bytes] | None = None
        for name, value in fields:
            if name in rules.own_names:
                own = {name} if own is None else own | {name}
                # Never remembered: the fast way must not take it for a plain field.
                parts.append(literal(name, value.strip(b" \t")))
            else:
                parts.append(rules.encode(encoder, name, value))
        # RFC 9110, 8.6: no Content-Length on 204.
        if length is not None and status != 204:
            parts.append(_content_length(b"%d" % length))
        if own is None:
            parts.append(self._default_fields())
        else:
            for name, value in rules.default_fields:
                if name not in own:
                    parts.append(literal(name, value))
        if not has_body:
            return b"".join(parts), ResponseSize(None, has_body=False)
        if body_size is not None:
            return b"".join(parts), None
        return b"".join(parts), ResponseSize(length, has_body=True)

    def _check(
        self, headers: Iterable[Sequence[bytes]]
    ) -> tuple[list[Field], int | None]:
        """Return the app's fields that go out, checked, and its length."""
        fields: list[Field] = []
        length: int | None = None
        for name, value in headers:
            lower = self._rules.check(name, value)
            if lower == b"content-length":
                length = _read_length(value, length)
            elif lower not in _CONNECTION_FIELDS:
                fields.append((lower, value))
        return fields, length

    def _default_fields(self) -> bytes:
        """Return the server's own fields, coded once for as long as that is right."""
        rules, encoder = self._rules, self._encoder
        key = self._default_key
        if (
            key is not None
            and key[0] is rules.default_fields
            and key[1] == encoder.version
        ):
            return self._default_block
        before = encoder.version
        block = b"".join(
            encoder.add_indexed(field, remember=False) for field in rules.default_fields
        )
        if encoder.version == before:
            self._default_key = (rules.default_fields, before)
            self._default_block = block
        return block


_UNKNOWN: Final = ResponseSize(None, has_body=True)


def _content_length(size: bytes) -> bytes:
    # Index 28 in the static table, without indexing; sizes have few digits.
    return b"\x0f\x0d%c%b" % (len(size), size)


def _compare(length: int, size: int) -> None:
    if length != size:
        word = "less" if size < length else "more"
        raise BodyLengthError(f"The app sent {word} body than its Content-Length says")


def _read_length(value: bytes, other: int | None) -> int:
    if not value.isdigit() or len(value) > 20:
        raise InvalidFieldError(f"Content-Length {value!r}, expected a number of bytes")
    length = int(value)
    if other is not None and other != length:
        raise InvalidFieldError("Two Content-Length fields that differ")
    return length
