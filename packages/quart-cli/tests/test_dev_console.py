"""What quart dev prints for requests."""

import logging
import re
from typing import Any

import pytest
from quart_cli.dev_console import DevConsole
from quart_cli.exchange import request_line
from quart_core import Quart, abort


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((200, "GET", "/", 0.0012, 5), "  200  GET  /             1.2 ms    5 B"),
        ((500, "GET", "/boom", 0.0031, 0), "  500  GET  /boom         3.1 ms"),
        ((101, "WS", "/ws", 1.5, 0), "  101  WS   /ws        1500.0 ms"),
        ((0, "GET", "/a\x1b[31m\n", 0.0, 0), "    -  GET  /a\\x1b[31m\\n    0.0 ms"),
    ],
)
def test_the_line_of_a_request(arguments: Any, expected: str) -> None:
    line = re.sub(r"\x1b\[\d+m", "", request_line(*arguments))
    assert re.fullmatch(r"\d\d:\d\d:\d\d", line[:8])
    assert line[8:] == expected


def test_long_paths_are_cut() -> None:
    assert len(request_line(200, "GET", "/" + "a" * 10_000, 0, 0)) < 300


@pytest.fixture
def app() -> Quart:
    app = Quart("shop")
    app.debug = True

    @app.get("/")
    async def index() -> str:
        return "hello"

    @app.get("/boom")
    async def boom() -> str:
        values = {"a": 1}
        return str(values["b"])

    @app.get("/gone")
    async def gone() -> str:
        abort(410)

    return app


async def get(app: Quart, path: str) -> None:
    console: Any = DevConsole(app)
    scope = {
        "type": "http", "asgi": {}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1), "server": ("localhost", 80), "extensions": {},
    }  # fmt: skip
    requests = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return requests.pop() if requests else {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        return None

    await console(scope, receive, send)


async def test_requests_have_a_line(app: Quart, capsys: Any) -> None:
    await get(app, "/")
    await get(app, "/gone")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1:4] for line in lines] == [
        ["200", "GET", "/"],
        ["410", "GET", "/gone"],
    ]


async def test_an_exception_is_below_its_line_and_not_in_the_log(
    app: Quart, capsys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await get(app, "/boom")
    output = capsys.readouterr().out
    first, second, *_ = output.splitlines()
    assert first.split()[1:4] == ["500", "GET", "/boom"]
    assert "test_dev_console.py" in second
    assert second.endswith(" in app.<locals>.boom")
    assert "KeyError: 'b'" in output
    assert not caplog.records


async def test_other_messages_are_logged_as_ever(
    app: Quart, caplog: pytest.LogCaptureFixture
) -> None:
    DevConsole(app)
    try:
        raise LookupError("mine")
    except LookupError:
        app.logger.exception("Something else")
    assert caplog.records[-1].levelno == logging.ERROR
