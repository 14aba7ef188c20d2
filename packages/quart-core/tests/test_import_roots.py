"""Where modules lie: root paths and installation prefixes."""

from __future__ import annotations

import importlib
import json
import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
import werkzeug
from quart_core.import_roots import find_package, get_root_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path, that is also the working directory."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve()


def make_package(folder: Path, name: str, *, init: bool = True) -> Path:
    package = folder / name
    package.mkdir(parents=True)
    if init:
        (package / "__init__.py").touch()
    (package / "inner.py").touch()
    return package


# get_root_path


def test_the_root_path_of_a_module_is_its_folder(folder: Path) -> None:
    (folder / "root_single.py").touch()
    package = make_package(folder, "root_package")
    assert get_root_path("root_single") == str(folder)
    assert get_root_path("root_package") == str(package)
    assert get_root_path("root_package.inner") == str(package)
    assert get_root_path("werkzeug.routing") == os.path.join(
        os.path.dirname(werkzeug.__file__), "routing"
    )


def test_the_root_path_of_an_imported_module_needs_no_search(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = ModuleType("made_by_hand")
    module.__file__ = str(tmp_path / "made_by_hand.py")
    monkeypatch.setitem(sys.modules, "made_by_hand", module)
    assert get_root_path("made_by_hand") == str(tmp_path)


@pytest.mark.parametrize("name", ["no_such_module", "no_such_package.inner"])
def test_the_root_path_of_nothing_is_the_working_directory(
    folder: Path, name: str
) -> None:
    assert get_root_path(name) == str(folder)


def test_the_root_path_of_main_without_a_file_is_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    assert get_root_path("__main__") == str(folder)


def test_a_module_without_a_file_is_explained(folder: Path) -> None:
    make_package(folder, "root_namespace", init=False)
    importlib.import_module("root_namespace")
    for name in ("sys", "root_namespace"):
        with pytest.raises(RuntimeError, match=f"{name}' has no file.*Pass root_path="):
            get_root_path(name)


def test_a_folder_with_the_name_of_an_application_is_not_its_root(
    folder: Path,
) -> None:
    (folder / "named_like_a_folder").mkdir()
    assert get_root_path("named_like_a_folder") == str(Path.cwd())


# find_package


@pytest.mark.parametrize(
    "name", ["plain_package", "plain_package.inner", "plain_single"]
)
def test_a_package_that_is_not_installed_has_no_prefix(folder: Path, name: str) -> None:
    make_package(folder, "plain_package")
    (folder / "plain_single.py").touch()
    assert find_package(name) == (None, folder)


def test_a_namespace_package_lies_in_its_first_folder(folder: Path) -> None:
    make_package(folder, "plain_namespace", init=False)
    assert find_package("plain_namespace.inner") == (None, folder)


def test_a_package_below_the_prefix_of_the_interpreter_has_that_prefix() -> None:
    packages = Path(werkzeug.__file__).resolve().parent.parent
    assert find_package("werkzeug.routing") == (Path(sys.prefix).resolve(), packages)


@pytest.mark.parametrize(
    ("inside", "prefix"),
    [
        ("env/lib/python3.11/site-packages", "env"),
        ("env/Lib/site-packages", "env"),
        ("target/site-packages", "target"),
    ],
)
def test_another_prefix_is_told_from_site_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: str, prefix: str
) -> None:
    name = "installed_" + str(len(inside))
    make_package(tmp_path / inside, name)
    monkeypatch.syspath_prepend(tmp_path / inside)
    root = tmp_path.resolve()
    assert find_package(name) == (root / prefix, root / inside)


@pytest.mark.parametrize("name", ["no_such_module", "sys"])
def test_what_has_no_folder_is_in_the_working_directory(
    folder: Path, name: str
) -> None:
    assert find_package(name) == (None, folder)


def test_main_without_a_spec_is_in_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    assert find_package("__main__") == (None, folder)


def test_a_spec_without_a_file_is_in_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("made_without_file")
    module.__spec__ = ModuleSpec("made_without_file", None)
    monkeypatch.setitem(sys.modules, "made_without_file", module)
    assert find_package("made_without_file") == (None, folder)


def test_the_standard_library_is_not_installed_by_anybody() -> None:
    assert find_package("json")[1] == Path(json.__file__).resolve().parent.parent
