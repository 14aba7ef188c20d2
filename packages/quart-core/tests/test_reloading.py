"""The polling reloader: seeing changes, running the child again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path
from types import ModuleType

import pytest
from quart_core import reloading
from quart_core.reloading import MustReloadError, observe_changes, run_reloader


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file of the only module there seems to be."""
    path = tmp_path / "watched.py"
    path.write_text("")
    watched = ModuleType("watched")
    watched.__file__ = str(path)
    monkeypatch.setattr(reloading, "_imported_files", lambda: {path})
    return path


class Sleeper:
    """Counts the pauses instead of making them, and acts in one of them."""

    def __init__(self, event: asyncio.Event) -> None:
        self.pauses = 0
        self.event = event

    async def __call__(self, seconds: float) -> None:
        if seconds:
            self.pauses += 1
            self.act()
        if self.pauses == 10:
            self.event.set()

    def act(self) -> None: ...


async def test_nothing_happens_while_nothing_changes(module: Path) -> None:
    event = asyncio.Event()
    sleeper = Sleeper(event)
    await observe_changes(sleeper, event)
    assert sleeper.pauses == 10


@pytest.mark.parametrize("change", ["touch", "remove"])
async def test_a_change_is_seen(module: Path, change: str) -> None:
    class Changer(Sleeper):
        def act(self) -> None:
            if self.pauses != 3:
                return
            if change == "remove":
                module.unlink()
            else:
                os.utime(module, (1, 1))

    event = asyncio.Event()
    sleeper = Changer(event)
    with pytest.raises(MustReloadError, match=r"watched\.py has changed"):
        await observe_changes(sleeper, event)
    assert sleeper.pauses == 3


async def test_a_change_within_the_same_second_is_not_hidden_by_bytecode(
    module: Path,
) -> None:
    bytecode = Path(cache_from_source(str(module)))
    bytecode.parent.mkdir()
    bytecode.write_bytes(b"of the text before")

    class Changer(Sleeper):
        def act(self) -> None:
            os.utime(module, (1, 1))

    event = asyncio.Event()
    with pytest.raises(MustReloadError):
        await observe_changes(Changer(event), event)
    assert not bytecode.exists()


async def test_other_tasks_get_their_turn_between_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {tmp_path / f"{number}.py" for number in range(120)}
    monkeypatch.setattr(reloading, "_imported_files", lambda: files)
    event = asyncio.Event()
    pauses = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if seconds:
            event.set()

    await observe_changes(sleep, event)
    assert pauses == [0, 0, 0, 1.0]


def test_imported_modules_are_watched() -> None:
    assert Path(reloading.__file__) in reloading._imported_files()


def test_the_child_goes_on_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_RUN_MAIN", "true")
    run_reloader()


PROGRAM = """
import os, sys
from pathlib import Path
from quart_core.reloading import run_reloader

run_reloader()
runs = Path(sys.argv[1])
runs.write_text(runs.read_text() + "x")
sys.exit(3 if len(runs.read_text()) < 3 else 7)
"""


def test_the_child_is_run_again_while_it_ends_with_3(tmp_path: Path) -> None:
    program, runs = tmp_path / "program.py", tmp_path / "runs"
    program.write_text(PROGRAM)
    runs.write_text("")
    result = subprocess.run(
        [sys.executable, program, runs], timeout=50, check=False, capture_output=True
    )
    assert result.returncode == 7, result.stderr
    assert runs.read_text() == "xxx"


SERVING = """
import os, signal, socket, sys
from quart_core.reloading import run_reloader

run_reloader()
number = int(sys.argv[2])
sys.stdout.write(socket.socket(fileno=int(sys.argv[1])).getsockname()[0] + " ")
signal.signal(number, lambda *_: sys.exit(9))
print("serving", flush=True)
signal.pause()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals between processes")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_the_child_and_so_do_inherited_sockets(
    number: signal.Signals,
) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        command = [sys.executable, "-c", SERVING, str(sock.fileno()), str(int(number))]
        process = subprocess.Popen(
            command,
            pass_fds=(sock.fileno(),),
            stdout=subprocess.PIPE,
            # Without a terminal, which would send its interrupt to both.
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"127.0.0.1 serving\n"
        process.send_signal(number)
        # At the end of the output the child is gone as well.
        output, _ = process.communicate(timeout=50)
    finally:
        process.kill()
    assert output == b""
    assert process.returncode == 9


@pytest.mark.skipif(os.name == "nt", reason="signals between processes")
def test_killed_child_gives_the_exit_status_that_shells_give() -> None:
    source = (
        "import os; from quart_core.reloading import run_reloader;"
        "run_reloader(); os.kill(os.getpid(), 9)"
    )
    result = subprocess.run([sys.executable, "-c", source], timeout=50, check=False)
    assert result.returncode == 137


RESTARTING = """
import os, sys
from quart_core.reloading import restart

print(os.getpid(), sys.argv[1], __name__, flush=True)
if "SEEN" not in os.environ:
    os.environ["SEEN"] = "1"
    restart()
"""


def test_restart_replaces_the_process_with_the_same_command_line(
    tmp_path: Path,
) -> None:
    program = tmp_path / "program.py"
    program.write_text(RESTARTING)
    output = subprocess.check_output(
        [sys.executable, program, "argument"], timeout=50, text=True
    )
    first, second = output.splitlines()
    assert first.split()[1:] == second.split()[1:] == ["argument", "__main__"]
    if os.name != "nt":
        assert first == second
