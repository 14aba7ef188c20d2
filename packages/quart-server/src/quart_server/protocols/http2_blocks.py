"""Header blocks: hpack behind our limits, and with a memory (RFC 7541).

hpack keeps both compression contexts and does all coding. Two things are added here.
The decoder counts while it decodes, so that a small block cannot become a large list.
And both remember what they have done: as long as a dynamic table does not change, the
same block means the same fields, and the same field is coded in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError
from hpack.table import HeaderTable

from .http2_errors import ConnectionFailed, ErrorCodes

if TYPE_CHECKING:
    from .http2_limits import HTTP2Limits

__all__ = ["BlockDecoder", "BlockEncoder", "Field"]

Field = tuple[bytes, bytes]

_STATIC: Final = HeaderTable.STATIC_TABLE
_STATIC_SIZE: Final = HeaderTable.STATIC_TABLE_LENGTH

# RFC 7541, 4.2: two size updates may be needed at the start of a block.
_MAX_SIZE_UPDATES: Final = 2
# RFC 7541, 4.1
_FIELD_OVERHEAD: Final = 32
# A tuple and two bytes objects; a place in a list.
_LITERAL_COST: Final = 56 + 2 * 33
_PLACE_COST: Final = 8
# The client may offer a larger table for us to fill; this is enough.
_MAX_TABLE_SIZE: Final = 4096


class _Entries(list[Field]):
    """What hpack needs of a deque, in a tenth of its memory while it is empty."""

    __slots__ = ()

    def appendleft(self, field: Field) -> None:
        """Add the newest entry."""
        self.insert(0, field)


class _WatchedTable(HeaderTable):
    """Tells by its version when the meaning of indices may have changed."""

    def __init__(self) -> None:
        super().__init__()
        entries: Any = _Entries()
        self.dynamic_entries = entries
        self.version = 0

    def add(self, name: bytes, value: bytes) -> None:
        self.version += 1
        super().add(name, value)


class BlockDecoder(Decoder):
    """Decodes header blocks within limits.

    Attributes:
        remembered: What the caller made of blocks (some object for each); empty after
            each change of the dynamic table.
    """

    def __init__(self, limits: HTTP2Limits) -> None:
        super().__init__(limits.header_list)
        self._limits = limits
        self._table = _WatchedTable()
        self.header_table = self._table
        # Any: whatever the caller puts there.
        self.remembered: dict[bytes, Any] = {}
        self.cost = 0

    def read(self, block: bytes) -> list[Field] | None:
        """Return the fields of a block, None when they are over a limit.

        Raises:
            ConnectionFailed: The block is malformed, or far over the limits.
        """
        version = self._table.version
        try:
            return self._read(block)
        except (HPACKError, IndexError) as error:
            raise ConnectionFailed(
                ErrorCodes.COMPRESSION_ERROR, f"a header block: {error}"
            ) from error
        finally:
            if self._table.version != version:
                self.remembered.clear()

    @property
    def version(self) -> int:
        """Changes when a block may mean something else than before."""
        return self._table.version

    def _read(self, block: bytes) -> list[Field] | None:
        limits, dynamic = self._limits, self._table.dynamic_entries
        fields: list[Field] = []
        position = self._read_size_updates(block)
        count = size = cost = 0
        while position < len(block):
            byte = block[position]
            if 0x80 < byte < 0xFF:
                index = (byte & 0x7F) - 1
                field = (
                    _STATIC[index]
                    if index < _STATIC_SIZE
                    else dynamic[index - _STATIC_SIZE]
                )
                position += 1
            else:
                field, used = self._read_other(block, position)
                position += used
                cost += len(field[0]) + len(field[1]) + _LITERAL_COST
            count += 1
            size += len(field[0]) + len(field[1]) + _FIELD_OVERHEAD
            if count <= limits.fields and size <= limits.header_list:
                fields.append(field)
            elif (
                count > limits.fields * limits.hard_factor
                or size > limits.header_list * limits.hard_factor
            ):
                raise ConnectionFailed(
                    ErrorCodes.ENHANCE_YOUR_CALM, "a header list far over the limit"
                )
        # RFC 7541, 4.2: the client must have followed our table size.
        self._assert_valid_table_size()
        self.cost = cost + count * _PLACE_COST
        return fields if count == len(fields) else None

    def _read_other(self, block: bytes, position: int) -> tuple[Field, int]:
        """Read a field that is not one indexed byte: hpack's affair."""
        byte, rest = block[position], block[position:]
        if byte & 0x80:
            header, used = self._decode_indexed(rest)
        elif byte & 0x40:
            header, used = self._decode_literal_index(rest)
        elif byte & 0x20:
            raise HPACKError("a table size update behind a field")
        else:
            header, used = self._decode_literal_no_index(rest)
        name, value = header
        return (name, value), used

    def _read_size_updates(self, block: bytes) -> int:
        position = updates = 0
        while position < len(block) and block[position] & 0xE0 == 0x20:
            updates += 1
            if updates > _MAX_SIZE_UPDATES:
                raise HPACKError("too many table size updates")
            position += self._update_encoding_context(block[position:])
            self._table.version += 1
        return position


class BlockEncoder(Encoder):
    """Encodes header blocks; remembers fields as long as that is right.

    A field is given to the dynamic table only by `add_indexed`. Everything else is
    coded without any state, and may be remembered for all connections.
    """

    def __init__(self) -> None:
        super().__init__()
        self._table = _WatchedTable()
        self.header_table = self._table
        self._version = 0
        self._known: dict[Field, bytes] = {}

    @property
    def header_table_size(self) -> int:
        """The size of the dynamic table that the client allows, within reason."""
        return self.header_table.maxsize

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        value = min(value, _MAX_TABLE_SIZE)
        if value != self.header_table.maxsize:
            self.header_table.maxsize = value
            self.header_table.resized = True
            self.table_size_changes.append(value)
            self._table.version += 1

    @property
    def known(self) -> dict[Field, bytes]:
        """The fields whose coding is one index right now."""
        if self._version != self._table.version:
            self._version = self._table.version
            self._known.clear()
        return self._known

    def start_block(self) -> bytes:
        """Return what a block must begin with: due changes of the table's size."""
        if not self.table_size_changes:
            return b""
        self.header_table.resized = False
        return self._encode_table_size_change()

    @property
    def version(self) -> int:
        """Changes when an index may mean something else than before."""
        return self._table.version

    def add_indexed(self, field: Field, *, remember: bool = True) -> bytes:
        """Return a field as an index, or as a literal that gets an index by this."""
        data = self.known.get(field)
        if data is None:
            before = self._table.version
            data = self.add(field, sensitive=False, huffman=False)
            if remember and self._table.version == before:
                self._known[field] = data
        return data
