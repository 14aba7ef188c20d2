"""Each example is what its README says: started by one command, in the list, tested."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from example_server import EXAMPLES

WAIT_SECONDS = 40.0
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/app.py"))

# It needs a database, which its own tests start.
STARTED = [name for name in NAMES if name != "films"]
PATHS = {"basic-auth": "/", "push": "/plain", "upload": "/"}


@pytest.mark.parametrize("name", NAMES)
def test_readme_has_the_commands_and_there_are_tests(name: str) -> None:
    readme = (EXAMPLES / name / "README.md").read_text()
    assert f"uv run python docs/examples/{name}/app.py" in readme
    assert f"uv run pytest docs/examples/{name}" in readme
    assert list((EXAMPLES / name / "tests").glob("test_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_pages_load_nothing_from_elsewhere(name: str) -> None:
    loading = re.compile(r"""(?:src|href|action|url)\s*[=(]\s*["']?https?://""")
    for path in (EXAMPLES / name).rglob("*"):
        if path.suffix in {".html", ".css", ".js"}:
            assert not loading.search(path.read_text()), path


def test_list_of_examples_is_complete() -> None:
    page = (EXAMPLES.parent / "examples.md").read_text()
    listed = re.findall(r"\(examples/([\w-]+)/README.md\)", page)
    assert sorted(listed) == NAMES


@pytest.mark.parametrize("name", STARTED)
def test_example_starts_by_its_command(name: str, tmp_path: Path) -> None:
    app = EXAMPLES / name / "app.py"
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, EXAMPLES / "on_free_port.py", app],
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=EXAMPLES.parents[1],
        )
    try:
        answer = wait_for_answer(output, PATHS.get(name, "/"))
        assert answer.status_code == 200, output.read_text()
        assert "<title>" in answer.text
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(WAIT_SECONDS)


def wait_for_answer(output: Path, path: str) -> httpx.Response:
    """Ask the program for a page as soon as it says where it listens."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        text = output.read_text()
        found = re.search(r"bound to (\d+)", text)
        scheme = re.search(r"(https?)://127\.0\.0\.1", text)
        if found and scheme:
            try:
                return httpx.get(
                    f"{scheme[1]}://127.0.0.1:{found[1]}{path}", verify=context
                )
            except httpx.ConnectError:
                pass
        time.sleep(0.05)
    raise AssertionError(f"The example did not answer:\n{output.read_text()}")
