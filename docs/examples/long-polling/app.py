"""News by long polling: a request waits until there is something to tell it.

For clients that have neither WebSockets nor event streams; any HTTP client will do.
"""

import asyncio
from collections import deque
from typing import Any

from quart import Quart, abort, render_template, request
from quart.helpers import timeout_at_shutdown

app = Quart(__name__)

WAIT_SECONDS = 25.0
REMEMBERED_NEWS = 100
MAX_TEXT_CHARACTERS = 500


class News:
    """Numbered messages, and a way to wait for the next."""

    def __init__(self) -> None:
        self.count = 0
        self._last: deque[dict[str, Any]] = deque(maxlen=REMEMBERED_NEWS)
        self._added = asyncio.Condition()

    async def add(self, text: str) -> int:
        async with self._added:
            self.count += 1
            self._last.append({"id": self.count, "text": text})
            self._added.notify_all()
            return self.count

    async def after(self, seen: int, wait_seconds: float) -> list[dict[str, Any]]:
        """Return the news after one that was seen.

        None if the time is over, or the server stops, which waits for all requests.
        """
        try:
            async with timeout_at_shutdown(wait_seconds), self._added:
                await self._added.wait_for(lambda: self.count > seen)
        except TimeoutError:
            return []
        return [item for item in self._last if item["id"] > seen]


news = News()


@app.get("/")
async def index() -> str:
    return await render_template("index.html")


@app.get("/news")
async def poll() -> dict[str, Any]:
    """Answer as soon as there are news, or with none, which asks for another poll."""
    after = request.args.get("after", default=0, type=int)
    wait = request.args.get("wait", default=WAIT_SECONDS, type=float)
    items = await news.after(after, min(wait, WAIT_SECONDS))
    return {"news": items, "last": items[-1]["id"] if items else after}


@app.post("/news")
async def publish() -> tuple[dict[str, int], int]:
    text = (await request.form).get("text", "").strip()
    if not text or len(text) > MAX_TEXT_CHARACTERS:
        abort(400, f"text has 1 to {MAX_TEXT_CHARACTERS} characters.")
    return {"id": await news.add(text)}, 201


if __name__ == "__main__":
    app.run()
