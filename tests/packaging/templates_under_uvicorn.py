"""Pages of core and quart-templating, served by Uvicorn; run by tools/isolate.py."""

from __future__ import annotations

import socket
import tempfile
import threading
import urllib.request
from pathlib import Path

import uvicorn
from quart_core import Quart
from quart_templating import render_fragment, render_template, stream_template

PAGE = """<h1>{{ title }}</h1>
{% block rows %}{% for film in films %}<li>{{ film }}</li>{% endfor %}{% endblock %}
"""
ROWS = "<li>M &lt;1931&gt;</li><li>Sunrise</li>"
FILMS = ["M <1931>", "Sunrise"]


def make_app(folder: str) -> Quart:
    app = Quart("films", root_path=folder)

    @app.get("/")
    async def page() -> str:
        return await render_template("page.html", title="Films", films=FILMS)

    @app.get("/rows")
    async def rows() -> str:
        return await render_fragment("page.html", "rows", films=FILMS)

    @app.get("/stream")
    async def stream():
        return await stream_template("page.html", title="Films", films=FILMS)

    return app


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        templates = Path(folder) / "templates"
        templates.mkdir()
        (templates / "page.html").write_text(PAGE)
        config = uvicorn.Config(make_app(folder), log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            for path, expected in (
                ("/", f"<h1>Films</h1>\n{ROWS}"),
                ("/rows", ROWS),
                ("/stream", f"<h1>Films</h1>\n{ROWS}"),
            ):
                url = f"http://127.0.0.1:{port}{path}"
                with urllib.request.urlopen(url, timeout=10) as response:
                    text = response.read().decode()
                if text != expected:
                    raise SystemExit(f"wrong answer to {path}: {text!r}")
        finally:
            server.should_exit = True
            thread.join(timeout=10)
    print("core and templating: pages answer under Uvicorn")


if __name__ == "__main__":
    main()
