"""Multipart forms with limits: werkzeug's decoder, fed in small steps.

Sans-IO: bytes in, events out. The decoder finds parts in bounded memory and linear
time. What it leaves to its user is held here: how much may stand before the first and
after the last part, how large the head of a part may be, and what may be a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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

_LIMITS: Final = {
    State.PREAMBLE: MAX_FRAME_BYTES,
    State.PART: MAX_PART_HEADER_BYTES,
    State.EPILOGUE: MAX_FRAME_BYTES,
}

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

    def feed(self, data: bytes | None) -> Iterator[Event]:
        """Yield the events in the next bytes; None says that these were all.

        Raises:
            RequestEntityTooLarge: A limit is exceeded.
            ValueError: This is no multipart form.
        """
        decoder = self._decoder
        decoder.receive_data(data)
        while True:
            state, size = decoder.state, len(decoder.buffer)
            event = decoder.next_event()
            _check_sizes(state, size, size - len(decoder.buffer))
            if isinstance(event, NeedData):
                return
            if isinstance(event, (Field, File)):
                event = _checked(event)
            yield event
            if decoder.state is State.COMPLETE:
                return


def _check_sizes(state: State, size: int, consumed: int) -> None:
    """Check what the decoder held back, or took out, of something to be short."""
    limit = _LIMITS.get(state)
    if limit is not None and (consumed or size) > limit:
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
