"""The package: its public names."""

from __future__ import annotations

import subprocess
import sys

import pytest
import quart_ws


@pytest.mark.parametrize("name", quart_ws.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    value = getattr(quart_ws, name)
    assert value.__name__ == name
    assert name in dir(quart_ws)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        quart_ws.Nothing  # noqa: B018


def test_serving_websockets_loads_no_rooms() -> None:
    code = (
        "import sys; import quart_ws.asgi, quart_ws.dispatch\n"
        "print([name for name in sys.modules if name in "
        "('quart_ws.rooms', 'quart_ws.blocking', 'quart_ws.brokers')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout.strip() == "[]"
