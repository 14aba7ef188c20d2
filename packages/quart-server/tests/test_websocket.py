"""One WebSocket without I/O: RFC 6455, 5 to 8, and RFC 7692, 6.

The tables follow the groups of the Autobahn fuzzing suite: 1 framing, 2 pings and
pongs, 3 reserved bits, 4 opcodes, 5 fragmentation, 6 UTF-8, 7 closing, 9 limits, 12 and
13 compression.
"""

from __future__ import annotations

import importlib.util
import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart_server.protocols.websocket import WebsocketConnection
from quart_server.protocols.websocket_events import Closed, Failed, Ping, Pong
from quart_server.protocols.websocket_extensions import Deflate
from quart_server.protocols.websocket_limits import WebsocketLimits
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.events import Ping as PingEvent
from wsproto.events import Pong as PongEvent

_spec = importlib.util.spec_from_file_location(
    "quart_server_websocket_peer", Path(__file__).with_name("websocket_peer.py")
)
peer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(peer)

frame, text, close = peer.frame, peer.text, peer.close
CONTINUATION, TEXT, BINARY = peer.CONTINUATION, peer.TEXT, peer.BINARY
CLOSE, PING, PONG = peer.CLOSE, peer.PING, peer.PONG
RSV1, RSV2, RSV3 = peer.RSV1, peer.RSV2, peer.RSV3

DEFLATE = Deflate(15, 15, server_takeover=True, client_takeover=True, response=b"")


def plain(event):
    """Return an event in a form that compares."""
    if isinstance(event, Ping | Pong):
        return (type(event).__name__, event.payload)
    if isinstance(event, Closed | Failed):
        return (type(event).__name__, event.code)
    return event


def read(
    data: bytes,
    pieces: int | None = None,
    *,
    limits=None,
    deflate: Deflate | None = None,
):
    """Return all events of some bytes, given at once or in pieces of a size."""
    websocket = WebsocketConnection(limits or WebsocketLimits(), deflate)
    size = pieces or max(len(data), 1)
    events = []
    for start in range(0, len(data), size):
        websocket.receive_data(data[start : start + size])
        while (event := websocket.next_event()) is not None:
            events.append(plain(event))
    return events


def check(data: bytes, *expected, **settings) -> None:
    """Check the events whatever the segments."""
    for pieces in (None, 1, 2, 3, 7):
        assert read(data, pieces, **settings) == list(expected), pieces


# RFC 6455, 5.2: base framing (group 1)

SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pieces", [None, 997])
def test_messages_of_all_lengths_are_read(size: int, pieces: int | None) -> None:
    assert read(text("*" * size), pieces) == ["*" * size]
    payload = b"\xfe" * size
    assert read(frame(BINARY, payload), pieces) == [payload]


def test_empty_messages_are_messages() -> None:
    check(text("") + frame(BINARY), "", b"")


@pytest.mark.parametrize(
    ("size", "width"), [(0, 2), (125, 2), (0, 8), (125, 8), (126, 8), (65535, 8)]
)
def test_length_in_more_bytes_than_needed_fails(size: int, width: int) -> None:
    data = frame(BINARY, bytes(size), width=width)
    assert read(data) == [("Failed", 1002)]


def test_length_with_its_top_bit_set_fails() -> None:
    assert read(frame(BINARY, b"", size=1 << 63, width=8))[0][0] == "Failed"


# 5.3: masks


@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION])
def test_frame_without_mask_fails(opcode: int) -> None:
    assert read(frame(opcode, b"ab", mask=None)) == [("Failed", 1002)]
    assert read(frame(opcode, b"abcdefgh", mask=None)) == [("Failed", 1002)]


# 5.5.2 and 5.5.3: pings and pongs (group 2)


@pytest.mark.parametrize("payload", [b"", b"hello", b"\x00\xff\xfe", b"\xfe" * 125])
def test_pings_and_pongs_are_read_with_their_payload(payload: bytes) -> None:
    check(
        frame(PING, payload) + frame(PONG, payload),
        ("Ping", payload),
        ("Pong", payload),
    )


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_control_frame_over_125_bytes_fails(opcode: int) -> None:
    check(frame(opcode, bytes(126)), ("Failed", 1002))


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_control_frame_in_fragments_fails(opcode: int) -> None:
    check(frame(opcode, b"", fin=False) + frame(CONTINUATION), ("Failed", 1002))


