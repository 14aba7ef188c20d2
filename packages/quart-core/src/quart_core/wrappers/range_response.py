"""Making a response one that answers a Range request (RFC 9110, 14 and 15.3.7)."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING

from werkzeug.exceptions import RequestedRangeNotSatisfiable

from ..conditional import HeaderLookup, range_applies
from ..headers import check_header_value
from ..ranges import ByteRange, content_range, select_ranges
from .partial_body import MultipartBody, Part, RangeableBody, SlicedBody

if TYPE_CHECKING:
    from .response import Response

__all__ = ("apply_range",)


async def apply_range(
    response: Response,
    request_headers: HeaderLookup,
    complete_length: int | None,
    *,
    refuse_other_units: bool = False,
) -> None:
    """Make a 206 of a 200, if the request asks for parts of the body.

    Args:
        response: The answer, as it would be without Range.
        request_headers: Where Range and If-Range stand.
        complete_length: The length of a body that does not know it.
        refuse_other_units: Answer units other than bytes with 416, where RFC 9110,
            14.2 has them ignored.

    Raises:
        RequestedRangeNotSatisfiable: Nothing of what was asked for is there, or too
            many parts were asked for.
    """
    header = request_headers.get("Range")
    if header is None or response.status_code != HTTPStatus.OK:
        return
    if not range_applies(request_headers, response.headers):
        return
    body = response.response
    whole = body if isinstance(body, RangeableBody) else None
    size = complete_length if whole is None else await _size(whole)
    ranges = None if size is None else select_ranges(header, size)
    if size is None:
        return
    if ranges is None:
        if refuse_other_units and size:
            raise RequestedRangeNotSatisfiable(size)
        return
    if len(ranges) == 1:
        await _send_one(response, ranges[0], size)
    elif whole is not None:
        _send_several(response, whole, ranges, size)


async def _size(body: RangeableBody) -> int:
    try:
        return await body.make_conditional(0, None)
    except RequestedRangeNotSatisfiable:
        return 0


async def _send_one(response: Response, byte_range: ByteRange, size: int) -> None:
    body = response.response
    if isinstance(body, RangeableBody):
        await body.make_conditional(*byte_range)
    else:
        response.response = SlicedBody(body, *byte_range)
    _become_partial(response, byte_range.end - byte_range.begin)
    response.headers["Content-Range"] = content_range(byte_range, size)


def _send_several(
    response: Response, body: RangeableBody, ranges: list[ByteRange], size: int
) -> None:
    boundary = secrets.token_hex(16)
    content_type = response.headers.get("Content-Type", "application/octet-stream")
    check_header_value("Content-Type", content_type)
    parts = []
    line_end = ""
    for byte_range in ranges:
        head = (
            f"{line_end}--{boundary}\r\nContent-Type: {content_type}\r\n"
            f"Content-Range: {content_range(byte_range, size)}\r\n\r\n"
        )
        parts.append(Part(head.encode(), *byte_range))
        line_end = "\r\n"
    closing = f"\r\n--{boundary}--\r\n".encode()
    response.response = multipart = MultipartBody(body, parts, closing)
    _become_partial(response, multipart.size)
    response.headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"


def _become_partial(response: Response, length: int) -> None:
    response.status_code = HTTPStatus.PARTIAL_CONTENT
    response.headers["Content-Length"] = str(length)
    response.headers["Accept-Ranges"] = "bytes"
