"""h2, told what a server needs: the one place that reaches into the library.

`Engine` is h2's connection. It keeps h2's streams, state machines, settings and
windows, and these always hold the truth: whatever arrives may be given to h2. Where h2
and a server part ways, a method here says so:

* Building a frame object, a few events and a generator pipeline for each header costs
  more than the rest of a request. The steps of a plain life of a stream (`open`,
  `start_response`, `send_data`, `end`) set the states that h2's table gives for them,
  and nothing else; a test compares them with h2 over random lives. A step that is not
  plain goes through h2's own table.
* h2 ends the connection for every malformed request, for a stream too many, and after
  the client's GOAWAY. RFC 9113 asks for a stream error, a refusal, and for finishing.
* h2 remembers 65,536 closed streams and every unknown setting. We give it none of them.
* h2 keeps a deque for each setting and table, 12 KiB for each connection, idle or not.
  Here they are lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, ConnectionState, H2Connection
from h2.exceptions import FlowControlError, InvalidBodyLengthError
from h2.exceptions import ProtocolError as H2Error
from h2.frame_buffer import FrameBuffer
from h2.settings import SettingCodes
from h2.stream import H2Stream, StreamClosedBy, StreamInputs, StreamState
from hyperframe.exceptions import HyperframeError
from hyperframe.frame import (
    Frame,
    GoAwayFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from .http2_blocks import BlockDecoder, BlockEncoder
from .http2_errors import ConnectionFailed, ErrorCodes, StreamFailed
from .http2_frames import pack_block, pack_data
from .http2_priority import DEFAULT_PRIORITY

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from .http2_blocks import Field
    from .http2_limits import HTTP2Limits

__all__ = ["Engine", "Stream"]

_OPEN: Final = StreamState.OPEN
_HALF_CLOSED_LOCAL: Final = StreamState.HALF_CLOSED_LOCAL
_HALF_CLOSED_REMOTE: Final = StreamState.HALF_CLOSED_REMOTE
_CLOSED: Final = StreamState.CLOSED

_INITIAL_WINDOW: Final = 65535
_LARGEST_WINDOW: Final = 2**31 - 1
# Larger frames would let one stream hold the connection for longer.
_MAX_FRAME: Final = 16 * 1024
# RFC 9218, 2.1; not in h2.
_NO_RFC7540_PRIORITIES: Final = 0x9
# Our checks of fields are stricter, and reset the stream only.
_CONFIG: Final = H2Configuration(
    client_side=False,
    header_encoding=None,
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)
# We delimit frames ourselves, and call h2's methods for them by their names.
_NO_BUFFER: Final = FrameBuffer(server=True)
_NO_DISPATCH: Final[dict[type[Frame], Any]] = {}
_KNOWN_SETTINGS: Final = frozenset(int(code) for code in SettingCodes)


class _Values(list[int]):
    """What h2 needs of a deque: the current value of a setting, and those to come."""

    __slots__ = ()

    def popleft(self) -> int:
        """Take the first value."""
        return self.pop(0)


class Stream(H2Stream):
    """One stream, with what waits to be sent on it.

    Attributes:
        handler: Who handles the request: the transport's affair.
        cost: What its head costs in memory.
        queue: Pieces of body that wait, None while nothing ever waited.
        queued: Their size in bytes.
        is_ending: Whether the last piece is in the queue.
        trailers: Trailer fields that follow the last piece.
        sent: Bytes of body sent.
        urgency: 0 to 7 (RFC 9218, 4.1).
        incremental: Whether the client can use parts of the response.
        turn_pass: When its turn comes.
        is_in_turn: Whether it waits for its turn.
    """

    handler: Any = None  # Any: another layer's object
    cost = 0
    queue: deque[memoryview | bytes] | None = None
    queued = 0
    is_ending = False
    trailers: Iterable[Field] | None = None
    sent = 0
    urgency, incremental = DEFAULT_PRIORITY
    turn_pass = 0
    is_in_turn = False
    stream_id: int

    @property
    def may_receive(self) -> bool:
        """Whether the client may still send on it."""
        state = self.state_machine.state
        return state is _OPEN or state is _HALF_CLOSED_LOCAL

    @property
    def may_send(self) -> bool:
        """Whether we may still send on it."""
        state = self.state_machine.state
        return state is _HALF_CLOSED_REMOTE or state is _OPEN

    @property
    def is_over(self) -> bool:
        """Whether both sides have ended."""
        return self.state_machine.state is _CLOSED


class Engine(H2Connection):
    """The server's side of h2.

    Attributes:
        control_frames: Control frames written since the last `take`.
        charged: What the heads of all open streams cost.
    """

    decoder: BlockDecoder
    encoder: BlockEncoder
    streams: dict[int, Stream]  # type: ignore[assignment]  # ours, made in `open`

    def __init__(self, limits: HTTP2Limits) -> None:
        super().__init__(_CONFIG)
        self.incoming_buffer = _NO_BUFFER
        self.limits = limits
        for settings in (self.local_settings, self.remote_settings):
            values: Any = {
                code: _Values(queue) for code, queue in settings._settings.items()
            }
            settings._settings = values
        self._frame_dispatch_table = _NO_DISPATCH
        self.decoder = BlockDecoder(limits)
        self.encoder = BlockEncoder()
        self.control_frames = 0
        self.charged = 0
        self._receive_window = _INITIAL_WINDOW
        self._send_window = _INITIAL_WINDOW
        self.frame_size = _MAX_FRAME

    # The connection

    def initiate_connection(self) -> None:
        """Write our SETTINGS, and open the connection's window."""
        limits = self.limits
        self.state_machine.process_input(ConnectionInputs.SEND_SETTINGS)
        frame = SettingsFrame(0)
        frame.settings = {
            SettingCodes.MAX_CONCURRENT_STREAMS: limits.streams,
            SettingCodes.MAX_HEADER_LIST_SIZE: limits.header_list,
            SettingCodes.INITIAL_WINDOW_SIZE: limits.window,
            SettingCodes.MAX_FRAME_SIZE: limits.frame,
            SettingCodes.ENABLE_CONNECT_PROTOCOL: 1,
            _NO_RFC7540_PRIORITIES: 1,
        }
        # They hold once the client has acknowledged them.
        self.local_settings.update(
            {
                SettingCodes(code): value
                for code, value in frame.settings.items()
                if code in _KNOWN_SETTINGS
            }
        )
        self.write(frame)
        more = limits.receive_window - _INITIAL_WINDOW
        if more > 0:
            self.increment_flow_control_window(more)

    def write(self, frame: Frame) -> None:
        """Write a control frame.

        Raises:
            ConnectionFailed: Too many of them wait, the client does not read.
        """
        self.control_frames += 1
        if self.control_frames > self.limits.control_queue:
            raise ConnectionFailed(
                ErrorCodes.ENHANCE_YOUR_CALM, "more control frames than are read"
            )
        self._data_to_send += frame.serialize()

    def take(self) -> bytearray:
        """Return what is to be sent."""
        data, self._data_to_send = self._data_to_send, bytearray()
        self.control_frames = 0
        return data

    @property
    def pending(self) -> int:
        """Bytes that `take` would return."""
        return len(self._data_to_send)

    def receive_settings(self, *, flags: int, payload: bytes) -> bool:
        """Apply the client's SETTINGS; return whether it acknowledged ours.

        Raises:
            ConnectionFailed: They are malformed.
        """
        if len(payload) % 6 or (flags & 1 and payload):
            raise ConnectionFailed(ErrorCodes.FRAME_SIZE_ERROR, "a broken SETTINGS")
        frame = SettingsFrame(0)
        try:
            frame.parse_flags(flags)
            frame.parse_body(memoryview(payload))
            for code in frame.settings.keys() - _KNOWN_SETTINGS:
                del frame.settings[code]  # h2 would keep them all
            answers, _ = self._receive_settings_frame(frame)
        except HyperframeError as error:
            raise ConnectionFailed(
                ErrorCodes.FRAME_SIZE_ERROR, f"SETTINGS: {error}"
            ) from error
        except H2Error as error:
            raise ConnectionFailed(error.error_code, f"SETTINGS: {error}") from error
        for answer in answers:
            self.write(answer)
        self._receive_window = self.local_settings.initial_window_size
        self._send_window = self.remote_settings.initial_window_size
        self.frame_size = min(self.max_outbound_frame_size, _MAX_FRAME)
        return bool(flags & 1)

    def answer_ping(self, payload: bytes) -> None:
        """Answer PING."""
        frame = PingFrame(0, opaque_data=payload)
        frame.flags.add("ACK")
        self.write(frame)

    def send_goaway(self, code: ErrorCodes, last_stream_id: int) -> None:
        """Write GOAWAY; h2's state stays open so that streams can finish."""
        frame = GoAwayFrame(0, last_stream_id=last_stream_id, error_code=code)
        self._data_to_send += frame.serialize()

    # Streams

    def open(self, stream_id: int, *, ended: bool) -> Stream:
        """Open the stream of a request (RFC 9113, 5.1: idle to open)."""
        if self.state_machine.state is ConnectionState.IDLE:
            self.state_machine.process_input(ConnectionInputs.RECV_HEADERS)
        stream = Stream(stream_id, self.config, self._receive_window, self._send_window)
        stream.max_outbound_frame_size = self.frame_size
        machine = stream.state_machine
        machine.client = False
        machine.headers_received = True
        machine.state = _HALF_CLOSED_REMOTE if ended else _OPEN
        self.streams[stream_id] = stream
        self.highest_inbound_stream_id = stream_id
        return stream

    def _begin_new_stream(self, stream_id: int, allowed_ids: Any) -> Stream:
        """Let h2 make pushed streams of our class."""
        plain = super()._begin_new_stream(stream_id, allowed_ids)
        stream = Stream(stream_id, self.config, self._receive_window, self._send_window)
        stream.max_outbound_frame_size = plain.max_outbound_frame_size
        self.streams[stream_id] = stream
        return stream

    def forget(self, stream: Stream) -> None:
        """Drop a stream that is over."""
        if self.streams.pop(stream.stream_id, None) is not None:
            self.charged -= stream.cost

    def reset(self, stream: Stream, code: ErrorCodes) -> None:
        """Reset a stream and forget it."""
        if not stream.is_over:
            stream.state_machine.process_input(StreamInputs.SEND_RST_STREAM)
            self.write_reset(stream.stream_id, code)
        self.forget(stream)

    def write_reset(self, stream_id: int, code: ErrorCodes) -> None:
        """Write RST_STREAM, also for a stream that never came to be."""
        self._data_to_send += RstStreamFrame(stream_id, error_code=code).serialize()

    # Receiving

    def receive_body(
        self, stream: Stream, size: int, flow: int, *, ended: bool
    ) -> None:
        """Account for DATA.

        Args:
            stream: The stream.
            size: Bytes of body.
            flow: Bytes that count for the windows: with padding.
            ended: Whether they are the last ones.

        Raises:
            StreamFailed: They exceed the stream's window or its content-length, or
                come behind the end.
        """
        machine = stream.state_machine
        if not stream.may_receive:
            raise StreamFailed(
                stream.stream_id, ErrorCodes.STREAM_CLOSED, "DATA behind the end"
            )
        try:
            stream._inbound_window_manager.window_consumed(flow)
            stream._track_content_length(size, ended)
        except FlowControlError as error:
            raise StreamFailed(
                stream.stream_id, ErrorCodes.FLOW_CONTROL_ERROR, "DATA over the window"
            ) from error
        except InvalidBodyLengthError as error:
            raise StreamFailed(
                stream.stream_id,
                ErrorCodes.PROTOCOL_ERROR,
                "a body that is not as long as announced",
            ) from error
        if ended:
            machine.process_input(StreamInputs.RECV_END_STREAM)
            if stream.is_over:
                self.forget(stream)

    def receive_trailers(self, stream: Stream) -> None:
        """Note trailers, which end the request.

        Raises:
            StreamFailed: They come twice, or behind a body of the wrong length.
        """
        try:
            stream.state_machine.process_input(StreamInputs.RECV_HEADERS)
        except H2Error as error:
            raise StreamFailed(
                stream.stream_id, ErrorCodes.PROTOCOL_ERROR, str(error)
            ) from error
        self.receive_body(stream, 0, 0, ended=True)

    def announce_length(self, stream: Stream, length: int) -> None:
        """Hold the request's body to a length."""
        stream._expected_content_length = length

    def consume_window(self, flow: int) -> None:
        """Take DATA from the connection's window.

        Raises:
            ConnectionFailed: It is over the window.
        """
        try:
            self._inbound_flow_control_window_manager.window_consumed(flow)
        except FlowControlError as error:
            raise ConnectionFailed(
                ErrorCodes.FLOW_CONTROL_ERROR, "DATA over the connection's window"
            ) from error

    def credit(self, stream_id: int, size: int) -> None:
        """Give window back for bytes that are no longer held."""
        if size:
            self.acknowledge_received_data(size, stream_id)

    def credit_connection(self, size: int) -> None:
        """Give back the connection's window only: the stream is gone."""
        if size:
            increment = self._inbound_flow_control_window_manager.process_bytes(size)
            if increment:
                frame = WindowUpdateFrame(0, window_increment=increment)
                self._data_to_send += frame.serialize()

    def open_window(self, stream: Stream | None, increment: int) -> None:
        """Apply WINDOW_UPDATE.

        Raises:
            StreamFailed: The stream's window would be too large.
            ConnectionFailed: The connection's would.
        """
        if stream is None:
            self.outbound_flow_control_window += increment
            if self.outbound_flow_control_window > _LARGEST_WINDOW:
                raise ConnectionFailed(
                    ErrorCodes.FLOW_CONTROL_ERROR, "a window larger than there are"
                )
        else:
            stream.outbound_flow_control_window += increment
            if stream.outbound_flow_control_window > _LARGEST_WINDOW:
                raise StreamFailed(
                    stream.stream_id,
                    ErrorCodes.FLOW_CONTROL_ERROR,
                    "a window larger than there are",
                )

    # Sending

    def start_response(self, stream: Stream, block: bytes, *, end: bool) -> None:
        """Write the head of a response."""
        machine = stream.state_machine
        if stream.may_send and not machine.headers_sent:
            machine.headers_sent = True
        else:
            machine.process_input(StreamInputs.SEND_HEADERS)
        self._data_to_send += pack_block(
            stream.stream_id, 1 if end else 0, block, self.frame_size
        )
        if end:
            self.end(stream)

    def send_informational(self, stream: Stream, block: bytes) -> None:
        """Write a 1xx response."""
        stream.state_machine.process_input(StreamInputs.SEND_INFORMATIONAL_HEADERS)
        self._data_to_send += pack_block(stream.stream_id, 0, block, self.frame_size)

    def send_trailers(self, stream: Stream, block: bytes) -> None:
        """Write trailers, which end the response."""
        stream.state_machine.process_input(StreamInputs.SEND_HEADERS)
        self._data_to_send += pack_block(stream.stream_id, 1, block, self.frame_size)
        self.end(stream)

    def write_data(
        self, stream: Stream, data: bytes | memoryview, *, end: bool
    ) -> None:
        """Write one DATA frame that fits the windows and the frame size."""
        size = len(data)
        if not stream.may_send:
            stream.state_machine.process_input(StreamInputs.SEND_DATA)
        out = self._data_to_send
        out += pack_data(stream.stream_id, size, end=end)
        out += data
        stream.outbound_flow_control_window -= size
        self.outbound_flow_control_window -= size
        stream.sent += size
        if end:
            self.end(stream)

    def end(self, stream: Stream) -> None:
        """Note that our side of a stream has ended."""
        machine = stream.state_machine
        if machine.state is _HALF_CLOSED_REMOTE:
            machine.state = _CLOSED
            machine.stream_closed_by = StreamClosedBy.SEND_END_STREAM
        else:
            machine.process_input(StreamInputs.SEND_END_STREAM)
        if machine.state is _CLOSED:
            self.forget(stream)
