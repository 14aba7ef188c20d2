"""Optional packages: absent, broken, present."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from quart_core.missing import MissingPackageError, import_part, missing

MESSAGE = (
    "app.websocket() needs quart-ws, which is not installed: "
    "run 'pip install quart-ws', or 'pip install quart' for everything"
)


def test_the_message_says_what_to_install() -> None:
    error = missing("app.websocket()", "quart-ws")
    assert str(error) == MESSAGE
    assert error.name == "quart_ws"
    assert isinstance(error, ImportError)


def test_an_absent_package_is_reported_as_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "quart_ws", None)
    with pytest.raises(MissingPackageError) as caught:
        import_part("quart_ws.registration", "app.websocket()", "quart-ws")
    assert str(caught.value) == MESSAGE


def test_an_absent_package_that_was_never_imported_is_reported_as_missing() -> None:
    with pytest.raises(MissingPackageError, match="needs no-such-thing"):
        import_part("no_such_thing.part", "this", "no-such-thing")


def make_package(folder: Path, name: str, code: str) -> None:
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "part.py").write_text(code)


def test_a_present_package_gives_its_submodule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_package(tmp_path, "present_part_package", "value = 5")
    monkeypatch.syspath_prepend(tmp_path)
    part = import_part("present_part_package.part", "this", "present-part-package")
    assert part.value == 5


def test_a_broken_package_shows_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_package(tmp_path, "broken_part_package", "import no_such_dependency")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency") as caught:
        import_part("broken_part_package.part", "this", "broken-part-package")
    assert not isinstance(caught.value, MissingPackageError)


def test_a_package_without_the_submodule_is_broken_and_not_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_package(tmp_path, "partless_package", "")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError) as caught:
        import_part("partless_package.other", "this", "partless-package")
    assert not isinstance(caught.value, MissingPackageError)
    assert caught.value.name == "partless_package.other"
