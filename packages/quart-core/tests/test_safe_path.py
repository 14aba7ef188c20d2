"""Joining paths that are not trusted (F-42, FW-13, FW-14, ST-02)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_core.safe_path import (
    confined_path,
    is_safe_path,
    safe_join,
    without_detours,
)
from werkzeug.exceptions import NotFound

DEVICES = [
    *["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"],
    *[f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"],
]


def device_paths() -> Iterator[str]:
    """Give every device with every case, ending, blank and place."""
    cases = (str.upper, str.lower, str.title)
    endings = ("", ".", ".txt", ".tar.gz", " .txt", " ", "  ", ". .", "...")
    fronts = ("", " ")
    places = ("{}", "a/{}", "{}/a", "a/{}/b")
    for device, case, ending, front, place in itertools.product(
        DEVICES, cases, endings, fronts, places
    ):
        yield place.format(front + case(device) + ending)


def traversals() -> Iterator[str]:
    """Give ways up, and out, in many spellings."""
    ups = ("..", "...", ". .", ".. ", "..\\", "..:", ".\\..", "..%2f\\", "..\0")
    for up, times, tail in itertools.product(ups, range(1, 5), ("", "/etc/passwd")):
        for separator in ("/", "\\", "//", "/./"):
            yield separator.join([up] * times) + tail
            yield "a/" + separator.join([up] * times) + tail


def absolute_forms() -> Iterator[str]:
    roots = (
        *["/", "//", "\\", "\\\\", "//?/", "\\\\?\\", "\\\\.\\", "//./", "/\\", "\\/"],
        *[f"{letter}:{slash}" for letter in "aAcCzZ" for slash in ("", "/", "\\")],
        *[
            "//host/share/",
            "\\\\host\\share\\",
            "\\\\?\\UNC\\host\\share\\",
            "file:///",
        ],
    )
    tails = ("etc/passwd", "windows/win.ini", "a", "", "pipe/x", "c:/a")
    for root, tail in itertools.product(roots, tails):
        yield root + tail
        yield "a/" + root + tail if root.startswith("\\") or ":" in root else root


def forbidden_characters() -> Iterator[str]:
    characters = [*map(chr, [*range(32), *range(127, 160)]), *'\\:*?"<>|', "\udcff"]
    for character, place in itertools.product(
        characters, ("{}", "a{}b", "a/{}", "a{}/b", "a/b{}c.txt", "{}/a")
    ):
        yield place.format(character)


def odd_segments() -> Iterator[str]:
    yield from ("", ".", "a/.", "./a", "a//b", "a/", "/a", "a. ", "a.", "a ", "a/b./c")
    yield from ("x" * 256, "é" * 128, "a/" * 3000 + "a", "a::$DATA", "a:b", "a.txt:x")


REJECTED = sorted(
    {
        *device_paths(),
        *traversals(),
        *absolute_forms(),
        *forbidden_characters(),
        *odd_segments(),
    }
)

ACCEPTED = [
    *["a", "a.txt", "a/b/c.txt", ".hidden", "a b.txt", "é.txt", "日本/語.txt", "a..b"],
    *[
        "console.txt",
        "com.txt",
        "com10",
        "nully",
        "x.nul",
        "a.con",
        "auxiliary",
        "...a",
    ],
    *["x" * 255, "a-b_c(d)[e]{f}+,;=@!$&'`~^%2e%2e", "..a", "%2e%2e"],
]


def test_the_corpus_is_large_enough() -> None:
    assert len(REJECTED) >= 5000


QUESTIONS = ("stat", "lstat", "readlink", "scandir", "listdir", "open", "access")


def outcomes(
    join: Callable[[str, str], str], paths: list[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], list[str]]:
    """Give the paths that were not refused, and the questions to the file system."""
    accepted, asked = [], []

    def watched(name: str) -> Callable[..., Any]:
        original = getattr(os, name)

        def ask(*args: Any, **kwargs: Any) -> Any:
            asked.append(name)
            return original(*args, **kwargs)

        return ask

    with monkeypatch.context() as patch:
        for name in QUESTIONS:
            patch.setattr(os, name, watched(name))
        for path in paths:
            try:
                accepted.append(join("/srv/files", path))
            except NotFound:
                continue
    return accepted, asked


@pytest.mark.parametrize("join", [safe_join, confined_path])
def test_f_42_no_rejected_path_reaches_the_file_system(
    join: Callable[[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert outcomes(join, REJECTED, monkeypatch) == ([], [])


def test_an_accepted_path_does_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted, asked = outcomes(confined_path, ["a/b"], monkeypatch)
    assert accepted == [os.path.join("/srv/files", "a/b")]
    assert asked == ["lstat", "lstat"]


@pytest.mark.parametrize("path", ACCEPTED)
def test_ordinary_names_are_accepted(path: str) -> None:
    assert is_safe_path(path)
    assert safe_join("/srv/files", path) == os.path.join("/srv/files", path)


def test_several_paths_are_joined_and_each_is_checked() -> None:
    assert safe_join(Path("/srv"), "a", "b/c") == os.path.join("/srv", "a", "b/c")
    for paths in (("a", ".."), ("..", "a"), ("a", "/b"), ("a", "")):
        with pytest.raises(NotFound):
            safe_join("/srv", *paths)


@given(st.text())
def test_what_is_accepted_stays_inside(path: str) -> None:
    if not is_safe_path(path):
        return
    root = os.path.abspath("/srv/files")
    joined = os.path.normpath(os.path.join(root, path))
    assert joined.startswith(root + os.sep)
    assert joined != root


@given(st.text(st.sampled_from(["/", "\\", ".", "a", ":", " ", "\0"]), max_size=12))
def test_short_combinations_of_the_dangerous_stay_inside(path: str) -> None:
    if is_safe_path(path):
        assert not {"\\", ":", "\0"} & set(path)
        assert not {"", ".", ".."} & set(path.split("/"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a folder, and secrets beside it."""
    made = tmp_path / "files"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_text("a")
    (made / "sub" / "b.txt").write_text("b")
    (tmp_path / "files-secret").mkdir()
    (tmp_path / "files-secret" / "s.txt").write_text("secret")
    return made