def test_ten_pings_come_in_order() -> None:
    payloads = [b"payload-%d" % number for number in range(10)]
    data = b"".join(frame(PING, payload) for payload in payloads)
    check(data, *[("Ping", payload) for payload in payloads])


# 5.2: reserved bits (group 3)


@pytest.mark.parametrize("rsv", range(0x10, 0x80, 0x10))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
def test_reserved_bits_without_extension_fail(rsv: int, opcode: int) -> None:
    check(text("a") + frame(opcode, b"", rsv=rsv) + text("b"), "a", ("Failed", 1002))


@pytest.mark.parametrize("rsv", range(0x10, 0x80, 0x10))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
def test_only_rsv1_of_messages_is_negotiated(rsv: int, opcode: int) -> None:
    data = (
        frame(opcode, b"\x00", rsv=rsv) if opcode <= BINARY else frame(opcode, rsv=rsv)
    )
    [event] = read(data, deflate=DEFLATE)
    if rsv == RSV1 and opcode <= BINARY:
        assert event in {"", b""}
    else:
        assert event == ("Failed", 1002)


# 5.2: opcodes (group 4)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("payload", [b"", b"reserved"])
def test_reserved_opcode_fails(opcode: int, payload: bytes) -> None:
    check(text("a") + frame(opcode, payload) + text("b"), "a", ("Failed", 1002))


# 5.4: fragmentation (group 5)


def fragments(opcode: int, *parts: bytes, rsv: int = 0) -> list[bytes]:
    last = len(parts) - 1
    return [
        frame(
            CONTINUATION if index else opcode,
            part,
            fin=index == last,
            rsv=0 if index else rsv,
        )
        for index, part in enumerate(parts)
    ]


def test_fragments_are_one_message() -> None:
    check(b"".join(fragments(TEXT, b"frag", b"", b"ment")), "fragment")
    check(b"".join(fragments(BINARY, b"", b"\xff", b"")), b"\xff")
    check(b"".join(fragments(TEXT, b"", b"", b"")), "")


def test_control_frames_may_stand_between_fragments() -> None:
    one, two, three = fragments(TEXT, b"a", b"b", b"c")
    data = one + frame(PING, b"1") + two + frame(PONG, b"2") + frame(PING) + three
    check(data + text("d"), ("Ping", b"1"), ("Pong", b"2"), ("Ping", b""), "abc", "d")


def test_close_may_stand_between_fragments() -> None:
    check(frame(TEXT, b"a", fin=False) + close(1000) + text("b"), ("Closed", 1000))


@pytest.mark.parametrize("fin", [True, False])
@pytest.mark.parametrize("payload", [b"", b"abc"])
def test_continuation_of_nothing_fails(fin: bool, payload: bytes) -> None:
    check(frame(CONTINUATION, payload, fin=fin), ("Failed", 1002))
    data = b"".join(fragments(TEXT, b"a", b"b")) + frame(CONTINUATION, payload, fin=fin)
    check(data, "ab", ("Failed", 1002))


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("fin", [True, False])
def test_new_message_within_another_fails(opcode: int, fin: bool) -> None:
    data = frame(TEXT, b"a", fin=False) + frame(opcode, b"b", fin=fin)
    check(data, ("Failed", 1002))


# 8.1: UTF-8 (group 6)

GOOD_UTF8 = [
    "κόσμε", "\x00", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd",
    "\uffff", "\ufffe", "\U00010000", "\U0010ffff", "\U0001fffe", "a\u0308🎉",
]  # fmt: skip

BAD_UTF8 = [
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xf4\x90\x80\x80",
    b"\x80", b"\xbf", b"\x80\xbf", b"\xc0 ", b"\xe0 ", b"\xf0 ", b"\xf8 ", b"\xfc ",
    b"\xc0", b"\xe0\x80", b"\xf0\x80\x80", b"\xfe", b"\xff", b"\xc0\xaf",
    b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xc1\xbf", b"\xe0\x9f\xbf",
    b"\xf0\x8f\xbf\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80",
    b"\xf5\x80\x80\x80", b"abc\xc3", b"\xe2\x82", b"\xf0\x9f\x8e",
]  # fmt: skip


