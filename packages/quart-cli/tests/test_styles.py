"""What run and dev say when files change and when they end."""

import sys
from typing import Any

import pytest
from quart_cli.styles import RunStyle


@pytest.mark.parametrize(
    ("cut", "text"),
    [
        (None, "stopped"),
        (0, "stopped, 0 open requests"),
        (1, "stopped, 1 open request cut"),
        (2, "stopped, 2 open requests cut"),
    ],
)
def test_the_end_says_what_was_cut(capsys: Any, cut: int | None, text: str) -> None:
    RunStyle(None).stopped(cut)
    assert capsys.readouterr().out == f"{text}\n"


def test_the_end_stands_apart_from_what_the_terminal_shows_of_the_interrupt(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    RunStyle(None).stopped(0)
    assert capsys.readouterr().out == " stopped, 0 open requests\n"


@pytest.mark.parametrize(
    ("paths", "failed", "text"),
    [
        (["a.py"], False, "a.py changed, reloaded in 0.2 s"),
        (["a.py"], True, "a.py changed, still fails"),
        (list("abcde"), False, "a, b, c, 2 more changed, reloaded in 0.2 s"),
    ],
)
def test_a_reload_names_a_few_files(
    capsys: Any, paths: list[str], failed: bool, text: str
) -> None:
    RunStyle(None).reloaded(paths, 0.21, failed=failed)
    assert capsys.readouterr().out == f"{text}\n"
