"""The client's side of HTTP/2, written for tests: it can do what is wrong."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from h2.errors import ErrorCodes
from hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
)
from quart_server.protocols.http2 import HTTP2Connection
from quart_server.protocols.http2_errors import ConnectionFailed
from quart_server.protocols.http2_events import RequestReceived
from quart_server.protocols.http2_limits import HTTP2Limits
from quart_server.protocols.http2_response import FieldRules

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
TIMEOUT = 10.0

GET = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/"),
    (b":authority", b"localhost"),
)
POST = ((b":method", b"POST"), *GET[1:])
CONNECT_WEBSOCKET = (
    (b":method", b"CONNECT"),
    (b":protocol", b"websocket"),
    *GET[1:],
    (b"sec-websocket-version", b"13"),
)


def get(path: bytes = b"/", *fields: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return [*GET[:2], (b":path", path), GET[3], *fields]


def without(name: bytes, fields: Any = GET) -> list[tuple[bytes, bytes]]:
    return [field for field in fields if field[0] != name]


# Frames


def raw(kind: int, flags: int, stream_id: int, payload: bytes = b"", length=None):
    """Return a frame of any kind and content; `length` lies about its size."""
    size = len(payload) if length is None else length
    return struct.pack(">LBL", size << 8 | kind, flags, stream_id) + payload


def settings(**values: int) -> bytes:
    frame = SettingsFrame(0)
    for name, value in values.items():
        frame.settings[getattr(SettingsFrame, name.upper())] = value
    return frame.serialize()


def settings_ack() -> bytes:
    return SettingsFrame(0, flags=("ACK",)).serialize()


def data(stream_id: int, payload: bytes = b"", *, end: bool = False) -> bytes:
    flags = ("END_STREAM",) if end else ()
    return DataFrame(stream_id, payload, flags=flags).serialize()


def reset(stream_id: int, code: int = ErrorCodes.CANCEL) -> bytes:
    return RstStreamFrame(stream_id, error_code=code).serialize()


def window(stream_id: int, increment: int) -> bytes:
    return raw(8, 0, stream_id, struct.pack(">L", increment))


def ping(payload: bytes = b"12345678", *, ack: bool = False) -> bytes:
    return raw(6, 1 if ack else 0, 0, payload)


def goaway(code: int = 0, last: int = 0) -> bytes:
    return GoAwayFrame(0, last_stream_id=last, error_code=code).serialize()


class Blocks:
    """Encodes header lists with one compression context."""

    def __init__(self) -> None:
        self.encoder = Encoder()

    def block(self, fields: Any) -> bytes:
        return self.encoder.encode([tuple(field) for field in fields])

    def headers(
        self,
        stream_id: int,
        fields: Any = GET,
        *,
        end: bool = True,
        end_headers: bool = True,
        block: bytes | None = None,
    ) -> bytes:
        flags = (1 if end else 0) | (4 if end_headers else 0)
        payload = self.block(fields) if block is None else block
        return raw(1, flags, stream_id, payload)

    def continued(self, stream_id: int, fields: Any, pieces: int) -> bytes:
        """Return a header list in HEADERS and `pieces` CONTINUATION frames."""
        block = self.block(fields)
        step = len(block) // (pieces + 1)
        cuts = [block[i * step : (i + 1) * step] for i in range(pieces)]
        cuts.append(block[pieces * step :])
        frames = [raw(1, 1, stream_id, cuts[0])]
        frames += [raw(9, 0, stream_id, cut) for cut in cuts[1:-1]]
        frames.append(raw(9, 4, stream_id, cuts[-1]))
        return b"".join(frames)


class Frames:
    """Reads the server's frames; header blocks are decoded into `frame.fields`."""

    def __init__(self) -> None:
        self._buffer = b""
        self.decoder = Decoder()

    def feed(self, received: bytes) -> list[Any]:
        self._buffer += received
        frames: list[Any] = []
        while len(self._buffer) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self._buffer[:9]))
            if len(self._buffer) < 9 + length:
                break
            frame.parse_body(memoryview(self._buffer[9 : 9 + length]))
            self._buffer = self._buffer[9 + length :]
            if isinstance(frame, HeadersFrame | PushPromiseFrame):
                assert "END_HEADERS" in frame.flags
                frame.fields = list(self.decoder.decode(frame.data, raw=True))
            frames.append(frame)
        return frames


