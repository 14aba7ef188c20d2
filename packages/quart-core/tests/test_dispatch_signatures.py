"""Dispatch methods called and overridden with and without a leading context."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from core_driver import Driver
from quart_core import Quart, Response, request_ctx
from quart_core.dispatch_signatures import DISPATCH_METHODS
from werkzeug.exceptions import NotFound


async def view() -> str:
    return "view"


def app_of(cls: type[Quart]) -> Quart:
    app = cls(__name__)
    app.add_url_rule("/", view_func=view)

    @app.get("/fails")
    async def fails() -> str:
        raise ValueError("fails")

    return app


async def test_a_subclass_with_old_signatures_is_called() -> None:
    called = []

    class Old(Quart):
        async def full_dispatch_request(self, request_context: Any = None) -> Response:
            called.append("full")
            return await super().full_dispatch_request(request_context)

        async def preprocess_request(self, request_context: Any = None) -> Any:
            called.append("preprocess")
            return await super().preprocess_request(request_context)

        async def dispatch_request(self, request_context: Any = None) -> Any:
            called.append("dispatch")
            return await super().dispatch_request(request_context)

        async def finalize_request(  # type: ignore[override]
            self,
            result: Any,
            request_context: Any = None,
            from_error_handler: bool = False,
        ) -> Any:
            called.append("finalize")
            return await super().finalize_request(
                result, request_context, from_error_handler
            )

        async def process_response(
            self, response: Any, request_context: Any = None
        ) -> Any:
            called.append("process")
            return await super().process_response(response, request_context)

        async def make_response(self, result: Any) -> Any:  # type: ignore[override]
            called.append("make")
            return await super().make_response(result)

        async def do_teardown_request(
            self, exc: Any = None, request_context: Any = None
        ) -> None:
            called.append("teardown request")
            await super().do_teardown_request(exc, request_context)

        async def do_teardown_appcontext(self, exc: Any = None) -> None:  # type: ignore[override]
            called.append("teardown app")
            await super().do_teardown_appcontext(exc)

    assert (await Driver(app_of(Old)).get("/")).text == "view"
    assert called == [
        "full",
        "preprocess",
        "dispatch",
        "finalize",
        "make",
        "process",
        "teardown request",
        "teardown app",
    ]


async def test_a_subclass_with_the_context_first_is_called() -> None:
    called = []

    class New(Quart):
        async def full_dispatch_request(self, ctx: Any) -> Response:  # type: ignore[override]
            called.append(("full", ctx.has_request))
            return await super().full_dispatch_request(ctx)

        async def preprocess_request(self, ctx: Any) -> Any:  # type: ignore[override]
            called.append(("preprocess", ctx.has_request))
            return await super().preprocess_request(ctx)

        async def finalize_request(  # type: ignore[override]
            self, ctx: Any, result: Any, from_error_handler: bool = False
        ) -> Any:
            called.append(("finalize", ctx.has_request))
            return await super().finalize_request(ctx, result, from_error_handler)

        async def process_response(self, ctx: Any, response: Any) -> Any:  # type: ignore[override]
            called.append(("process", ctx.has_request))
            return await super().process_response(ctx, response)

        async def handle_user_exception(self, ctx: Any, error: Any) -> Any:  # type: ignore[override]
            called.append(("user exception", ctx.has_request))
            return await super().handle_user_exception(ctx, error)

        async def handle_exception(self, ctx: Any, error: Any) -> Any:  # type: ignore[override]
            called.append(("exception", ctx.has_request))
            return await super().handle_exception(ctx, error)

        async def do_teardown_request(self, ctx: Any, exc: Any = None) -> None:  # type: ignore[override]
            called.append(("teardown request", ctx.has_request))
            await super().do_teardown_request(ctx, exc)

        async def do_teardown_appcontext(self, ctx: Any, exc: Any = None) -> None:  # type: ignore[override]
            called.append(("teardown app", ctx.has_request))
            await super().do_teardown_appcontext(ctx, exc)

    assert (await Driver(app_of(New)).get("/fails")).status == 500
    assert called == [
        ("full", True),
        ("preprocess", True),
        ("user exception", True),
        ("exception", True),
        ("finalize", True),
        ("process", True),
        ("teardown request", True),
        ("teardown app", True),
    ]


async def test_the_base_methods_take_the_context_first() -> None:
    app = app_of(Quart)
    results: list[Any] = []

    @app.get("/inside")
    async def inside() -> str:
        ctx = request_ctx._get_current_object()  # type: ignore[attr-defined]
        options = app.make_default_options_response
        results.append(await options(ctx))  # type: ignore[call-arg]
        results.append(await options())
        results.append(await app.process_response(ctx, Response("x")))
        results.append(await app.finalize_request(ctx, "x"))
        handle: Any = app.handle_http_exception
        results.append(await handle(ctx, NotFound()))
        results.append(await handle(e=NotFound()))
        return ""

    await Driver(app).get("/inside")
    assert [getattr(result, "status_code", 404) for result in results] == [
        *(200, 200, 200, 200),
        *(404, 404),
    ]


def test_every_dispatch_method_exists() -> None:
    missing = [name for name in DISPATCH_METHODS if not hasattr(Quart, name)]
    assert missing == []


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("handle_exception", "e"),
        ("handle_user_exception", "e"),
        ("handle_http_exception", "e"),
        ("log_exception", "exc_info"),
        ("make_response", "rv"),
        ("finalize_request", "rv"),
    ],
)
def test_flask_names_of_parameters_are_in_the_signature(name: str, alias: str) -> None:
    assert alias in inspect.signature(getattr(Quart, name)).parameters


# Replaced methods


async def test_a_method_replaced_on_the_class_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []
    original = Quart.full_dispatch_request

    async def replaced(self: Quart, request_context: Any = None) -> Response:
        called.append("replaced")
        return await original(self, request_context)

    app = app_of(Quart)
    await Driver(app).get("/")
    monkeypatch.setattr(Quart, "full_dispatch_request", replaced)
    await Driver(app).get("/")
    assert called == ["replaced"]


async def test_ensure_async_replaced_later_prepares_views_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []
    original = Quart.ensure_async

    def replaced(self: Quart, func: Any) -> Any:
        called.append(func)
        return original(self, func)

    app = app_of(Quart)
    await Driver(app).get("/")
    monkeypatch.setattr(Quart, "ensure_async", replaced)
    await Driver(app).get("/")
    assert view in called


async def test_methods_replaced_on_the_instance_are_called() -> None:
    app = app_of(Quart)
    called = []
    original = app.make_response

    async def make_response(result: Any) -> Response:
        called.append(result)
        return await original(result)

    app.make_response = make_response  # type: ignore[method-assign,assignment]
    await Driver(app).get("/")
    assert called == ["view"]


async def test_call_can_be_replaced_on_the_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []
    original = Quart.__call__

    async def call(self: Quart, scope: Any, receive: Any, send: Any) -> None:
        called.append(scope["type"])
        await original(self, scope, receive, send)

    monkeypatch.setattr(Quart, "__call__", call)
    await Driver(app_of(Quart)).get("/")
    assert called == ["http"]


async def test_middleware_wraps_asgi_app() -> None:
    app = app_of(Quart)
    inner = app.asgi_app

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, "path": "/"}, receive, send)

    app.asgi_app = middleware  # type: ignore[method-assign]
    assert (await Driver(app).get("/rewritten")).text == "view"


async def test_the_context_may_be_given_by_its_name_of_quart_0_23() -> None:
    app = app_of(Quart)
    statuses: list[int] = []

    @app.get("/inside")
    async def inside() -> str:
        ctx = request_ctx._get_current_object()  # type: ignore[attr-defined]
        request_ctx.request.url_rule.endpoint = "view"
        assert await app.preprocess_request(ctx=ctx) is None
        assert await app.dispatch_request(ctx=ctx) == "view"
        made = [
            await app.full_dispatch_request(ctx=ctx),
            await app.process_response(ctx=ctx, response=Response("x")),
            await app.finalize_request(ctx=ctx, result="x"),
        ]
        statuses.extend(each.status_code for each in made)
        await app.do_teardown_request(ctx=ctx, exc=None)
        await app.do_teardown_appcontext(ctx=ctx, exc=None)
        handle: Any = app.handle_http_exception
        statuses.append((await handle(ctx=ctx, error=NotFound())).code)
        return ""

    await Driver(app).get("/inside")
    assert statuses == [200, 200, 200, 404]