def test_paths_without_links_are_joined(root: Path) -> None:
    assert confined_path(str(root), "sub/b.txt") == str(root / "sub" / "b.txt")


def test_fw_14_links_that_stay_inside_are_followed(root: Path) -> None:
    (root / "link.txt").symlink_to("sub/b.txt")
    (root / "folder").symlink_to(root / "sub")
    expected = os.path.realpath(root / "sub" / "b.txt")
    assert confined_path(str(root), "link.txt") == expected
    assert confined_path(str(root), "folder/b.txt") == expected


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("../files-secret/s.txt", "link"),
        ("../files-secret", "link/s.txt"),
        ("/etc/passwd", "link"),
        ("/", "link/etc/passwd"),
        ("..", "link/files-secret/s.txt"),
        ("sub/up", "link/files-secret/s.txt"),
    ],
)
def test_fw_14_st_02_links_that_leave_are_refused(
    root: Path, target: str, name: str
) -> None:
    (root / "sub" / "up").symlink_to("../..")
    (root / "link").symlink_to(target)
    with pytest.raises(NotFound):
        confined_path(str(root), name)


def test_the_folder_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    current = tmp_path / "current"
    current.symlink_to(root)
    (root / "link.txt").symlink_to("a.txt")
    assert confined_path(str(current), "a.txt") == str(current / "a.txt")
    assert confined_path(str(current), "link.txt") == os.path.realpath(root / "a.txt")


def test_a_link_to_itself_ends(root: Path) -> None:
    (root / "loop").symlink_to("loop")
    # Inside, so far: that there is no such file is for the one who opens it to see.
    assert confined_path(str(root), "loop") == str(
        Path(os.path.realpath(root)) / "loop"
    )


@pytest.mark.parametrize(
    ("path", "direct"),
    [
        ("a/../b", "b"),
        ("a/b/../../c/d", "c/d"),
        ("a/b/../c", "a/c"),
        ("a/b", "a/b"),
        ("../b", "../b"),
        ("a/../../b", "a/../../b"),
        ("a/..", "a/.."),
        ("nul/../b", "nul/../b"),
        ("a\\b/../c", "a\\b/../c"),
        ("./../b", "./../b"),
        ("a//../b", "a//../b"),
    ],
)
def test_detours_that_stay_inside_are_left_out(path: str, direct: str) -> None:
    assert without_detours(path) == direct


@given(st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=8))
def test_fw_14_what_is_left_of_a_detour_never_goes_up(segments: list[str]) -> None:
    direct = without_detours("/".join(segments))
    if is_safe_path(direct):
        normal = os.path.normpath("/".join(segments))
        assert os.path.normpath(direct) == normal
        assert not normal.startswith("..")
