"""What leaves an HTTP/2 connection: heads at once, bodies as windows and turns allow.

A body that fits the windows is written where it is given. What does not waits in its
stream's queue, and `pump` sends it by turns whenever there is room.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from h2.exceptions import ProtocolError as H2Error

from .http2_priority import Turns, turn_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .http2_budget import Budget
    from .http2_engine import Engine, Stream
    from .http2_response import HeadEncoder, ResponseSize

__all__ = ["Sender"]

# What is written ahead of the transport in one go; more waits for its turn.
_WRITE_AHEAD: Final = 64 * 1024


class Sender:
    """The sending half of a connection.

    Attributes:
        queued: Bytes of body that wait on all streams.
        holds: Whether nothing may leave now, since the client does not read.
    """

    __slots__ = ("_budget", "_engine", "_heads", "_turns", "holds", "queued")

    def __init__(self, engine: Engine, heads: HeadEncoder, budget: Budget) -> None:
        self._engine = engine
        self._heads = heads
        self._budget = budget
        self._turns = Turns()
        self.queued = 0
        self.holds = False

    # Responses

    def send_head(
        self,
        stream: Stream,
        status: int,
        headers: Iterable[Sequence[bytes]],
        body_size: int | None,
        *,
        is_head: bool,
        end: bool = False,
    ) -> ResponseSize | None:
        """Write the head of a response; return what its body must be.

        Args:
            stream: The stream.
            status: The status code.
            headers: Pairs of name and value from the app.
            body_size: The size of the body where it is known.
            is_head: Whether the request's method is HEAD.
            end: Whether nothing follows.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
            BodyLengthError: The body is not as long as the app's Content-Length.
        """
        block, size = self._heads.encode_head(
            status, headers, body_size, is_head=is_head
        )
        if end:
            self._budget.responses += 1
        self._engine.start_response(stream, block, end=end)
        return size

    def send_informational(
        self, stream: Stream, status: int, headers: Iterable[Sequence[bytes]] = ()
    ) -> None:
        """Write a 1xx response.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """
        block = self._heads.encode_fields(headers, status)
        self._engine.send_informational(stream, block)

    def send_body(self, stream: Stream, data: bytes, *, end: bool) -> None:
        """Send a piece of body, now or by turns."""
        size = len(data)
        if stream.queue or (size and not self._fits(stream, size)):
            self._hold(stream, data, end=end)
        elif size or end:
            self._budget.bytes_sent += size
            if end:
                self._budget.responses += 1
            self._engine.write_data(stream, data, end=end)

    def check_trailers(self, fields: Iterable[Sequence[bytes]]) -> None:
        """Check trailer fields before they wait.

        Raises:
            InvalidFieldError: A name or value must not go on the wire.
        """
        self._heads.check_fields(fields)

    def send_trailers(self, stream: Stream, fields: list[tuple[bytes, bytes]]) -> None:
        """Send checked trailer fields behind the body; they end the response."""
        if stream.queue:
            stream.trailers = fields
            stream.is_ending = True
        else:
            self._end_with(stream, fields)

    def push(
        self, parent: Stream, fields: Sequence[tuple[bytes, bytes]]
    ) -> Stream | None:
        """Promise a response; None where the client does not want any.

        Args:
            parent: The stream whose client is told.
            fields: The header list of the request that is answered.
        """
        engine = self._engine
        if not engine.remote_settings.enable_push:
            return None
        pushed = sum(1 for stream_id in engine.streams if not stream_id % 2)
        if pushed >= engine.remote_settings.max_concurrent_streams:
            return None
        stream_id = engine.get_next_available_stream_id()
        try:
            engine.push_stream(parent.stream_id, stream_id, list(fields))
        except H2Error:
            return None  # the parent ended, or is a pushed one itself
        return engine.streams[stream_id]

    # Turns

    @property
    def has_turns(self) -> bool:
        """Whether a stream waits only for its turn."""
        return bool(self._turns) and self._engine.outbound_flow_control_window > 0

    def wake(self, stream: Stream) -> None:
        """Let a stream wait for its turn if it has something and may send it."""
        if stream.queue and stream.outbound_flow_control_window > 0:
            self._turns.add(stream)

    def wake_all(self) -> None:
        """Do so for all streams: their windows have changed."""
        for stream in self._engine.streams.values():
            self.wake(stream)

    def drop(self, stream: Stream) -> None:
        """Forget what waits on a stream."""
        self.queued -= stream.queued
        stream.queued = 0
        stream.queue = None
        stream.trailers = None

    def pump(self) -> list[Stream]:
        """Write what the windows allow; return the streams that sent something."""
        engine, turns = self._engine, self._turns
        moved: list[Stream] = []
        while turns and engine.pending < _WRITE_AHEAD:
            if engine.outbound_flow_control_window <= 0:
                break
            stream = turns.next()
            if stream.queue:
                self._take_turn(stream)
                moved.append(stream)
                self.wake(stream)
        return moved

    def _take_turn(self, stream: Stream) -> None:
        engine, queue = self._engine, stream.queue
        left = turn_size(stream)
        size = 0
        while queue and left > 0:
            room = min(
                left,
                engine.frame_size,
                engine.outbound_flow_control_window,
                stream.outbound_flow_control_window,
            )
            head = queue[0]
            if room <= 0:
                break
            piece = head[:room]
            if len(piece) == len(head):
                queue.popleft()
            else:
                queue[0] = memoryview(head)[room:]
            left -= len(piece)
            size += len(piece)
            self._send_piece(stream, piece, last=not queue)
        self._budget.bytes_sent += size
        self._turns.charge(stream, size)

    def _send_piece(
        self, stream: Stream, piece: bytes | memoryview, *, last: bool
    ) -> None:
        """Write a piece from the queue, and the end behind the last one."""
        stream.queued -= len(piece)
        self.queued -= len(piece)
        fields = stream.trailers
        end = last and stream.is_ending
        if end and fields is None:
            self._budget.responses += 1
        self._engine.write_data(stream, piece, end=end and fields is None)
        if end and fields is not None:
            self._end_with(stream, list(fields))

    def _end_with(self, stream: Stream, fields: list[tuple[bytes, bytes]]) -> None:
        """Write the trailers, or an empty DATA frame where there are none."""
        self._budget.responses += 1
        block = self._heads.encode_fields(fields)
        if block:
            self._engine.send_trailers(stream, block)
        else:
            self._engine.write_data(stream, b"", end=True)

    def _hold(self, stream: Stream, data: bytes, *, end: bool) -> None:
        if stream.queue is None:
            stream.queue = deque()
        if data:
            stream.queue.append(data)
            stream.queued += len(data)
            self.queued += len(data)
        stream.is_ending = end
        self.wake(stream)

    def _fits(self, stream: Stream, size: int) -> bool:
        engine = self._engine
        return (
            size <= stream.outbound_flow_control_window
            and size <= engine.outbound_flow_control_window
            and size <= engine.frame_size
            and not self.holds
            and not self._turns
            and engine.pending < _WRITE_AHEAD
        )