@pytest.mark.parametrize("content", GOOD_UTF8)
def test_valid_text_comes_through_however_it_is_cut(content: str) -> None:
    encoded = content.encode()
    check(text(content), content)
    parts = [encoded[i : i + 1] for i in range(len(encoded))]
    check(b"".join(fragments(TEXT, *parts)), content)


@pytest.mark.parametrize("payload", BAD_UTF8)
def test_invalid_text_fails_with_1007(payload: bytes) -> None:
    check(frame(TEXT, payload) + text("b"), ("Failed", 1007))
    parts = [payload[i : i + 1] for i in range(len(payload))]
    check(b"".join(fragments(TEXT, *parts)), ("Failed", 1007))


def test_invalid_text_fails_before_its_frame_ends() -> None:
    data = frame(TEXT, b"\xce\xba\xf4\x90\x80\x80edited")
    websocket = WebsocketConnection(WebsocketLimits())
    websocket.receive_data(data[:9])
    assert websocket.next_event() is None
    websocket.receive_data(data[9:10])
    assert plain(websocket.next_event()) == ("Failed", 1007)


def test_invalid_text_fails_before_its_message_ends() -> None:
    check(frame(TEXT, b"\xf4\x90", fin=False), ("Failed", 1007))


def test_invalid_text_is_fine_in_binary_messages() -> None:
    check(frame(BINARY, b"\xff\xfe"), b"\xff\xfe")


# 5.5.1 and 7: closing (group 7)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]
)
def test_valid_close_codes_are_told_with_their_reason(code: int) -> None:
    check(close(code, "grüß".encode()), ("Closed", code))
    websocket = WebsocketConnection(WebsocketLimits())
    websocket.receive_data(close(code, "grüß".encode()))
    assert websocket.next_event().reason == "grüß"


@pytest.mark.parametrize(
    "code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]
)
def test_invalid_close_codes_fail_with_1002(code: int) -> None:
    check(close(code), ("Failed", 1002))


def test_close_without_code_is_1005() -> None:
    check(close(), ("Closed", 1005))


def test_close_of_one_byte_fails() -> None:
    check(frame(CLOSE, b"\x03"), ("Failed", 1002))


def test_close_reason_that_is_no_utf8_fails_with_1007() -> None:
    check(close(1000, b"\xce\xba\xed\xa0\x80"), ("Failed", 1007))


def test_close_reason_of_123_bytes_is_read() -> None:
    check(close(1000, b"x" * 123), ("Closed", 1000))


@pytest.mark.parametrize("last", [close(1000), frame(PING, b"", rsv=RSV2)])
def test_nothing_is_read_after_the_end(last: bytes) -> None:
    websocket = WebsocketConnection(WebsocketLimits())
    websocket.receive_data(text("a") + last + text("b") + close(1001))
    assert websocket.next_event() == "a"
    assert isinstance(websocket.next_event(), Closed | Failed)
    assert websocket.ended
    assert websocket.next_event() is None
    websocket.receive_data(text("c"))
    assert websocket.next_event() is None
    assert websocket.buffered == 0


# 10.4: limits (group 9)

SMALL = WebsocketLimits(message=1000, frame=600, fragments=4)


def test_message_within_the_limits_is_read() -> None:
    check(frame(BINARY, bytes(600)), bytes(600), limits=SMALL)
    parts = fragments(BINARY, bytes(600), bytes(400))
    check(b"".join(parts), bytes(1000), limits=SMALL)


@pytest.mark.parametrize("size", [601, 1001, 65536, 1 << 40, (1 << 63) - 1])
def test_frame_over_the_limit_fails_on_its_header(size: int) -> None:
    check(frame(BINARY, b"", size=size), ("Failed", 1009), limits=SMALL)
    check(frame(TEXT, b"", size=size, fin=False), ("Failed", 1009), limits=SMALL)


