"""Header blocks as they arrive: assembled within limits, decoded, read once.

A block may come in one HEADERS frame and some CONTINUATION frames, and nothing else may
come in between (RFC 9113, 6.10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hyperframe.exceptions import HyperframeError
from hyperframe.frame import HeadersFrame

from .http2_errors import ConnectionFailed, ErrorCodes
from .http2_frames import CONTINUATION, END_HEADERS, PADDED, PRIORITY_FLAG
from .http2_request import HTTP2Request, read_request

if TYPE_CHECKING:
    from .http2_blocks import BlockDecoder, Field
    from .http2_budget import Budget
    from .http2_frames import RawFrame
    from .http2_limits import HTTP2Limits

__all__ = ["Block", "HeadReader", "headers_payload"]

_REMEMBERED_BLOCKS: Final = 8
_REMEMBERED_SIZE: Final = 128


class Block:
    """A header block that is not complete.

    Attributes:
        stream_id: Its stream.
        flags: The flags of its HEADERS frame.
        data: What has come.
    """

    __slots__ = ("_frames", "_limits", "data", "flags", "stream_id")

    def __init__(
        self, stream_id: int, flags: int, data: bytes, limits: HTTP2Limits
    ) -> None:
        self.stream_id = stream_id
        self.flags = flags
        self.data = bytearray(data)
        self._frames = 0
        self._limits = limits

    def add(self, frame: RawFrame, budget: Budget) -> bool:
        """Add the next frame; return whether the block is complete.

        Raises:
            ConnectionFailed: It does not belong here, or is one too many.
        """
        kind, flags, stream_id, payload = frame
        if kind != CONTINUATION or stream_id != self.stream_id:
            raise ConnectionFailed(
                ErrorCodes.PROTOCOL_ERROR, "another frame inside a header block"
            )
        self._frames += 1
        self.data += payload
        if not payload:
            budget.count_empty()
        if (
            self._frames > self._limits.continuations
            or len(self.data) > self._limits.header_block
        ):
            raise ConnectionFailed(
                ErrorCodes.ENHANCE_YOUR_CALM, "a header block without an end"
            )
        return bool(flags & END_HEADERS)


def headers_payload(
    stream_id: int, flags: int, payload: bytes
) -> tuple[bytes, int | None]:
    """Return the block fragment of a HEADERS frame, and what its stream depends on.

    Raises:
        ConnectionFailed: Padding or priority are malformed.
    """
    if not flags & (PADDED | PRIORITY_FLAG):
        return payload, None
    frame = HeadersFrame(stream_id)
    frame.parse_flags(flags)
    try:
        frame.parse_body(memoryview(payload))
    except HyperframeError as error:
        raise ConnectionFailed(
            ErrorCodes.PROTOCOL_ERROR, f"a HEADERS frame: {error}"
        ) from error
    return frame.data, frame.depends_on if flags & PRIORITY_FLAG else None


class HeadReader:
    """Reads complete blocks; equal ones are read once."""

    __slots__ = ("_decoder", "_limits")

    def __init__(self, decoder: BlockDecoder, limits: HTTP2Limits) -> None:
        self._decoder = decoder
        self._limits = limits

    def read(self, block: bytes) -> HTTP2Request | None:
        """Return the request that a block stands for, None where it is over a limit.

        Raises:
            ConnectionFailed: The block cannot be decoded.
            MalformedError: The header list breaks the rules of HTTP/2.
        """
        decoder = self._decoder
        request: HTTP2Request | None = decoder.remembered.get(block)
        if request is not None:
            return request
        version = decoder.version
        fields = decoder.read(block)
        if fields is None:
            return None
        request = read_request(fields, self._limits)
        request.cost = decoder.cost
        if decoder.version == version and len(block) <= _REMEMBERED_SIZE:
            if len(decoder.remembered) >= _REMEMBERED_BLOCKS:
                decoder.remembered.clear()
            decoder.remembered[block] = request
        return request

    def read_fields(self, block: bytes) -> list[Field] | None:
        """Return the fields of a block that is no request."""
        return self._decoder.read(block)
