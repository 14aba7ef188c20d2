"""The cases that h2spec makes of RFC 7541, by section: all are COMPRESSION_ERROR."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from http2_peer import GET
from hyperframe.frame import GoAwayFrame


async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})


NAME = b"\x00\x05x-foo"

CASES = [
    ("2.3.3-1 an indexed field beyond the table", b"", b"\xff\xff\x03"),
    ("2.3.3-2 a literal with a name beyond the table", b"", b"\x7f\xff\x03\x03bar"),
    ("4.2-1 a table size update at the end", b"", b"\x20"),
    ("5.2-1 Huffman padding of more than 7 bits", b"", NAME + b"\x83\x94\xe7\xff"),
    ("5.2-2 Huffman padding by zero", b"", NAME + b"\x83\x8c\x76\x00"),
    ("5.2-3 Huffman coding with EOS", b"", NAME + b"\x85\x94\xff\xff\xff\xff"),
    ("6.1-1 index 0", b"", b"\x80"),
    ("6.3-1 a table size over the limit", b"\x3f\xe2\x1f", b""),
    ("5.1 an integer that does not end", b"", b"\xff" + b"\x80" * 10),
    ("5.2 a string that is cut", b"", NAME + b"\x7f"),
    ("4.2 a third table size update", b"\x20\x20\x20", b""),
]


@pytest.mark.parametrize(
    ("name", "front", "back"), CASES, ids=[name for name, *_ in CASES]
)
async def test_a_block_that_cannot_be_decoded_ends_the_connection(
    connect, name, front, back
):
    client = await connect(app)
    await client.send(client.headers(1, block=front + client.block(GET) + back))
    ended = await client.until(GoAwayFrame)
    assert ended.error_code == ErrorCodes.COMPRESSION_ERROR
