"""The first command of the README: it serves a page, on a free port here."""

from __future__ import annotations

import re
import shlex
import urllib.request

import served
from commands import QUART
from pages import ROOT, blocks


def test_the_first_command_of_the_readme_serves_a_page() -> None:
    first = next(blocks((ROOT / "README.md").read_text()))
    command = first.text.split("\n")[0].removeprefix("$ ").split(" && ")
    assert command[0] == "python -m pip install uv"
    words = shlex.split(command[1])
    assert words[:3] == ["uv", "run", "quart"]
    with served.process([*QUART, *words[3:], "--port", "0"], ROOT) as process:
        url = re.search(r"http://\S+", process.wait_for(r"http://\S+\n"))
        assert url is not None
        with urllib.request.urlopen(url[0], timeout=served.WAIT_SECONDS) as response:
            assert b"<title>Chat</title>" in response.read()


def test_the_second_command_of_the_readme_runs_what_ci_runs() -> None:
    first = next(blocks((ROOT / "README.md").read_text()))
    assert first.text.split("\n")[1].endswith(" && uv run pytest")
    assert "uv run pytest " in (ROOT / ".ci/run").read_text()
