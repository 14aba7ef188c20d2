"""From context to teardown: hooks, errors, signals, sessions, overriding."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from quart_core import (
    Blueprint,
    Quart,
    Response,
    abort,
    after_this_websocket,
    g,
    session,
    websocket,
    websocket_ctx,
)
from quart_core.signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    got_websocket_exception,
    websocket_finished,
    websocket_started,
    websocket_tearing_down,
)
from ws_driver import RESPONSES, Client, talk, visit


def make_app(log: list[Any], handler: Any = None) -> Quart:
    """Return an app with an inner and an outer blueprint, each with all functions."""
    app = Quart(__name__)
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    inner = Blueprint("inner", __name__, url_prefix="/inner")

    async def accepts() -> None:
        log.append("handler")
        await websocket.accept()

    for name, target in (("app", app), ("outer", outer), ("inner", inner)):
        for number in (1, 2):
            add_functions(target, f"{name} {number}", log)
    inner.add_websocket("/", "handler", handler or accepts)
    app.add_websocket("/plain", "plain", handler or accepts)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


def add_functions(target: Any, name: str, log: list[Any]) -> None:
    @target.url_value_preprocessor
    def preprocess(endpoint: Any, values: Any) -> None:
        log.append(f"values {name}")

    @target.before_websocket
    async def before() -> None:
        log.append(f"before {name}")

    @target.after_websocket
    async def after(response: Any) -> Any:
        log.append(f"after {name}")
        return response

    @target.teardown_websocket
    async def teardown(exc: Any) -> None:
        log.append(f"teardown {name}")


# Order


async def test_functions_run_from_outside_in_and_back() -> None:
    log: list[Any] = []
    await visit(make_app(log), "/outer/inner/")
    assert log == [
        *[f"values {name} {n}" for name in ("app", "outer", "inner") for n in (1, 2)],
        *[f"before {name} {n}" for name in ("app", "outer", "inner") for n in (1, 2)],
        "handler",
        *[f"after {name} {n}" for name in ("inner", "outer", "app") for n in (2, 1)],
        *[f"teardown {name} {n}" for name in ("inner", "outer", "app") for n in (2, 1)],
    ]


async def test_an_unmatched_url_runs_the_functions_of_the_app_only() -> None:
    log: list[Any] = []
    await visit(make_app(log), "/nowhere")
    assert [entry for entry in log if "inner" in entry or "outer" in entry] == []
    assert log[0] == "values app 1"
    assert log[-1] == "teardown app 1"


async def test_the_app_wide_forms_of_blueprints_run_for_every_websocket() -> None:
    log: list[str] = []
    app = make_app([])
    blueprint = Blueprint("wide", __name__)

    @blueprint.before_app_websocket
    async def before() -> None:
        log.append("before")

    @blueprint.after_app_websocket
    async def after(response: Any) -> Any:
        log.append("after")
        return response

    @blueprint.teardown_app_websocket
    async def teardown(exc: Any) -> None:
        log.append("teardown")

    app.register_blueprint(blueprint)
    await visit(app, "/plain")
    assert log == ["before", "after", "teardown"]


async def test_sync_functions_work() -> None:
    log: list[Any] = []
    app = make_app([])

    @app.before_websocket
    def before() -> None:
        log.append(websocket.path)

    @app.after_websocket
    def after(response: Any) -> Any:
        log.append(response)
        return response

    @app.teardown_websocket
    def teardown(exc: Any) -> None:
        log.append(exc)

    client = await visit(app, "/plain")
    assert log == ["/plain", None, None]
    assert client.close_code == 1000


async def test_a_result_before_the_websocket_rejects_it() -> None:
    log: list[Any] = []
    app = make_app(log)

    @app.before_websocket
    async def before() -> tuple[str, int]:
        return "not now", 503

    client = await visit(app, "/plain", extensions=RESPONSES)
    assert (client.status, client.body) == (503, b"not now")
    assert "handler" not in log
    assert "after app 1" in log


async def test_functions_after_may_replace_the_response_of_a_rejection() -> None:
    app = make_app([])

    @app.before_websocket
    async def before() -> tuple[str, int]:
        @after_this_websocket
        async def this(response: Response) -> Response:
            response.headers["X-This"] = "1"
            return response

        return "not now", 503

    @app.after_websocket
    async def after(response: Response) -> Response:
        response.headers["X-All"] = "2"
        return response

    client = await visit(app, "/plain", extensions=RESPONSES)
    assert client.response_headers["X-This"] == "1"
    assert client.response_headers["X-All"] == "2"


async def test_a_function_after_that_loses_the_response_is_a_mistake() -> None:
    app = make_app([])
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.before_websocket
    async def before() -> str:
        return "no"

    @app.after_websocket
    async def forgets(response: Any) -> None:
        pass

    with pytest.raises(TypeError, match=r"forgets\(\) was given <Response"):
        await visit(app, "/plain", extensions=RESPONSES)


async def test_all_teardown_functions_run_and_the_first_failure_is_raised() -> None:
    log: list[Any] = []
    app = make_app(log)
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.teardown_websocket
    async def fails(exc: Any) -> None:
        raise ValueError("in teardown")

    with pytest.raises(ValueError, match="in teardown"):
        await visit(app, "/plain")
    assert log[-2:] == ["teardown app 2", "teardown app 1"]


@pytest.mark.parametrize(("handled", "told"), [(False, "ValueError"), (True, "None")])
async def test_teardown_is_told_of_unhandled_exceptions_only(
    handled: bool, told: str
) -> None:
    async def handler() -> None:
        raise ValueError("in the handler")

    app = make_app([], handler)
    seen: list[Any] = []
    app.teardown_websocket(lambda exc: seen.append(exc))
    if handled:
        app.register_error_handler(ValueError, lambda error: "handled")
    await visit(app, "/plain")
    assert [type(exc).__name__.removesuffix("Type") for exc in seen] == [told]


# Errors


async def test_error_handlers_of_the_blueprint_come_first() -> None:
    app = Quart(__name__)
    blueprint = Blueprint("inner", __name__, url_prefix="/inner")

    @app.websocket("/")
    @blueprint.websocket("/")
    async def handler() -> None:
        abort(403)

    app.register_error_handler(403, lambda error: ("of the app", 403))
    blueprint.register_error_handler(403, lambda error: ("of the blueprint", 403))
    app.register_blueprint(blueprint)
    client = await visit(app, "/", extensions=RESPONSES)
    assert client.body == b"of the app"
    client = await visit(app, "/inner/", extensions=RESPONSES)
    assert client.body == b"of the blueprint"


async def test_a_500_handler_gets_the_original_exception() -> None:
    async def handler() -> None:
        raise ValueError("in the handler")

    app = make_app([], handler)
    seen = []

    @app.errorhandler(500)
    async def handle(error: Any) -> tuple[str, int]:
        seen.append(str(error.original_exception))
        return "sorry", 500

    client = await visit(app, "/plain", extensions=RESPONSES)
    assert (client.status, client.body) == (500, b"sorry")
    assert seen == ["in the handler"]


@pytest.mark.parametrize("accepts", [False, True])
async def test_exceptions_propagate_where_configured(accepts: bool) -> None:
    async def handler() -> None:
        if accepts:
            await websocket.accept()
        raise ValueError("in the handler")

    app = make_app([], handler)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    client = Client(app, "/plain")
    with pytest.raises(ValueError, match="in the handler"):
        await client.end()
    assert client.types == (["accept", "close"] if accepts else [])
    assert client.close_code == (1011 if accepts else None)


@pytest.mark.parametrize("accepts", [False, True])
async def test_a_test_client_gets_exceptions_raised(accepts: bool) -> None:
    async def handler() -> None:
        if accepts:
            await websocket.accept()
        raise ValueError("in the handler")

    app = make_app([], handler)
    app.testing = True
    with pytest.raises(ValueError, match="in the handler"):
        await visit(app, "/plain", extensions={"quart.raise_exceptions": {}})


async def test_in_debug_mode_a_rejection_shows_the_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler() -> None:
        raise ValueError("in the handler")

    app = make_app([], handler)
    app.debug = True
    client = await visit(app, "/plain", extensions=RESPONSES)
    assert client.status == 500
    assert b"ValueError" in client.body
    (record,) = caplog.records
    assert "Exception on websocket GET '/plain'" in record.getMessage()


async def test_in_debug_mode_an_accepted_websocket_closes_with_1011(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler() -> None:
        await websocket.accept()
        raise ValueError("in the handler")

    app = make_app([], handler)
    app.debug = True
    client = await visit(app, "/plain", extensions=RESPONSES)
    assert client.types == ["accept", "close"]
    assert client.close_code == 1011
    assert len(caplog.records) == 1


async def test_an_exception_after_the_error_page_is_only_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler() -> None:
        raise ValueError("in the handler")

    app = make_app([], handler)

    @app.after_websocket
    async def fails(response: Any) -> Any:
        raise KeyError("after")

    client = await visit(app, "/plain", extensions=RESPONSES)
    assert client.status == 500
    assert len(caplog.records) == 2
    assert "a function after the websocket failed" in caplog.records[1].getMessage()


async def test_a_cancellation_is_never_given_to_handlers() -> None:
    async def handler() -> None:
        raise asyncio.CancelledError

    app = make_app([], handler)
    app.register_error_handler(Exception, lambda error: "handled")
    with pytest.raises(asyncio.CancelledError):
        await visit(app, "/plain")


# Signals


async def test_signals_are_sent_around_a_websocket() -> None:
    log: list[Any] = []
    app = make_app([])

    def note(name: str) -> Any:
        async def receiver(sender: Any, **keywords: Any) -> None:
            assert sender is app
            log.append((name, keywords))

        return receiver

    signals = [
        appcontext_pushed,
        websocket_started,
        websocket_finished,
        websocket_tearing_down,
        appcontext_tearing_down,
        appcontext_popped,
        got_websocket_exception,
    ]
    receivers = [note(signal.name) for signal in signals]
    for signal, receiver in zip(signals, receivers, strict=True):
        signal.connect(receiver, app)
    await visit(app, "/plain")
    assert [name for name, _ in log] == [signal.name for signal in signals[:-1]]
    assert dict(log)["websocket-finished"] == {"response": None}
    assert dict(log)["websocket-tearing-down"] == {"exc": None}


async def test_the_exception_signal_comes_before_propagation() -> None:
    async def handler() -> None:
        raise ValueError("in the handler")

    app = make_app([], handler)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    seen = []

    def receiver(sender: Any, exception: Exception) -> None:
        seen.append(str(exception))

    got_websocket_exception.connect(receiver, app)
    with pytest.raises(ValueError, match="in the handler"):
        await visit(app, "/plain")
    assert seen == ["in the handler"]


# Sessions and g


async def test_the_session_of_a_rejection_is_saved_with_its_response() -> None:
    async def handler() -> str:
        session["user"] = "ann"
        return "no"

    app = make_app([], handler)
    app.secret_key = "secret"
    client = await visit(app, "/plain", extensions=RESPONSES)
    assert client.response_headers["Set-Cookie"].startswith("session=")


async def test_a_permanent_session_is_sent_again_with_a_rejection() -> None:
    async def handler() -> str:
        return "no"

    app = make_app([], handler)
    app.secret_key = "secret"
    serializer: Any = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookie = serializer.dumps({"_permanent": True, "user": "ann"})
    client = await visit(
        app,
        "/plain",
        extensions=RESPONSES,
        headers=[("Cookie", f"session={cookie}")],
    )
    assert client.response_headers["Set-Cookie"].startswith("session=")


async def test_a_session_changed_after_accepting_is_reported_as_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def handler() -> None:
        await websocket.accept()
        session["user"] = "ann"

    app = make_app([], handler)
    app.secret_key = "secret"
    await visit(app, "/plain")
    (record,) = caplog.records
    assert "already accepted" in record.getMessage()


async def test_a_session_interface_that_waits_is_opened_and_saved() -> None:
    from quart_core.sessions import SecureCookieSession, SessionInterface

    log: list[Any] = []

    class Interface(SessionInterface):
        async def open_session(self, app: Any, request: Any) -> Any:
            await asyncio.sleep(0)
            log.append(("open", request.path))
            return SecureCookieSession({"user": "ann"})

        async def save_session(self, app: Any, session: Any, response: Any) -> None:
            log.append(("save", session["user"], response))

    async def handler() -> None:
        await websocket.send(session["user"])

    app = make_app([], handler)
    app.session_interface = Interface()
    client = await visit(app, "/plain")
    assert client.data == ["ann"]
    assert log == [("open", "/plain"), ("save", "ann", None)]


async def test_each_websocket_has_its_own_g() -> None:
    async def handler() -> None:
        g.count = g.get("count", 0) + 1
        await websocket.send(str(g.count))

    app = make_app([], handler)
    for _ in range(2):
        assert (await visit(app, "/plain")).data == ["1"]


# Overriding, in both generations of signatures


async def test_methods_of_a_subclass_are_called() -> None:
    called: list[str] = []

    class App(Quart):
        async def handle_websocket(self, websocket: Any) -> Any:
            called.append("handle")
            return await super().handle_websocket(websocket)

        async def full_dispatch_websocket(self, websocket_context: Any = None) -> Any:
            called.append("full")
            return await super().full_dispatch_websocket(websocket_context)

        async def preprocess_websocket(self, websocket_context: Any = None) -> Any:
            called.append("preprocess")
            return await super().preprocess_websocket(websocket_context)

        async def dispatch_websocket(self, websocket_context: Any = None) -> Any:
            called.append("dispatch")
            return await super().dispatch_websocket(websocket_context)

        async def finalize_websocket(self, *args: Any, **kwargs: Any) -> Any:
            called.append("finalize")
            return await super().finalize_websocket(*args, **kwargs)

        async def postprocess_websocket(self, *args: Any, **kwargs: Any) -> Any:
            called.append("postprocess")
            return await super().postprocess_websocket(*args, **kwargs)

        async def do_teardown_websocket(self, *args: Any, **kwargs: Any) -> None:
            called.append("teardown")
            await super().do_teardown_websocket(*args, **kwargs)

    app = App(__name__)

    @app.websocket("/")
    async def handler() -> None:
        await websocket.accept()

    await visit(app)
    assert called == [
        "handle",
        "full",
        "preprocess",
        "dispatch",
        "finalize",
        "postprocess",
        "teardown",
    ]


async def test_overrides_with_a_leading_context_are_called() -> None:
    called: list[str] = []

    class App(Quart):
        async def full_dispatch_websocket(self, ctx: Any) -> Any:  # type: ignore[override]
            called.append("full")
            return await super().full_dispatch_websocket(ctx)

        async def finalize_websocket(  # type: ignore[override]
            self, ctx: Any, result: Any, from_error_handler: bool = False
        ) -> Any:
            called.append(f"finalize {result}")
            return await super().finalize_websocket(ctx, result, from_error_handler)

        async def postprocess_websocket(self, ctx: Any, response: Any) -> Any:  # type: ignore[override]
            called.append("postprocess")
            return await super().postprocess_websocket(ctx, response)

        async def handle_websocket_exception(self, ctx: Any, error: Any) -> Any:  # type: ignore[override]
            called.append(f"exception {error}")
            return await super().handle_websocket_exception(ctx, error)

        async def do_teardown_websocket(self, ctx: Any, exc: Any = None) -> None:  # type: ignore[override]
            called.append(f"teardown {exc}")
            await super().do_teardown_websocket(ctx, exc)

    app = App(__name__)
    torn_down = []
    app.teardown_websocket(lambda exc: torn_down.append(str(exc)))

    @app.websocket("/")
    async def handler() -> str:
        return "result"

    @app.websocket("/fails")
    async def fails() -> None:
        raise ValueError("failed")

    await visit(app)
    assert called == ["full", "finalize result", "postprocess", "teardown None"]
    called.clear()
    await visit(app, "/fails")
    assert called[:2] == ["full", "exception failed"]
    assert called[-1] == "teardown failed"
    assert torn_down == ["None", "failed"]


async def test_methods_may_be_called_with_and_without_the_context() -> None:
    app = Quart(__name__)
    log: list[Any] = []
    app.teardown_websocket(lambda exc: log.append(exc))
    app.before_websocket(lambda: log.append("before"))

    @app.websocket("/")
    async def handler() -> str:
        ctx = websocket_ctx._get_current_object()  # type: ignore[attr-defined]
        response = Response("x")
        for arguments in ((), (ctx,)):
            await app.preprocess_websocket(*arguments)
        for arguments in ((response,), (ctx, response), (response, ctx)):
            assert await app.postprocess_websocket(*arguments) is response
            assert await app.finalize_websocket(*arguments) is response
        error = ValueError()
        for arguments in ((error,), (ctx, error), (error, ctx)):
            await app.do_teardown_websocket(*arguments)
        return "done"

    client = await visit(app, extensions=RESPONSES)
    assert client.body == b"done"
    assert [str(type(entry).__name__) for entry in log] == [
        *["str"] * 3,
        *["ValueError"] * 3,
        "NoneType",
    ]


async def test_a_context_can_be_entered_by_hand() -> None:
    app = make_app([])

    class Connection(app.asgi_websocket_class):  # type: ignore[misc]
        async def handle_websocket(self, websocket_: Any, send: Any) -> None:
            async with self.app.websocket_context(websocket_):
                await websocket.send(websocket.path)

    app.asgi_websocket_class = Connection
    client = Client(app, "/plain")
    await client.end()
    assert client.data == ["/plain"]


async def test_a_handler_may_be_a_method_view() -> None:
    from quart_core.views import View

    class Chat(View):
        async def dispatch_request(self, **values: Any) -> Any:  # type: ignore[override]
            async for message in websocket:
                await websocket.send(f"{values['name']}: {message}")

    app = Quart(__name__)
    app.add_websocket("/<name>", view_func=Chat.as_view("chat"))
    client = await talk(app, "/ann", "hello")
    assert client.data == ["ann: hello"]
