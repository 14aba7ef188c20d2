"""Return values of views."""

from __future__ import annotations

import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from inspect import isfunction
from typing import Any

import pytest
from quart import Quart, Response, make_response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

HTML = "text/html; charset=utf-8"
JSON = "application/json"


def _app_of(view: Any, **options: Any) -> Quart:
    app = Quart("results")
    app.logger.setLevel(logging.CRITICAL)
    app.add_url_rule("/", "view", view, **options)
    return app


async def _answer(result: Any, method: str = "GET") -> Response:
    async def view() -> Any:
        return result() if isfunction(result) else result

    return await _app_of(view).test_client().open("/", method=method)


class DictChild(dict):  # type: ignore[type-arg]
    pass


class ListChild(list):  # type: ignore[type-arg]
    pass


@pytest.mark.parametrize(
    ("result", "kind", "body"),
    [
        ("text ü", HTML, "text ü".encode()),
        ("", HTML, b""),
        (b"\x00\xff", HTML, b"\x00\xff"),
        (bytearray(b"abc"), HTML, b"abc"),
        ({"b": 1, "a": [2]}, JSON, b'{"a":[2],"b":1}\n'),
        ({}, JSON, b"{}\n"),
        ([1, "x"], JSON, b'[1,"x"]\n'),
        ([], JSON, b"[]\n"),
        (DictChild(a=1), JSON, b'{"a":1}\n'),
        (ListChild([1]), JSON, b"[1]\n"),
    ],
)
async def test_value_with_its_type_and_length(
    result: Any, kind: str, body: bytes
) -> None:
    response = await _answer(result)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Length"] == str(len(body))
    assert await response.get_data() == body


async def test_json_is_indented_in_debug() -> None:
    async def view() -> dict[str, int]:
        return {"a": 1}

    app = _app_of(view)
    app.debug = True
    response = await app.test_client().get("/")
    assert await response.get_data() == b'{\n  "a": 1\n}\n'


async def test_generators_are_streamed_without_a_length() -> None:
    threads = []

    def sync() -> Iterator[str | bytes]:
        threads.append(threading.current_thread())
        yield "a"
        yield b"b"

    async def asynchronous() -> AsyncIterator[str | bytes]:
        yield "a"
        yield b"b"

    for generator in (sync, asynchronous):
        response = await _answer(generator)
        assert await response.get_data() == b"ab"
        assert "Content-Length" not in response.headers
        assert response.headers["Content-Type"] == HTML
    assert threading.main_thread() not in threads


async def test_responses_are_passed_on_unchanged() -> None:
    response = await _answer(Response("x", 418, {"X-A": "1"}))
    assert (response.status_code, response.headers["X-A"]) == (418, "1")
    response = await _answer(WerkzeugResponse("w", 201, {"X-B": "2"}))
    assert (response.status_code, response.headers["X-B"]) == (201, "2")
    assert await response.get_data() == b"w"


async def test_http_exception_is_its_page() -> None:
    response = await _answer(NotFound("gone"))
    assert (response.status_code, response.headers["Content-Type"]) == (404, HTML)
    assert b"gone" in await response.get_data()


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (("x", 201), 201),
        (("x", "201"), 201),
        (("x", HTTPStatus.CREATED), 201),
        (("x", None), 200),
        (("x", None, {"X-A": "1"}), 200),
        (("x", 201, {"X-A": "1"}), 201),
        (("x", 201, [("X-A", "1")]), 201),
        (("x", {"X-A": "1"}), 200),
        (("x", Headers({"X-A": "1"})), 200),
        ((Response("x", 202), 201), 201),
        (({"a": 1}, 201), 201),
    ],
)
async def test_tuples(result: Any, status: int) -> None:
    response = await _answer(result)
    assert response.status_code == status
    if len(result) == 3 or isinstance(result[1], dict | Headers):
        assert response.headers["X-A"] == "1"


async def test_headers_replace_those_of_the_response() -> None:
    response = await _answer(("x", {"Content-Type": "text/plain"}))
    assert response.headers.getlist("Content-Type") == ["text/plain"]


@pytest.mark.parametrize(
    ("headers", "values"),
    [
        ([("X-A", "1"), ("X-A", "2")], {"2"}),
        ({"X-A": ["1", "2"]}, {"1", "2"}),
    ],
)
async def test_repeated_headers(headers: Any, values: set[str]) -> None:
    response = await _answer(("x", headers))
    assert set(response.headers.getlist("X-A")) == values


@dataclass
class Record:
    a: int = 1


@pytest.mark.parametrize(
    "result",
    [
        None,
        (None, 204),
        (),
        ("x",),
        ("x", 200, {}, 4),
        1,
        1.5,
        True,
        {1, 2},
        Record(),
        range(3),
        iter(["a"]),
        object(),
    ],
    ids=lambda result: type(result).__name__,
)
async def test_what_is_no_response_is_a_type_error(result: Any) -> None:
    async def view() -> Any:
        return result

    app = _app_of(view)
    app.testing = True
    with pytest.raises(TypeError):
        await app.test_client().get("/")
    app.testing = False
    assert (await app.test_client().get("/")).status_code == 500


async def test_status_with_a_reason_in_a_tuple_is_a_value_error() -> None:
    app = _app_of(lambda: ("x", "201 Text"))
    app.testing = True
    with pytest.raises(ValueError, match="201 Text"):
        await app.test_client().get("/")


async def test_make_response_packs_its_arguments() -> None:
    app = Quart("results")
    async with app.app_context():
        empty = await make_response()
        assert (empty.status_code, await empty.get_data()) == (200, b"")
        full = await make_response("x", 201, {"X-A": "1"})
        assert (full.status_code, full.headers["X-A"]) == (201, "1")
        assert (await make_response("x")).status_code == 200


@pytest.mark.parametrize("result", [("", 204), ("", 304)])
async def test_answers_without_a_body(result: Any) -> None:
    response = await _answer(result)
    assert await response.get_data() == b""


async def test_head_is_answered_without_the_body() -> None:
    response = await _answer("text", "HEAD")
    assert response.headers["Content-Length"] == "4"
    assert await response.get_data() == b""


async def test_partials_of_coroutine_functions_are_views() -> None:
    async def view(greeting: str) -> str:
        return greeting

    app = _app_of(partial(view, "hi"))
    response = await app.test_client().get("/")
    assert await response.get_data() == b"hi"


async def test_objects_with_an_asynchronous_call_are_views() -> None:
    class View:
        async def __call__(self) -> str:
            return request.path

    response = await _app_of(View()).test_client().get("/")
    assert await response.get_data() == b"/"


async def test_sync_view_that_returns_a_coroutine_is_a_type_error() -> None:
    async def inner() -> str:
        return ""

    app = _app_of(lambda: inner())
    app.testing = True
    with pytest.raises(TypeError, match="without await"):
        await app.test_client().get("/")


async def test_sync_views_run_in_a_thread_with_the_context_variables() -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    seen: list[threading.Thread] = []

    def view() -> str:
        seen.append(threading.current_thread())
        return f"{variable.get()} {request.path}"

    app = _app_of(view)
    variable.set("set")
    response = await app.test_client().get("/")
    assert (await response.get_data(as_text=True)).endswith(" /")
    assert seen != [threading.main_thread()]