def test_message_over_the_limit_fails_on_the_header_that_exceeds_it() -> None:
    one, two = fragments(BINARY, bytes(600), bytes(401))
    check(one + two[:8], ("Failed", 1009), limits=SMALL)


def test_too_many_fragments_fail() -> None:
    parts = fragments(BINARY, *[b"a"] * 4)
    check(b"".join(parts), b"aaaa", limits=SMALL)
    parts = fragments(BINARY, *[b""] * 5)
    check(b"".join(parts), ("Failed", 1009), limits=SMALL)


def test_control_frames_count_as_no_fragments() -> None:
    one, two = fragments(BINARY, b"a", b"b")
    data = one + frame(PING) * 10 + two
    check(data, *[("Ping", b"")] * 10, b"ab", limits=SMALL)


def test_limits_count_for_each_message_anew() -> None:
    message = b"".join(fragments(BINARY, bytes(500), bytes(500)))
    check(message * 3, bytes(1000), bytes(1000), bytes(1000), limits=SMALL)


# RFC 7692, 6: compressed messages (groups 12 and 13)

HELLO = peer.deflate(b"Hello")


def test_compressed_messages_are_inflated() -> None:
    check(frame(TEXT, HELLO, rsv=RSV1), "Hello", deflate=DEFLATE)
    check(frame(BINARY, HELLO, rsv=RSV1), b"Hello", deflate=DEFLATE)


def test_messages_that_are_not_compressed_come_through_as_well() -> None:
    data = frame(TEXT, HELLO, rsv=RSV1) + text("plain") + frame(TEXT, HELLO, rsv=RSV1)
    check(data, "Hello", "plain", "Hello", deflate=DEFLATE)


def test_compressed_fragments_with_control_frames_between_them() -> None:
    content = "".join(random.Random(1).choices("abcdef ü", k=5000))
    payload = peer.deflate(content.encode())
    parts = [payload[i : i + 700] for i in range(0, len(payload), 700)]
    data = frame(PING, b"x").join(fragments(TEXT, *parts, rsv=RSV1))
    pings = [("Ping", b"x")] * (len(parts) - 1)
    for pieces in (None, 1, 11):
        assert read(data, pieces, deflate=DEFLATE) == [*pings, content]


def test_compressed_message_may_end_with_an_empty_fragment() -> None:
    check(b"".join(fragments(TEXT, HELLO, b"", rsv=RSV1)), "Hello", deflate=DEFLATE)


def test_rsv1_on_a_continuation_fails() -> None:
    one, _ = fragments(TEXT, HELLO[:2], HELLO[2:], rsv=RSV1)
    data = one + frame(CONTINUATION, HELLO[2:], rsv=RSV1)
    check(data, ("Failed", 1002), deflate=DEFLATE)


def test_what_does_not_inflate_fails_with_1007() -> None:
    check(frame(TEXT, b"\xff" * 9, rsv=RSV1), ("Failed", 1007), deflate=DEFLATE)
    parts = fragments(TEXT, b"\xff" * 9, b"", rsv=RSV1)
    check(b"".join(parts), ("Failed", 1007), deflate=DEFLATE)


def test_inflated_text_that_is_no_utf8_fails_with_1007() -> None:
    payload = peer.deflate(b"\xff")
    check(frame(TEXT, payload, rsv=RSV1), ("Failed", 1007), deflate=DEFLATE)
    parts = fragments(TEXT, payload, b"", rsv=RSV1)
    check(b"".join(parts), ("Failed", 1007), deflate=DEFLATE)


def test_message_that_inflates_over_the_limit_fails_with_1009() -> None:
    payload = peer.deflate(bytes(1001))
    check(
        frame(BINARY, payload, rsv=RSV1),
        ("Failed", 1009),
        limits=SMALL,
        deflate=DEFLATE,
    )
    parts = fragments(BINARY, payload[:3], payload[3:], rsv=RSV1)
    check(b"".join(parts), ("Failed", 1009), limits=SMALL, deflate=DEFLATE)


