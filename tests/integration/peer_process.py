"""Servers in environments of their own, and a WebSocket client for them."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Self

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    RejectConnection,
    Request,
    TextMessage,
)

HOST = "127.0.0.1"
START_SECONDS = 30.0
WAIT_SECONDS = 20.0


def _load_peers() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "tools" / "peers.py"
    spec = importlib.util.spec_from_file_location("peers", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def interpreter_of(name: str) -> str:
    """Give the interpreter of a peer's environment; skip where it cannot be made.

    In CI (QUART_PEERS=required) that is a failure.
    """
    peers = _load_peers()
    try:
        return str(peers.environment(name))
    except peers.PeerUnavailableError as error:
        if os.environ.get("QUART_PEERS") == "required":
            raise
        pytest.skip(f"the environment of {name} cannot be made: {error}")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return sock.getsockname()[1]


class PeerProcess:
    """A server in another environment.

    Args:
        command: Its command with `{port}` where the port belongs.
        folder: Where it runs; its output goes into a file there.
        environ: Variables beside our own.
    """

    def __init__(
        self, command: list[str], folder: Path, environ: dict[str, str] | None = None
    ) -> None:
        self.port = free_port()
        self.log = folder / "output.txt"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [part.format(port=self.port) for part in command],
                cwd=folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(environ or {})},
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: some servers leave their workers behind.
                start_new_session=True,
            )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server did not start:\n{self.output}")
            try:
                socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"the server does not listen:\n{self.output}")

    def wait_for_count(self, text: str, count: int) -> None:
        """Wait until a text stands in the output as often as this."""
        deadline = time.monotonic() + WAIT_SECONDS
        while self.output.count(text) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"not {count} times {text!r} in:\n{self.output}")
            time.sleep(0.02)

    def stop(self) -> int:
        """End it as an operator would, and return its exit code."""
        self.process.terminate()
        self._wait_for_end()
        self._end_group()
        return self.process.wait(WAIT_SECONDS)

    def __enter__(self) -> Self:
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *args: object) -> None:
        if self.process.returncode is None:
            self._end_group()
            self.process.wait(WAIT_SECONDS)

    def _wait_for_end(self) -> None:
        """Wait, but leave the process its number: the group has the same one."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        deadline = time.monotonic() + WAIT_SECONDS
        while os.waitid(os.P_PID, self.process.pid, options) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"the server does not end:\n{self.output}")
            time.sleep(0.02)

    def _end_group(self) -> None:
        """Kill what is left of the server and all that came from it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class WebsocketClient:
    """A WebSocket with blocking calls, each of them bounded."""

    def __init__(self, port: int, path: str, subprotocols: tuple[str, ...] = ()):
        self.sock = socket.create_connection((HOST, port), WAIT_SECONDS)
        self.wire = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []
        # The origin is that of a page of the same server.
        request = Request(
            host=f"{HOST}:{port}",
            target=path,
            subprotocols=list(subprotocols),
            extra_headers=[(b"origin", b"http://%b:%d" % (HOST.encode(), port))],
        )
        self._send(request)
        self.opening = self._next()

    @property
    def subprotocol(self) -> str | None:
        if not isinstance(self.opening, AcceptConnection):
            raise TypeError(f"the handshake was answered with {self.opening}")
        return self.opening.subprotocol

    @property
    def refused_with(self) -> int | None:
        """The status of a refusal."""
        if isinstance(self.opening, RejectConnection):
            return self.opening.status_code
        return None

    def send(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self._send(TextMessage(data))
        else:
            self._send(BytesMessage(data))

    def receive(self) -> str | bytes:
        """Give the next whole message."""
        parts = []
        while True:
            event = self._next()
            if not isinstance(event, Message):
                raise TypeError(f"{event} instead of a message")
            parts.append(event.data)
            if event.message_finished:
                return type(parts[0])().join(parts)

    def closed(self) -> tuple[int, str]:
        """Wait for the server to close; give its code and reason."""
        event = self._next()
        if not isinstance(event, CloseConnection):
            raise TypeError(f"{event} instead of a close")
        return event.code, event.reason or ""

    def closing_code(self) -> int:
        """Wait for the close behind whatever comes before, and answer it."""
        while True:
            event = self._next()
            if isinstance(event, CloseConnection):
                self._send(event.response())
                return event.code

    def close(self, code: int = 1000) -> None:
        self._send(CloseConnection(code))

    def _send(self, event: Event) -> None:
        self.sock.sendall(self.wire.send(event))

    def _next(self) -> Event:
        while not self._events:
            data = self.sock.recv(65536)
            self.wire.receive_data(data or None)
            self._events += self.wire.events()
        return self._events.pop(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.sock.close()


@contextlib.contextmanager
def our_server(
    name: str, app: str, folder: Path, *options: str, environ: dict[str, str]
) -> Iterator[PeerProcess]:
    """Serve an app of another environment with our server."""
    command = [
        interpreter_of(name), "-m", "quart_server", app, "--bind", f"{HOST}:{{port}}",
        "--app-dir", str(Path(__file__).parent / "frameworks"), *options,
    ]  # fmt: skip
    with PeerProcess(command, folder, environ) as server:
        yield server
