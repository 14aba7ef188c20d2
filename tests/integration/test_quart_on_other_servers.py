"""A Quart app on Uvicorn, Hypercorn, Granian and Daphne, each in its environment."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from peer_process import (
    HOST,
    WAIT_SECONDS,
    PeerProcess,
    WebsocketClient,
    interpreter_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FILE = os.urandom(300_000)
APP = "quart_app:app"
COMMANDS = {
    "uvicorn": ["uvicorn", APP, "--host", HOST, "--port", "{port}"],
    "uvicorn-h11-wsproto": [
        "uvicorn", APP, "--host", HOST, "--port", "{port}",
        "--http", "h11", "--ws", "wsproto", "--loop", "asyncio",
    ],
    "hypercorn": ["hypercorn", APP, "--bind", f"{HOST}:{{port}}"],
    "granian": ["granian", "--interface", "asgi", "--host", HOST, "--port", "{port}",
                APP],
    "daphne": ["daphne", "-b", HOST, "-p", "{port}", APP],
}  # fmt: skip
# Daphne speaks no lifespan protocol.
WITHOUT_LIFESPAN = {"daphne"}
# It leaves out messages of no bytes that an app sends.
WITHOUT_EMPTY_MESSAGES = {"daphne"}


@pytest.fixture(scope="module", params=list(COMMANDS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    with started(name, tmp_path_factory.mktemp(name)) as server:
        yield server


def started(name: str, folder: Path) -> PeerProcess:
    (folder / "file.bin").write_bytes(FILE)
    environ = {
        "APP_FILE": str(folder / "file.bin"),
        "PYTHONPATH": str(Path(__file__).parent / "frameworks"),
    }
    python = interpreter_of(name.partition("-")[0])
    return PeerProcess([python, "-m", *COMMANDS[name]], folder, environ)


@pytest.fixture
def client(server: PeerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=WAIT_SECONDS) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_view_answers_in_json(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/hello", params={"name": "Zoë & co"})
    assert answer.status_code == 200
    assert answer.json() == {"name": "Zoë & co", "method": method, "scheme": "http"}


def test_head_has_no_body(client: httpx.Client) -> None:
    for _ in range(2):
        answer = client.head("/hello", params={"name": "x"})
        assert answer.status_code == 200
        assert answer.content == b""


def test_forms(client: httpx.Client) -> None:
    assert client.post("/form", data={"name": "é"}).json()["name"] == "é"
    body = os.urandom(3_000_000)
    answer = client.post("/form", data={"name": "x"}, files={"file": ("f.bin", body)})
    assert answer.json() == {"name": "x", "size": len(body)}


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_streamed_upload_arrives_byte_for_byte(
    client: httpx.Client, framing: str
) -> None:
    body = os.urandom(2_500_000)
    pieces = (body[at : at + 99_991] for at in range(0, len(body), 99_991))
    answer = client.post("/digest", content=body if framing == "length" else pieces)
    assert answer.text == hashlib.sha256(body).hexdigest()


def test_body_over_the_limit_is_a_413(client: httpx.Client) -> None:
    assert client.post("/limited", content=b"x" * 1001).status_code == 413
    assert client.post("/limited", content=b"x" * 1000).text == "1000"


def test_chunked_body_over_the_limit_is_a_413(server: PeerProcess) -> None:
    # In one piece: what comes behind an early answer makes some servers reset the
    # connection, and the answer is lost.
    head = b"POST /limited HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((HOST, server.port), WAIT_SECONDS) as sock:
        sock.sendall(head + (b"200\r\n%b\r\n" % (b"x" * 512)) * 3 + b"0\r\n\r\n")
        assert sock.recv(100).split(b" ")[1] == b"413"


def test_stream_leaves_piece_by_piece(client: httpx.Client) -> None:
    with client.stream("GET", "/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "first"
        assert client.post("/release").status_code == 204
        assert list(lines) == ["last"]


def test_client_that_leaves_a_stream_ends_it(
    server: PeerProcess, client: httpx.Client
) -> None:
    before = server.output.count("closed\n")
    with client.stream("GET", "/endless") as answer:
        assert next(answer.iter_lines()) == "tick"
    server.wait_for_count("closed\n", before + 1)


def test_file_and_a_range_of_it(client: httpx.Client) -> None:
    assert client.get("/file").content == FILE
    part = client.get("/file", headers={"Range": "bytes=100-299"})
    assert part.status_code == 206
    assert part.content == FILE[100:300]


def test_failing_view_is_a_500_and_the_connection_goes_on(
    client: httpx.Client,
) -> None:
    assert client.get("/fail").status_code == 500
    assert client.get("/nowhere").status_code == 404
    assert client.get("/hello", params={"name": "x"}).status_code == 200


def test_lifespan_runs_before_the_first_request(
    client: httpx.Client, name: str
) -> None:
    expected = "" if name in WITHOUT_LIFESPAN else "lifespan"
    assert client.get("/state").text == expected


def test_websocket_echoes_text_and_bytes_and_closes(
    server: PeerProcess, name: str
) -> None:
    with WebsocketClient(server.port, "/echo", ("chat",)) as websocket:
        assert websocket.subprotocol == "chat"
        for text in ("", "é", "x" * 70_000):
            websocket.send(text)
            assert websocket.receive() == f"echo {text}"
        for data in (b"", bytes(range(256))):
            if not data and name in WITHOUT_EMPTY_MESSAGES:
                continue
            websocket.send(data)
            assert websocket.receive() == data[::-1]
        websocket.send("end")
        code, _reason = websocket.closed()
        assert code == 4001


def test_refused_websocket_is_a_403(server: PeerProcess) -> None:
    with WebsocketClient(server.port, "/refuse") as websocket:
        assert websocket.refused_with == 403


def test_failing_websocket_is_closed_with_1011(server: PeerProcess) -> None:
    with WebsocketClient(server.port, "/fail") as websocket:
        code, _reason = websocket.closed()
        assert code == 1011


def test_sigterm_runs_the_end_of_the_lifespan(name: str, tmp_path: Path) -> None:
    with started(name, tmp_path) as server:
        answer = httpx.get(f"{server.url}/hello", params={"name": "x"})
        assert answer.status_code == 200
        server.stop()
        if name not in WITHOUT_LIFESPAN:
            assert "started\n" in server.output
            assert "stopped\n" in server.output
