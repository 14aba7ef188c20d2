"""Order of hooks around a request, and what setup allows when."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from quart import (
    Blueprint,
    Quart,
    Response,
    abort,
    after_this_request,
    g,
    request,
    session,
)
from quart.signals import request_finished, request_started, request_tearing_down


def _register(owner: Any, name: str, events: list[str]) -> None:
    """Register two functions for each step."""
    for number in (1, 2):
        label = f"{name}{number}"

        def values(endpoint: str | None, args: Any, label: str = label) -> None:
            events.append(f"values {label}")

        async def before(label: str = label) -> None:
            events.append(f"before {label}")

        async def after(response: Response, label: str = label) -> Response:
            events.append(f"after {label}")
            return response

        async def teardown(exc: BaseException | None, label: str = label) -> None:
            events.append(f"teardown {label}")

        owner.url_value_preprocessor(values)
        owner.before_request(before)
        owner.after_request(after)
        owner.teardown_request(teardown)


def _nested_app(events: list[str]) -> Quart:
    app = Quart(__name__)
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    for owner, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        _register(owner, name, events)

    @inner.get("/")
    async def view() -> str:
        events.append("view")

        @after_this_request
        async def first(response: Response) -> Response:
            events.append("this 1")
            return response

        @after_this_request
        async def second(response: Response) -> Response:
            events.append("this 2")
            return response

        return ""

    for number in (1, 2):

        async def context_over(exc: Any, number: int = number) -> None:
            events.append(f"context {number}")

        app.teardown_appcontext(context_over)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


async def test_hooks_of_app_and_nested_blueprints_run_in_this_order() -> None:
    events: list[str] = []
    app = _nested_app(events)

    async def note(sender: Any, _name: str, **kwargs: Any) -> None:
        events.append(_name)

    async def started(sender: Any, **kwargs: Any) -> None:
        events.append("request_started")

    async def finished(sender: Any, **kwargs: Any) -> None:
        events.append("request_finished")

    async def tearing_down(sender: Any, **kwargs: Any) -> None:
        events.append("request_tearing_down")

    with (
        request_started.connected_to(started),
        request_finished.connected_to(finished),
        request_tearing_down.connected_to(tearing_down),
    ):
        assert (await app.test_client().get("/")).status_code == 200
    assert events == [
        "request_started",
        *(f"values {n}{i}" for n in ("app", "outer", "inner") for i in (1, 2)),
        *(f"before {n}{i}" for n in ("app", "outer", "inner") for i in (1, 2)),
        "view",
        "this 1",
        "this 2",
        *(f"after {n}{i}" for n in ("inner", "outer", "app") for i in (2, 1)),
        "request_finished",
        *(f"teardown {n}{i}" for n in ("inner", "outer", "app") for i in (2, 1)),
        "request_tearing_down",
        "context 2",
        "context 1",
    ]


async def test_unmatched_urls_run_only_the_hooks_of_the_app() -> None:
    events: list[str] = []
    app = _nested_app(events)
    assert (await app.test_client().get("/none")).status_code == 404
    assert {event.split()[-1][:-1] for event in events} <= {"app", ""}
    assert "before app1" in events
    assert "after app1" in events


async def test_routing_exception_is_raised_after_before_request() -> None:
    app = Quart(__name__)

    @app.before_request
    async def before() -> str | None:
        assert request.routing_exception is not None
        return "instead"

    response = await app.test_client().get("/none")
    assert await response.get_data(as_text=True) == "instead"


async def test_first_result_of_before_request_is_the_response() -> None:
    app = Quart(__name__)
    calls = []
    app.before_request(lambda: calls.append("first"))
    app.before_request(lambda: ("second", 418))
    app.before_request(lambda: calls.append("third"))
    app.add_url_rule("/", "view", lambda: calls.append("view"))
    response = await app.test_client().get("/")
    assert (response.status_code, calls) == (418, ["first"])


async def test_session_is_saved_after_after_request() -> None:
    app = Quart(__name__)
    app.secret_key = "k"

    @app.after_request
    async def after(response: Response) -> Response:
        session["late"] = 1
        assert "Set-Cookie" not in response.headers
        return response

    @app.get("/")
    async def index() -> str:
        return ""

    assert "session=" in (await app.test_client().get("/")).headers["Set-Cookie"]


async def test_app_wide_hooks_of_a_blueprint_stand_where_it_was_registered() -> None:
    app, events = Quart(__name__), []
    blueprint = Blueprint("bp", __name__)
    blueprint.before_app_request(lambda: events.append("blueprint"))
    app.before_request(lambda: events.append("app 1"))
    app.register_blueprint(blueprint)
    app.before_request(lambda: events.append("app 2"))
    app.add_url_rule("/", "view", lambda: "")
    await app.test_client().get("/")
    assert events == ["app 1", "blueprint", "app 2"]


async def test_handled_exceptions_reach_teardown_as_none() -> None:
    app, seen = Quart(__name__), []
    app.teardown_request(lambda exc: seen.append(exc))
    app.register_error_handler(ValueError, lambda error: "handled")

    @app.get("/")
    async def index() -> str:
        raise ValueError

    await app.test_client().get("/")
    assert seen == [None]


async def test_all_teardown_functions_run_though_one_fails() -> None:
    app, seen = Quart(__name__), []

    @app.teardown_request
    async def last(exc: BaseException | None) -> None:
        seen.append("last")

    @app.teardown_request
    async def failing(exc: BaseException | None) -> None:
        raise ValueError("of the teardown")

    @app.teardown_appcontext
    async def context(exc: BaseException | None) -> None:
        seen.append("context")

    @app.get("/")
    async def index() -> str:
        return ""

    app.testing = True
    with pytest.raises(ValueError, match="of the teardown"):
        await app.test_client().get("/")
    assert seen == ["last", "context"]


async def test_steps_after_the_view_run_for_error_responses_too() -> None:
    app, events = Quart(__name__), []
    app.logger.setLevel(logging.CRITICAL)

    @app.after_request
    async def after(response: Response) -> Response:
        events.append(response.status_code)
        assert await response.get_data()
        return response

    @app.get("/<int:code>")
    async def fail(code: int) -> str:
        if code == 500:
            raise ValueError
        abort(code)

    for code in (400, 404, 500):
        assert (await app.test_client().get(f"/{code}")).status_code == code
    assert events == [400, 404, 500]


async def test_failing_after_request_is_a_500_and_only_logged_the_second_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A name of its own, for others turn their logger off.
    app, calls = Quart("logging_app"), []

    @app.after_request
    async def after(response: Response) -> Response:
        calls.append(response.status_code)
        raise ValueError("of after_request")

    @app.get("/")
    async def index() -> str:
        return ""

    assert (await app.test_client().get("/")).status_code == 500
    assert calls == [200, 500]
    assert "of after_request" in caplog.text


async def test_sync_hooks_run_in_a_thread_with_the_context() -> None:
    app, seen = Quart(__name__), []

    def note(name: str) -> None:
        seen.append((name, request.path, threading.current_thread().name))
        g.value = name

    app.before_request(lambda: note("before"))

    @app.after_request
    def after(response: Response) -> Response:
        note("after")
        response.headers["X-G"] = g.value
        return response

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        note("teardown")

    @app.get("/")
    async def index() -> str:
        return g.value

    response = await app.test_client().get("/")
    assert await response.get_data(as_text=True) == "before"
    assert response.headers["X-G"] == "after"
    assert [name for name, *_ in seen] == ["before", "after", "teardown"]
    assert all(path == "/" and "MainThread" not in name for _, path, name in seen)


async def test_setup_after_the_first_request_is_an_error() -> None:
    app = Quart(__name__)
    await app.test_client().get("/")
    with pytest.raises(AssertionError, match="before_request"):
        app.before_request(lambda: None)
    with pytest.raises(AssertionError, match="register_blueprint"):
        app.register_blueprint(Blueprint("late", __name__))


def test_setup_of_a_registered_blueprint_is_an_error() -> None:
    app, blueprint = Quart(__name__), Blueprint("bp", __name__)
    app.register_blueprint(blueprint)
    with pytest.raises(AssertionError, match="bp"):
        blueprint.get("/")(lambda: "")


def test_same_endpoint_with_another_function_is_an_error() -> None:
    app = Quart(__name__)
    app.add_url_rule("/", "a", test_same_endpoint_with_another_function_is_an_error)
    app.add_url_rule("/b", "a", test_same_endpoint_with_another_function_is_an_error)
    with pytest.raises(AssertionError, match="'a'"):
        app.add_url_rule("/c", "a", lambda: "")


def test_same_blueprint_again_needs_another_name() -> None:
    app, blueprint = Quart(__name__), Blueprint("bp", __name__)
    app.register_blueprint(blueprint)
    with pytest.raises(ValueError, match="bp"):
        app.register_blueprint(blueprint)
    with pytest.raises(ValueError, match="bp"):
        app.register_blueprint(Blueprint("bp", __name__))
    app.register_blueprint(blueprint, name="other", url_prefix="/other")
    assert set(app.blueprints) == {"bp", "other"}


@pytest.mark.parametrize("name", ["", "a.b"])
def test_blueprint_names_are_not_empty_and_have_no_dots(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Blueprint(name, __name__)


def test_dots_in_endpoints_of_blueprints_are_refused() -> None:
    with pytest.raises(ValueError, match="endpoint"):
        Blueprint("bp", __name__).add_url_rule("/", endpoint="a.b")
