"""Errors: what becomes of exceptions, and which handler gets them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from quart import Blueprint, Quart, Response, abort, request
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    InternalServerError,
    NotFound,
)
from werkzeug.routing import RequestRedirect


def _app() -> Quart:
    app = Quart("errors")
    app.logger.setLevel(logging.CRITICAL)

    @app.route("/abort/<int:code>", methods=["GET", "POST"])
    async def aborting(code: int) -> str:
        abort(code)

    @app.get("/fail")
    async def fail() -> str:
        raise KeyError("of the view")

    @app.get("/response")
    async def with_response() -> str:
        abort(Response("own", 418))

    @app.route("/form", methods=["GET", "POST"])
    async def form() -> str:
        return (await request.form)["missing"] + request.args["missing"]

    @app.get("/args")
    async def args() -> str:
        return request.args["missing"]

    @app.post("/json")
    async def json() -> dict[str, Any]:
        return {"got": await request.get_json()}

    @app.get("/slash/")
    async def slash() -> str:
        return ""

    @app.route("/two", methods=["PUT", "DELETE", "POST"])
    async def two() -> str:
        return ""

    return app


async def _text(response: Response) -> str:
    return await response.get_data(as_text=True)


async def test_http_exception_without_handler_is_its_page() -> None:
    response = await _app().test_client().get("/abort/403")
    assert response.status_code == 403
    assert "Forbidden" in await _text(response)


async def test_abort_with_a_response_is_that_response() -> None:
    response = await _app().test_client().get("/response")
    assert (response.status_code, await _text(response)) == (418, "own")


async def test_abort_with_an_unknown_code_is_a_500() -> None:
    app = _app()
    assert (await app.test_client().get("/abort/999")).status_code == 500
    app.testing = True
    with pytest.raises(LookupError):
        await app.test_client().get("/abort/999")


async def test_unhandled_exception_goes_to_the_500_handler_as_original_exception() -> (
    None
):
    app, seen = _app(), []

    @app.errorhandler(500)
    async def handle(error: InternalServerError) -> tuple[str, int]:
        seen.append(error)
        return "handled", 500

    response = await app.test_client().get("/fail")
    assert await _text(response) == "handled"
    assert isinstance(seen[0], InternalServerError)
    assert isinstance(seen[0].original_exception, KeyError)


@pytest.mark.parametrize("path", ["/form", "/args"])
async def test_missing_key_is_a_400(path: str) -> None:
    app = _app()
    response = await app.test_client().get(path)
    assert response.status_code == 400
    assert "missing" not in await _text(response)


@pytest.mark.parametrize("setting", ["debug", "trap"])
async def test_missing_key_is_trapped_and_named(setting: str) -> None:
    app = _app()
    app.debug = setting == "debug"
    app.config["TRAP_BAD_REQUEST_ERRORS"] = True if setting == "trap" else None
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(BadRequest, match="missing"):
        await app.test_client().get("/args")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert (await app.test_client().get("/args")).status_code == 500


async def test_invalid_json_is_a_400_with_its_cause_in_debug() -> None:
    app = _app()
    headers = {"Content-Type": "application/json"}
    for data in ("{", "", "nul"):
        response = await app.test_client().post("/json", data=data, headers=headers)
        assert response.status_code == 400
        assert "JSON" not in await _text(response)
    app.debug = True
    response = await app.test_client().post("/json", data="{", headers=headers)
    assert "Failed to decode JSON" in await _text(response)


async def test_wrong_method_is_a_405_with_the_sorted_allowed_ones() -> None:
    response = await _app().test_client().get("/two")
    assert response.status_code == 405
    assert response.headers["Allow"] == "DELETE, OPTIONS, POST, PUT"


async def test_missing_slash_is_a_308_to_the_full_url() -> None:
    response = await _app().test_client().get("/slash?a=1&b=%20")
    assert response.status_code == 308
    assert response.headers["Location"] == "http://localhost/slash/?a=1&b=%20"


async def test_redirects_are_never_given_to_handlers() -> None:
    app = _app()

    @app.errorhandler(HTTPException)
    @app.errorhandler(Exception)
    async def handle(error: Exception) -> str:
        return "handled"

    assert (await app.test_client().get("/slash")).status_code == 308
    assert issubclass(RequestRedirect, HTTPException)


async def test_cancellation_is_never_given_to_handlers() -> None:
    app, seen = _app(), []

    @app.errorhandler(Exception)
    async def handle(error: Exception) -> str:
        seen.append(error)
        return "handled"

    @app.get("/wait")
    async def wait() -> str:
        await asyncio.Event().wait()
        return ""

    task = asyncio.create_task(app.test_client().get("/wait"))
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == []


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [
        ({}, "page"),
        ({"TESTING": True}, "raised"),
        ({"DEBUG": True}, "raised"),
        ({"PROPAGATE_EXCEPTIONS": True}, "raised"),
        ({"PROPAGATE_EXCEPTIONS": False, "TESTING": True}, "page"),
        ({"PROPAGATE_EXCEPTIONS": False, "DEBUG": True}, "page"),
    ],
)
async def test_unhandled_exceptions_propagate_to_the_client_as_in_flask(
    settings: dict[str, Any], outcome: str
) -> None:
    app = _app()
    app.config.update(settings)
    if outcome == "raised":
        with pytest.raises(KeyError, match="of the view"):
            await app.test_client().get("/fail")
        return
    response = await app.test_client().get("/fail")
    assert response.status_code == 500
    assert "of the view" not in await _text(response)


# Lookup of handlers


def _nested(register: dict[str, list[Any]], error: Any) -> Quart:
    app = Quart("errors")
    app.logger.setLevel(logging.CRITICAL)
    owners: dict[str, Any] = {
        "app": app,
        "outer": Blueprint("outer", __name__),
        "inner": Blueprint("inner", __name__),
    }
    for name, handled in register.items():
        for kind in handled:

            async def handle(error: Any, name: str = name, kind: Any = kind) -> str:
                return f"{name} {getattr(kind, '__name__', kind)}"

            owners[name].register_error_handler(kind, handle)

    @owners["inner"].get("/")
    async def view() -> str:
        raise error

    owners["outer"].register_blueprint(owners["inner"])
    app.register_blueprint(owners["outer"])
    return app


class Child(ValueError):
    pass


@pytest.mark.parametrize(
    ("register", "error", "by"),
    [
        ({"app": [404], "inner": [HTTPException]}, NotFound(), "app 404"),
        ({"app": [404], "outer": [404], "inner": [404]}, NotFound(), "inner 404"),
        ({"app": [404], "outer": [404]}, NotFound(), "outer 404"),
        ({"app": [NotFound], "inner": [Exception]}, NotFound(), "app NotFound"),
        ({"app": [Exception]}, NotFound(), "app Exception"),
        ({"app": [Exception, HTTPException]}, NotFound(), "app HTTPException"),
        ({"app": [ValueError]}, Child(), "app ValueError"),
        ({"app": [ValueError, Child]}, Child(), "app Child"),
        ({"app": [Child], "inner": [Exception]}, Child(), "inner Exception"),
        ({"app": [500, ValueError]}, Child(), "app ValueError"),
        ({"app": [500]}, Child(), "app 500"),
        (
            {"app": [InternalServerError]},
            Child(),
            "app InternalServerError",
        ),
        ({"app": [HTTPException]}, Child(), "app HTTPException"),
        ({"inner": [403]}, Forbidden(), "inner 403"),
    ],
    ids=str,
)
async def test_lookup_of_handlers(
    register: dict[str, list[Any]], error: Exception, by: str
) -> None:
    response = await _nested(register, error).test_client().get("/")
    assert await _text(response) == by


@pytest.mark.parametrize(
    ("result", "status", "text"),
    [
        ("text", 200, "text"),
        (("text", 418), 418, "text"),
        ({"a": 1}, 200, '{"a":1}\n'),
        (NotFound("other"), 404, None),
    ],
)
async def test_handlers_return_what_views_do(
    result: Any, status: int, text: str | None
) -> None:
    app = _app()
    app.register_error_handler(KeyError, lambda error: result)
    response = await app.test_client().get("/fail")
    assert response.status_code == status
    assert text is None or await _text(response) == text


def test_unknown_codes_and_instances_cannot_be_registered() -> None:
    app = _app()
    with pytest.raises(ValueError, match="999"):
        app.register_error_handler(999, lambda error: "")
    with pytest.raises(TypeError):
        app.register_error_handler(ValueError(), lambda error: "")
    with pytest.raises((TypeError, ValueError)):
        app.register_error_handler(int, lambda error: "")  # type: ignore[arg-type]


async def test_handler_that_raises_counts_as_unhandled() -> None:
    app = _app()

    @app.errorhandler(404)
    async def handle(error: Exception) -> str:
        raise ValueError("of the handler")

    assert (await app.test_client().get("/none")).status_code == 500


async def test_exception_of_the_500_handler_goes_to_the_server() -> None:
    app = _app()

    @app.errorhandler(500)
    async def handle(error: Exception) -> str:
        raise ValueError("of the handler")

    with pytest.raises(ValueError, match="of the handler"):
        await app.test_client().get("/fail")


async def test_async_and_sync_handlers_know_the_request() -> None:
    app = _app()
    app.register_error_handler(404, lambda error: (request.path, 404))
    assert await _text(await app.test_client().get("/none")) == "/none"
