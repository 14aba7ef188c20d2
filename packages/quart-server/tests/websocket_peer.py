"""The client's side of WebSocket bytes, written for tests: it can do what is wrong."""

from __future__ import annotations

import zlib

MASK = b"\x12\x34\x56\x78"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, 1.3
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1, RSV2, RSV3 = 0x80, 0x40, 0x20, 0x10


def xor(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = MASK,
    size: int | None = None,
    width: int | None = None,
) -> bytes:
    """Return a frame; `size` and `width` lie about the length and how it is written."""
    size = len(payload) if size is None else size
    if width is None:
        width = 1 if size < 126 else 2 if size < 0x10000 else 8
    masked = 0 if mask is None else 0x80
    first = (FIN if fin else 0) | rsv | opcode
    if width == 1:
        header = bytes((first, masked | size))
    else:
        code = 126 if width == 2 else 127
        header = bytes((first, masked | code)) + size.to_bytes(width, "big")
    if mask is None:
        return header + payload
    return header + mask + xor(payload, mask)


def text(data: str, **settings) -> bytes:
    return frame(TEXT, data.encode(), **settings)


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    payload = b"" if code is None else code.to_bytes(2, "big") + reason
    return frame(CLOSE, payload)


def deflate(data: bytes, bits: int = 15) -> bytes:
    """Return the payload of one compressed message without context."""
    compressor = zlib.compressobj(wbits=-bits)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflate(data: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(data + b"\x00\x00\xff\xff")


def read_frames(data: bytes) -> list[tuple[int, bytes]]:
    """Return first byte and payload of the server's frames."""
    frames = []
    while data:
        size, at = data[1], 2
        assert size < 0x80, "a server masks nothing"
        if size > 125:
            width = 2 if size == 126 else 8
            size, at = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
        assert len(data) >= at + size, "a frame that is cut"
        frames.append((data[0], data[at : at + size]))
        data = data[at + size :]
    return frames


def request(path: bytes = b"/", *fields: bytes, host: bytes = b"a") -> bytes:
    """Return a handshake with further fields."""
    lines = [
        b"GET " + path + b" HTTP/1.1",
        b"Host: " + host,
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Key: " + KEY,
        b"Sec-WebSocket-Version: 13",
        *fields,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"
