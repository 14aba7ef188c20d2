"""Early hints and server push: style and script are on their way before the page is.

Early hints (RFC 8297) tell the browser what to ask for while the page is being made;
browsers follow them over HTTP/2. Server push (RFC 9113, 8.4) sends it unasked; browsers
have given that up, but other HTTP/2 clients take it.
"""

import asyncio

from quart import Quart, make_push_promise, render_template, request, url_for
from quart_server import run

app = Quart(__name__)
# What comes ahead of the page waits for it in the browser's cache.
app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600

SLOW_QUERY_SECONDS = 1.0
KINDS = {"style.css": "style", "page.js": "script"}


@app.get("/")
async def index() -> str:
    return await render_template("index.html")


@app.get("/hinted")
async def hinted() -> str:
    await request.send_early_hints(
        *[f"<{file_url(name)}>; rel=preload; as={kind}" for name, kind in KINDS.items()]
    )
    return await slow_page("Early hints")


@app.get("/pushed")
async def pushed() -> str:
    for name in KINDS:
        await make_push_promise(file_url(name))
    return await slow_page("Server push")


@app.get("/plain")
async def plain() -> str:
    return await slow_page("Neither")


def file_url(name: str) -> str:
    return url_for("static", filename=name)


async def slow_page(title: str) -> str:
    """Stand for a page that has to wait for its data."""
    await asyncio.sleep(SLOW_QUERY_SECONDS)
    return await render_template("page.html", title=title)


if __name__ == "__main__":
    # Browsers speak HTTP/2 over TLS only; the certificate is made on the spot.
    run(app, bind=("127.0.0.1:5000",), https=True)
