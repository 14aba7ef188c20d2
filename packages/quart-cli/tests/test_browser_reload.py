"""Pages that load themselves anew: what is touched, and what never is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from quart_cli.browser_reload import SCRIPT_PATH, BrowserReload

PAGE = b"<!doctype html><title>x</title><p>hello"
HTML = (b"content-type", b"text/html; charset=utf-8")
TAG = re.compile(rb'<script src="/_quart/reload\.js\?([0-9a-f]{16})" async></script>\n')


class App:
    """Answers with the messages it is given."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = messages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        for message in self.messages:
            await send(message)


def start(*headers: tuple[bytes, bytes], **values: Any) -> dict[str, Any]:
    return {
        "type": "http.response.start",
        "status": 200,
        "headers": list(headers),
        **values,
    }


def body(data: bytes = PAGE, **values: Any) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, **values}


async def sent(
    app: Any,
    path: str = "/",
    method: str = "GET",
    accept: bytes = b"text/html",
    **more: Any,
) -> list[dict[str, Any]]:
    headers = [(b"accept", accept), *more.pop("headers", [])]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, **more}
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def receive() -> dict[str, Any]:
        raise AssertionError("Nothing is to be received")

    await app(scope, receive, send)
    return messages


async def test_a_whole_page_gets_the_script_and_the_new_length() -> None:
    length = (b"Content-Length", str(len(PAGE)).encode())
    messages = await sent(BrowserReload(App(start(HTML, length), body())))
    head, rest = messages
    assert rest["body"].startswith(PAGE)
    assert TAG.fullmatch(rest["body"][len(PAGE) :])
    assert dict(head["headers"])[b"content-length"] == str(len(rest["body"])).encode()


async def test_a_nonce_of_the_page_is_used() -> None:
    policy = (b"content-security-policy", b"script-src 'nonce-abc'")
    messages = await sent(BrowserReload(App(start(HTML, policy), body())))
    assert b'" nonce="abc" async></script>' in messages[1]["body"]


async def test_a_policy_that_forbids_it_is_kept_and_told_once(capsys: Any) -> None:
    policy = (b"content-security-policy", b"default-src 'none'")
    app = BrowserReload(App(start(HTML, policy), body()))
    for _ in range(2):
        assert (await sent(app))[1]["body"] == PAGE
    assert capsys.readouterr().out == (
        "The browser does not reload by itself: the page's Content-Security-Policy "
        "needs 'self' in script-src and connect-src\n"
    )


@pytest.mark.parametrize(
    "messages",
    [
        [start((b"content-type", b"text/plain")), body()],
        [start(), body()],
        [start((b"content-type", b"text/html; charset=utf-16")), body()],
        [start(HTML, (b"content-encoding", b"gzip")), body()],
        [start(HTML, (b"Content-Digest", b"sha-256=:x:")), body()],
        [start(HTML, status=206), body()],
        [start(HTML, status=304), body(b"")],
        [start(HTML, trailers=True), body()],
        [start(HTML), body(b"<p>a part of a page")],
        [start(HTML), body(PAGE, more_body=True), body(b"rest")],
        [start(HTML), body(b"", more_body=True), body(PAGE)],
        [start(HTML), {"type": "http.response.pathsend", "path": "/x"}],
        [{"type": "http.response.push", "path": "/x"}, start((b"x", b"y")), body()],
        [],
    ],
    ids=lambda messages: f"{messages[0]['type'] if messages else 'nothing'}",
)
async def test_other_responses_are_left_alone(messages: list[dict[str, Any]]) -> None:
    assert await sent(BrowserReload(App(*messages))) == messages


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "HEAD"},
        {"method": "POST"},
        {"accept": b"*/*"},
        {"accept": b"application/json"},
        {"headers": [(b"sec-fetch-dest", b"empty")]},
        {"headers": [(b"sec-fetch-dest", b"iframe")]},
    ],
)
async def test_only_pages_that_a_browser_goes_to_are_touched(request_: Any) -> None:
    messages = [start(HTML), body()]
    assert await sent(BrowserReload(App(*messages)), **request_) == messages


async def test_the_script_is_served_and_kept_by_nobody() -> None:
    app = BrowserReload(App())
    head, rest = await sent(app, SCRIPT_PATH)
    headers = dict(head["headers"])
    assert headers[b"content-type"] == b"text/javascript; charset=utf-8"
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"content-length"] == str(len(rest["body"])).encode()
    assert b"new WebSocket" in rest["body"]
    assert (await sent(app, SCRIPT_PATH, "HEAD"))[1]["body"] == b""


async def hold(app: Any, *headers: tuple[bytes, bytes]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    coming = ["websocket.disconnect", "websocket.receive", "websocket.connect"]

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": coming.pop()}

    scope = {"type": "websocket", "path": "/_quart/reload", "headers": headers}
    await app(scope, receive, send)
    return messages


async def test_the_socket_tells_the_process_that_is_in_the_tag() -> None:
    app = BrowserReload(App(start(HTML), body()))
    page = (await sent(app))[1]["body"]
    accept, told = await hold(app)
    assert accept == {"type": "websocket.accept"}
    found = TAG.search(page)
    assert found is not None
    assert told == {"type": "websocket.send", "text": found[1].decode()}
    assert (await hold(BrowserReload(App())))[1] != told


async def test_pages_of_other_hosts_are_told_nothing() -> None:
    host = (b"host", b"localhost:5000")
    app = BrowserReload(App())
    assert await hold(app, host, (b"origin", b"https://evil.example")) == [
        {"type": "websocket.close", "code": 1008}
    ]
    assert len(await hold(app, host, (b"origin", b"http://localhost:5000"))) == 2


async def test_other_websockets_and_lifespan_are_the_applications() -> None:
    message = {"type": "websocket.close"}
    app = BrowserReload(App(message))
    assert await sent(app, "/ws", type="websocket") == [message]
    assert await sent(app, type="lifespan") == [message]
