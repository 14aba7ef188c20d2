"""Large files over HTTPS and HTTP/2, to the example in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from example_server import ExampleServer
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded

#: 1_073_741_824 for the whole gigabyte, which takes a minute.
UPLOAD_BYTES = int(os.environ.get("UPLOAD_TEST_BYTES", str(64 * 1024**2)))
PIECE = bytes(range(256)) * 256
MAX_MORE_MEMORY = 64 * 1024**2
WAIT_SECONDS = max(60.0, UPLOAD_BYTES / 4_000_000)

pytestmark = pytest.mark.timeout(2 * WAIT_SECONDS + 60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ExampleServer]:
    env = {
        "QUART_UPLOAD_FOLDER": str(folder),
        "QUART_MAX_CONTENT_LENGTH": str(max(UPLOAD_BYTES, 1024**3)),
    }
    with ExampleServer("upload", https=True, env=env) as server:
        yield server


@pytest.fixture
def http(server: ExampleServer) -> Iterator[httpx.Client]:
    with httpx.Client(
        http2=True,
        verify=insecure_context(),
        base_url=server.url,
        timeout=WAIT_SECONDS,
    ) as client:
        yield client


class Content:
    """A file of some size that is in memory piece by piece, and its digest."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.sent = 0
        self.digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        while self.sent < self.size:
            number = self.sent.to_bytes(8, "big")
            piece = (number + PIECE)[: min(len(PIECE), self.size - self.sent)]
            self.digest.update(piece)
            self.sent += len(piece)
            yield piece


def put(http: httpx.Client, path: str, content: Content) -> httpx.Response:
    headers = {"Content-Length": str(content.size)}
    return http.put(path, content=iter(content), headers=headers)


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory by /proc")
@pytest.mark.parametrize("route", ["files", "aiofiles"])
def test_large_file_arrives_whole_and_is_never_in_memory(
    server: ExampleServer, http: httpx.Client, route: str
) -> None:
    put(http, f"/{route}/small", Content(1024**2))
    server.reset_peak()
    before = server.memory()
    content = Content(UPLOAD_BYTES)
    response = put(http, f"/{route}/large", content)
    more = server.peak_memory() - before
    print(f"{UPLOAD_BYTES} bytes by {route}: {more / 1024**2:.1f} MiB more memory")
    assert response.http_version == "HTTP/2"
    assert response.status_code == 201
    assert response.json() == {
        "name": "large",
        "bytes": UPLOAD_BYTES,
        "sha256": content.digest.hexdigest(),
    }
    assert more < MAX_MORE_MEMORY


def test_stored_file_is_the_one_that_was_sent(http: httpx.Client, folder: Path) -> None:
    content = Content(5 * 1024**2)
    response = put(http, "/files/whole", content)
    stored = hashlib.sha256((folder / "whole").read_bytes()).hexdigest()
    assert response.json()["sha256"] == content.digest.hexdigest() == stored


def test_file_over_the_limit_is_refused_before_it_is_sent(
    server: ExampleServer,
) -> None:
    # By hand, as httpx reads no answer before it has sent all (RFC 9113, 8.1).
    connection = H2Connection(H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    connection.send_headers(
        1,
        [
            (":method", "PUT"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", "/files/too-large"),
            ("content-length", str(20 * 1024**3)),
        ],
    )
    connection.send_data(1, b"the beginning of 20 gigabytes")
    with connect(server.port) as sock:
        sock.sendall(connection.data_to_send())
        events: list[object] = []
        while not any(isinstance(event, StreamEnded) for event in events):
            received = sock.recv(65_536)
            assert received, "the connection was closed without an answer"
            events += connection.receive_data(received)
    (head,) = [event for event in events if isinstance(event, ResponseReceived)]
    assert dict(head.headers)[":status"] == "413"
    (body,) = [event.data for event in events if isinstance(event, DataReceived)]
    assert "exceeds" in json.loads(body)["error"]


def connect(port: int) -> ssl.SSLSocket:
    context = insecure_context()
    context.set_alpn_protocols(["h2"])
    sock = socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)
    return context.wrap_socket(sock)


def insecure_context() -> ssl.SSLContext:
    """Trust anybody: certificates that are made on the spot are known to nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