def test_blocks_that_inflate_to_nothing_are_bounded() -> None:
    empty = b"\x00\x00\x00\xff\xff" * 120
    limits = WebsocketLimits(message=1000, frame=600)
    parts = fragments(BINARY, *[empty] * 4, rsv=RSV1)
    check(b"".join(parts), ("Failed", 1009), limits=limits, deflate=DEFLATE)


# Encoding


def test_server_frames_are_plain() -> None:
    websocket = WebsocketConnection(WebsocketLimits())
    assert websocket.encode_message("hello") == b"\x81\x05hello"
    assert websocket.encode_message(b"\xff") == b"\x82\x01\xff"
    assert websocket.encode_ping(b"p") == b"\x89\x01p"
    assert websocket.encode_pong(b"p") == b"\x8a\x01p"
    assert websocket.encode_close(1000, "bye") == b"\x88\x05\x03\xe8bye"
    assert websocket.encode_close(None) == b"\x88\x00"


def test_long_messages_are_compressed_where_that_is_agreed() -> None:
    websocket = WebsocketConnection(WebsocketLimits(), DEFLATE)
    assert websocket.encode_message("short") == b"\x81\x05short"
    [(first, payload)] = peer.read_frames(websocket.encode_message("long " * 100))
    assert first == 0x80 | RSV1 | TEXT
    assert peer.inflate(payload) == b"long " * 100
    [(first, again)] = peer.read_frames(websocket.encode_message(b"long " * 100))
    assert first == 0x80 | RSV1 | BINARY
    assert len(again) < len(payload)


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)), st.booleans())
def test_clients_read_what_the_server_writes(message, is_long: bool) -> None:
    message *= 300 if is_long else 1
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(WebsocketConnection(WebsocketLimits()).encode_message(message))
    events = list(client.events())
    assert type(message)().join(event.data for event in events) == message
    assert events[-1].message_finished


# Segments

messages = st.one_of(st.text(max_size=200), st.binary(max_size=200))
controls = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))


@st.composite
def conversations(draw, *, compressed: bool = False):
    """Draw frames of a client, and the events they stand for."""
    data, events = b"", []
    for message in draw(st.lists(messages, max_size=5)):
        is_text = isinstance(message, str)
        encoded = message.encode() if is_text else message
        rsv = RSV1 if compressed and draw(st.booleans()) else 0
        if rsv:
            encoded = peer.deflate(encoded) or b"\x00"
        cuts = draw(st.lists(st.integers(0, len(encoded)), max_size=4).map(sorted))
        bounds = [0, *cuts, len(encoded)]
        parts = [encoded[a:b] for a, b in itertools.pairwise(bounds)]
        for index, part in enumerate(
            fragments(TEXT if is_text else BINARY, *parts, rsv=rsv)
        ):
            if index and draw(st.booleans()):
                opcode, payload = draw(controls)
                data += frame(opcode, payload)
                events.append(("Ping" if opcode == PING else "Pong", payload))
            data += part
        events.append(message)
    return data, events


@settings(max_examples=150)
@given(st.data(), st.booleans())
def test_segments_and_fragments_change_nothing(data, compressed: bool) -> None:
    wire, events = data.draw(conversations(compressed=compressed))
    deflate = DEFLATE if compressed else None
    cuts = data.draw(st.lists(st.integers(0, len(wire)), max_size=8).map(sorted))
    websocket = WebsocketConnection(WebsocketLimits(), deflate)
    read_events = []
    bounds = [0, *cuts, len(wire)]
    for a, b in itertools.pairwise(bounds):
        websocket.receive_data(wire[a:b])
        while (event := websocket.next_event()) is not None:
            read_events.append(plain(event))
    assert read_events == events
    assert websocket.buffered == 0
    assert websocket.partial_size == 0


@settings(max_examples=150)
@given(conversations(compressed=True))
def test_events_may_be_pulled_after_all_bytes_are_there(conversation) -> None:
    wire, events = conversation
    websocket = WebsocketConnection(WebsocketLimits(), DEFLATE)
    for index in range(0, len(wire), 50):
        websocket.receive_data(wire[index : index + 50])
    pulled = []
    while (event := websocket.next_event()) is not None:
        pulled.append(plain(event))
    assert pulled == events


# The strict reader beside wsproto alone


