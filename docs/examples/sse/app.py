"""A counter that all open pages show, and that none of them loses a step of.

The steps are numbered. A page that was cut off reconnects by itself and sends the
number of the last step it has seen, so it is sent what it has missed and nothing twice.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from quart import (
    EventStreamResponse,
    Quart,
    ServerSentEvent,
    render_template,
    request,
)

app = Quart(__name__)
app.config["COUNTER_FILE"] = Path(app.instance_path) / "counter"
app.config["COUNTER_SECONDS"] = 0.5
# Such as QUART_COUNTER_SECONDS=2.
app.config.from_prefixed_env()

RETRY_MILLISECONDS = 500
MAX_MISSED_STEPS = 10_000


class Counter:
    """Counts, and wakes those who wait for the next step.

    The value is on disk before anybody sees it, so it survives a server that is killed.
    """

    def __init__(self, file: Path) -> None:
        self.value = int(file.read_text()) if file.exists() else 0
        self._file = file
        self._changed = asyncio.Condition()

    async def step(self) -> None:
        await asyncio.to_thread(self._save, self.value + 1)
        async with self._changed:
            self.value += 1
            self._changed.notify_all()

    def _save(self, value: int) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(str(value))
        os.replace(new, self._file)

    async def since(self, seen: int) -> range:
        """Return the steps after one that was seen, as soon as there are any."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.value > seen)
        # Numbers need no table to be looked up in, as other events would.
        return range(seen + 1, self.value + 1)


@app.while_serving
async def count() -> AsyncIterator[None]:
    """Count as long as the server runs."""
    counter = app.extensions["counter"] = Counter(Path(app.config["COUNTER_FILE"]))

    async def steps() -> None:
        while True:
            await asyncio.sleep(app.config["COUNTER_SECONDS"])
            await counter.step()

    task = asyncio.create_task(steps())
    yield
    task.cancel()


@app.get("/")
async def index() -> str:
    return await render_template("index.html")


@app.get("/events")
async def events() -> EventStreamResponse:
    counter: Counter = app.extensions["counter"]
    first = last_seen(request.last_event_id, counter.value)

    async def stream() -> AsyncIterator[ServerSentEvent]:
        seen = first
        while True:
            for step in await counter.since(seen):
                yield ServerSentEvent(str(step), id=step)
                seen = step

    return EventStreamResponse(stream(), retry=RETRY_MILLISECONDS)


def last_seen(last_event_id: str | None, now: int) -> int:
    """Return the step after which a page goes on; a new one begins with the current."""
    try:
        seen = int(last_event_id or "")
    except ValueError:
        return now - 1
    return seen if now - MAX_MISSED_STEPS <= seen <= now else now - 1


if __name__ == "__main__":
    app.run()
