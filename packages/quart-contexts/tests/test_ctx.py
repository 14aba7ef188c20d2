"""Contexts: pushing, popping, copying, and being freed."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest
from contexts_fake_app import AwaitedInterface, FakeApp, FakeSession
from quart_contexts import (
    AppContext,
    RequestContext,
    after_this_request,
    after_this_websocket,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    current_app,
    g,
    has_app_context,
    has_request_context,
    has_websocket_context,
    request,
    request_ctx,
    session,
    websocket,
)

# Pushing and popping


async def test_has_functions_follow_the_contexts(app: FakeApp) -> None:
    assert not has_app_context()
    async with app.app_context():
        assert has_app_context()
        assert not has_request_context()
    async with app.request_context():
        assert has_app_context()
        assert has_request_context()
        assert not has_websocket_context()
    async with app.websocket_context():
        assert has_websocket_context()
        assert not has_request_context()
    assert not has_app_context()


async def test_a_request_is_torn_down_before_its_application_context(
    app: FakeApp,
) -> None:
    async with app.request_context():
        pass
    assert app.calls == [
        ("pushed", None),
        ("teardown request", None),
        ("teardown app", None),
        ("popped", None),
    ]


async def test_a_websocket_is_torn_down_with_its_own_functions(app: FakeApp) -> None:
    async with app.websocket_context():
        pass
    assert [name for name, _ in app.calls] == [
        "pushed",
        "teardown websocket",
        "teardown app",
        "popped",
    ]


async def test_teardown_is_told_the_exception(app: FakeApp) -> None:
    error = ValueError("told")
    with pytest.raises(ValueError, match="told"):
        async with app.request_context():
            raise error
    assert ("teardown request", error) in app.calls
    assert ("teardown app", error) in app.calls


async def test_pop_without_an_argument_takes_the_exception_being_handled(
    app: FakeApp,
) -> None:
    ctx = app.app_context()
    await ctx.push()
    error = ValueError()
    try:
        raise error
    except ValueError:
        await ctx.pop()
    assert ("teardown app", error) in app.calls


async def test_the_context_is_gone_even_if_teardown_fails(app: FakeApp) -> None:
    app.fails_in = {"teardown request"}
    with pytest.raises(ValueError, match="teardown request"):
        async with app.request_context():
            pass
    assert not has_request_context()
    assert not has_app_context()
    assert "teardown app" in [name for name, _ in app.calls]


async def test_popping_what_was_not_pushed_is_an_error(app: FakeApp) -> None:
    with pytest.raises(RuntimeError, match="popped more often"):
        await app.app_context().pop()


async def test_pushing_twice_tears_down_once(app: FakeApp) -> None:
    ctx = app.app_context()
    await ctx.push()
    await ctx.push()
    await ctx.pop()
    assert has_app_context()
    assert "teardown app" not in [name for name, _ in app.calls]
    await ctx.pop()
    assert not has_app_context()
    assert "teardown app" in [name for name, _ in app.calls]


async def test_nested_contexts_of_two_apps_restore_each_other(app: FakeApp) -> None:
    other = FakeApp()
    async with app.app_context():
        async with other.app_context():
            assert current_app._get_current_object() is other
        assert current_app._get_current_object() is app


# Inside an application context


async def test_a_request_shares_g_with_the_app_context_around_it(app: FakeApp) -> None:
    async with app.app_context():
        g.value = 1
        async with app.request_context():
            assert g.value == 1
            g.value = 2
        assert g.value == 2


async def test_the_outer_app_context_outlives_a_request_in_it(app: FakeApp) -> None:
    async with app.app_context():
        async with app.request_context():
            pass
        assert "teardown app" not in [name for name, _ in app.calls]
    assert [name for name, _ in app.calls].count("teardown app") == 1


async def test_a_request_inside_another_apps_context_has_its_own_g(
    app: FakeApp,
) -> None:
    async with FakeApp().app_context():
        g.value = 1
        async with app.request_context():
            assert "value" not in g


# What is made when it is first read


async def test_nothing_lazy_is_made_for_a_request_that_reads_nothing(
    app: FakeApp,
) -> None:
    async with app.request_context("/known") as ctx:
        assert ctx.request.url_rule == "known rule"
        assert ctx.request.view_args == {"id": 1}
    assert app.adapters == 0
    assert app.session_interface.opened == 0


async def test_the_session_is_opened_once_and_counted_as_accessed(app: FakeApp) -> None:
    async with app.request_context("/known") as ctx:
        assert len(session) == 0
        session["x"] = 1
        assert ctx._session.accessed
    assert app.session_interface.opened == 1


async def test_an_awaited_session_is_opened_by_push_and_not_yet_accessed(
    app: FakeApp,
) -> None:
    opened = FakeSession(user=1)
    app.session_interface = AwaitedInterface(opened)
    async with app.request_context("/known"):
        assert not opened.accessed
        assert session["user"] == 1
        assert opened.accessed


async def test_an_interface_that_gives_none_is_asked_for_a_null_session(
    app: FakeApp,
) -> None:
    app.session_interface = AwaitedInterface(None)
    async with app.request_context("/known"):
        assert session["null"] is True


async def test_a_given_session_is_used(app: FakeApp) -> None:
    given = FakeSession(x=1)
    ctx = app.request_context("/known")
    ctx.session = given
    async with ctx:
        assert session["x"] == 1
    assert app.session_interface.opened == 0


async def test_an_unknown_url_is_kept_as_routing_exception(app: FakeApp) -> None:
    async with app.request_context("/unknown") as ctx:
        assert ctx.request.routing_exception.code == 404
        assert ctx.request.routing_exception.__traceback__ is None


# One class for all, as in Quart 0.23


async def test_the_context_says_what_it_handles(app: FakeApp) -> None:
    ctx = app.request_context()
    assert ctx.has_request
    assert not ctx.has_websocket
    with pytest.raises(RuntimeError, match="no websocket"):
        _ = ctx.websocket
    ctx = app.websocket_context()
    assert ctx.has_websocket
    with pytest.raises(RuntimeError, match="no HTTP request"):
        _ = ctx.request


async def test_an_app_context_may_be_made_for_a_request(app: FakeApp) -> None:
    from contexts_fake_app import FakeRequest

    async with AppContext(app, request=FakeRequest("/known")) as ctx:
        assert request.path == "/known"
        assert ctx.has_request
    assert ("teardown request", None) in app.calls


# Functions for the end of this request or websocket


async def test_after_this_request_keeps_the_order(app: FakeApp) -> None:
    async with app.request_context() as ctx:

        @after_this_request
        def first(response: Any) -> Any:
            return response

        def second(response: Any) -> Any:
            return response

        after_this_request(second)
        assert ctx._after_request_functions == [first, second]


async def test_flask_names_of_the_function_are_accepted(app: FakeApp) -> None:
    def function(response: Any) -> Any:
        return response

    async with app.request_context("/named") as ctx:
        assert after_this_request(f=function) is function
        assert ctx._after_request_functions == [function]
        path = copy_current_request_context(f=lambda: request.path)
        with pytest.raises(TypeError, match="function is missing"):
            after_this_request()
    assert callable(path)


def test_a_request_context_needs_a_request(app: FakeApp) -> None:
    with pytest.raises(TypeError, match="needs the request"):
        RequestContext(app)


async def test_after_this_websocket_keeps_the_order(app: FakeApp) -> None:
    async with app.websocket_context() as ctx:

        @after_this_websocket
        def only(response: Any) -> Any:
            return response

        assert ctx._after_websocket_functions == [only]


def test_after_this_functions_need_their_context() -> None:
    with pytest.raises(RuntimeError, match="active HTTP request"):
        after_this_request(lambda response: response)
    with pytest.raises(RuntimeError, match="active websocket"):
        after_this_websocket(lambda response: response)


# Copies


async def test_a_task_sees_the_request_through_a_copy(app: FakeApp) -> None:
    async with app.request_context("/copied"):
        g.value = 1

        @copy_current_request_context
        async def read() -> tuple[str, int]:
            return request.path, g.value

    assert await asyncio.create_task(read()) == ("/copied", 1)
    assert not has_request_context()


async def test_a_copy_shares_the_session(app: FakeApp) -> None:
    async with app.request_context("/known") as ctx:

        @copy_current_request_context
        async def write() -> None:
            session["from"] = "task"

        await asyncio.create_task(write())
        assert ctx.session == {"from": "task"}


async def test_a_websocket_context_can_be_copied(app: FakeApp) -> None:
    async with app.websocket_context("/copied"):

        @copy_current_websocket_context
        async def read() -> str:
            return str(websocket.path)

    assert await read() == "/copied"


async def test_an_app_context_copy_has_g_but_no_request(app: FakeApp) -> None:
    async with app.request_context():
        g.value = 1

        @copy_current_app_context
        async def read() -> int:
            return int(g.value)

        app.calls.clear()
        assert await read() == 1
        assert "teardown request" not in [name for name, _ in app.calls]


@pytest.mark.parametrize(
    "copy",
    [
        copy_current_app_context,
        copy_current_request_context,
        copy_current_websocket_context,
    ],
)
def test_copying_without_a_context_is_an_error(copy: Any) -> None:
    with pytest.raises(RuntimeError, match=copy.__name__):
        copy(lambda: None)


# Being kept and being freed


async def test_a_preserved_context_is_handed_over_unpopped(app: FakeApp) -> None:
    ctx = app.request_context("/known", **{"_quart._preserve_context": True})
    async with ctx:
        g.value = 1
    assert not has_request_context()
    assert ctx.preserved
    assert app._preserved_context is ctx
    assert "teardown request" not in [name for name, _ in app.calls]
    ctx._bind()
    assert g.value == 1
    await ctx.pop(None)
    assert ("teardown request", None) in app.calls


@pytest.mark.parametrize("path", ["/known", "/unknown"])
async def test_a_popped_context_is_freed_without_the_garbage_collector(
    app: FakeApp, path: str
) -> None:
    gc.collect()
    gc.disable()
    try:
        ctx = app.request_context(path)
        context_gone, request_gone = weakref.ref(ctx), weakref.ref(ctx.request)
        async with ctx:
            g.value = request_ctx._get_current_object()
            del g.value
            session["x"] = 1
        del ctx
        assert context_gone() is None
        assert request_gone() is None
    finally:
        gc.enable()
