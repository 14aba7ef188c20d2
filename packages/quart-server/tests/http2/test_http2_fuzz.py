"""Random lives of connections: whatever comes, it is a known failure or none.

After every step the books must balance: what heads cost, what waits, and so on.
"""

from __future__ import annotations

import random
import struct

import pytest
from http2_peer import (
    CONNECT_WEBSOCKET,
    GET,
    POST,
    Server,
    data,
    goaway,
    ping,
    raw,
    reset,
    settings_ack,
    window,
)
from quart_server.protocols.http2_errors import ErrorCodes
from quart_server.protocols.http2_events import BodyReceived, StreamReset


class Life:
    """One connection, a client that is mostly sane, and an app."""

    def __init__(self, seed: int, wildness: float) -> None:
        self.random = random.Random(seed)
        self.wildness = wildness
        self.server = Server(resets=10**9, frames=10**9, empty_frames=10**9)
        self.next_id = 1

    def run(self, steps: int) -> None:
        for _ in range(steps):
            if self.random.random() < 0.4:
                self.answer()
            elif self.random.random() < self.wildness:
                self.receive(self.wild_frame())
            else:
                self.receive(self.sane_frame())
            self.server.frames()
            self.check()
            if self.server.failure is not None:
                return

    def receive(self, frame: bytes) -> None:
        server = self.server
        for event in server.feed(frame, cut=self.random.choice([None, None, 1, 7])):
            if isinstance(event, BodyReceived):
                server.http2.credit(event.stream, len(event.data))
            elif isinstance(event, StreamReset):
                server.http2.sender.drop(event.stream)

    def any_stream(self) -> int:
        known = [own for own in self.server.http2.streams if own % 2]
        return self.random.choice(known) if known else 1

    def sane_frame(self) -> bytes:
        pick, stream_id = self.random.random(), self.any_stream()
        if pick < 0.35 or stream_id not in self.server.http2.streams:
            fields = self.random.choice(
                [GET, POST, CONNECT_WEBSOCKET, [*POST, (b"content-length", b"10")]]
            )
            stream_id, self.next_id = self.next_id, self.next_id + 2
            ends = self.random.random() < 0.5
            return self.server.headers(stream_id, fields, end=ends)
        if pick < 0.6:
            size = self.random.randint(0, 200)
            return data(stream_id, bytes(size), end=self.random.random() < 0.3)
        if pick < 0.75:
            return window(self.random.choice([0, stream_id]), 10_000)
        if pick < 0.85:
            return reset(stream_id, self.random.randint(0, 20))
        if pick < 0.9:
            return self.server.headers(stream_id, [(b"x", b"y")])
        if pick < 0.95:
            size = self.random.choice([0, 1, 100, 65_535])
            return raw(4, 0, 0, struct.pack(">HL", self.random.choice([1, 4]), size))
        return self.random.choice([ping(), settings_ack(), goaway()])

    def wild_frame(self) -> bytes:
        pick, rng = self.random.random(), self.random
        stream_id = rng.choice([0, 1, 2, 3, self.next_id, self.any_stream()])
        if pick < 0.2:
            return raw(4, 0, 0, struct.pack(">HL", rng.randint(0, 10), 2**24))
        if pick < 0.4:
            return window(stream_id, rng.choice([0, 2**31 - 1]))
        if pick < 0.5:
            return raw(0x10, 0, 0, struct.pack(">L", stream_id) + b"u=9")
        payload = rng.randbytes(rng.randint(0, 30))
        return raw(rng.randint(0, 12), rng.randint(0, 255), stream_id, payload)

    def answer(self) -> None:
        """Let the app do something that it may do."""
        http2, rng = self.server.http2, self.random
        waiting = [s for s in http2.streams.values() if s.may_send and not s.is_ending]
        if not waiting:
            return
        stream, sender, pick = rng.choice(waiting), http2.sender, rng.random()
        if stream.state_machine.headers_sent is not True:
            headers = [(b"a", b"%d" % rng.randint(0, 3))]
            ends = rng.random() < 0.2
            sender.send_head(stream, 200, headers, None, is_head=False, end=ends)
        elif pick < 0.6:
            size = rng.randint(0, 40_000)
            sender.send_body(stream, b"z" * size, end=rng.random() < 0.3)
        elif pick < 0.8:
            sender.send_trailers(stream, [(b"t", b"1")])
        elif pick < 0.9:
            http2.reset(stream, ErrorCodes.CANCEL)
        else:
            sender.push(stream, list(GET))

    def check(self) -> None:
        http2 = self.server.http2
        streams = http2.streams.values()
        assert http2._engine.charged == sum(stream.cost for stream in streams)
        assert http2.sender.queued == sum(stream.queued for stream in streams)
        assert not any(stream.is_over for stream in streams)
        assert len(http2._intake.past._resets) <= 10


@pytest.mark.parametrize("wildness", [0.0, 0.02, 0.2])
def test_random_lives_end_in_known_ways(wildness):
    for seed in range(150):
        life = Life(seed, wildness)
        life.run(120)
        if not wildness and life.server.failure is not None:
            # Even a sane client may send DATA behind its own end, or too much of it.
            assert life.server.failure.code in {
                ErrorCodes.STREAM_CLOSED,
                ErrorCodes.FLOW_CONTROL_ERROR,
            }
