"""The application on a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
import urllib.request

import pytest
from quart_core import Quart
from quart_testing import LiveServer, StillWaitingError


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        return "live"

    return app


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as response:
        data: bytes = response.read()
        return data


def test_it_serves_on_a_free_port_of_this_machine(app: Quart) -> None:
    with LiveServer(app) as server:
        assert server.host == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert _get(server.url) == b"live"


def test_the_functions_around_serving_run(app: Quart) -> None:
    steps: list[str] = []
    app.before_serving(lambda: steps.append("before"))
    app.after_serving(lambda: steps.append("after"))

    with LiveServer(app):
        assert steps == ["before"]

    assert steps == ["before", "after"]


def test_an_application_that_does_not_start_is_an_error(app: Quart) -> None:
    @app.before_serving
    async def fail() -> None:
        raise ValueError("no database")

    with pytest.raises(Exception, match="no database"):
        LiveServer(app).start()


def test_an_application_that_never_starts_is_named_with_file_and_line(
    app: Quart,
) -> None:
    @app.before_serving
    async def never() -> None:
        await asyncio.Event().wait()

    threads = threading.active_count()
    with pytest.raises(StillWaitingError) as caught:
        LiveServer(app, timeout=0.5).start()

    assert "The application did not start within 0.5 seconds" in str(caught.value)
    assert "never\n      await asyncio.Event().wait()" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)
    assert threading.active_count() == threads


def test_an_application_that_never_stops_is_named_with_file_and_line(
    app: Quart,
) -> None:
    @app.after_serving
    async def never() -> None:
        await asyncio.Event().wait()

    threads = threading.active_count()
    with pytest.raises(StillWaitingError) as caught, LiveServer(app, timeout=0.5):
        pass

    assert "The server did not stop within 0.5 seconds" in str(caught.value)
    assert "never\n      await asyncio.Event().wait()" in str(caught.value)
    assert threading.active_count() == threads


def test_a_function_that_blocks_the_loop_is_named_with_file_and_line(
    app: Quart,
) -> None:
    release = threading.Event()

    @app.after_serving
    async def blocks() -> None:
        release.wait(20)

    server = LiveServer(app, timeout=0.5)
    server.start()
    with pytest.raises(StillWaitingError) as caught:
        server.stop()

    assert "blocks\n      release.wait(20)" in str(caught.value)
    release.set()


def test_a_request_that_never_ends_does_not_hold_up_the_stop(app: Quart) -> None:
    begun = threading.Event()

    @app.get("/never")
    async def never() -> str:
        begun.set()
        await asyncio.Event().wait()
        return ""

    server = LiveServer(app, timeout=2)
    server.start()
    with socket.create_connection((server.host, server.port), 10) as client:
        client.sendall(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(10)
        server.stop()


def test_it_is_started_once_and_may_be_stopped_twice(app: Quart) -> None:
    server = LiveServer(app)
    server.start()

    with pytest.raises(RuntimeError, match="serves already"):
        server.start()
    server.stop()
    server.stop()

    assert server.url


def test_two_may_serve_at_once(app: Quart) -> None:
    with LiveServer(app) as one, LiveServer(Quart("other")) as other:
        assert one.port != other.port


def test_before_the_start_there_is_no_address(app: Quart) -> None:
    server = LiveServer(app)

    assert (server.url, server.host, server.port) == ("", "", 0)
