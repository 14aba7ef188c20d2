"""A live page: a task measures, and all open pages show it at once."""

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from quart import EventStreamResponse, Quart, ServerSentEvent, g, render_template

app = Quart(__name__)
app.config["MEASURE_SECONDS"] = 1.0
# The background task has nothing to finish when the server stops.
app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.0
# Such as QUART_MEASURE_SECONDS=5.
app.config.from_prefixed_env()

REMEMBERED_MEASUREMENTS = 60

Measurement = dict[str, Any]


class Feed:
    """The last measurements, and a way to wait for the next."""

    def __init__(self) -> None:
        self.last: deque[Measurement] = deque(maxlen=REMEMBERED_MEASUREMENTS)
        self._next: asyncio.Future[Measurement] = asyncio.Future()

    def publish(self, measurement: Measurement) -> None:
        self.last.append(measurement)
        published, self._next = self._next, asyncio.Future()
        published.set_result(measurement)

    async def next(self) -> Measurement:
        # Shielded: a page that leaves must not cancel it for the others.
        return await asyncio.shield(self._next)


class Traffic:
    """Counts requests and the time that they took."""

    def __init__(self) -> None:
        self.requests = 0
        self.slowest_ms = 0.0

    def count(self, seconds: float) -> None:
        self.requests += 1
        self.slowest_ms = max(self.slowest_ms, seconds * 1000)

    def take(self) -> Measurement:
        """Return what was counted since the last time."""
        taken = {"requests": self.requests, "slowest_ms": round(self.slowest_ms, 1)}
        self.requests, self.slowest_ms = 0, 0.0
        return taken


traffic = Traffic()


@app.before_serving
async def begin() -> None:
    app.extensions["feed"] = Feed()
    app.add_background_task(measure)


async def measure() -> None:
    """Publish a measurement now and then; ends with the server."""
    while True:
        delay = await loop_delay(app.config["MEASURE_SECONDS"])
        app.extensions["feed"].publish(
            {
                "time": time.time(),
                "load": round(os.getloadavg()[0], 2),
                "loop_delay_ms": round(delay * 1000, 2),
                **traffic.take(),
            }
        )


async def loop_delay(seconds: float) -> float:
    """Sleep, and return by how much it took longer: how busy the event loop is."""
    start = time.perf_counter()
    await asyncio.sleep(seconds)
    return time.perf_counter() - start - seconds


@app.before_request
async def start_clock() -> None:
    g.start = time.perf_counter()


@app.teardown_request
async def stop_clock(_error: BaseException | None) -> None:
    traffic.count(time.perf_counter() - g.start)


@app.get("/")
async def index() -> str:
    return await render_template("index.html")


@app.get("/events")
async def events() -> EventStreamResponse:
    feed: Feed = app.extensions["feed"]

    async def stream() -> AsyncIterator[ServerSentEvent]:
        # What has been, in one event, and then each measurement as it comes.
        yield ServerSentEvent(json=list(feed.last), event="history")
        while True:
            yield ServerSentEvent(json=await feed.next(), event="measurement")

    return EventStreamResponse(stream())


if __name__ == "__main__":
    app.run()
