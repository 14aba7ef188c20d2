"""OpenTelemetry's ASGI middleware around an application."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from quart import Quart, websocket

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def make_app() -> tuple[Quart, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = Quart(__name__)

    @app.get("/films/<title>")
    async def film(title: str) -> str:
        trace.get_current_span().set_attribute("film", title)
        with provider.get_tracer("films").start_as_current_span("look up"):
            return title

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send(await websocket.receive())

    app.asgi_app = OpenTelemetryMiddleware(app.asgi_app, tracer_provider=provider)
    return app, exporter


async def test_a_request_is_a_span_around_those_of_the_view() -> None:
    app, exporter = make_app()
    response = await app.test_client().get("/films/alien")
    assert await response.get_data(as_text=True) == "alien"
    spans = {span.name: span for span in exporter.get_finished_spans()}
    (server,) = [span for span in spans.values() if span.kind is SpanKind.SERVER]
    assert server.attributes["film"] == "alien"
    status = server.attributes.get("http.status_code")
    assert status or server.attributes["http.response.status_code"] == 200
    assert spans["look up"].context.trace_id == server.context.trace_id


async def test_the_trace_of_the_client_goes_on() -> None:
    app, exporter = make_app()
    await app.test_client().get("/films/alien", headers={"traceparent": PARENT})
    traces = {span.context.trace_id for span in exporter.get_finished_spans()}
    assert traces == {int(PARENT.split("-")[1], 16)}


async def test_messages_of_websockets_are_spans() -> None:
    app, exporter = make_app()
    async with app.test_client().websocket("/ws") as connection:
        await connection.send("hello")
        assert await connection.receive() == "hello"
    types = {
        span.attributes.get("asgi.event.type") for span in exporter.get_finished_spans()
    }
    assert {"websocket.receive", "websocket.send"} <= types
