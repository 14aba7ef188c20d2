"""Messages of the command line, compared as texts."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from quart_cli.cli import cli
from quart_cli.failures import explain_busy_port
from quart_cli.server_options import ServerOptions

Write = Callable[[str, str], Path]
Start = Callable[..., Any]
APP = "from quart_core import Quart\napp = Quart(__name__)\n"


@pytest.mark.parametrize("command", ["dev", "run", "serve", "routes", "shell"])
def test_module_not_found(write: Write, command: str) -> None:
    write("app.py", APP)
    result = CliRunner().invoke(cli, ["--app", "nope", command])
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: No module 'nope' in this folder. Python files here: app.py. "
        "Try: quart --app app dev\n"
    )


def test_module_not_found_in_a_folder_without_python(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["--app", "nope", "dev"])
    assert result.stderr == (
        "Error: No module 'nope' in this folder. There are no Python files here. "
        "Go to the folder of the application, or start one with: quart new\n"
    )


def test_module_not_found_lists_a_few_files_only(write: Write) -> None:
    for number in range(12):
        write(f"f{number:02}.py", "")
    result = CliRunner().invoke(cli, ["--app", "nope", "dev"])
    assert "f08.py, f09.py and 2 more. Try: quart --app f00 dev" in result.stderr


@pytest.mark.parametrize("command", ["run", "serve"])
def test_import_error_inside_the_application(
    write: Write, start: Start, command: str
) -> None:
    write("app.py", "import helper\n" + APP)
    write("helper.py", "\n\nimport something_not_there\n")
    process = start(command, "-p", "0")
    assert process.wait() != 0
    text = "\n".join(line.rstrip() for line in process.lines)
    assert (
        "    app.py:1 in <module>\n"
        "    > 1  import helper\n"
        "    helper.py:3 in <module>\n"
        "      2\n"
        "    > 3  import something_not_there\n"
        "    ModuleNotFoundError: No module named 'something_not_there'"
    ) in text
    assert "Traceback" not in text
    assert "quart_cli" not in text


@pytest.mark.parametrize("command", ["run", "dev", "serve"])
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell who")
def test_port_busy(write: Write, start: Start, command: str) -> None:
    write("app.py", APP)
    program = write(
        "hold.py",
        """
        import socket, sys
        sock = socket.create_server(("127.0.0.1", 0))
        print(sock.getsockname()[1], flush=True)
        sys.stdin.read()
        """,
    )
    with subprocess.Popen(
        [sys.executable, program.name],
        cwd=program.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        process = start(command, "-p", str(port))
        assert process.wait() == 1
        holder.communicate("", timeout=20)
    free = process.output.rpartition("-p ")[2].rstrip(".")
    assert int(free) > port
    assert (
        f"Error: Port {port} is used by pid {holder.pid} (hold.py). "
        f"Stop it or use -p {free}."
    ) in process.output


def test_port_busy_names_quart_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    from quart_server import port_owner

    monkeypatch.setattr(
        port_owner,
        "describe_owner",
        lambda port: "process 8131 (/venv/bin/python3.13 /venv/bin/quart run)",
    )
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        text = explain_busy_port(ServerOptions("127.0.0.1", port))
    assert text.startswith(f"Port {port} is used by pid 8131 (quart run). Stop it or")


def test_a_blocked_loop_is_named_in_dev(write: Write, start: Start) -> None:
    write(
        "app.py",
        """
        import time
        from quart_core import Quart
        app = Quart(__name__)
        @app.before_serving
        async def begin():
            time.sleep(0.6)
        """,
    )
    process = start("dev", "-p", "0")
    line = process.line_with("blocked all requests for")
    assert "app.py:7 time.sleep" in line
    assert "Use await asyncio.sleep, or make the view def." in line