def of(kind: type, frames: list[Any], stream_id: int | None = None) -> list[Any]:
    return [
        frame
        for frame in frames
        if isinstance(frame, kind) and stream_id in {None, frame.stream_id}
    ]


class Server(Blocks):
    """A connection of ours without any transport, and a client's context for it."""

    def __init__(
        self, *, greeted: bool = True, rules: FieldRules | None = None, **limits: Any
    ) -> None:
        super().__init__()
        self.rules = rules or FieldRules()
        self.http2 = HTTP2Connection(HTTP2Limits(**limits), self.rules)
        self.reader = Frames()
        self.now = 0.0
        self.failure: ConnectionFailed | None = None
        if greeted:
            self.feed(PREFACE + settings() + settings_ack())
            self.frames()

    def feed(self, received: bytes, *, cut: int | None = None) -> list[Any]:
        """Give bytes to the server, in segments of `cut`; return the events."""
        events: list[Any] = []
        step = cut or len(received) or 1
        for start in range(0, len(received), step):
            try:
                segment = received[start : start + step]
                events += self.http2.receive_data(segment, self.now)
            except ConnectionFailed as error:
                events += self.http2.take_events()
                self.failure = error
                self.http2.end(error)
        for event in events:
            if isinstance(event, RequestReceived):
                self.http2.free_place()  # nothing handles it
        return events

    def frames(self) -> list[Any]:
        """Return what the server sends now."""
        sent: list[Any] = []
        while True:
            self.http2.sender.pump()
            data = self.http2.take()
            if not data:
                return sent
            sent += self.reader.feed(bytes(data))

    def request(self, stream_id: int = 1, fields: Any = GET, *, end=True) -> Any:
        """Make a request that is taken; return its stream."""
        (event,) = self.feed(self.headers(stream_id, fields, end=end))
        return event.stream


class SocketClient(Blocks):
    """A client on a socket: every wait is bounded."""

    def __init__(self, worker: Any, client: Any) -> None:
        super().__init__()
        self.worker = worker
        self.client = client
        self.reader = Frames()
        self._waiting: list[Any] = []
        self.is_closed = False

    async def send(self, *frames: bytes) -> None:
        await self.client.send(b"".join(frames))

    async def greet(self, **values: int) -> None:
        await self.send(PREFACE, settings(**values))
        await self.until(SettingsFrame)
        await self.send(settings_ack())

    async def next(self) -> Any:
        """Return the next frame, None at the end of the connection."""
        while not self._waiting:
            try:
                async with asyncio.timeout(TIMEOUT):
                    received = await self.client.reader.read(65536)
            except ConnectionError:
                received = b""
            if not received:
                self.is_closed = True
                return None
            self._waiting += self.reader.feed(received)
        return self._waiting.pop(0)

    async def until(self, kind: type, stream_id: int | None = None) -> Any:
        """Return the next frame of a kind."""
        while (frame := await self.next()) is not None:
            if isinstance(frame, kind) and stream_id in {None, frame.stream_id}:
                return frame
        raise AssertionError(f"the connection closed before {kind.__name__}")

    async def response(self, stream_id: int = 1) -> tuple[dict[bytes, bytes], bytes]:
        """Return the final head and the body of one response."""
        head = await self.until(HeadersFrame, stream_id)
        while head.fields[0][1].startswith(b"1"):
            head = await self.until(HeadersFrame, stream_id)
        body = b""
        last = head
        while "END_STREAM" not in last.flags:
            last = await self.until(DataFrame, stream_id)
            body += last.data
            if last.data:
                size = last.flow_controlled_length
                await self.send(window(0, size), window(stream_id, size))
        return dict(head.fields), body

    async def rest(self) -> list[Any]:
        """Return all frames until the connection ends."""
        frames = []
        while (frame := await self.next()) is not None:
            frames.append(frame)
        return frames

    async def error(self) -> tuple[str, int]:
        """Return the first error that the server tells, or that it closes."""
        while (frame := await self.next()) is not None:
            if isinstance(frame, GoAwayFrame):
                return "connection", frame.error_code
            if isinstance(frame, RstStreamFrame):
                return "stream", frame.error_code
        return "closed", 0

    async def is_alive(self) -> bool:
        """Return whether the connection still answers."""
        await self.send(ping(b"are u ok"))
        while (frame := await self.next()) is not None:
            if isinstance(frame, PingFrame) and frame.opaque_data == b"are u ok":
                return True
        return False
