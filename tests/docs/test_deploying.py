"""The deployment samples: their settings, a socket from systemd, proxies in front."""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import served
import websockets
import yaml
from pages import blocks
from quart_server.command import _make_parser
from quart_server.config import Config

UPLOAD_BYTES = 64 * 1024 * 1024


def get(url: str) -> str:
    """Return the body of a response."""
    with urllib.request.urlopen(url, timeout=served.WAIT_SECONDS) as response:
        text: str = response.read().decode()
        return text


def options_of(words: list[str]) -> Config:
    """Return the settings of a command, which the server must know."""
    assert words[1:3] == ["-m", "quart_server"]
    options, unknown = _make_parser().parse_known_args(words[3:])
    assert not unknown
    given = {name: getattr(options, name) for name in Config.options()}
    return Config.from_mapping({k: v for k, v in given.items() if v is not None})


def unit(name: str) -> configparser.ConfigParser:
    """Return a systemd unit."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(served.SAMPLES / name)
    return parser


def ending_seconds(config: Config) -> float:
    """Return how long the server may take to end."""
    return config.graceful_timeout + config.shutdown_timeout


# Settings


def test_the_file_of_settings_is_read() -> None:
    config = Config.from_toml(served.SAMPLES / "server.toml")
    assert (config.workers, config.trusted_proxies) == (2, ("127.0.0.1",))


def test_the_container_starts_the_server_as_process_1() -> None:
    text = (served.SAMPLES / "Dockerfile").read_text()
    commands = re.findall(r"^CMD (\[.*\])$", text, flags=re.MULTILINE)
    config = options_of(yaml.safe_load(commands[0]))
    assert config.bind == ("0.0.0.0:8000",)
    assert "/health/live" in text


def test_compose_waits_for_the_server_to_end() -> None:
    services = yaml.safe_load((served.SAMPLES / "compose.yaml").read_text())["services"]
    grace = int(services["web"]["stop_grace_period"].removesuffix("s"))
    assert grace > ending_seconds(Config())
    assert services["web"]["depends_on"]["db"]["condition"] == "service_healthy"
    assert "healthcheck" in services["db"]


def test_kubernetes_waits_for_the_server_to_end() -> None:
    documents = yaml.safe_load_all((served.SAMPLES / "kubernetes.yaml").read_text())
    deployment, service = documents
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    config = options_of(container["args"])
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > pause + ending_seconds(config)
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


async def test_the_probes_of_kubernetes_are_answered() -> None:
    sys.path.insert(0, str(served.SAMPLES))
    try:
        from app import app
    finally:
        sys.path.remove(str(served.SAMPLES))
        del sys.modules["app"]
    text = (served.SAMPLES / "kubernetes.yaml").read_text()
    async with app.test_app() as test_app:
        client = test_app.test_client()
        for path in set(re.findall(r"path: (/\S+),", text)):
            assert (await client.get(path)).status_code == 200


def test_systemd_waits_for_the_server_to_end() -> None:
    service = unit("quart.service")["Service"]
    config = options_of(shlex.split(service["ExecStart"]))
    assert float(service["TimeoutStopSec"]) > ending_seconds(config)
    assert unit("quart.service")["Unit"]["Requires"] == "quart.socket"


# Logs


def test_lines_of_the_access_log_are_as_documented() -> None:
    page = (served.ROOT / "docs" / "operating.md").read_text()
    (documented,) = [
        json.loads(block.text) for block in blocks(page) if block.language == "json"
    ]
    command = [sys.executable, "-m", "quart_server", "app:app", "--bind", "127.0.0.1:0"]
    with served.process([*command, "--access-log-format", "json"]) as child:
        printed = child.wait_for("Serving on")
        url = re.search(r"http://\S+", printed)
        assert url is not None
        get(f"{url[0]}/health/live")
        line = child.wait_for(r"health.*\n").strip().split("\n")[-1]
    found = json.loads(line)
    assert list(found) == list(documented)
    assert found["outcome"] == documented["outcome"]


# A socket from systemd


def test_a_socket_from_systemd_is_served() -> None:
    command = shlex.split(unit("quart.service")["Service"]["ExecStart"])
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        port = listening.getsockname()[1]
        # As systemd does it (sd_listen_fds): descriptor 3, and the process id.
        start = f"exec 3<&{listening.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "
        start += shlex.join([sys.executable, *command[1:]])
        with served.process(
            ["bash", "-c", start], pass_fds=[listening.fileno()]
        ) as child:
            child.wait_for(f"Serving on http://127.0.0.1:{port}")
            assert get(f"http://127.0.0.1:{port}/health/live") == "live\n"


# Proxies


def program(name: str) -> str:
    """Return a proxy's program, or skip the test."""
    found = os.environ.get(f"{name.upper()}_PROGRAM") or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt install {name}")
    return found


