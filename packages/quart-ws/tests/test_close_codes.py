"""Which codes and reasons a close frame may hold."""

from __future__ import annotations

import pytest
from quart_ws.close_codes import check_close_code, check_reason


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65536])
def test_codes_that_may_not_be_sent_are_refused(code: int) -> None:
    with pytest.raises(ValueError, match=f"close code {code} cannot be sent"):
        check_close_code(code)


@pytest.mark.parametrize("code", [1000, 1003, 1007, 1014, 3000, 4999])
def test_other_codes_may_be_sent(code: int) -> None:
    check_close_code(code)


def test_a_reason_has_123_bytes_of_utf_8_at_most() -> None:
    check_reason("ä" * 61 + "a")
    with pytest.raises(ValueError, match="124 bytes"):
        check_reason("ä" * 62)
