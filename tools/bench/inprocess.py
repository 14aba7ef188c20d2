"""Microseconds per request inside the process: our app beside Starlette's.

    python tools/bench/inprocess.py [--rounds 15] [--requests 4000]

Needs an environment that has quart-core and starlette. No server and no socket:
the ASGI callables are awaited with prepared scopes. The two are timed in turn,
round by round, so that a change of the machine's speed hits both; quoted are the
medians and the median of the ratios of each round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from quart_core.app import Quart
from quart_core.globals import request
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

ROUTES = 300
# Requests between two turns of the event loop; a busy server has a few in each.
TURN = 20
BODY = json.dumps({"name": "x" * 500, "items": list(range(100))}).encode()
HEADERS = [
    (b"host", b"localhost:8000"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-US,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate"),
    (b"connection", b"keep-alive"),
]


def our_app() -> Quart:
    app = Quart("bench", static_folder=None)

    @app.get("/plaintext")
    async def plaintext() -> str:
        return "Hello, World!"

    @app.get("/json")
    async def json_view() -> dict[str, str]:
        return {"message": "Hello, World!"}

    @app.post("/echo")
    async def echo() -> Any:
        return await request.get_json()

    async def item(item_id: int) -> dict[str, int]:
        return {"id": item_id}

    for number in range(ROUTES):
        app.add_url_rule(f"/route{number}/<int:item_id>", f"item{number}", item)
    return app


def starlette_app() -> Starlette:
    async def plaintext(request: Request) -> PlainTextResponse:
        return PlainTextResponse("Hello, World!")

    async def json_view(request: Request) -> JSONResponse:
        return JSONResponse({"message": "Hello, World!"})

    async def echo(request: Request) -> JSONResponse:
        return JSONResponse(await request.json())

    async def item(request: Request) -> JSONResponse:
        return JSONResponse({"id": request.path_params["item_id"]})

    routes = [
        Route("/plaintext", plaintext),
        Route("/json", json_view),
        Route("/echo", echo, methods=["POST"]),
    ]
    routes += [
        Route(f"/route{number}/{{item_id:int}}", item) for number in range(ROUTES)
    ]
    return Starlette(routes=routes)


def scope_of(method: str, path: str, headers: list[Any]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


CASES: dict[str, tuple[str, str, bytes]] = {
    "plaintext": ("GET", "/plaintext", b""),
    "json": ("GET", "/json", b""),
    "echo 1 KB": ("POST", "/echo", BODY),
    "first of 300": ("GET", "/route0/42", b""),
    "last of 300": ("GET", f"/route{ROUTES - 1}/42", b""),
}

App = Callable[[Any, Any, Any], Awaitable[None]]


async def measure(app: App, case: str, count: int) -> float:
    """Return the microseconds per request, and check the last answer."""
    method, path, body = CASES[case]
    headers = list(HEADERS)
    if body:
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
    template = scope_of(method, path, headers)
    event = {"type": "http.request", "body": body, "more_body": False}
    sent: list[Any] = []

    async def receive() -> Any:
        return event

    async def send(message: Any) -> None:
        sent.append(message)

    start = time.perf_counter()
    for number in range(count):
        sent.clear()
        await app(dict(template), receive, send)
        if number % TURN == 0:
            # What was scheduled for the loop's next turn must not pile up.
            await asyncio.sleep(0)
    elapsed = time.perf_counter() - start
    if sent[0]["status"] != 200:
        raise SystemExit(f"{case} answered {sent[0]['status']}")
    return elapsed / count * 1e6


async def compare(rounds: int, count: int) -> list[dict[str, Any]]:
    ours, theirs = our_app(), starlette_app()
    rows = []
    for case in CASES:
        for app in (ours, theirs):
            await measure(app, case, 200)
        pairs = [
            (await measure(ours, case, count), await measure(theirs, case, count))
            for _ in range(rounds)
        ]
        rows.append(
            {
                "case": case,
                "ours": statistics.median(pair[0] for pair in pairs),
                "starlette": statistics.median(pair[1] for pair in pairs),
                "ratio": statistics.median(pair[0] / pair[1] for pair in pairs),
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    rows = asyncio.run(compare(options.rounds, options.requests))
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        return
    print(f"{'case':<14} {'ours us':>9} {'starlette us':>13} {'ratio':>7}")
    for row in rows:
        print(
            f"{row['case']:<14} {row['ours']:9.1f} {row['starlette']:13.1f}"
            f" {row['ratio']:7.2f}"
        )


if __name__ == "__main__":
    main()
