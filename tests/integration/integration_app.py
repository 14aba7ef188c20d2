"""An application with one view for each way to read a request and to answer one."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from quart import (
    Blueprint,
    Quart,
    ResponseReturnValue,
    abort,
    g,
    request,
    session,
    stream_with_context,
)

FILE = os.urandom(1024 * 1024)

views = Blueprint("views", __name__)


def make_app(folder: Path) -> Quart:
    """Make an application with the views below and a static file."""
    static = folder / "static"
    static.mkdir(exist_ok=True)
    (static / "large.bin").write_bytes(FILE)
    app = Quart("app", root_path=str(folder))
    app.secret_key = "of the test"
    app.register_blueprint(views)
    return app


@views.get("/")
async def index() -> str:
    return f"hello {request.args.get('name', 'you')}"


@views.get("/sync/<int:number>")
def sync(number: int) -> ResponseReturnValue:
    return {"number": number, "path": request.path}


@views.post("/echo")
async def echo() -> ResponseReturnValue:
    return await request.get_data(), {"Content-Type": "application/octet-stream"}


@views.post("/digest")
async def digest() -> str:
    total = hashlib.sha256()
    async for chunk in request.body:
        total.update(chunk)
    return total.hexdigest()


@views.post("/ignore")
async def ignore() -> str:
    return "not read"


@views.post("/refuse")
async def refuse() -> str:
    abort(403)


@views.post("/files")
async def files() -> ResponseReturnValue:
    return {
        name: [file.filename, len(file.read())]
        for name, file in (await request.files).items(multi=True)
    }


@views.get("/stream")
async def stream() -> AsyncIterator[str]:
    @stream_with_context
    async def generate() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{request.path} {number}\n"
            await asyncio.sleep(0)

    return generate()


@views.get("/sync-stream")
def sync_stream() -> Iterator[bytes]:
    return (b"%d\n" % number for number in range(5))


@views.get("/empty")
async def empty() -> ResponseReturnValue:
    return "", 204


@views.get("/count")
async def count() -> str:
    session["count"] = session.get("count", 0) + 1
    return str(session["count"])


@views.get("/fail")
async def fail() -> str:
    raise ValueError("of the view")


@views.get("/fail-in-stream")
async def fail_in_stream() -> AsyncIterator[str]:
    async def generate() -> AsyncIterator[str]:
        yield "begun\n"
        await asyncio.sleep(0)
        raise ValueError("of the stream")

    return generate()


@views.get("/short")
async def short() -> ResponseReturnValue:
    return "abc", {"Content-Length": "10"}


@views.before_request
async def leaks() -> str | None:
    return "leaked" if hasattr(g, "seen") else setattr(g, "seen", True)
