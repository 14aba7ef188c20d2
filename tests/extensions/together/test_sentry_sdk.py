"""Sentry: events of views, websockets and background tasks; transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from quart import Quart, websocket
from sentry_sdk.integrations.quart import QuartIntegration
from sentry_sdk.transport import Transport

DSN = "https://key@sentry.invalid/1"


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__({})
        self.items: list[tuple[str, dict[str, Any]]] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.items += [(item.type, item.payload.json) for item in envelope.items]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [payload for type_, payload in self.items if type_ == kind]


@pytest.fixture
def kept() -> Iterator[Kept]:
    transport = Kept()
    sentry_sdk.init(
        DSN,
        transport=transport,
        integrations=[QuartIntegration()],
        auto_enabling_integrations=False,
        traces_sample_rate=1.0,
        send_default_pii=True,
    )
    yield transport
    sentry_sdk.init()


@pytest.fixture
def app(kept: Kept) -> Quart:
    app = Quart(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.route("/broken/<int:number>")
    async def broken(number: int) -> str:
        raise ValueError(f"broken {number}")

    @app.get("/fine")
    async def fine() -> str:
        sentry_sdk.capture_message("seen")
        return "fine"

    @app.get("/later")
    async def later() -> str:
        async def task() -> None:
            raise KeyError("later")

        app.add_background_task(task)
        return "later"

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.accept()
        raise LookupError("ws")

    return app


async def test_an_exception_is_reported_with_its_request(
    app: Quart, kept: Kept
) -> None:
    response = await app.test_client().get("/broken/3?page=2")
    assert response.status_code == 500
    (event,) = kept.of("event")
    assert event["exception"]["values"][-1]["value"] == "broken 3"
    assert event["exception"]["values"][-1]["mechanism"]["type"] == "quart"
    assert event["transaction"] == "broken"
    assert "/broken/3" in event["request"]["url"]
    assert event["request"]["query_string"] == "page=2"


async def test_requests_are_transactions(app: Quart, kept: Kept) -> None:
    await app.test_client().get("/fine")
    (event,) = kept.of("event")
    assert (event["message"], event["transaction"]) == ("seen", "fine")
    (transaction,) = kept.of("transaction")
    assert transaction["transaction"] == "fine"
    assert transaction["contexts"]["trace"]["op"] == "http.server"


async def test_exceptions_of_background_tasks_are_reported(
    app: Quart, kept: Kept
) -> None:
    async with app.test_app() as running:
        await running.test_client().get("/later")
        async with asyncio.timeout(10):
            while not kept.of("event"):
                await asyncio.sleep(0.01)
    (event,) = kept.of("event")
    assert event["exception"]["values"][-1]["type"] == "KeyError"


async def test_exceptions_of_websockets_are_reported(app: Quart, kept: Kept) -> None:
    with pytest.raises(Exception):  # noqa: B017 - upstream and ours end differently
        async with app.test_client().websocket("/ws") as connection:
            await connection.receive()
    (event,) = kept.of("event")
    assert event["exception"]["values"][-1]["value"] == "ws"
