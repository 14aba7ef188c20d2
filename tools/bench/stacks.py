"""The stacks that are compared: a framework on a server, and how it is started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import peers

APPS = Path(__file__).resolve().parent / "apps"
START_SECONDS = 20.0
STOP_SECONDS = 10.0
SERVER_CORE = "0"


@dataclass(frozen=True)
class Stack:
    """A framework on a server.

    Attributes:
        name: How the report calls it.
        environment: Name of the environment in `tools/peers.py`.
        command: Arguments for its interpreter; `{port}`, `{app}` are filled in.
        framework: Which of the apps it runs.
        lacks: Workloads that it has nothing for.
        tls: Arguments that make it speak TLS; `{cert}` and `{key}` are filled in.
        http2: Whether it speaks HTTP/2.
    """

    name: str
    environment: str
    command: tuple[str, ...]
    framework: str
    lacks: frozenset[str] = field(default_factory=frozenset)
    tls: tuple[str, ...] = ()
    http2: bool = False

    @property
    def has_films(self) -> bool:
        """Whether there is an app with the database for its framework."""
        return (APPS / f"{self.framework}_films.py").exists()


def _uvicorn(framework: str, **settings: object) -> Stack:
    command = (
        "-m", "uvicorn", "{app}:app", "--port", "{port}", "--loop", "uvloop",
        "--http", "httptools", "--no-access-log", "--log-level", "warning",
    )  # fmt: skip
    environment = "upstream" if framework == "quart" else "frameworks"
    name = f"{framework}+uvicorn"
    return Stack(name, environment, command, framework, **settings)  # type: ignore[arg-type]


def _granian(framework: str, **settings: object) -> Stack:
    command = (
        "-m", "granian", "--interface", "asgi", "--port", "{port}", "--loop",
        "uvloop", "--no-access-log", "--log-level", "warning", "--no-ws",
        "{app}:app",
    )  # fmt: skip
    return Stack(f"{framework}+granian", "frameworks", command, framework, **settings)  # type: ignore[arg-type]


_OURS = (
    "-m", "quart_server", "{app}:app", "--bind", "127.0.0.1:{port}", "--no-access-log",
    "--log-level", "warning",
)  # fmt: skip
_NO_REALTIME = frozenset({"websocket-1", "websocket-100", "sse"})
_NO_HOOKS = frozenset({"hooks"})

STACKS = [
    Stack(
        "ours [fast]", "ours", (*_OURS, "--loop", "uvloop"), "quart",
        tls=("--certfile", "{cert}", "--keyfile", "{key}"), http2=True,
    ),
    Stack(
        "ours, no extras", "ours",
        (*_OURS, "--loop", "asyncio", "--http", "h11"), "quart",
        tls=("--certfile", "{cert}", "--keyfile", "{key}"), http2=True,
    ),
    Stack(
        "quart+hypercorn", "upstream",
        ("-m", "hypercorn", "{app}:app", "--bind", "127.0.0.1:{port}"), "quart",
        tls=("--certfile", "{cert}", "--keyfile", "{key}"), http2=True,
    ),
    _uvicorn("quart"),
    Stack(
        "flask+gunicorn", "frameworks",
        (
            "-m", "gunicorn", "{app}:app", "--bind", "127.0.0.1:{port}",
            "--worker-class", "gthread", "--threads", "16", "--log-level", "warning",
            "--keep-alive", "30",
        ),
        "flask", lacks=_NO_REALTIME,
    ),
    _uvicorn("starlette"),
    _uvicorn("fastapi", lacks=frozenset({"session", "hooks"})),
    _uvicorn("litestar", lacks=frozenset({"session", "hooks", "download"})),
    _uvicorn("falcon", lacks=frozenset({"session", "template"})),
    _uvicorn("blacksheep", lacks=frozenset({"multipart", "download"})),
    _granian("starlette", lacks=_NO_REALTIME, http2=True),
    _granian("falcon", lacks=_NO_REALTIME | {"session", "template"}, http2=True),
    _granian("blacksheep", lacks=_NO_REALTIME | {"multipart", "download"}, http2=True),
    Stack(
        "sanic", "sanic", ("{app}.py", "{port}"), "sanic",
        lacks=frozenset({"session"}),
    ),
    Stack(
        "aiohttp", "frameworks", ("{app}.py", "{port}"), "aiohttp",
        lacks=frozenset({"session"}),
    ),
]  # fmt: skip


class Server:
    """A stack that runs, on the first core.

    Args:
        stack: Which.
        app: Name of the module with the app, in `apps`.
        variables: Environment variables for the app.
        tls: Certificate and key, to speak TLS.
    """

    def __init__(
        self,
        stack: Stack,
        app: str,
        variables: dict[str, str],
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port: int = sock.getsockname()[1]
        arguments = [*stack.command, *(stack.tls if tls else ())]
        names = {"port": self.port, "app": app}
        if tls:
            names |= {"cert": str(tls[0]), "key": str(tls[1])}
        interpreter = str(peers.environment(stack.environment))
        self.process = subprocess.Popen(
            [
                *("taskset", "-c", SERVER_CORE, interpreter),
                *(part.format(**names) for part in arguments),
            ],
            cwd=APPS,
            env={**os.environ, "PYTHONPATH": str(APPS), **variables},
            # Its children are counted, and ended, with it.
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.stop()
        raise RuntimeError("the server did not start")

    def _members(self) -> Iterator[list[str]]:
        """Yield the fields after the name in `stat` of each process of the group."""
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:
                    yield fields

    def cpu_seconds(self) -> float:
        """Return what all its processes have used, user and system, ended ones too."""
        ticks = sum(sum(map(int, fields[11:15])) for fields in self._members())
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """Return the memory of all its processes in bytes."""
        pages = sum(int(fields[21]) for fields in self._members())
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """End it, with all it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)


@contextlib.contextmanager
def serving(
    stack: Stack,
    app: str,
    variables: dict[str, str],
    tls: tuple[Path, Path] | None = None,
) -> Iterator[Server]:
    """Run a stack for the time of a block."""
    server = Server(stack, app, variables, tls)
    try:
        yield server
    finally:
        server.stop()
