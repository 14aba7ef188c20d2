"""The smallest tour: a page, JSON, a form, an upload and a streamed response.

python app.py        serves it on http://127.0.0.1:5000
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, Response, jsonify, request, url_for

app = Quart(__name__)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Hello from Quart</title>
<link rel="stylesheet" href="{style}">
<h1>Hello from Quart</h1>
<ul>
  <li><a href="/api/films/7">JSON</a></li>
  <li><a href="/countdown">a streamed response</a></li>
</ul>
<form action="/greet" method="post">
  <label>Your name <input name="name" required></label>
  <button>Greet me</button>
</form>
<form action="/upload" method="post" enctype="multipart/form-data">
  <label>A file <input type="file" name="file" required></label>
  <button>Upload</button>
</form>
</html>
"""


@app.get("/")
async def index() -> str:
    """A page."""
    return PAGE.format(style=url_for("static", filename="style.css"))


@app.get("/api/films/<int:film_id>")
async def film(film_id: int) -> dict[str, Any]:
    """JSON: a dict is enough."""
    return {"id": film_id, "title": f"Film {film_id}"}


@app.post("/greet")
async def greet() -> Response:
    """A form."""
    form = await request.form
    return Response(f"Hello, {form['name']}!", content_type="text/plain; charset=utf-8")


@app.post("/upload")
async def upload() -> Response | tuple[str, int]:
    """An upload: large files wait on disk, never in memory."""
    files = await request.files
    file = files.get("file")
    if file is None:
        return "Send a file in the field 'file'.", 400
    digest = hashlib.sha256()
    size = 0
    while chunk := file.read(64 * 1024):
        digest.update(chunk)
        size += len(chunk)
    return jsonify(name=file.filename, bytes=size, sha256=digest.hexdigest())


@app.get("/countdown")
async def countdown() -> Response:
    """A streamed response: each line leaves when it is made."""

    async def lines() -> AsyncIterator[str]:
        for number in range(5, 0, -1):
            yield f"{number}\n"
            await asyncio.sleep(0.2)
        yield "liftoff\n"

    return Response(lines(), content_type="text/plain; charset=utf-8")


if __name__ == "__main__":
    app.run()
