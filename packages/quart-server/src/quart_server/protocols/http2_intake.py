"""Header blocks become requests, trailers, refusals, or the end of the connection.

What an id may still be used for is decided here as well: a stream is idle, open, or
over, and of those that are over `PastStreams` knows how they ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .errors import ProtocolError
from .http2_errors import HIGHEST_STREAM_ID, ConnectionFailed, ErrorCodes, StreamFailed
from .http2_events import BodyReceived, RequestReceived
from .http2_frames import END_HEADERS, END_STREAM
from .http2_heads import Block, HeadReader, headers_payload
from .http2_past import BY_CLIENT, BY_SERVER, ENDED, SKIPPED, PastStreams
from .http2_priority import read_priority
from .http2_request import HTTP2Request, MalformedError, check_trailers

if TYPE_CHECKING:
    from .http2_budget import Budget
    from .http2_engine import Engine, Stream
    from .http2_events import Event
    from .http2_frames import RawFrame
    from .http2_limits import HTTP2Limits

__all__ = ["Intake"]

# Priorities of streams that have not begun (RFC 9218, 7.1).
_EARLY_PRIORITIES: Final = 10
_EARLY_SIZE: Final = 64

_PROTOCOL_ERROR: Final = ErrorCodes.PROTOCOL_ERROR


class Intake:
    """Takes header blocks, and knows which streams there are.

    Attributes:
        block: The header block that is incomplete; nothing else may come before it is.
        past: What is known of streams that are over.
        last_accepted: Requests above this id are ignored (RFC 9113, 6.8).
        busy: Requests that are being handled, also those whose stream is over.
        knows_limits: Whether the client has acknowledged our SETTINGS.
    """

    __slots__ = (
        "_budget",
        "_early",
        "_engine",
        "_heads",
        "block",
        "busy",
        "knows_limits",
        "last_accepted",
        "limits",
        "past",
    )

    def __init__(self, engine: Engine, limits: HTTP2Limits, budget: Budget) -> None:
        self._engine = engine
        self.limits = limits
        self._budget = budget
        self._heads = HeadReader(engine.decoder, limits)
        self._early: dict[int, bytes] | None = None
        self.block: Block | None = None
        self.past = PastStreams(limits.closed_streams)
        self.last_accepted = HIGHEST_STREAM_ID
        self.busy = 0
        self.knows_limits = False

    def receive_headers(self, frame: RawFrame) -> Event | None:
        """Take a HEADERS frame.

        Raises:
            ConnectionFailed: It must not come, or its block cannot be decoded.
            StreamFailed: It must not come on its stream.
        """
        _, flags, stream_id, payload = frame
        if not stream_id % 2:
            raise ConnectionFailed(_PROTOCOL_ERROR, "HEADERS on no client's stream")
        data, depends_on = headers_payload(stream_id, flags, payload)
        if depends_on == stream_id:
            raise ConnectionFailed(_PROTOCOL_ERROR, "a stream depends on itself")
        if flags & END_HEADERS:
            return self._take(stream_id, flags, data)
        if not data:
            self._budget.count_empty()
        self.block = Block(stream_id, flags, data, self.limits)
        return None

    def continue_block(self, frame: RawFrame) -> Event | None:
        """Take a frame while a header block is incomplete.

        Raises:
            ConnectionFailed: It does not continue the block, or is one too many.
            StreamFailed: The block must not come on its stream.
        """
        block = self.block
        self._budget.count_frame()
        if block is None or not block.add(frame, self._budget):
            return None
        self.block = None
        return self._take(block.stream_id, block.flags, bytes(block.data))

    def note_priority(self, stream_id: int, value: bytes) -> None:
        """Remember the priority of a stream to come."""
        if not stream_id % 2 or stream_id <= self._engine.highest_inbound_stream_id:
            return
        if self._early is None:
            self._early = {}
        self._early[stream_id] = value[:_EARLY_SIZE]
        if len(self._early) > _EARLY_PRIORITIES:
            del self._early[next(iter(self._early))]

    def check_not_idle(self, stream_id: int) -> None:
        """Check that a stream has begun at some time.

        Raises:
            ConnectionFailed: It has not.
        """
        engine = self._engine
        highest = (
            engine.highest_inbound_stream_id
            if stream_id % 2
            else engine.highest_outbound_stream_id
        )
        if stream_id > highest:
            raise ConnectionFailed(_PROTOCOL_ERROR, "a frame for an idle stream")

    def receive_late(self, stream_id: int) -> None:
        """Act on DATA or HEADERS for a stream that is not open.

        Raises:
            ConnectionFailed: It has no right to come.
        """
        self.check_not_idle(stream_id)
        fate = self.past.fate(stream_id)
        if fate == ENDED:
            raise ConnectionFailed(
                ErrorCodes.STREAM_CLOSED, "a frame behind the end of its stream"
            )
        if fate == SKIPPED:
            raise ConnectionFailed(_PROTOCOL_ERROR, "a stream id that was skipped")
        if fate == BY_CLIENT:
            self._engine.write_reset(stream_id, ErrorCodes.STREAM_CLOSED)
            self._budget.count_reset()
        # Otherwise it crossed our reset on its way (RFC 9113, 5.1): no harm.

    # Complete blocks

    def _take(self, stream_id: int, flags: int, block: bytes) -> Event | None:
        ended = bool(flags & END_STREAM)
        if stream_id > self._engine.highest_inbound_stream_id:
            return self._take_request(stream_id, block, ended=ended)
        # What is late or wrong is decoded all the same: the tables depend on it.
        fields = self._heads.read_fields(block)
        stream = self._engine.streams.get(stream_id)
        if stream is None:
            self.receive_late(stream_id)
            return None
        if not stream.may_receive:
            raise StreamFailed(
                stream_id, ErrorCodes.STREAM_CLOSED, "HEADERS behind the end"
            )
        if fields is None or not ended:
            raise StreamFailed(stream_id, _PROTOCOL_ERROR, "trailers that are none")
        try:
            check_trailers(fields)
        except MalformedError as error:
            raise StreamFailed(stream_id, _PROTOCOL_ERROR, str(error)) from error
        self._engine.receive_trailers(stream)
        return BodyReceived(stream, b"", ended=True)

    def _take_request(
        self, stream_id: int, block: bytes, *, ended: bool
    ) -> Event | None:
        first = self._engine.highest_inbound_stream_id + 1
        if stream_id > first + 1:
            self.past.add_gap(first, stream_id)
        if stream_id > self.last_accepted:
            # RFC 9113, 6.8: ignored, but decoded.
            self._heads.read_fields(block)
            self._pass_over(stream_id)
            return None
        try:
            request = self._heads.read(block) or _oversized_request()
            refusal = self._refuse()
            if refusal is not None:
                self._pass_over(stream_id)
                self._engine.write_reset(stream_id, refusal)
                return None
            head = request.make_head(ended=ended)
        except MalformedError:
            self._pass_over(stream_id)
            self._engine.write_reset(stream_id, _PROTOCOL_ERROR)
            self._budget.count_reset()
            return None
        stream = self._open(stream_id, request, ended=ended)
        return RequestReceived(stream, head, request.protocol, request.refusal)

    def _open(self, stream_id: int, request: HTTP2Request, *, ended: bool) -> Stream:
        engine = self._engine
        stream = engine.open(stream_id, ended=ended)
        self.busy += 1
        stream.cost = request.cost
        engine.charged += request.cost
        if request.length is not None and not ended:
            engine.announce_length(stream, request.length)
        if request.priority:
            stream.urgency, stream.incremental = read_priority(request.priority)
        if self._early:
            # RFC 9218, 7: the frame has the last word.
            value = self._early.pop(stream_id, None)
            if value is not None:
                stream.urgency, stream.incremental = read_priority(value)
        return stream

    def _refuse(self) -> ErrorCodes | None:
        """Return the code for a request over a limit, None where there is room."""
        limits, engine = self.limits, self._engine
        if len(engine.streams) >= limits.streams:
            opened = sum(1 for other in engine.streams if other % 2)
            if opened >= limits.streams:
                if self.knows_limits:
                    self._budget.count_reset()
                return ErrorCodes.REFUSED_STREAM
        if self.busy >= limits.streams or engine.charged > limits.head_memory:
            self._budget.count_refused()
            return ErrorCodes.REFUSED_STREAM
        return None

    def _pass_over(self, stream_id: int) -> None:
        """Note a stream that never came to be."""
        self._engine.highest_inbound_stream_id = stream_id
        self.past.add_reset(stream_id, BY_SERVER)


def _oversized_request() -> HTTP2Request:
    """Stand for a request whose header list is over a limit: it gets 431."""
    request = HTTP2Request([])
    request.refusal = ProtocolError("a header list over the limit", 431)
    return request
