"""Keeping exceptions: numbered, bounded, for the owner only."""

import stat
from pathlib import Path

import pytest
from quart_cli import error_store
from quart_cli.error_store import MAX_ERRORS, ErrorStore


def test_entries_are_numbered_and_read_again(tmp_path: Path) -> None:
    store = ErrorStore(tmp_path)
    assert store.numbers() == []
    assert store.read(1) is None
    for number in (1, 2):
        assert store.reserve() == number
        assert store.read(number) is None
        store.write(number, {"summary": f"error {number}"})
    assert list(ErrorStore(tmp_path).entries()) == [
        (1, {"summary": "error 1"}),
        (2, {"summary": "error 2"}),
    ]


def test_the_oldest_are_dropped(tmp_path: Path) -> None:
    store = ErrorStore(tmp_path)
    for _ in range(MAX_ERRORS + 3):
        store.write(store.reserve(), {})
    assert store.numbers() == list(range(4, MAX_ERRORS + 4))


def test_two_processes_do_not_take_the_same_number(tmp_path: Path) -> None:
    assert [ErrorStore(tmp_path).reserve() for _ in range(3)] == [1, 2, 3]


def test_a_long_page_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_store, "MAX_ENTRY_CHARACTERS", 100)
    store = ErrorStore(tmp_path)
    store.write(store.reserve(), {"text": "short", "page": "x" * 100})
    assert store.read(1) == {"text": "short", "page": ""}


def test_others_and_git_see_nothing(tmp_path: Path) -> None:
    store = ErrorStore(tmp_path)
    store.write(store.reserve(), {})
    folder = tmp_path / ".quart" / "errors"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "1.json").stat().st_mode) == 0o600
    ignored = (tmp_path / ".quart" / ".gitignore").read_text().splitlines()
    assert "*" in ignored


def test_clearing_begins_with_one_again(tmp_path: Path) -> None:
    store = ErrorStore(tmp_path)
    store.clear()
    store.reserve()
    store.clear()
    assert store.reserve() == 1


def test_other_files_are_no_entries(tmp_path: Path) -> None:
    store = ErrorStore(tmp_path)
    store.reserve()
    for name in ("notes.json", "9999999999999.json", "3.txt"):
        (tmp_path / ".quart" / "errors" / name).write_text("{}")
    assert store.numbers() == [1]
