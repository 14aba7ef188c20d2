"""Microseconds per request inside the process: our app beside Starlette's.

    python tools/bench/inprocess.py [--rounds 60] [--requests 100] [--instructions]

Needs an environment that has quart-core, starlette, python-multipart and
itsdangerous. No server and no socket: the ASGI callables are awaited with prepared
scopes. The two are timed in turn, in many short rounds of processor time, and the
best round counts: on a machine with other work everything else measures that work.

Instructions do not depend on the machine's mood: ``--instructions`` counts them with
``valgrind --tool=callgrind`` in processes of their own, as the difference between
two numbers of requests (about a minute for each case and app).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from quart_core.app import Quart
from quart_core.globals import request, session
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

ROUTES = 300
# Requests between two turns of the event loop; a busy server has a few in each.
TURN = 20
COUNTED_REQUESTS = 300
KEY = "only for measuring"
JSON_BODY = json.dumps({"name": "x" * 500, "items": list(range(100))}).encode()
FORM_BODY = b"name=Ann+Example&mail=ann%40example.test&text=" + b"word+" * 20
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
    app.secret_key = KEY

    @app.get("/plaintext")
    async def plaintext() -> str:
        return "Hello, World!"

    @app.get("/json")
    async def json_view() -> dict[str, str]:
        return {"message": "Hello, World!"}

    @app.post("/echo")
    async def echo() -> Any:
        return await request.get_json()

    @app.post("/form")
    async def form() -> dict[str, str]:
        return (await request.form).to_dict()

    @app.get("/session")
    async def count() -> dict[str, int]:
        session["count"] = session.get("count", 0) + 1
        return {"count": session["count"]}

    async def item(item_id: int) -> dict[str, Any]:
        return {"id": item_id, "page": request.args.get("page")}

    for number in range(ROUTES):
        app.add_url_rule(f"/route{number}/<int:item_id>", f"item{number}", item)
    return app


def starlette_app(case: str) -> Starlette:
    async def plaintext(request: Request) -> PlainTextResponse:
        return PlainTextResponse("Hello, World!")

    async def json_view(request: Request) -> JSONResponse:
        return JSONResponse({"message": "Hello, World!"})

    async def echo(request: Request) -> JSONResponse:
        return JSONResponse(await request.json())

    async def form(request: Request) -> JSONResponse:
        return JSONResponse(dict(await request.form()))

    async def count(request: Request) -> JSONResponse:
        request.session["count"] = request.session.get("count", 0) + 1
        return JSONResponse({"count": request.session["count"]})

    async def item(request: Request) -> JSONResponse:
        page = request.query_params.get("page")
        return JSONResponse({"id": request.path_params["item_id"], "page": page})

    routes = [
        Route("/plaintext", plaintext),
        Route("/json", json_view),
        Route("/echo", echo, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
        Route("/session", count),
    ]
    routes += [
        Route(f"/route{number}/{{item_id:int}}", item) for number in range(ROUTES)
    ]
    # Every request pays for it, so that only the one that is about it has it.
    sessions = Middleware(SessionMiddleware, secret_key=KEY)
    return Starlette(routes=routes, middleware=[sessions] if case == "session" else [])


# Method, path, type and content of the body.
CASES: dict[str, tuple[str, str, bytes, bytes]] = {
    "plaintext": ("GET", "/plaintext", b"", b""),
    "json": ("GET", "/json", b"", b""),
    "echo 1 KB": ("POST", "/echo", b"application/json", JSON_BODY),
    "form": ("POST", "/form", b"application/x-www-form-urlencoded", FORM_BODY),
    "session": ("GET", "/session", b"", b""),
    "first of 300": ("GET", "/route0/42?page=3", b"", b""),
    "last of 300": ("GET", f"/route{ROUTES - 1}/42?page=3", b"", b""),
}

App = Callable[[Any, Any, Any], Awaitable[None]]


def scope_of(case: str) -> dict[str, Any]:
    method, target, kind, body = CASES[case]
    path, _, query = target.partition("?")
    headers = list(HEADERS)
    if body:
        headers += [
            (b"content-type", kind),
            (b"content-length", str(len(body)).encode()),
        ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }


async def measure(app: App, scope: dict[str, Any], body: bytes, count: int) -> float:
    """Return the microseconds per request, and check the last answer."""
    event = {"type": "http.request", "body": body, "more_body": False}
    sent: list[Any] = []

    async def receive() -> Any:
        return event

    async def send(message: Any) -> None:
        sent.append(message)

    start = time.process_time()
    for number in range(count):
        sent.clear()
        await app(dict(scope), receive, send)
        if number % TURN == 0:
            # What was scheduled for the loop's next turn must not pile up.
            await asyncio.sleep(0)
    elapsed = time.process_time() - start
    if sent[0]["status"] != 200:
        raise SystemExit(f"{scope['path']} answered {sent[0]['status']}")
    for name, value in sent[0]["headers"]:
        if name == b"set-cookie":
            scope["headers"] = [*HEADERS, (b"cookie", value.partition(b";")[0])]
    return elapsed / count * 1e6


async def compare(case: str, rounds: int, count: int) -> dict[str, Any]:
    """Return the microseconds of both for one case."""
    body = CASES[case][3]
    sides = [(our_app(), scope_of(case)), (starlette_app(case), scope_of(case))]
    for app, scope in sides:
        await measure(app, scope, body, count)
    best = [float("inf")] * 2
    for _ in range(rounds):
        for side, (app, scope) in enumerate(sides):
            best[side] = min(best[side], await measure(app, scope, body, count))
    ours, theirs = best
    return {"case": case, "ours": ours, "starlette": theirs, "ratio": ours / theirs}


def count_instructions(case: str) -> dict[str, Any]:
    """Return the instructions per request of both for one case."""
    counts = {}
    for side in ("ours", "starlette"):
        few, many = (_callgrind(side, case, n) for n in (1, 1 + COUNTED_REQUESTS))
        counts[side] = (many - few) / COUNTED_REQUESTS
    return {"case": case, **counts, "ratio": counts["ours"] / counts["starlette"]}


def _callgrind(side: str, case: str, requests: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command += [sys.executable, __file__, "--only", side, "--case", case]
    command += ["--requests", str(requests)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if found is None:
        raise SystemExit(f"valgrind did not tell a count:\n{done.stderr}")
    return int(found[1])


async def run_only(side: str, case: str, requests: int) -> None:
    """Serve requests of one side, to be counted or profiled from outside."""
    app = our_app() if side == "ours" else starlette_app(case)
    scope, body = scope_of(case), CASES[case][3]
    await measure(app, scope, body, 20)
    await measure(app, scope, body, requests)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--only", choices=["ours", "starlette"])
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    cases = options.case or list(CASES)
    if options.only:
        asyncio.run(run_only(options.only, cases[0], options.requests))
        return
    rows = []
    for case in cases:
        if options.instructions:
            rows.append(count_instructions(case))
        else:
            rows.append(asyncio.run(compare(case, options.rounds, options.requests)))
    if options.json:
        json.dump(rows, sys.stdout, indent=1)
        return
    unit = "instructions" if options.instructions else "us"
    print(f"{unit + ' of':<14} {'ours':>9} {'starlette':>11} {'ratio':>7}")
    for row in rows:
        print(
            f"{row['case']:<14} {row['ours']:9.1f} {row['starlette']:11.1f}"
            f" {row['ratio']:7.2f}"
        )


if __name__ == "__main__":
    main()
