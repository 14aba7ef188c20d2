"""HTTP/2 on the server's side: bytes in, events out; responses in, bytes out.

One `HTTP2Connection` per connection. Its driver gives it what the socket gave, acts on
the events, answers through `sender`, and writes what `take` returns. It knows no clock:
the driver tells the time, and watches what takes too long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from h2.stream import StreamInputs
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import DataFrame

from .http2_budget import Budget
from .http2_engine import Engine, Stream
from .http2_errors import HIGHEST_STREAM_ID, ConnectionFailed, ErrorCodes, StreamFailed
from .http2_events import BodyReceived, GoingAway, PingAcknowledged, StreamReset
from .http2_frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PRIORITY,
    PRIORITY_UPDATE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    FrameReader,
)
from .http2_intake import Intake
from .http2_past import BY_CLIENT, BY_SERVER
from .http2_priority import read_priority
from .http2_response import FieldRules, HeadEncoder
from .http2_sending import Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from .http2_events import Event
    from .http2_frames import RawFrame
    from .http2_limits import HTTP2Limits

__all__ = ["HTTP2Connection"]

_PING_DATA: Final = b"shutdown"
# DATA frames with less than this count against the budget.
_SMALL_DATA: Final = 16

_PROTOCOL_ERROR: Final = ErrorCodes.PROTOCOL_ERROR


class HTTP2Connection:
    """The state of one connection.

    Attributes:
        sender: The half that sends.
        streams: The open streams by their ids.
        is_ended: Whether the connection has failed; what is received is dropped.
    """

    __slots__ = (
        "_budget",
        "_engine",
        "_events",
        "_intake",
        "_is_fresh",
        "_reader",
        "is_ended",
        "sender",
        "streams",
    )

    def __init__(self, limits: HTTP2Limits, rules: FieldRules) -> None:
        self._engine = engine = Engine(limits)
        self._budget = Budget(limits)
        self._intake = Intake(engine, limits, self._budget)
        self._reader = FrameReader(limits.frame)
        self._events: list[Event] = []
        self._is_fresh = True
        self.sender = Sender(engine, HeadEncoder(engine.encoder, rules), self._budget)
        self.streams = engine.streams
        self.is_ended = False
        engine.initiate_connection()

    # Reading

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the client and return what happened.

        Args:
            data: The bytes.
            now: The time, for the budgets.

        Raises:
            ConnectionFailed: The connection cannot go on: act on `take_events`, call
                `end`, write what `take` returns, and close.
        """
        if self.is_ended:
            return []
        self._budget.tick(now)
        reader = self._reader
        reader.receive_data(data)
        while (frame := reader.next_frame()) is not None:
            try:
                event = self._receive_frame(frame)
            except StreamFailed as error:
                event = self._fail_stream(error)
            if event is not None:
                self._events.append(event)
        return self.take_events()

    def take_events(self) -> list[Event]:
        """Return what has happened; after a failure, what happened before it."""
        events, self._events = self._events, []
        return events

    @property
    def has_preface(self) -> bool:
        """Whether the client's preface and its SETTINGS have come."""
        return not self._is_fresh

    @property
    def is_acknowledged(self) -> bool:
        """Whether the client has acknowledged our SETTINGS."""
        return self._intake.knows_limits

    @property
    def is_partial(self) -> bool:
        """Whether a frame or header block is incomplete."""
        return self._reader.is_partial or self._intake.block is not None

    @property
    def is_in_head(self) -> bool:
        """Whether a frame or header block is incomplete that is no body."""
        kind = self._reader.partial_kind
        return self._intake.block is not None or (kind is not None and kind != DATA)

    @property
    def partial_body_stream(self) -> Stream | None:
        """The stream of a DATA frame that is incomplete."""
        if self._reader.partial_kind != DATA:
            return None
        return self.streams.get(self._reader.partial_stream)

    @property
    def is_window_closed(self) -> bool:
        """Whether the client may send no body at all for now."""
        return self._engine.inbound_flow_control_window <= 0

    def credit(self, stream: Stream, size: int) -> None:
        """Let the client send as much again: so many bytes of body are consumed.

        On a stream that was answered already it need not.
        """
        is_open = stream.may_receive and stream.may_send
        if is_open and stream.stream_id in self.streams:
            self._engine.credit(stream.stream_id, size)
        else:
            self._engine.credit_connection(size)

    # Handlers

    @property
    def has_room(self) -> bool:
        """Whether one more request may be handled."""
        return self._intake.busy < self._intake.limits.streams

    def take_place(self) -> None:
        """Count a handler that no request of the client has brought: a push."""
        self._intake.busy += 1

    def free_place(self) -> None:
        """Note that a request is handled: its app has ended, or there was none."""
        self._intake.busy -= 1

    # Ends

    def reset(self, stream: Stream, code: ErrorCodes) -> None:
        """End a stream that cannot go on; nothing if it is over."""
        self.sender.drop(stream)
        if stream.stream_id in self.streams:
            self._intake.past.add_reset(stream.stream_id, BY_SERVER)
            self._engine.reset(stream, code)

    def end(self, error: ConnectionFailed) -> None:
        """Tell the client that the connection has failed."""
        self._engine.send_goaway(error.code, self._engine.highest_inbound_stream_id)
        self.close()

    def close(self) -> None:
        """Forget all streams: nothing can be sent on them any more."""
        self.is_ended = True
        self._reader.close()
        self._intake.block = None
        for stream in self.streams.values():
            self.sender.drop(stream)
        self.streams.clear()
        self._engine.charged = 0

    def announce_end(self) -> None:
        """Begin a graceful end: the client shall make its requests elsewhere.

        Those on their way are taken until `finish` is called, best when the PING that
        goes with this is acknowledged (RFC 9113, 6.8).
        """
        self._engine.send_goaway(ErrorCodes.NO_ERROR, HIGHEST_STREAM_ID)
        self._engine.ping(_PING_DATA)

    def finish(self) -> None:
        """Take no more requests; those that have come are finished."""
        if not self.is_finishing:
            last = self._engine.highest_inbound_stream_id
            self._intake.last_accepted = last
            self._engine.send_goaway(ErrorCodes.NO_ERROR, last)

    @property
    def is_finishing(self) -> bool:
        """Whether no more requests are taken."""
        return self._intake.last_accepted != HIGHEST_STREAM_ID

    # Writing

    def take(self) -> bytearray:
        """Return what is to be sent."""
        return self._engine.take()

    @property
    def pending(self) -> int:
        """How many bytes `take` would return."""
        return self._engine.pending

    # Frames

    def _receive_frame(self, frame: RawFrame) -> Event | None:
        kind = frame[0]
        if self._intake.block is not None:
            return self._intake.continue_block(frame)
        if self._is_fresh and kind != SETTINGS:
            # RFC 9113, 3.4
            raise ConnectionFailed(_PROTOCOL_ERROR, "no SETTINGS behind the preface")
        if kind == HEADERS:
            return self._intake.receive_headers(frame)
        receive = _RECEIVERS.get(kind)
        if receive is None:
            self._budget.count_frame()  # RFC 9113, 5.5: unknown ones are ignored
            return None
        return receive(self, frame)

    def _receive_settings(self, frame: RawFrame) -> None:
        _, flags, stream_id, payload = frame
        self._budget.count_frame()
        if stream_id:
            raise ConnectionFailed(_PROTOCOL_ERROR, "SETTINGS on a stream")
        if self._is_fresh:
            if flags & ACK:
                raise ConnectionFailed(_PROTOCOL_ERROR, "a preface without SETTINGS")
            self._is_fresh = False
        elif not payload and not flags & ACK:
            self._budget.count_empty()
        if self._engine.receive_settings(flags=flags, payload=payload):
            self._intake.knows_limits = True
        else:
            self.sender.wake_all()

    def _receive_ping(self, frame: RawFrame) -> Event | None:
        _, flags, stream_id, payload = frame
        self._budget.count_frame()
        if stream_id:
            raise ConnectionFailed(_PROTOCOL_ERROR, "PING on a stream")
        if not flags & ACK:
            self._engine.answer_ping(payload)
        elif payload == _PING_DATA:
            return PingAcknowledged()
        return None

    def _receive_goaway(self, frame: RawFrame) -> Event:
        self._budget.count_frame()
        if frame[2]:
            raise ConnectionFailed(_PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(frame[3]) < 8:
            raise ConnectionFailed(ErrorCodes.FRAME_SIZE_ERROR, "a short GOAWAY")
        return GoingAway()

    def _receive_misplaced(self, frame: RawFrame) -> NoReturn:
        name = "PUSH_PROMISE" if frame[0] == PUSH_PROMISE else "CONTINUATION"
        raise ConnectionFailed(_PROTOCOL_ERROR, f"{name} must not come here")

    def _receive_window_update(self, frame: RawFrame) -> None:
        self._budget.count_frame()
        stream_id = frame[2]
        increment = int.from_bytes(frame[3]) & 0x7FFFFFFF
        if not stream_id:
            if not increment:
                raise ConnectionFailed(_PROTOCOL_ERROR, "a window opened by nothing")
            self._engine.open_window(None, increment)
            return
        stream = self.streams.get(stream_id)
        if stream is None:
            self._intake.check_not_idle(stream_id)
            return
        if not increment:
            raise StreamFailed(stream_id, _PROTOCOL_ERROR, "a window opened by nothing")
        self._engine.open_window(stream, increment)
        self.sender.wake(stream)

    def _receive_priority(self, frame: RawFrame) -> None:
        """Check the priorities of RFC 7540, and drop them: they are deprecated."""
        _, _, stream_id, payload = frame
        self._budget.count_frame()
        if not stream_id:
            raise ConnectionFailed(_PROTOCOL_ERROR, "PRIORITY on no stream")
        if len(payload) != 5:
            self._reject(stream_id, ErrorCodes.FRAME_SIZE_ERROR, "a broken PRIORITY")
        elif int.from_bytes(payload[:4]) & 0x7FFFFFFF == stream_id:
            self._reject(stream_id, _PROTOCOL_ERROR, "a stream depends on itself")

    def _receive_priority_update(self, frame: RawFrame) -> None:
        _, _, stream_id, payload = frame
        self._budget.count_frame()
        target = int.from_bytes(payload[:4]) & 0x7FFFFFFF
        if stream_id or not target or len(payload) < 4:
            raise ConnectionFailed(_PROTOCOL_ERROR, "a broken PRIORITY_UPDATE")
        stream = self.streams.get(target)
        if stream is None:
            self._intake.note_priority(target, payload[4:])
        else:
            stream.urgency, stream.incremental = read_priority(payload[4:])

    def _receive_reset(self, frame: RawFrame) -> None:
        stream_id = frame[2]
        self._budget.count_frame()
        if not stream_id:
            raise ConnectionFailed(_PROTOCOL_ERROR, "RST_STREAM on no stream")
        stream = self.streams.get(stream_id)
        if stream is None:
            self._intake.check_not_idle(stream_id)
            return
        stream.state_machine.process_input(StreamInputs.RECV_RST_STREAM)
        self._intake.past.add_reset(stream_id, BY_CLIENT)
        self._engine.forget(stream)
        code = _error_code(int.from_bytes(frame[3]))
        self._events.append(StreamReset(stream, code, by_client=True))
        self._budget.count_reset()

    def _receive_data(self, frame: RawFrame) -> Event | None:
        _, flags, stream_id, payload = frame
        if not stream_id:
            raise ConnectionFailed(_PROTOCOL_ERROR, "DATA on no stream")
        flow = len(payload)
        data = _unpad(frame) if flags & PADDED else payload
        size, engine, ended = len(data), self._engine, bool(flags & END_STREAM)
        if size < _SMALL_DATA and not ended:
            self._budget.count_frame()
            if not size:
                self._budget.count_empty()
        engine.consume_window(flow)
        stream = self.streams.get(stream_id)
        if stream is None:
            engine.credit_connection(flow)
            self._intake.receive_late(stream_id)
            return None
        try:
            engine.receive_body(stream, size, flow, ended=ended)
        except StreamFailed:
            engine.credit_connection(flow)
            raise
        if flow != size:
            self.credit(stream, flow - size)
        return BodyReceived(stream, data, ended=ended) if size or ended else None

    def _reject(self, stream_id: int, code: ErrorCodes, message: str) -> NoReturn:
        """Fail a stream, or the connection where there is none to fail."""
        if stream_id in self.streams:
            raise StreamFailed(stream_id, code, message)
        raise ConnectionFailed(code, message)

    def _fail_stream(self, error: StreamFailed) -> Event | None:
        """Reset the stream of a frame that breaks the rules."""
        stream = self.streams.get(error.stream_id)
        if stream is not None:
            self._intake.past.add_reset(error.stream_id, BY_SERVER)
            self._engine.reset(stream, error.code)
            self._events.append(StreamReset(stream, error.code, by_client=False))
        self._budget.count_reset()
        return None


def _unpad(frame: RawFrame) -> bytes:
    """Return the data of a padded DATA frame."""
    data_frame = DataFrame(frame[2])
    data_frame.parse_flags(frame[1])
    try:
        data_frame.parse_body(memoryview(frame[3]))
    except HyperframeError as error:
        raise ConnectionFailed(
            _PROTOCOL_ERROR, f"the padding of a DATA frame: {error}"
        ) from error
    return data_frame.data


def _error_code(code: int) -> ErrorCodes:
    try:
        return ErrorCodes(code)
    except ValueError:
        return ErrorCodes.INTERNAL_ERROR  # RFC 9113, 7


_RECEIVERS: Final[dict[int, Callable[[HTTP2Connection, RawFrame], Event | None]]] = {
    DATA: HTTP2Connection._receive_data,
    PRIORITY: HTTP2Connection._receive_priority,
    RST_STREAM: HTTP2Connection._receive_reset,
    SETTINGS: HTTP2Connection._receive_settings,
    PUSH_PROMISE: HTTP2Connection._receive_misplaced,
    PING: HTTP2Connection._receive_ping,
    GOAWAY: HTTP2Connection._receive_goaway,
    WINDOW_UPDATE: HTTP2Connection._receive_window_update,
    CONTINUATION: HTTP2Connection._receive_misplaced,
    PRIORITY_UPDATE: HTTP2Connection._receive_priority_update,
}
