"""Order of hooks: what runs around a view, in which order, and what ends it.

The rows of the table "Order of hooks", for HTTP.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from core_driver import Driver
from quart_core import Blueprint, Quart, after_this_request, g, request, session
from quart_core.signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    request_finished,
    request_started,
    request_tearing_down,
)


def traced_app() -> tuple[Quart, list[str]]:
    """Return an app with a nested blueprint whose every hook leaves a trace."""
    app = Quart(__name__, static_folder=None)
    outer = Blueprint("outer", __name__)
    inner = Blueprint("inner", __name__)
    trace: list[str] = []

    def note(text: str) -> Any:
        async def function(*args: Any) -> Any:
            trace.append(text)
            return args[0] if args and text.startswith("after") else None

        return function

    for name, scaffold in (("app", app), ("outer", outer), ("inner", inner)):
        for number in (1, 2):
            scaffold.before_request(note(f"before {name} {number}"))
            scaffold.after_request(note(f"after {name} {number}"))
            scaffold.teardown_request(note(f"teardown {name} {number}"))
    app.teardown_appcontext(note("appcontext 1"))
    app.teardown_appcontext(note("appcontext 2"))

    @inner.get("/view")
    async def view() -> str:
        trace.append("view")
        after_this_request(note("after this 1"))
        after_this_request(note("after this 2"))
        return ""

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app, trace


ORDER_OF_A_REQUEST = [
    *("before app 1", "before app 2"),
    *("before outer 1", "before outer 2"),
    *("before inner 1", "before inner 2"),
    "view",
    *("after this 1", "after this 2"),
    *("after inner 2", "after inner 1"),
    *("after outer 2", "after outer 1"),
    *("after app 2", "after app 1"),
    *("teardown inner 2", "teardown inner 1"),
    *("teardown outer 2", "teardown outer 1"),
    *("teardown app 2", "teardown app 1"),
    *("appcontext 2", "appcontext 1"),
]


async def test_hooks_run_from_the_app_inwards_and_back_outwards() -> None:
    app, trace = traced_app()
    answer = await Driver(app).get("/view")
    assert answer.status == 200
    assert trace == ORDER_OF_A_REQUEST


async def test_an_unmatched_url_runs_only_the_hooks_of_the_app() -> None:
    app, trace = traced_app()
    answer = await Driver(app).get("/nowhere")
    assert answer.status == 404
    assert [line for line in trace if "outer" in line or "inner" in line] == []
    assert trace[:2] == ["before app 1", "before app 2"]
    assert "after app 1" in trace


async def test_signals_come_at_their_places() -> None:
    app = Quart(__name__)
    trace: list[str] = []
    signals = {
        "pushed": appcontext_pushed,
        "started": request_started,
        "finished": request_finished,
        "request torn down": request_tearing_down,
        "appcontext torn down": appcontext_tearing_down,
        "popped": appcontext_popped,
    }
    receivers = []
    for name, signal in signals.items():

        def receiver(sender: Any, name: str = name, **kwargs: Any) -> None:
            assert sender is app
            trace.append(name)

        receivers.append(receiver)
        signal.connect(receiver, app)

    @app.before_request
    async def before() -> None:
        trace.append("before")

    @app.after_request
    async def after(response: Any) -> Any:
        trace.append("after")
        return response

    @app.teardown_request
    async def teardown(exc: Any) -> None:
        trace.append("teardown")

    @app.teardown_appcontext
    async def teardown_app(exc: Any) -> None:
        trace.append("teardown app")

    @app.get("/")
    async def view() -> str:
        trace.append("view")
        return ""

    await Driver(app).get("/")
    assert trace == [
        "pushed",
        "started",
        "before",
        "view",
        "after",
        "finished",
        "teardown",
        "request torn down",
        "teardown app",
        "appcontext torn down",
        "popped",
    ]


async def test_the_first_result_of_before_request_is_the_response() -> None:
    app = Quart(__name__)
    called = []

    @app.before_request
    async def stop() -> tuple[str, int]:
        return "stopped", 202

    @app.before_request
    async def never() -> None:
        called.append("second")

    @app.get("/")
    async def view() -> str:
        called.append("view")
        return ""

    answer = await Driver(app).get("/")
    assert (answer.status, answer.text) == (202, "stopped")
    assert called == []


async def test_before_request_runs_before_the_routing_exception() -> None:
    app = Quart(__name__)

    @app.before_request
    async def stop() -> str:
        assert request.routing_exception is not None
        return "instead of 404"

    answer = await Driver(app).get("/nowhere")
    assert answer.text == "instead of 404"


async def test_url_value_preprocessors_change_the_view_arguments() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("bp", __name__, url_prefix="/<lang>")
    order = []

    @app.url_value_preprocessor
    def first(endpoint: str | None, values: dict[str, Any] | None) -> None:
        order.append("app")

    @blueprint.url_value_preprocessor
    def second(endpoint: str | None, values: dict[str, Any] | None) -> None:
        order.append("blueprint")
        assert values is not None
        g.lang = values.pop("lang")

    @blueprint.get("/")
    async def view() -> str:
        return str(g.lang)

    app.register_blueprint(blueprint)
    answer = await Driver(app).get("/de/")
    assert answer.text == "de"
    assert order == ["app", "blueprint"]


async def test_after_functions_run_for_error_pages_and_may_await_their_data() -> None:
    app = Quart(__name__)

    @app.after_request
    async def after(response: Any) -> Any:
        response.headers["X-Length"] = str(len(await response.get_data()))
        return response

    answer = await Driver(app).get("/nowhere")
    assert answer.status == 404
    assert answer.headers["X-Length"] == str(len(answer.body))


async def test_an_after_function_that_returns_nothing_is_named() -> None:
    app = Quart(__name__)

    @app.after_request
    async def forgetful(response: Any) -> Any:
        return None

    @app.get("/")
    async def view() -> str:
        return ""

    app.testing = True
    with pytest.raises(TypeError, match=r"forgetful\(\) returned None"):
        await Driver(app).get("/")


async def test_an_exception_in_an_after_function_is_a_500() -> None:
    app = Quart(__name__)

    @app.after_request
    async def fail(response: Any) -> Any:
        raise ValueError("after")

    @app.get("/")
    async def view() -> str:
        return ""

    answer = await Driver(app).get("/")
    assert answer.status == 500


async def test_sync_hooks_run_in_a_thread_with_the_context() -> None:
    app = Quart(__name__)
    app.secret_key = "secret"

    @app.before_request
    def before() -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        g.value = request.path

    @app.after_request
    def after(response: Any) -> Any:
        response.headers["X-Path"] = g.value
        return response

    @app.get("/view")
    def view() -> str:
        session["seen"] = True
        return str(g.value)

    answer = await Driver(app).get("/view")
    assert answer.text == "/view"
    assert answer.headers["X-Path"] == "/view"
    assert "Set-Cookie" in answer.headers


async def test_teardown_is_told_an_unhandled_exception() -> None:
    app = Quart(__name__)
    told: list[Any] = []

    @app.teardown_request
    async def teardown(exc: Any) -> None:
        told.append(exc)

    @app.teardown_appcontext
    async def teardown_app(exc: Any) -> None:
        told.append(exc)

    @app.get("/")
    async def view() -> str:
        raise ValueError("unhandled")

    answer = await Driver(app).get("/")
    assert answer.status == 500
    assert [str(exc) for exc in told] == ["unhandled", "unhandled"]


async def test_teardown_is_not_told_a_handled_exception() -> None:
    app = Quart(__name__)
    told: list[Any] = []

    @app.teardown_request
    async def teardown(exc: Any) -> None:
        told.append(exc)

    @app.errorhandler(ValueError)
    async def handle(error: ValueError) -> str:
        return "handled"

    @app.get("/")
    async def view() -> str:
        raise ValueError

    assert (await Driver(app).get("/")).text == "handled"
    assert told == [None]


async def test_all_teardown_functions_run_though_one_fails() -> None:
    app = Quart(__name__)
    ran = []

    @app.teardown_request
    async def last(exc: Any) -> None:
        ran.append("registered first")

    @app.teardown_request
    async def fails(exc: Any) -> None:
        raise ValueError("teardown failed")

    @app.teardown_appcontext
    async def outermost(exc: Any) -> None:
        ran.append("appcontext")

    @app.get("/")
    async def view() -> str:
        return ""

    with pytest.raises(ValueError, match="teardown failed"):
        await Driver(app).get("/")
    assert ran == ["registered first", "appcontext"]


async def test_files_of_the_request_are_closed_at_its_end() -> None:
    app = Quart(__name__)
    kept = []

    @app.post("/")
    async def view() -> str:
        kept.append((await request.files)["file"])
        return ""

    body = (
        b"--edge\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\n"
        b"content\r\n--edge--\r\n"
    )
    headers = [("Content-Type", "multipart/form-data; boundary=edge")]
    await Driver(app).post("/", body, headers=headers)
    assert kept[0].stream.closed
