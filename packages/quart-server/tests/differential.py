"""Compares fast readers and our chunk decoder with h11 on mutated input.

Run by the tests with a bounded number of inputs, and by hand with as many as wanted:

    python differential.py 1000000 [seed]
"""

from __future__ import annotations

import random
import sys
import time

import h11
from quart_server.protocols.chunked import ChunkedDecoder
from quart_server.protocols.errors import ProtocolError
from quart_server.protocols.limits import HTTP1Limits
from quart_server.protocols.readers import (
    HttptoolsReader,
    ReferenceReader,
    StrictReader,
)
from quart_server.protocols.request import RequestHead

LIMITS = HTTP1Limits()

HEADS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /path?query=1&b=%20 HTTP/1.1\r\nHost: a.example:8000\r\nAccept: */*\r\n\r\n",
    (
        b"POST /form HTTP/1.1\r\nHost: a.b\r\nContent-Length: 12\r\n"
        b"Content-Type: text/plain\r\nConnection: keep-alive\r\n\r\n"
    ),
    (
        b"PUT /x HTTP/1.1\r\nhost: [::1]:80\r\nTransfer-Encoding: chunked\r\n"
        b"Expect: 100-continue\r\nTE: trailers\r\n\r\n"
    ),
    (
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ),
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://example.com/p?q HTTP/1.1\r\nHost: example.com\r\n\r\n",
    b"DELETE /a%C3%A9 HTTP/1.0\r\nConnection: close\r\nCookie: a=b; c=d\r\n\r\n",
]

HEAD_PIECES = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\x00", b"\x0b", b"\x0c", b"\x7f",
    b"\x80", b"\x85", b"\xff", b"#", b"%", b"?", b"//", b"@", b",", b";", b"\r\n ",
    b"\r\n\t", b"Host: a\r\n", b"Host: b\r\n", b"Content-Length: 5\r\n",
    b"Content-Length: +5\r\n", b"Content-Length: 1_0\r\n", b"Content-Length: 5, 5\r\n",
    b"content-length:0\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: Chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n",
    b"Transfer-Encoding : chunked\r\n", b"Connection: close\r\n", b"Expect: x\r\n",
    b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0", b"HTTP/1.9", b"http/1.1", b"get", b"PRI",
    b"CONNECT", b"a: b\r\n", b"A:b \t\r\n", b"X-Empty:\r\n", b"\xc3\xa9",
]  # fmt: skip

BODIES = [
    b"0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    b"A;name=value\r\n0123456789\r\n0;last\r\nTrailer: yes\r\n\r\n",
    b'3;a="b;c"\r\nabc\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\nGET / HTTP/1.1\r\n',
    b"00000003\r\nabc\r\n000\r\n\r\n",
]

BODY_PIECES = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b";", b"=", b'"', b"\\", b"0", b"1", b"f",
    b"F", b"+", b"-", b"0x", b"_", b"\x00", b"\x80", b"0\r\n", b"1\r\na\r\n",
    b"X: y\r\n", b"Host: a\r\n", b";ext", b";a=b", b"ffffffffffffffff",
]  # fmt: skip


class Disagreement(AssertionError):
    """A fast reader accepted what the reference refuses, or read it differently."""


def facts(head: RequestHead) -> dict[str, object]:
    return {name: getattr(head, name) for name in RequestHead.__slots__}


def as_block(data: bytes) -> bytes:
    """Cut or complete bytes to what a connection hands to its reader."""
    return data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def fast_readers() -> list[object]:
    readers: list[object] = [StrictReader(LIMITS)]
    if HttptoolsReader is not None:
        readers.append(HttptoolsReader(LIMITS))
    return readers


def compare_head(block: bytes, readers, reference: ReferenceReader) -> int:
    """Compare all readers on one head; return how many of the fast ones took it."""
    taken = 0
    for reader in readers:
        found = reader.read_plain(block)
        if found is None:
            continue
        taken += 1
        try:
            expected = reference.read_head(block)
        except ProtocolError as error:
            raise Disagreement(
                f"{reader.name} takes {block!r}, the reference says {error.status}"
            ) from error
        if facts(found) != facts(expected):
            raise Disagreement(
                f"{block!r}: {reader.name} reads {facts(found)}, "
                f"the reference {facts(expected)}"
            )
    return taken


def compare_body(data: bytes) -> bool:
    """Compare our decoder with h11 on one chunked body; return whether ours took it."""
    if not data:
        return False
    decoder = ChunkedDecoder(LIMITS)
    try:
        body, position = decoder.decode(data, 0)
    except ProtocolError:
        return False
    expected, done, rest = h11_body(data)
    if decoder.done != done or body != expected:
        raise Disagreement(f"{data!r}: ours reads {body!r}, h11 {expected!r}")
    if done and data[position:] != rest:
        raise Disagreement(f"{data!r}: ours leaves {data[position:]!r}, h11 {rest!r}")
    return done


def h11_body(data: bytes) -> tuple[bytes, bool, bytes]:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    connection.next_event()
    connection.receive_data(data)
    body = b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise Disagreement(f"ours takes {data!r}, h11 says {error}") from error
        if event is h11.NEED_DATA:
            return body, False, b""
        if isinstance(event, h11.EndOfMessage):
            return body, True, connection.trailing_data[0]
        body += bytes(event.data)


def mutate(rng: random.Random, data: bytes, pieces: list[bytes]) -> bytes:
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data) + 1)
        choice = rng.randrange(6)
        if choice == 0:
            data = data[:place] + rng.choice(pieces) + data[place:]
        elif choice == 1:
            data = data[:place] + data[place + rng.randint(1, 4) :]
        elif choice == 2:
            data = data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]
        elif choice == 3:
            stop = place + rng.randint(1, 12)
            data = data[:stop] + data[place:stop] + data[stop:]
        elif choice == 4:
            data = data[:place] + bytes([rng.randrange(256)]) + data[place:]
        else:
            lines = data.split(b"\r\n")
            lines.insert(rng.randrange(len(lines)), rng.choice(lines))
            data = b"\r\n".join(lines)
    return data


def run_heads(count: int, seed: int) -> int:
    rng = random.Random(seed)
    readers, reference = fast_readers(), ReferenceReader(LIMITS)
    taken = 0
    for _ in range(count):
        block = as_block(mutate(rng, rng.choice(HEADS), HEAD_PIECES))
        taken += compare_head(block, readers, reference) > 0
    return taken


def run_bodies(count: int, seed: int) -> int:
    rng = random.Random(seed)
    return sum(
        compare_body(mutate(rng, rng.choice(BODIES), BODY_PIECES)) for _ in range(count)
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    print(f"{count} mutations each, seed {seed}")
    print("heads taken by a fast reader:", run_heads(count, seed))
    print("bodies taken:", run_bodies(count, seed))


if __name__ == "__main__":
    main()
