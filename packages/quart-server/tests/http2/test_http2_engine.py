"""The shortcuts around h2 lead where h2 leads, in random lives of streams."""

from __future__ import annotations

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from http2_peer import (
    GET,
    POST,
    PREFACE,
    Blocks,
    Frames,
    Server,
    data,
    of,
    reset,
    settings,
    settings_ack,
    window,
)
from hyperframe.frame import (
    DataFrame,
    HeadersFrame,
    RstStreamFrame,
    WindowUpdateFrame,
)
from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.http2_errors import ErrorCodes


class Pair:
    """Our engine and a plain h2, both told the same."""

    def __init__(self) -> None:
        self.ours = Server()
        self.plain = H2Connection(H2Configuration(client_side=False))
        self.plain.initiate_connection()
        self.client = Blocks()
        self.reader = Frames()
        self.plain.receive_data(PREFACE + settings() + settings_ack())
        self.reader.feed(self.plain.data_to_send())
        self.next_id = 1
        self.can_send: dict[int, str] = {}  # what each stream may still have from us
        self.client_open: set[int] = set()
        self.sent: dict[int, list] = {}

    def receive(self, frames: bytes) -> None:
        self.ours.feed(frames)
        self.plain.receive_data(frames)
        assert self.ours.failure is None

    # What can happen

    def request(self, ends: bool) -> None:
        stream_id, self.next_id = self.next_id, self.next_id + 2
        block = self.client.block(GET if ends else POST)
        frames = self.client.headers(stream_id, block=block, end=ends)
        self.receive(frames)
        self.can_send[stream_id] = "head"
        if not ends:
            self.client_open.add(stream_id)

    def body(self, pick: int, size: int, ends: bool) -> None:
        if not self.client_open:
            return
        stream_id = sorted(self.client_open)[pick % len(self.client_open)]
        self.receive(data(stream_id, b"x" * size, end=ends))
        if ends:
            self.client_open.discard(stream_id)

    def window(self, pick: int, size: int) -> None:
        live = sorted(set(self.can_send) | self.client_open)
        if live:
            self.receive(window(live[pick % len(live)], size + 1))

    def reset_by_client(self, pick: int) -> None:
        live = sorted(self.can_send)
        if live:
            stream_id = live[pick % len(live)]
            self.receive(reset(stream_id))
            del self.can_send[stream_id]
            self.client_open.discard(stream_id)

    def answer(self, pick: int, size: int, ends: bool) -> None:
        live = sorted(self.can_send)
        if not live:
            return
        stream_id = live[pick % len(live)]
        stream = self.ours.http2.streams[stream_id]
        sender = self.ours.http2.sender
        if self.can_send[stream_id] == "head":
            sender.send_head(stream, 200, [], None, is_head=False, end=ends)
            self.plain.send_headers(stream_id, [(b":status", b"200")], end_stream=ends)
            self.can_send[stream_id] = "body"
        else:
            size = min(size, self.plain.local_flow_control_window(stream_id), 16_384)
            sender.send_body(stream, b"y" * size, end=ends)
            if size or ends:
                self.plain.send_data(stream_id, b"y" * size, end_stream=ends)
        if ends:
            del self.can_send[stream_id]

    def compare(self) -> None:
        ours, plain = self.ours.http2._engine, self.plain
        assert ours.highest_inbound_stream_id == plain.highest_inbound_stream_id
        assert ours.outbound_flow_control_window == plain.outbound_flow_control_window
        consumed = 512 * 1024 - ours.inbound_flow_control_window
        assert consumed == 65_535 - plain.inbound_flow_control_window
        for stream_id, theirs in plain.streams.items():
            own = ours.streams.get(stream_id)
            if own is None:
                assert theirs.closed
                continue
            machine, other = own.state_machine, theirs.state_machine
            for name in ("state", "client", "headers_sent", "headers_received"):
                assert getattr(machine, name) == getattr(other, name), name
            assert machine.trailers_sent == other.trailers_sent
            assert own.inbound_flow_control_window == theirs.inbound_flow_control_window
            assert (
                own.outbound_flow_control_window == theirs.outbound_flow_control_window
            )

    def compare_frames(self) -> None:
        ours = self.ours.frames()
        theirs = self.reader.feed(self.plain.data_to_send())

        def seen(frames):
            return [
                (type(f), f.stream_id, sorted(f.flags), getattr(f, "data", None))
                if not isinstance(f, HeadersFrame)
                else (type(f), f.stream_id, sorted(f.flags), f.fields)
                for f in frames
                if not isinstance(f, WindowUpdateFrame)
            ]

        assert seen(ours) == seen(theirs)


