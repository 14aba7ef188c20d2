"""Multipart forms with limits: werkzeug's decoder, fed in small steps.

Sans-IO: bytes in, events out. The decoder finds parts in bounded memory and linear
time. What it leaves to its user is held here: how much may stand before the first and
after the last part, how large the head of a part may be, and what may be a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf
from typing import Final

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import (
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    State,
)

__all__ = ("MAX_BOUNDARY_LENGTH", "LimitedDecoder")

#: RFC 2046, 5.1.1.
MAX_BOUNDARY_LENGTH: Final = 70
#: What may stand before the first part, and after the last; both are thrown away.
MAX_FRAME_BYTES: Final = 4_096
MAX_PART_HEADER_BYTES: Final = 8_192
MAX_PART_HEADERS: Final = 16
#: The heads of all parts together, for each part that is allowed: reading heads costs
#: the most time by far. Browsers send some 150.
MEAN_PART_HEADER_BYTES: Final = 512

_LIMITS: Final = {
    State.PREAMBLE: MAX_FRAME_BYTES,
    State.PART: MAX_PART_HEADER_BYTES,
    State.EPILOGUE: MAX_FRAME_BYTES,
}

# What may stand between a boundary and the end of its line, or begins its mark of the
# end; and how much of the end of some data may be a boundary with that.
_PADDING: Final = b" \t\x0b\x0c-"
_TAIL_BYTES: Final = 2 + MAX_BOUNDARY_LENGTH + 128

# As sent these end a line or a C string, so that they are in a name only if it was
# encoded to smuggle them in.
_FORBIDDEN_IN_NAMES: Final = re.compile("[\x00\r\n]")
# A quoted string, also one that is never closed, or a star outside of one. Matches in
# one pass: there is no way to match a quote that could fail later.
_QUOTED_OR_STAR: Final = re.compile(r'"(?:[^"\\]|\\.)*\\?(?:"|\Z)|\*', re.DOTALL)


class LimitedDecoder:
    """Makes parts out of the bytes of a multipart form.

    Args:
        boundary: The parameter of the content type.
        max_parts: Fields and files allowed, None for any number.
    """

    def __init__(self, boundary: bytes, max_parts: int | None) -> None:
        # The memory limit of the decoder would count files too.
        self._decoder = MultipartDecoder(boundary, max_parts=max_parts)
        self._delimiter = b"--" + boundary
        self._passed = b""
        self._held = b""
        self._header_bytes = 0
        self._max_header_bytes: float = inf
        if max_parts is not None:
            mean = MEAN_PART_HEADER_BYTES * max_parts
            self._max_header_bytes = max(mean, MAX_PART_HEADER_BYTES)

    def feed(self, data: bytes | None) -> Iterator[Event]:
        """Yield the events in the next bytes; None says that these were all.

        Raises:
            RequestEntityTooLarge: A limit is exceeded.
            ValueError: This is no multipart form.
        """
        if data is not None:
            yield from self._decode(self._hold_back(data))
            return
        yield from self._decode(self._held)
        yield from self._decode(None)

    def _hold_back(self, data: bytes) -> bytes:
        """Return the bytes that are safe to decode, and keep the rest.

        The decoder takes the line break before a boundary for data when it sees half of
        what follows the boundary. So that half waits for its other one.
        """
        data = self._held + data if self._held else data
        self._held = b""
        if data[-1:] in _PADDING:
            end = (self._passed + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]
            half = end[len(end.rstrip(_PADDING.removesuffix(b"-"))) :]
            before = end.removesuffix(half)
            if before.endswith(self._delimiter + b"-"):
                half = b"-" + half
            elif not before.endswith(self._delimiter):
                half = b""
            self._held = half[-len(data) :]
            data = data[: len(data) - len(self._held)]
        self._passed = (self._passed + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]
        return data

    def _decode(self, data: bytes | None) -> Iterator[Event]:
        decoder = self._decoder
        decoder.receive_data(data)
        while True:
            state, size = decoder.state, len(decoder.buffer)
            event = decoder.next_event()
            self._check_sizes(state, size, size - len(decoder.buffer))
            if isinstance(event, NeedData):
                return
            if isinstance(event, (Field, File)):
                event = _checked(event)
            yield event
            if decoder.state is State.COMPLETE:
                return

    def _check_sizes(self, state: State, size: int, consumed: int) -> None:
        """Check what the decoder held back, or took out, of something to be short."""
        limit = _LIMITS.get(state)
        if limit is not None and (consumed or size) > limit:
            raise RequestEntityTooLarge
        if state is State.PART:
            self._header_bytes += consumed
            if self._header_bytes > self._max_header_bytes:
                raise RequestEntityTooLarge


def _checked(event: Field | File) -> Field | File:
    headers = event.headers
    if len(headers) > MAX_PART_HEADERS:
        raise RequestEntityTooLarge
    filename = event.filename if isinstance(event, File) else None
    name, filename = _plain_names(headers, event.name, filename)
    _check_name("name", name)
    if filename is None:
        return Field(name=name, headers=headers)
    _check_name("filename", filename)
    return File(name=name, filename=filename, headers=headers)


def _plain_names(
    headers: Headers, name: str, filename: str | None
) -> tuple[str, str | None]:
    """Let `filename` win over `filename*`, which forms must not use at all.

    What reads only the former, say a firewall, must not see another name than we do.
    """
    disposition = headers["content-disposition"]
    if "*" not in disposition:
        return name, filename
    # With the mark changed to another character the two are different parameters.
    unmarked = _QUOTED_OR_STAR.sub(
        lambda match: "^" if match[0] == "*" else match[0], disposition
    )
    _, parameters = parse_options_header(unmarked)
    return parameters.get("name", name), parameters.get("filename", filename)


def _check_name(parameter: str, value: str | None) -> None:
    if value is None:
        raise ValueError(f"A part of the form has no {parameter}")
    if _FORBIDDEN_IN_NAMES.search(value):
        raise ValueError(f"The {parameter} {value!r} of a part has a control character")