@contextlib.contextmanager
def nginx(upstream: int, folder: Path) -> Iterator[int]:
    """Run nginx with the sample; yield its port."""
    port = served.free_port()
    sample = (served.SAMPLES / "nginx.conf").read_text()
    sample = sample.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    sample = sample.replace("listen 80;", f"listen 127.0.0.1:{port};")
    assert str(upstream) in sample
    assert str(port) in sample
    (folder / "sample.conf").write_text(sample)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid;\n"
        f"error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/sample.conf; }}\n"
    )
    command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with served.process(command, folder):
        served.wait_for_port(port)
        yield port


@contextlib.contextmanager
def caddy(upstream: int, folder: Path) -> Iterator[int]:
    """Run Caddy with the sample, without a certificate; yield its port."""
    port = served.free_port()
    sample = (served.SAMPLES / "Caddyfile").read_text()
    sample = sample.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    sample = sample.replace("example.org {", f"http://127.0.0.1:{port} {{")
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n}}\n{sample}")
    command = [program("caddy"), "run", "--config", str(folder / "Caddyfile")]
    environment = {**served.environment(), "HOME": str(folder)}
    with served.process(command, folder, env=environment):
        served.wait_for_port(port)
        yield port


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the sample application behind a proxy; give the proxy's address."""
    program(request.param.__name__)
    folder = tmp_path_factory.mktemp("proxy")
    with (
        served.server("--trusted-proxies", "127.0.0.1") as upstream,
        request.param(upstream, folder) as port,
    ):
        yield f"127.0.0.1:{port}"


def test_the_proxy_names_the_client_and_the_host(proxy: str) -> None:
    page = get(f"http://{proxy}/?a=%20b")
    assert f'"url":"http://{proxy}/?a=%20b"' in page
    assert '"client":"127.0.0.1"' in page


def test_events_pass_the_proxy_as_they_come(proxy: str) -> None:
    with httpx.stream("GET", f"http://{proxy}/events", timeout=20) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        lines = response.iter_lines()
        seen = [line for line, _ in zip(lines, range(12), strict=False)]
    # Of a stream that goes on for 100 seconds.
    assert 'data: {"number": 2}' in seen


async def test_websockets_pass_the_proxy(proxy: str) -> None:
    async with (
        asyncio.timeout(served.WAIT_SECONDS),
        websockets.connect(
            f"ws://{proxy}/echo", origin=f"http://{proxy}", proxy=None
        ) as connection,
    ):
        await connection.send("hello")
        assert await connection.recv() == "hello"


async def test_foreign_pages_open_no_websocket_through_the_proxy(proxy: str) -> None:
    with pytest.raises(websockets.InvalidStatus, match="403"):
        async with websockets.connect(
            f"ws://{proxy}/echo", origin="https://elsewhere.example", proxy=None
        ):
            pass


def test_a_large_upload_passes_the_proxy(proxy: str) -> None:
    block = os.urandom(1024 * 1024)
    digest = hashlib.sha256()

    def body() -> Iterator[bytes]:
        for _ in range(UPLOAD_BYTES // len(block)):
            digest.update(block)
            yield block

    response = httpx.put(
        f"http://{proxy}/upload",
        content=body(),
        headers={"Content-Length": str(UPLOAD_BYTES)},
        timeout=50,
    )
    assert response.json() == {"bytes": UPLOAD_BYTES, "sha256": digest.hexdigest()}
