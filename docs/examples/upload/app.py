"""Uploads of any size, straight from the network to the disk.

The page sends a file as the body of a request and shows how far it is. The app takes
the body in pieces and never holds more than one; a file appears only when it is whole.
"""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiofiles
from quart import Quart, abort, render_template, request
from quart_server import run
from werkzeug.exceptions import HTTPException
from werkzeug.utils import secure_filename

app = Quart(__name__)
app.config["UPLOAD_FOLDER"] = Path(app.instance_path)
# A larger body is answered with 413 as soon as its length is known.
app.config["MAX_CONTENT_LENGTH"] = 4 * 1024**3
# Such as QUART_MAX_CONTENT_LENGTH=1000000.
app.config.from_prefixed_env()


@app.get("/")
async def index() -> str:
    return await render_template("index.html")


@app.put("/files/<name>")
async def upload(name: str) -> tuple[dict[str, Any], int]:
    """Store the body as a file; the reading waits for the writing."""
    digest = hashlib.sha256()
    async with (
        arriving_file(name) as path,
        await app.open_instance_resource(path, "wb") as file,
    ):
        async for piece in request.body:
            digest.update(piece)
            await file.write(piece)
        size = await file.tell()
    return {
        "name": secure_filename(name),
        "bytes": size,
        "sha256": digest.hexdigest(),
    }, 201


@app.put("/aiofiles/<name>")
async def upload_with_aiofiles(name: str) -> tuple[dict[str, Any], int]:
    """Do the same with the files of another library."""
    digest = hashlib.sha256()
    async with arriving_file(name) as path, aiofiles.open(path, "wb") as file:
        async for piece in request.body:
            digest.update(piece)
            await file.write(piece)
        size = await file.tell()
    return {
        "name": secure_filename(name),
        "bytes": size,
        "sha256": digest.hexdigest(),
    }, 201


@asynccontextmanager
async def arriving_file(name: str) -> AsyncIterator[Path]:
    """Give a path to write to, which gets its name when all has been written."""
    folder = Path(app.config["UPLOAD_FOLDER"])
    safe_name = secure_filename(name)
    if not safe_name:
        abort(400, f"{name!r} is no name for a file.")
    part = folder / f"{secrets.token_hex(8)}.part"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    try:
        yield part
        await asyncio.to_thread(os.replace, part, folder / safe_name)
    finally:
        # Of an upload that was given up, refused or failed.
        await asyncio.to_thread(part.unlink, missing_ok=True)


@app.errorhandler(HTTPException)
async def tell(error: HTTPException) -> tuple[dict[str, str | None], int]:
    """Answer errors in the way the page reads answers."""
    return {"error": error.description}, error.code or 500


if __name__ == "__main__":
    # Browsers speak HTTP/2 over TLS only; the certificate is made on the spot.
    run(app, bind=("127.0.0.1:5000",), https=True)
