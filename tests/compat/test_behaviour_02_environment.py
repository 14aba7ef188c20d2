"""Environment variables that an application itself reads."""

from __future__ import annotations

import pytest
from quart import Quart
from quart.helpers import get_debug_flag


@pytest.mark.parametrize(
    ("value", "debug"),
    [
        ("", False),
        ("0", False),
        ("false", False),
        ("No", False),
        ("1", True),
        ("yes", True),
    ],
)
def test_quart_debug_is_the_initial_debug(
    monkeypatch: pytest.MonkeyPatch, value: str, debug: bool
) -> None:
    monkeypatch.setenv("QUART_DEBUG", value)
    assert get_debug_flag() is debug
    assert Quart(__name__).debug is debug


@pytest.mark.parametrize("name", ["QUART_ENV", "FLASK_ENV", "FLASK_APP", "FLASK_DEBUG"])
def test_other_variables_are_ignored(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "1")
    app = Quart(__name__)
    assert (app.debug, app.config["ENV"]) == (False, None)
