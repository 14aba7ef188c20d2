"""Frames as bytes: RFC 6455, 5.2 (headers) and 7.4 (close codes)."""

from __future__ import annotations

import pytest
from quart_server.protocols.websocket_frames import (
    CloseCodeError,
    close_payload,
    encode_frame,
    header_size,
    is_close_code,
    payload_size,
    read_close,
)

VALID = [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]
INVALID = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]


@pytest.mark.parametrize(
    ("size", "header"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_length_is_written_in_the_fewest_bytes(size: int, header: bytes) -> None:
    assert encode_frame(0x82, bytes(size)) == header + bytes(size)


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"\x81\x05", 5),
        (b"\x81\x85mask", 5),
        (b"\x81\xfe\x01\x00mask", 256),
        (b"\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00mask", 65536),
    ],
)
def test_header_says_where_it_ends_and_what_follows(header: bytes, length: int) -> None:
    assert header_size(header[1]) == len(header)
    assert payload_size(header) == length


@pytest.mark.parametrize("code", VALID)
def test_close_code_that_may_be_sent_comes_back_as_it_was(code: int) -> None:
    assert is_close_code(code)
    assert read_close(close_payload(code, "bye ü")) == (code, "bye ü")


@pytest.mark.parametrize("code", INVALID)
def test_close_code_that_must_not_be_sent_is_refused(code: int) -> None:
    assert not is_close_code(code)
    assert read_close(code.to_bytes(2, "big")) is None
    with pytest.raises(CloseCodeError, match="expected 1000 to 1003"):
        close_payload(code, "")


def test_close_frame_without_code_counts_as_1005() -> None:
    assert close_payload(None, "") == b""
    assert read_close(b"") == (1005, "")


@pytest.mark.parametrize("payload", [b"\x03", b"\x03\xe8\xff", b"\x03\xe8\xc3"])
def test_broken_close_payload_is_none(payload: bytes) -> None:
    assert read_close(payload) is None


def test_long_reason_is_cut_between_characters() -> None:
    payload = close_payload(1000, "ü" * 100)
    assert payload == b"\x03\xe8" + ("ü" * 61).encode()
    assert len(payload) <= 125
