"""Views table: classes as views."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

import pytest
from core_driver import Driver
from quart_core import Quart
from quart_core.globals import request
from quart_core.views import MethodView, View, http_method_funcs
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__, static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    return app


async def visit(app: Quart, path: str, method: str = "GET") -> Any:
    async def no_push(path: str, headers: Headers) -> None:
        raise AssertionError("No push promise was to be sent.")

    headers = Headers({"Host": "localhost"})
    scope: Any = {"type": "http", "headers": [(b"host", b"localhost")]}
    return await app.handle_request(
        app.request_class(
            method,
            "http",
            path,
            b"",
            headers,
            "",
            "1.1",
            scope,
            send_push_promise=no_push,
        )
    )


async def text(app: Quart, path: str, method: str = "GET") -> str:
    response = await visit(app, path, method)
    return str(await response.get_data(as_text=True))


# View


async def test_a_view_answers_with_dispatch_request(app: Quart) -> None:
    class Hello(View):
        async def dispatch_request(self, name: str) -> str:  # type: ignore[override]
            return f"Hello {name}"

    app.add_url_rule("/<name>", view_func=Hello.as_view("hello"))
    assert await text(app, "/you") == "Hello you"


async def test_dispatch_request_may_be_sync_and_runs_in_a_thread(app: Quart) -> None:
    class Sync(View):
        def dispatch_request(self) -> str:  # type: ignore[override]
            in_main = threading.current_thread() is threading.main_thread()
            return f"{in_main} {request.path}"

    app.add_url_rule("/", view_func=Sync.as_view("sync"))
    assert await text(app, "/") == "False /"


def test_the_view_function_tells_its_class_and_methods() -> None:
    class Documented(View):
        """What it does."""

        methods = ["GET", "POST"]
        provide_automatic_options = False

    view: Any = Documented.as_view("documented")
    assert view.view_class is Documented
    assert view.methods == ["GET", "POST"]
    assert view.provide_automatic_options is False
    assert view.__name__ == "documented"
    assert view.__doc__ == "What it does."
    assert view.__module__ == Documented.__module__


def test_a_view_has_defaults() -> None:
    assert View.methods is None
    assert View.decorators == []
    assert View.init_every_request is True
    assert View.provide_automatic_options is None


async def test_the_methods_of_a_view_are_those_of_its_rule(app: Quart) -> None:
    class Posts(View):
        methods = ["POST"]

        async def dispatch_request(self) -> str:  # type: ignore[override]
            return request.method

    app.add_url_rule("/", view_func=Posts.as_view("posts"))
    assert await text(app, "/", "POST") == "POST"
    assert (await visit(app, "/")).status_code == 405


def tagging(tag: str) -> Callable[..., Any]:
    def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        async def tagged(**kwargs: Any) -> str:
            return f"{tag}({await view(**kwargs)})"

        return tagged

    return decorator


async def test_decorators_are_applied_in_order(app: Quart) -> None:
    class Decorated(View):
        decorators = [tagging("first"), tagging("second")]

        async def dispatch_request(self) -> str:  # type: ignore[override]
            return "x"

    view: Any = Decorated.as_view("decorated")
    assert view.view_class is Decorated
    assert view.__name__ == "decorated"
    app.add_url_rule("/", view_func=view)
    assert await text(app, "/") == "second(first(x))"


async def made(app: Quart, view_class: type[View]) -> list[str]:
    app.add_url_rule("/", view_func=view_class.as_view("counted", 1, b=2))
    return [await text(app, "/") for _ in range(2)]


async def test_an_instance_is_made_for_every_request(app: Quart) -> None:
    instances = []

    class Counted(View):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            instances.append((args, kwargs))

        async def dispatch_request(self) -> str:  # type: ignore[override]
            return str(len(instances))

    assert await made(app, Counted) == ["1", "2"]
    assert instances == [((1,), {"b": 2})] * 2


async def test_one_instance_can_serve_all_requests(app: Quart) -> None:
    instances = []

    class Counted(View):
        init_every_request = False

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            instances.append((args, kwargs))

        async def dispatch_request(self) -> str:  # type: ignore[override]
            return str(len(instances))

    assert await made(app, Counted) == ["1", "1"]
    assert instances == [((1,), {"b": 2})]


async def test_a_view_says_what_to_define(app: Quart) -> None:
    app.add_url_rule("/", view_func=View.as_view("empty"))
    with pytest.raises(NotImplementedError, match="View must define dispatch_request"):
        await visit(app, "/")


# MethodView


class Counter(MethodView):
    async def get(self) -> str:
        return "got"

    def post(self) -> str:
        return "posted"

    async def dispatch(self) -> str:
        return "secret"


def test_methods_are_collected_from_the_class_and_its_bases() -> None:
    class More(Counter):
        async def put(self) -> str:
            return ""

    class Mixin:
        async def delete(self) -> str:
            return ""

    class Mixed(Mixin, More):
        pass

    assert MethodView.methods is None
    assert Counter.methods == {"GET", "POST"}
    assert More.methods == {"GET", "POST", "PUT"}
    assert Mixed.methods == {"DELETE", "GET", "POST", "PUT"}


def test_methods_that_a_class_sets_stay() -> None:
    class Fixed(MethodView):
        methods = ["POST"]

        async def get(self) -> str:
            return ""

    assert Fixed.methods == ["POST"]


def test_the_verbs_are_those_of_http() -> None:
    verbs = {"delete", "get", "head", "options", "patch", "post", "put", "trace"}
    assert http_method_funcs == verbs


async def test_each_verb_calls_its_method(app: Quart) -> None:
    app.add_url_rule("/", view_func=Counter.as_view("counter"))
    assert await text(app, "/") == "got"
    assert await text(app, "/", "POST") == "posted"
    assert (await visit(app, "/", "PUT")).status_code == 405


async def test_head_falls_back_on_get(app: Quart) -> None:
    app.add_url_rule("/", view_func=Counter.as_view("counter"))
    assert (await visit(app, "/", "HEAD")).status_code == 200


async def test_head_has_a_method_of_its_own(app: Quart) -> None:
    class Heads(Counter):
        async def head(self) -> Any:
            return "", 204

    app.add_url_rule("/", view_func=Heads.as_view("heads"))
    assert (await visit(app, "/", "HEAD")).status_code == 204


async def test_a_rule_with_more_methods_than_the_class_answers_405(app: Quart) -> None:
    view = Counter.as_view("counter")
    app.add_url_rule("/", view_func=view, methods=["GET", "DELETE"])
    response = await visit(app, "/", "DELETE")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, POST"


async def test_a_method_outside_of_http_can_be_declared(app: Quart) -> None:
    class Dav(MethodView):
        methods = ["PROPFIND"]

        async def propfind(self) -> str:
            return "found"

    app.add_url_rule("/", view_func=Dav.as_view("dav"))
    assert await text(app, "/", "PROPFIND") == "found"


@pytest.mark.parametrize(
    "method",
    [
        "__INIT__",
        "DISPATCH",
        "AS_VIEW",
        "DISPATCH_REQUEST",
        "METHODS",
        "__CLASS__",
        "_HANDLER",
    ],
)
def test_st_09_only_declared_verbs_are_dispatched_to(method: str) -> None:
    assert Counter()._handler(method) is None


@pytest.mark.parametrize("method", ["__INIT__", "DISPATCH", "AS_VIEW"])
async def test_st_09_other_names_are_no_methods_even_if_a_rule_has_them(
    app: Quart, method: str
) -> None:
    view: Any = Counter.as_view("counter")
    app.add_url_rule("/", view_func=view, methods=["GET", method])
    assert (await visit(app, "/", method)).status_code == 405


async def test_dispatching_without_a_method_raises_method_not_allowed(
    app: Quart,
) -> None:
    errors = []

    @app.errorhandler(405)
    async def not_allowed(error: MethodNotAllowed) -> Any:
        errors.append(list(error.valid_methods or ()))
        return "", 405

    app.add_url_rule("/", view_func=Counter.as_view("counter"), methods=["PATCH"])
    await visit(app, "/", "PATCH")
    assert errors == [["GET", "POST"]]


@pytest.mark.parametrize("shared", [True, False])
async def test_the_class_of_a_view_can_be_replaced(shared: bool) -> None:
    def decorator(function: Any) -> Any:
        async def decorated(**kwargs: Any) -> Any:
            return "decorated " + await function(**kwargs)

        return decorated

    class Old(View):
        init_every_request = not shared
        decorators = [decorator]

        async def dispatch_request(self, **kwargs: Any) -> str:
            return "old"

    class New(Old):
        def dispatch_request(self, **kwargs: Any) -> str:
            return "new"

    app = Quart(__name__)
    view: Any = Old.as_view("view")
    app.add_url_rule("/", view_func=view)
    driver = Driver(app)
    assert (await driver.get("/")).text == "decorated old"
    view.view_class = New
    assert (await driver.get("/")).text == "decorated new"
