"""Masks: RFC 6455, 5.3."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from quart_server.protocols.websocket_masks import unmask, unmask_with_integers


def by_the_book(data: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


masks = st.binary(min_size=4, max_size=4)


@given(st.binary(max_size=300), masks)
def test_mask_is_taken_off_as_the_rfc_says(data: bytes, mask: bytes) -> None:
    assert unmask(data, mask) == by_the_book(data, mask)
    assert unmask_with_integers(data, mask) == by_the_book(data, mask)


@given(masks)
def test_mask_goes_on_over_the_steps_of_long_payloads(mask: bytes) -> None:
    data = bytes(range(251)) * 80
    assert unmask_with_integers(data, mask) == by_the_book(data, mask)


@given(st.binary(max_size=50), masks)
def test_result_is_bytes_whatever_was_given(data: bytes, mask: bytes) -> None:
    for function in (unmask, unmask_with_integers):
        result = function(bytearray(data), bytearray(mask))
        assert type(result) is bytes
        assert result == by_the_book(data, mask)
