"""Contexts: proxies, context managers, copies, g."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from typing import Any

import pytest
import quart
from quart import (
    Quart,
    Response,
    abort,
    after_this_request,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    current_app,
    g,
    has_app_context,
    has_request_context,
    has_websocket_context,
    redirect,
    request,
    session,
    stream_with_context,
    websocket,
)
from quart.ctx import AppContext, RequestContext, WebsocketContext
from quart.globals import (
    _cv_app,
    _cv_request,
    _cv_websocket,
    app_ctx,
    request_ctx,
    websocket_ctx,
)
from werkzeug.exceptions import HTTPException, NotFound

PROXIES = [
    current_app,
    g,
    request,
    session,
    websocket,
    app_ctx,
    request_ctx,
    websocket_ctx,
]


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: type(proxy).__name__)
def test_unbound_proxies_are_false_printable_and_raise_on_use(proxy: Any) -> None:
    assert not proxy
    assert "unbound" in repr(proxy)
    with pytest.raises(RuntimeError):
        proxy.anything  # noqa: B018


async def test_app_context() -> None:
    app = Quart("contexts")
    async with app.app_context() as context:
        assert isinstance(context, AppContext)
        assert current_app._get_current_object() is app
        assert app_ctx._get_current_object() is context
        assert has_app_context()
        assert not has_request_context()
    assert not has_app_context()


async def test_test_request_context() -> None:
    app = Quart("contexts")
    app.secret_key = "k"
    calls: list[str] = []
    app.before_request(lambda: calls.append("before"))
    async with app.test_request_context(
        "/p",
        method="POST",
        headers={"X-A": "1"},
        query_string={"q": "ü"},
        scheme="https",
        data=b"data",
        http_version="2",
    ):
        assert (request.method, request.path, request.scheme) == ("POST", "/p", "https")
        assert request.args["q"] == "ü"
        assert request.headers["X-A"] == "1"
        assert await request.get_data() == b"data"
        assert request.http_version == "2"
        assert session.get("a") is None
        assert current_app == app
        assert (has_app_context(), has_request_context()) == (True, True)
    assert calls == []
    async with app.test_request_context("/", json={"a": 1}):
        assert await request.get_json() == {"a": 1}
    async with app.test_request_context("/", form={"a": "1"}, auth=("u", "p")):
        assert (await request.form)["a"] == "1"
        assert request.authorization is not None


async def test_request_context_pushes_an_app_context() -> None:
    app = Quart("contexts")
    async with app.test_request_context("/") as context:
        assert isinstance(context, RequestContext)
        assert _cv_request.get() is context
        assert _cv_app.get().app is app
        assert _cv_websocket.get(None) is None
    assert _cv_app.get(None) is None


async def test_contexts_of_other_apps_nest() -> None:
    one, two = Quart("one"), Quart("two")
    async with one.app_context():
        g.value = 1
        async with two.app_context():
            assert current_app.name == "two"
            assert "value" not in g
        assert current_app.name == "one"


async def test_popping_more_often_than_pushing_is_an_error() -> None:
    context = Quart("contexts").app_context()
    with pytest.raises(RuntimeError, match="popped"):
        await context.pop(None)


async def test_copies_of_contexts() -> None:
    app = Quart("contexts")

    @app.get("/<name>")
    async def view(name: str) -> list[str]:
        g.value = name

        @copy_current_request_context
        async def copied() -> str:
            return f"{request.path} {g.value}"

        @copy_current_request_context
        def in_thread() -> str:
            return request.path

        @copy_current_app_context
        async def of_app() -> str:
            return current_app.name

        empty = contextvars.Context()
        tasks = [
            asyncio.get_running_loop().create_task(function(), context=empty.copy())
            for function in (copied, in_thread, of_app)
        ]
        return await asyncio.gather(*tasks)

    response = await app.test_client().get("/a")
    assert await response.get_json() == ["/a a", "/a", "contexts"]


@pytest.mark.parametrize(
    "copy",
    [
        copy_current_app_context,
        copy_current_request_context,
        copy_current_websocket_context,
        after_this_request,
        quart.after_this_websocket,
    ],
    ids=lambda copy: copy.__name__,
)
def test_outside_of_a_context_is_a_runtime_error(copy: Any) -> None:
    with pytest.raises(RuntimeError):
        copy(lambda: None)


async def test_stream_with_context_takes_functions_and_generators() -> None:
    app = Quart("contexts")

    @app.get("/function")
    async def function() -> AsyncIterator[str]:
        @stream_with_context
        async def generate() -> AsyncIterator[str]:
            yield request.path

        return generate()

    @app.get("/generator")
    async def generator() -> Any:
        async def generate() -> AsyncIterator[str]:
            yield request.path

        return stream_with_context(generate())

    @app.get("/keyword")
    async def keyword() -> Any:
        return stream_with_context(generator_or_function=(c for c in request.path))

    for path in ("/function", "/generator", "/keyword"):
        response = await app.test_client().get(path)
        assert await response.get_data(as_text=True) == path


async def test_without_it_a_stream_has_no_request() -> None:
    app, seen = Quart("contexts"), []

    @app.get("/")
    async def view() -> AsyncIterator[str]:
        async def generate() -> AsyncIterator[str]:
            seen.append(has_request_context())
            yield ""

        return generate()

    await (await app.test_client().get("/")).get_data()
    assert seen == [False]


async def test_has_context_functions() -> None:
    app = Quart("contexts")
    assert (has_app_context(), has_request_context(), has_websocket_context()) == (
        False,
        False,
        False,
    )
    async with app.test_request_context("/"):
        assert (has_app_context(), has_request_context()) == (True, True)
        assert not has_websocket_context()


async def test_after_this_request_as_decorator_and_call() -> None:
    app = Quart("contexts")

    @app.get("/")
    async def view() -> str:
        @after_this_request
        async def one(response: Response) -> Response:
            response.headers["X-One"] = "1"
            return response

        def two(response: Response) -> Response:
            response.headers["X-Two"] = "2"
            return response

        assert after_this_request(f=two) is two
        return ""

    headers = (await app.test_client().get("/")).headers
    assert (headers["X-One"], headers["X-Two"]) == ("1", "2")


async def test_g() -> None:
    class Own(quart.ctx._AppCtxGlobals):
        extra = "own"

    app = Quart("contexts")
    app.app_ctx_globals_class = Own
    async with app.app_context():
        g.a = 1
        assert (g.a, g.get("a"), g.get("b"), g.get("b", 2)) == (1, 1, None, 2)
        assert "a" in g
        assert list(g) == ["a"]
        assert g.setdefault("c", 3) == 3
        assert g.pop("c") == 3
        assert g.pop("c", None) is None
        assert g.extra == "own"
        with pytest.raises(KeyError):
            g.pop("none")
        with pytest.raises(AttributeError):
            g.none  # noqa: B018
        del g.a
        assert "a" not in g


async def test_abort_and_redirect_work_without_a_context() -> None:
    with pytest.raises(NotFound):
        abort(404)
    response = redirect("/a", 301)
    assert (response.status_code, response.headers["Location"]) == (301, "/a")


async def test_inside_they_use_the_app() -> None:
    class OwnResponse(Response):
        pass

    class Own(HTTPException):
        code = 410

    app = Quart("contexts")
    app.response_class = OwnResponse
    app.aborter.mapping[410] = Own
    async with app.app_context():
        assert type(redirect("/a")) is OwnResponse
        with pytest.raises(Own):
            abort(410)
    assert type(redirect("/a", Response=OwnResponse)) is OwnResponse


def test_names_of_the_classes() -> None:
    assert issubclass(RequestContext, AppContext)
    assert issubclass(WebsocketContext, AppContext)


async def test_requests_at_the_same_time_do_not_see_each_other() -> None:
    app = Quart("contexts")

    @app.get("/<int:number>")
    async def view(number: int) -> str:
        g.number = number
        for _ in range(number % 5):
            await asyncio.sleep(0)
        assert g.number == number
        return request.path

    responses = await asyncio.gather(
        *(app.test_client().get(f"/{number}") for number in range(50))
    )
    texts = [await response.get_data(as_text=True) for response in responses]
    assert texts == [f"/{number}" for number in range(50)]
