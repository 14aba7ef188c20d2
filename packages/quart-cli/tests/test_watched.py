"""What is watched, and what the watchers report."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from quart_cli.folders import own_folders
from quart_cli.reloader.handover import Handover
from quart_cli.reloader.variable import CHILD_VARIABLE
from quart_cli.reloader.watched import Watched
from quart_cli.reloader.watchers import PollingWatcher, SystemWatcher

Write = Callable[[str, str], Path]


def test_source_files_count_in_folders_and_all_files_in_whole_ones(
    folder: Path, write: Write
) -> None:
    page = write("templates/deep/page.html", "")
    extra = write("extra.txt", "")
    watched = Watched([str(folder)], [str(page.parent.parent), str(extra)])
    assert watched.counts(str(folder / "any.py"))
    assert not watched.counts(str(folder / "any.txt"))
    assert watched.counts(str(page))
    assert watched.counts(str(extra))
    assert not watched.counts(f"{folder}-other/any.py")


def test_excluded_patterns_never_count(folder: Path) -> None:
    watched = Watched([str(folder)], exclude_patterns=["*_generated.py", "*/build/*"])
    assert not watched.counts(str(folder / "a_generated.py"))
    assert not watched.counts(str(folder / "build" / "a.py"))
    assert watched.counts(str(folder / "a.py"))


def test_adding_tells_whether_there_is_more_to_look_into(
    folder: Path, write: Write
) -> None:
    inner = write("inner/a.py", "").parent
    watched = Watched([str(folder)])
    assert watched.add(files=[str(inner / "a.py")]) is True
    assert watched.add(files=[str(inner / "b.py")]) is False
    assert watched.add([str(folder)]) is False


def test_folders_of_tools_are_left_out_and_the_number_is_bounded(
    folder: Path, write: Write
) -> None:
    for name in ("a/x", ".git/x", "__pycache__/x", "env/pyvenv.cfg", "a/b/x"):
        write(name, "")
    os.symlink(folder, folder / "a" / "loop")
    found = [os.path.relpath(each, folder) for each in own_folders(str(folder))]
    assert found == [".", "a", "a/b"]
    assert len(list(own_folders(str(folder), limit=2))) == 2
    assert list(own_folders(str(folder / "absent"))) == [str(folder / "absent")]


@pytest.fixture(params=[PollingWatcher, SystemWatcher])
def watch(request: Any) -> Iterator[Callable[[Watched], Any]]:
    started = []

    def begin(watched: Watched) -> Any:
        reports: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
        watcher = request.param(watched, reports.put)
        watcher.start()
        started.append(watcher)
        return watcher, reports

    yield begin
    for watcher in started:
        watcher.stop()


def test_changed_new_and_removed_files_are_reported(
    folder: Path, write: Write, watch: Any
) -> None:
    path = write("a.py", "one")
    _, reports = watch(Watched([str(folder)]))
    path.write_text("longer")
    assert reports.get(timeout=10) == [str(path)]
    new = write("b.py", "new")
    assert reports.get(timeout=10) == [str(new)]
    new.unlink()
    assert reports.get(timeout=10) == [str(new)]


def test_a_file_that_is_replaced_is_reported(
    folder: Path, write: Write, watch: Any
) -> None:
    path = write("a.py", "one")
    _, reports = watch(Watched([str(folder)]))
    write("a.tmp", "two").replace(path)
    assert reports.get(timeout=10) == [str(path)]


def test_files_in_new_folders_are_reported(
    folder: Path, write: Write, watch: Any
) -> None:
    _, reports = watch(Watched([str(folder)]))
    path = write("new/deep/a.py", "one")
    assert reports.get(timeout=10) == [str(path)]
    path.write_text("longer")
    assert reports.get(timeout=10) == [str(path)]


def test_folders_that_are_added_later_are_watched_from_then_on(
    tmp_path: Path, watch: Any
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for each in (one, two):
        each.mkdir()
        (each / "a.py").write_text("")
    # Until the clock of the file system is past what the watcher allows for it.
    while time.time_ns() < (two / "a.py").stat().st_ctime_ns + 50_000_000:
        pass
    watched = Watched([str(one)])
    watcher, reports = watch(watched)
    watched.add([str(two)])
    watcher.renew()
    (one / "a.py").write_text("changed")
    assert reports.get(timeout=10) == [str(one / "a.py")]
    (two / "b.py").write_text("changed")
    assert reports.get(timeout=10) == [str(two / "b.py")]


def test_a_handover_survives_the_environment_and_is_taken_once() -> None:
    handover = Handover(
        parent=1, channel=2, listeners=(3, 4), url="http://x", failure="é\n"
    )
    environment = {CHILD_VARIABLE: handover.to_text()}
    assert Handover.take(environment) == handover
    assert environment == {}
    assert Handover.take(environment) is None