def read_by_wsproto(data: bytes):
    """Return what wsproto alone makes of some bytes, in our form."""
    connection = Connection(ConnectionType.SERVER)
    connection.receive_data(data)
    parts, events = [], []
    for event in connection.events():
        if isinstance(event, TextMessage | BytesMessage):
            parts.append(event.data)
            if event.message_finished:
                events.append(type(parts[0])().join(parts))
                parts = []
        elif isinstance(event, PingEvent):
            events.append(("Ping", bytes(event.payload)))
        elif isinstance(event, PongEvent):
            events.append(("Pong", bytes(event.payload)))
        elif isinstance(event, CloseConnection):
            name = "Failed" if connection.state.name == "OPEN" else "Closed"
            events.append((name, int(event.code)))
    return events


def mutate(source: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(source.randrange(4)):
        if not changed:
            break
        at = source.randrange(len(changed))
        action = source.randrange(4)
        if action == 0:
            changed[at] ^= 1 << source.randrange(8)
        elif action == 1:
            changed[at] = source.choice([0x00, 0x7E, 0x7F, 0x80, 0x81, 0xFE, 0xFF])
        elif action == 2:
            del changed[at : at + source.randrange(1, 5)]
        else:
            changed[at:at] = source.randbytes(source.randrange(1, 5))
    return bytes(changed)


SEEDS = [
    text("hello"), text(""), text("ü" * 80), frame(BINARY, bytes(200)),
    frame(PING, b"p"), frame(PONG), close(1000, b"bye"), close(), close(4000),
    close(1011), frame(TEXT, b"a", fin=False) + frame(PING) + frame(CONTINUATION, b"b"),
    frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"\xbc") + text("x"),
    frame(BINARY, b"abc", fin=False) + frame(BINARY, b"d"), frame(TEXT, b"\xff"),
    frame(TEXT, b"a" * 130, width=8), frame(3, b"x"), frame(TEXT, b"a", rsv=RSV3),
]  # fmt: skip


def is_known_difference(ours, theirs) -> bool:
    """Return whether it is close code 1014, which wsproto does not know."""
    return ours[-1:] == [("Closed", 1014)] and theirs[-1:] == [("Failed", 1002)]


def test_strict_reader_agrees_with_wsproto_on_mutated_frames() -> None:
    source = random.Random(20_240)
    kinds = set()
    limits = WebsocketLimits(message=1 << 66, frame=1 << 66)
    for _ in range(3_000):
        data = b"".join(source.choices(SEEDS, k=source.randrange(1, 4)))
        # The longest header behind it: ours are judged once they are whole.
        data = mutate(source, data) + bytes(14)
        theirs = read_by_wsproto(data)
        for pieces in (None, source.randrange(1, 9)):
            ours = read(data, pieces, limits=limits)
            assert ours == theirs or is_known_difference(ours, theirs), data
        kinds |= {
            event if isinstance(event, tuple) else type(event) for event in theirs
        }
    assert {("Failed", 1002), ("Failed", 1007), ("Closed", 1000), str, bytes} <= kinds


@pytest.mark.parametrize("deflate", [None, DEFLATE])
def test_strict_reader_agrees_with_the_reference_on_compressed_frames(deflate) -> None:
    """Given byte by byte a frame is never whole, so that only wsproto reads it."""
    source = random.Random(7)
    payloads = [
        HELLO,
        peer.deflate(b"\xff"),
        peer.deflate(bytes(300)),
        b"\x00",
        b"\xff",
    ]
    kinds = set()
    for _ in range(1_500):
        data = b""
        for _ in range(source.randrange(1, 4)):
            opcode, rsv = source.choice([TEXT, BINARY]), source.choice([0, RSV1])
            data += frame(opcode, source.choice(payloads), rsv=rsv)
        data = mutate(source, data) if source.random() < 0.7 else data
        whole, bytewise = read(data, deflate=deflate), read(data, 1, deflate=deflate)
        assert whole == bytewise, data
        kinds |= {event if isinstance(event, tuple) else type(event) for event in whole}
    expected = {("Failed", 1002), ("Failed", 1007), bytes}
    assert expected <= kinds
