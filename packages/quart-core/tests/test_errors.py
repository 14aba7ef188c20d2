"""Errors: which handler gets an exception, and what happens without one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from core_driver import Answer, Driver
from quart_core import Blueprint, Quart, Response, abort, request
from quart_core.signals import got_request_exception
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    InternalServerError,
    NotFound,
)


class Problem(Exception):
    """An error of the application."""


class Special(Problem):
    """A kind of it."""


def app_that_raises(error: Any, **config: Any) -> Quart:
    """Return an app with a blueprint inside a blueprint whose view raises."""
    app = Quart(__name__)
    app.config.update(config)
    outer = Blueprint("outer", __name__)
    inner = Blueprint("inner", __name__)

    @inner.get("/")
    async def view() -> str:
        raise error

    outer.register_blueprint(inner)
    app.extensions["blueprints"] = {"app": app, "outer": outer, "inner": inner}
    return app


async def answer_with(error: Any, handlers: list[tuple[str, Any]]) -> Answer:
    """Return the answer where each scope has a handler that tells its name."""
    app = app_that_raises(error)
    scopes = app.extensions["blueprints"]
    for scope, key in handlers:

        async def handle(raised: Exception, name: str = f"{scope} {key}") -> str:
            return name

        scopes[scope].register_error_handler(key, handle)
    app.register_blueprint(scopes["outer"])
    return await Driver(app, raise_exceptions=False).get("/")


# Lookup of handlers


@pytest.mark.parametrize(
    ("error", "handlers", "expected"),
    [
        (NotFound(), [("app", 404)], "app 404"),
        (NotFound(), [("app", 404), ("inner", 404)], "inner 404"),
        (NotFound(), [("outer", 404), ("app", 404)], "outer 404"),
        (
            NotFound(),
            [("app", 404), ("inner", HTTPException)],
            "app 404",
        ),
        (
            NotFound(),
            [("inner", HTTPException), ("app", HTTPException)],
            f"inner {HTTPException}",
        ),
        (NotFound(), [("app", Exception)], f"app {Exception}"),
        (
            NotFound(),
            [("app", Exception), ("app", HTTPException)],
            f"app {HTTPException}",
        ),
        (Special(), [("app", Problem)], f"app {Problem}"),
        (Special(), [("app", Problem), ("app", Special)], f"app {Special}"),
        (Special(), [("inner", Problem), ("app", Special)], f"inner {Problem}"),
        (Special(), [("app", 500)], "app 500"),
        (Special(), [("app", InternalServerError)], f"app {InternalServerError}"),
        (Special(), [("app", HTTPException)], f"app {HTTPException}"),
        (Special(), [("app", 500), ("app", Problem)], f"app {Problem}"),
    ],
)
async def test_the_handler_is_found_as_in_flask(
    error: Exception, handlers: list[tuple[str, Any]], expected: str
) -> None:
    assert (await answer_with(error, handlers)).text == expected


async def test_a_handler_may_return_anything_a_view_may() -> None:
    app = Quart(__name__)

    @app.errorhandler(404)
    async def handle(error: NotFound) -> Any:
        return {"missing": request.path}, 404, {"X-A": "1"}

    answer = await Driver(app).get("/nowhere")
    assert (answer.status, answer.json) == (404, {"missing": "/nowhere"})
    assert answer.headers["X-A"] == "1"


async def test_a_sync_handler_runs_too() -> None:
    app = Quart(__name__)

    @app.errorhandler(404)
    def handle(error: NotFound) -> str:
        return f"sync {error.code}"

    assert (await Driver(app).get("/nowhere")).text == "sync 404"


async def test_a_500_handler_gets_the_original_exception() -> None:
    app = Quart(__name__)
    got = []

    @app.errorhandler(500)
    async def handle(error: InternalServerError) -> tuple[str, int]:
        got.append(error.original_exception)
        return "sorry", 500

    @app.get("/")
    async def view() -> str:
        raise Problem("original")

    answer = await Driver(app).get("/")
    assert (answer.status, answer.text) == (500, "sorry")
    assert [str(error) for error in got] == ["original"]


# abort


async def test_abort_raises_the_exception_of_the_code() -> None:
    app = Quart(__name__)

    @app.get("/<int:code>")
    async def view(code: int) -> str:
        abort(code, "because")

    answer = await Driver(app).get("/403")
    assert answer.status == 403
    assert "because" in answer.text
    assert (await Driver(app).get("/999")).status == 500


async def test_abort_takes_a_response() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        abort(Response("made by hand", 418))

    answer = await Driver(app).get("/")
    assert (answer.status, answer.text) == (418, "made by hand")


# Unhandled exceptions


def failing_app(**config: Any) -> Quart:
    app = Quart(__name__)
    app.config.update(config)

    @app.get("/")
    async def view() -> str:
        raise Problem("unhandled")

    return app


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"TESTING": True, "PROPAGATE_EXCEPTIONS": False},
        {"DEBUG": True, "PROPAGATE_EXCEPTIONS": False},
    ],
)
async def test_an_unhandled_exception_is_a_500_page(config: dict[str, Any]) -> None:
    answer = await Driver(failing_app(**config)).get("/")
    assert answer.status == 500
    assert "unhandled" not in answer.text


@pytest.mark.parametrize(
    "config", [{"TESTING": True}, {"DEBUG": True}, {"PROPAGATE_EXCEPTIONS": True}]
)
async def test_it_reaches_the_test_where_exceptions_propagate(
    config: dict[str, Any],
) -> None:
    with pytest.raises(Problem, match="unhandled"):
        await Driver(failing_app(**config)).get("/")


@pytest.mark.parametrize("config", [{"TESTING": True}, {"DEBUG": True}])
async def test_a_server_gets_a_page_with_the_traceback(config: dict[str, Any]) -> None:
    driver = Driver(failing_app(**config), raise_exceptions=False)
    answer = await driver.get("/")
    assert answer.status == 500
    assert "Problem" in answer.text


async def test_a_server_is_given_the_exception_if_told_to_propagate_only() -> None:
    app = failing_app(PROPAGATE_EXCEPTIONS=True)
    with pytest.raises(Problem, match="unhandled"):
        await Driver(app, raise_exceptions=False).get("/")


async def test_an_unhandled_exception_is_logged_once_with_its_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = failing_app()
    app.logger.propagate = True
    with caplog.at_level(logging.ERROR):
        await Driver(app).get("/")
    (record,) = caplog.records
    assert record.getMessage() == "Exception on request GET '/'"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], Problem)


async def test_the_signal_comes_before_propagation_is_decided() -> None:
    app = failing_app(TESTING=True)
    got = []

    async def receiver(sender: Any, exception: Exception) -> None:
        got.append(exception)

    with got_request_exception.connected_to(receiver, app), pytest.raises(Problem):
        await Driver(app).get("/")
    assert len(got) == 1


async def test_a_handled_exception_sends_no_signal() -> None:
    app = failing_app()
    app.register_error_handler(Problem, lambda error: "handled")
    got = []

    def receiver(sender: Any, exception: Exception) -> None:
        got.append(exception)

    with got_request_exception.connected_to(receiver, app):
        assert (await Driver(app).get("/")).text == "handled"
    assert got == []


async def test_a_handler_that_raises_counts_as_unhandled() -> None:
    app = failing_app()

    @app.errorhandler(Problem)
    async def handle(error: Problem) -> str:
        raise ValueError("in the handler")

    assert (await Driver(app).get("/")).status == 500


async def test_a_500_handler_that_raises_reaches_the_server() -> None:
    app = failing_app()

    @app.errorhandler(500)
    async def handle(error: Exception) -> str:
        raise ValueError("in the 500 handler")

    with pytest.raises(ValueError, match="in the 500 handler"):
        await Driver(app, raise_exceptions=False).get("/")


async def test_an_error_page_survives_a_failing_function_after_it() -> None:
    app = failing_app()

    @app.after_request
    async def after(response: Any) -> Any:
        raise ValueError("after")

    assert (await Driver(app).get("/")).status == 500


# Traps


async def test_a_missing_form_key_is_a_400() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        return request.args["missing"]

    answer = await Driver(app).get("/")
    assert answer.status == 400
    assert "missing" not in answer.text


@pytest.mark.parametrize("config", [{"DEBUG": True}, {"TRAP_BAD_REQUEST_ERRORS": True}])
async def test_a_missing_form_key_is_trapped_and_named(config: dict[str, Any]) -> None:
    app = Quart(__name__)
    app.config.update(config, PROPAGATE_EXCEPTIONS=True)

    @app.get("/")
    async def view() -> str:
        return request.args["missing"]

    with pytest.raises(BadRequest, match="missing"):
        await Driver(app).get("/")


async def test_all_http_exceptions_may_be_trapped() -> None:
    app = Quart(__name__)
    app.config.update(TRAP_HTTP_EXCEPTIONS=True, PROPAGATE_EXCEPTIONS=True)

    @app.get("/")
    async def view() -> str:
        raise Forbidden

    with pytest.raises(Forbidden):
        await Driver(app).get("/")


# What handlers never get


async def test_redirects_of_the_router_are_not_handled() -> None:
    app = Quart(__name__)
    handled = []

    @app.get("/folder/")
    async def view() -> str:
        return ""

    @app.errorhandler(Exception)
    async def handle(error: Exception) -> str:
        handled.append(error)
        return ""

    answer = await Driver(app).get("/folder", query="a=1")
    assert answer.status == 308
    assert answer.headers["Location"] == "http://localhost/folder/?a=1"
    assert handled == []


async def test_a_cancelled_request_is_not_handled_and_is_torn_down() -> None:
    app = Quart(__name__)
    told = []
    started = asyncio.Event()

    @app.get("/")
    async def view() -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    @app.errorhandler(Exception)
    async def handle(error: Exception) -> str:
        told.append("handler")
        return ""

    @app.teardown_request
    async def teardown(exc: Any) -> None:
        told.append(type(exc).__name__)

    task = asyncio.create_task(Driver(app).get("/"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["CancelledError"]


async def test_a_wrong_method_is_a_405_with_allow_in_order() -> None:
    app = Quart(__name__)

    @app.route("/", methods=["PUT", "DELETE"])
    async def view() -> str:
        return ""

    answer = await Driver(app).get("/")
    assert answer.status == 405
    assert answer.headers["Allow"] == "DELETE, OPTIONS, PUT"


async def test_all_bad_requests_are_trapped_where_that_is_asked_for() -> None:
    app = Quart(__name__)
    app.config["TRAP_BAD_REQUEST_ERRORS"] = True

    @app.get("/<int:code>")
    async def leave(code: int) -> None:
        abort(code)

    assert (await Driver(app).get("/404")).status == 404
    assert (await Driver(app).get("/400")).status == 500
