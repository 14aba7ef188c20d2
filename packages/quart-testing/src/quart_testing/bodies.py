"""Request bodies from what a test passes: text, JSON, forms and files."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, TypeAlias
from urllib.parse import urlencode

from quart_core.datastructures import FileStorage
from werkzeug.datastructures import FileStorage as WerkzeugFileStorage
from werkzeug.datastructures import Headers, MultiDict, iter_multi_items
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Field,
    File,
    MultipartEncoder,
    Preamble,
)

__all__ = (
    "BOUNDARY",
    "encode_form",
    "encode_multipart",
    "encode_query",
    "has_files",
    "is_file",
    "parts_of",
    "read_data",
)

#: Always the same, so that a test may compare bodies.
BOUNDARY: Final = "----QuartBoundary"

# Any: values are text, numbers, files, or lists of these, as in Flask's client.
Fields: TypeAlias = Mapping[str, Any]
Pairs: TypeAlias = Iterator[tuple[str, Any]]
Part: TypeAlias = tuple[str, str | WerkzeugFileStorage]

# A tuple is a file with its name and type.
_SEVERAL: Final = (list, set, frozenset)


def encode_form(form: Fields) -> bytes:
    """Encode fields as `application/x-www-form-urlencoded`; lists repeat the name."""
    return urlencode([(name, str(value)) for name, value in _items(form)]).encode()


def encode_query(query: Fields) -> bytes:
    """Encode a mapping as a query.

    Lists and tuples repeat the name, None is left out.
    """
    pairs = _items(query, several=(*_SEVERAL, tuple))
    return urlencode(
        [(k, str(value)) for k, value in pairs if value is not None]
    ).encode()


def encode_multipart(parts: Iterable[tuple[str, Any]]) -> bytes:
    """Encode fields and files as `multipart/form-data`, with `BOUNDARY`."""
    encoder = MultipartEncoder(BOUNDARY.encode())
    pieces = [encoder.send_event(Preamble(data=b""))]
    for name, value in parts:
        if isinstance(value, WerkzeugFileStorage):
            headers = Headers(value.headers)
            if type_ := mimetypes.guess_type(value.filename or "")[0]:
                headers.setdefault("Content-Type", type_)
            head: Field | File = File(
                name=_escaped(name),
                filename=_escaped(value.filename or name),
                headers=headers,
            )
            content = value.read()
        else:
            head = Field(name=_escaped(name), headers=Headers())
            content = str(value).encode()
        pieces.append(encoder.send_event(head))
        pieces.append(encoder.send_event(Data(data=content, more_data=False)))
    pieces.append(encoder.send_event(Epilogue(data=b"")))
    return b"".join(pieces)


def _escaped(text: str) -> str:
    """Write a name as it stands between quotes (RFC 9110, 5.6.4; line ends as HTML)."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return text.replace("\r", "%0D").replace("\n", "%0A")


def parts_of(fields: Fields) -> Iterator[Part]:
    """Yield names with texts and files; tuples and file objects become files."""
    for name, value in _items(fields):
        yield name, _as_file(value) if is_file(value) else str(value)


def has_files(fields: Fields) -> bool:
    """Say whether any value is a file."""
    return any(is_file(value) for _, value in _items(fields))


def is_file(value: object) -> bool:
    """Say whether a value is a file: an object, or a tuple that begins with one."""
    if isinstance(value, tuple):
        return True
    return isinstance(value, WerkzeugFileStorage) or hasattr(value, "read")


def read_data(data: str | bytes | bytearray | memoryview | IO[bytes]) -> bytes:
    """Return a body as bytes.

    Raises:
        TypeError: It is of another type.
    """
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    if hasattr(data, "read"):
        return read_data(data.read())
    raise TypeError(
        f"data={data!r} cannot be a body: pass text, bytes, an open file or a dict of "
        "fields, or use json= for JSON"
    )


def _items(fields: Fields, *, several: tuple[type, ...] = _SEVERAL) -> Pairs:
    """Yield all pairs; a value of these types stands for several."""
    if isinstance(fields, MultiDict):
        yield from iter_multi_items(fields)
        return
    for name, value in fields.items():
        if isinstance(value, several) and isinstance(value, Iterable):
            yield from ((name, item) for item in value)
        else:
            yield name, value


# Any: a FileStorage, a file object, or a tuple (file, filename, content type).
def _as_file(value: Any) -> WerkzeugFileStorage:
    if isinstance(value, WerkzeugFileStorage):
        return value
    if isinstance(value, tuple):
        file = FileStorage(*_from_tuple(*value))
    else:
        file = FileStorage(value, filename=_name_of(value))
    file.headers.setdefault("Content-Type", _type_of(file.filename))
    return file


def _from_tuple(
    stream: Any, filename: str | None = None, content_type: str | None = None
) -> tuple[Any, str | None, None, str | None]:
    # The name of the field stands third.
    return stream, filename or _name_of(stream), None, content_type


def _name_of(stream: object) -> str | None:
    name = getattr(stream, "name", None)
    return os.path.basename(name) if isinstance(name, str) else None


def _type_of(filename: str | None) -> str:
    return mimetypes.guess_type(filename or "")[0] or "application/octet-stream"