STEPS = st.one_of(
    st.tuples(st.just("request"), st.booleans()),
    st.tuples(st.just("body"), st.integers(0, 9), st.integers(0, 3_000), st.booleans()),
    st.tuples(st.just("window"), st.integers(0, 9), st.integers(0, 9_999)),
    st.tuples(st.just("reset_by_client"), st.integers(0, 9)),
    st.tuples(
        st.just("answer"), st.integers(0, 9), st.integers(0, 20_000), st.booleans()
    ),
)


@given(st.lists(STEPS, max_size=40))
def test_our_steps_lead_where_those_of_h2_lead(steps):
    pair = Pair()
    received = 0
    for name, *arguments in steps:
        if name == "body":
            received += arguments[1]
            if received > 60_000:
                continue  # the plain connection has the smaller window
        getattr(pair, name)(*arguments)
        pair.compare()
    pair.compare_frames()


def test_steps_that_are_not_plain_are_refused_by_h2():
    server = Server()
    stream = server.request(1)
    engine = server.http2._engine
    engine.start_response(stream, b"\x88", end=True)
    with pytest.raises(ProtocolError):
        engine.start_response(stream, b"\x88", end=False)
    with pytest.raises(ProtocolError):
        engine.write_data(stream, b"x", end=False)


def test_a_response_behind_trailers_is_refused_by_h2():
    server = Server()
    stream = server.request(1, POST, end=False)
    engine = server.http2._engine
    engine.start_response(stream, b"\x88", end=False)
    engine.send_trailers(stream, b"\x00\x01a\x01b")
    with pytest.raises(ProtocolError):
        engine.write_data(stream, b"x", end=False)


def test_the_clients_table_size_is_used_within_reason():
    server = Server()
    server.feed(settings(header_table_size=2**31))
    assert server.http2._engine.encoder.header_table_size == 4096
    server.feed(settings(header_table_size=0))
    assert server.http2._engine.encoder.header_table_size == 0


def test_a_small_window_of_ours_holds_once_it_is_acknowledged():
    server = Server(greeted=False, window=100)
    server.feed(PREFACE + settings())
    stream = server.request(1, POST, end=False)
    assert stream.inbound_flow_control_window == 65_535
    server.feed(settings_ack())
    assert stream.inbound_flow_control_window == 100
    server.feed(data(1, b"x" * 101))
    (frame,) = of(RstStreamFrame, server.frames())
    assert frame.error_code == ErrorCodes.FLOW_CONTROL_ERROR


def test_data_over_the_window_of_the_connection_ends_it():
    server = Server(memory=128 * 1024, window=2**20)
    server.request(1, POST, end=False)
    for _ in range(5):
        server.feed(data(1, b"x" * 16_384))
    assert server.failure.code == ErrorCodes.FLOW_CONTROL_ERROR


@pytest.mark.parametrize("how", ["client", "server", "error", "unread"])
def test_the_connections_window_comes_back_after_every_end_of_a_stream(how):
    server = Server(resets=10**6)
    engine = server.http2._engine
    for index in range(200):
        stream_id = 2 * index + 1
        stream = server.request(stream_id, POST, end=False)
        server.feed(data(stream_id, b"x" * 10_000))
        if how == "client":
            server.feed(reset(stream_id))
        elif how == "server":
            server.http2.reset(stream, ErrorCodes.NO_ERROR)
        elif how == "error":
            server.feed(window(stream_id, 0))
        else:
            server.feed(data(stream_id, b"", end=True))
            server.http2.reset(stream, ErrorCodes.NO_ERROR)
        server.http2.credit(stream, 10_000)
        server.frames()
    assert engine.inbound_flow_control_window > 256 * 1024
    assert not server.http2.streams
    assert engine.charged == 0


def test_what_waits_is_forgotten_with_its_stream():
    server = Server()
    server.feed(settings(initial_window_size=0))
    stream = server.request(1)
    server.http2.sender.send_head(stream, 200, [], None, is_head=False)
    server.http2.sender.send_body(stream, b"x" * 1_000, end=True)
    assert server.http2.sender.queued == 1_000
    server.http2.reset(stream, ErrorCodes.CANCEL)
    assert server.http2.sender.queued == 0
    assert not of(DataFrame, server.frames())
