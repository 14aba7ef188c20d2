"""The curl commands of the documentation, made by the test client.

Readers type them against a server; what the application gets is the same.
"""

from __future__ import annotations

import argparse
import base64
import io
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quart.datastructures import FileStorage

STREAM_SECONDS = 10


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="curl", exit_on_error=False)
    parser.add_argument("url")
    parser.add_argument("-X", dest="method")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data", action="append", default=[])
    parser.add_argument("-F", dest="form", action="append", default=[])
    parser.add_argument("-T", dest="upload")
    parser.add_argument("-u", dest="user")
    parser.add_argument("-r", dest="range")
    parser.add_argument("--json")
    # -i shows the head, -s and -N change nothing here; -c and -b keep cookies.
    for flag in ("i", "s", "N", "L", "k"):
        parser.add_argument(f"-{flag}", dest=flag, action="store_true")
    parser.add_argument("-c", dest="cookies")
    parser.add_argument("-b", dest="cookies")
    return parser


class Curl:
    """A parsed command."""

    def __init__(self, command: str, folder: Path) -> None:
        self.options = _parser().parse_args(shlex.split(command)[1:])
        self.folder = folder
        self.shows_head = self.options.i
        url = urlsplit(self.options.url)
        self.target = url.path or "/"
        if url.query:
            self.target += f"?{url.query}"

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for the client's ``open``."""
        options = self.options
        given: dict[str, Any] = {"method": "GET", "headers": self._headers()}
        if options.data:
            given.update(method="POST", data="&".join(options.data))
            given["headers"].setdefault(
                "Content-Type", "application/x-www-form-urlencoded"
            )
        if options.json:
            given.update(method="POST", data=options.json)
            given["headers"].setdefault("Content-Type", "application/json")
        if options.form:
            given.update(method="POST", **self._form())
        if options.upload:
            given.update(method="PUT", data=self._file(options.upload))
        if options.method:
            given["method"] = options.method
        if options.L:
            given["follow_redirects"] = True
        return given

    async def run(self, client: Any) -> Any:
        """Make the request; return the response."""
        return await client.open(self.target, **self.arguments())

    async def stream(self, client: Any, wanted: str) -> str:
        """Make the request and read until the text has come, then leave."""
        async with client.request(
            self.target, method="GET", headers=self._headers()
        ) as connection:
            await connection.send_complete()
            text = ""
            while not text.startswith(wanted) and wanted.startswith(text):
                text += (await connection.receive()).decode()
            await connection.disconnect()
        return text

    def _headers(self) -> dict[str, str]:
        pairs = (header.partition(":") for header in self.options.headers)
        headers = {name: value.strip() for name, _, value in pairs}
        headers.setdefault("User-Agent", "curl/8.0")
        headers.setdefault("Accept", "*/*")
        if self.options.user:
            token = base64.b64encode(self.options.user.encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        if self.options.range:
            headers["Range"] = f"bytes={self.options.range}"
        return headers

    def _form(self) -> dict[str, Any]:
        fields: dict[str, str] = {}
        files: dict[str, FileStorage] = {}
        for field in self.options.form:
            name, _, value = field.partition("=")
            if value.startswith("@"):
                content = io.BytesIO(self._file(value[1:]))
                files[name] = FileStorage(content, filename=value[1:])
            else:
                fields[name] = value
        return {"form": fields, "files": files}

    def _file(self, name: str) -> bytes:
        path = self.folder / name
        if not path.exists():
            path.write_bytes(b"x" * 100_000)
        return path.read_bytes()
