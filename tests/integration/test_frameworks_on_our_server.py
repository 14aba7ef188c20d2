"""Starlette, FastAPI and Django on our server, each from its own environment."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from peer_process import HOST, WAIT_SECONDS, PeerProcess, WebsocketClient, our_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FILE = os.urandom(300_000)
WITH_LIFESPAN = ("starlette", "fastapi")


@pytest.fixture(scope="module", params=["starlette", "fastapi", "django"])
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(
    framework: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PeerProcess]:
    folder = tmp_path_factory.mktemp(framework)
    with started(framework, folder) as server:
        yield server


def started(framework: str, folder: Path, *options: str):
    (folder / "file.bin").write_bytes(FILE)
    environ = {"APP_FILE": str(folder / "file.bin")}
    return our_server(
        framework, f"{framework}_app:app", folder, *options, environ=environ
    )


@pytest.fixture
def client(server: PeerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=WAIT_SECONDS) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_view_answers_in_json(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/hello", params={"name": "Zoë & co"})
    assert answer.status_code == 200
    assert answer.json() == {"name": "Zoë & co", "method": method, "scheme": "http"}


def test_urlencoded_form(client: httpx.Client) -> None:
    answer = client.post("/form", data={"name": "é"})
    assert answer.json() == {"name": "é", "size": None}


def test_multipart_form_with_a_file(client: httpx.Client) -> None:
    body = os.urandom(3_000_000)
    answer = client.post("/form", data={"name": "x"}, files={"file": ("f.bin", body)})
    assert answer.json() == {"name": "x", "size": len(body)}


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_body_arrives_byte_for_byte(client: httpx.Client, framing: str) -> None:
    body = os.urandom(2_500_000)
    pieces = (body[at : at + 99_991] for at in range(0, len(body), 99_991))
    answer = client.post("/digest", content=body if framing == "length" else pieces)
    assert answer.text == hashlib.sha256(body).hexdigest()


def test_stream_leaves_piece_by_piece(client: httpx.Client) -> None:
    with client.stream("GET", "/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "first"
        # The rest waits for this one.
        assert client.post("/release").status_code == 204
        assert list(lines) == ["last"]


def test_client_that_leaves_a_stream_ends_it(
    server: PeerProcess, client: httpx.Client
) -> None:
    before = server.output.count("closed\n")
    with client.stream("GET", "/endless") as answer:
        assert next(answer.iter_lines()) == "tick"
    # What is said between is one access line, and no failure of the app.
    server.wait_for_count("closed\n", before + 1)
    assert "App failed: GET /endless" not in server.output


def test_two_cookies_are_two_fields(client: httpx.Client) -> None:
    answer = client.get("/cookies")
    assert dict(answer.cookies) == {"a": "1", "b": "2"}


def test_file_arrives_byte_for_byte_and_the_connection_lives_on(
    client: httpx.Client,
) -> None:
    for _ in range(2):
        answer = client.get("/file")
        assert answer.content == FILE
        assert answer.headers["content-length"] == str(len(FILE))


def test_head_of_a_file(client: httpx.Client, framework: str) -> None:
    answer = client.head("/file")
    # FastAPI has no HEAD of its own.
    assert answer.status_code == (405 if framework == "fastapi" else 200)
    assert answer.content == b""
    assert client.get("/hello", params={"name": "x"}).status_code == 200


def test_failing_view_is_a_500_and_the_connection_goes_on(
    client: httpx.Client,
) -> None:
    assert client.get("/fail").status_code == 500
    assert client.get("/nowhere").status_code == 404
    assert client.get("/hello", params={"name": "x"}).status_code == 200


def test_lifespan_state_reaches_the_request(
    client: httpx.Client, framework: str, server: PeerProcess
) -> None:
    if framework in WITH_LIFESPAN:
        assert client.get("/state").text == "lifespan"
        assert "started\n" in server.output
    else:
        # Django knows no lifespan and raises; the server serves it all the same.
        assert client.get("/hello", params={"name": "x"}).status_code == 200


def test_websocket_echoes_and_closes(server: PeerProcess, framework: str) -> None:
    if framework not in WITH_LIFESPAN:
        with WebsocketClient(server.port, "/echo") as websocket:
            assert websocket.refused_with in {403, 500}
        return
    with WebsocketClient(server.port, "/echo", ("chat",)) as websocket:
        assert websocket.subprotocol == "chat"
        for text in ("", "é", "x" * 70_000):
            websocket.send(text)
            assert websocket.receive() == f"echo {text}"
        websocket.send("end")
        assert websocket.closed() == (4001, "told to")


def test_refused_websocket_is_a_403(server: PeerProcess, framework: str) -> None:
    if framework in WITH_LIFESPAN:
        with WebsocketClient(server.port, "/refuse") as websocket:
            assert websocket.refused_with == 403
    else:
        with WebsocketClient(server.port, "/refuse") as websocket:
            assert websocket.refused_with in {403, 500}


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_ends_streams_and_runs_the_end_of_the_lifespan(
    framework: str, tmp_path: Path, workers: int
) -> None:
    options = ("--workers", str(workers), "--graceful-timeout", "2")
    with started(framework, tmp_path, *options) as server:
        with socket.create_connection((HOST, server.port), WAIT_SECONDS) as sock:
            sock.sendall(b"GET /endless HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200")
            assert server.stop() == 0
        assert "closed\n" in server.output
        if framework in WITH_LIFESPAN:
            assert server.output.count("stopped\n") == workers
