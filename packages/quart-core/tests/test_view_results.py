"""Return values of views: what becomes which response."""

from __future__ import annotations

import dataclasses
from collections import UserDict
from http import HTTPStatus
from typing import Any

import pytest
from core_driver import Answer, Driver
from quart_core import Quart, Response, make_response
from werkzeug.datastructures import Headers
from werkzeug.exceptions import ImATeapot, NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

HTML = "text/html; charset=utf-8"
JSON = "application/json"


async def answer_to(result: Any, *, sync: bool = False) -> Answer:
    """Return the answer of an app whose view returns the result."""
    app = Quart(__name__)
    app.testing = True

    async def view() -> Any:
        return result() if callable(result) and not isinstance(result, type) else result

    app.add_url_rule("/", view_func=view)
    return await Driver(app).get("/")


class SubDict(dict[str, int]):
    """A dict of its own."""


@pytest.mark.parametrize(
    ("result", "content_type", "body"),
    [
        ("text", HTML, b"text"),
        ("", HTML, b""),
        ("ä", HTML, b"\xc3\xa4"),
        (b"bytes", HTML, b"bytes"),
        (bytearray(b"array"), HTML, b"array"),
        ({"b": 1, "a": 2}, JSON, b'{"a":2,"b":1}\n'),
        ({}, JSON, b"{}\n"),
        (SubDict(x=1), JSON, b'{"x":1}\n'),
        ([1, 2], JSON, b"[1,2]\n"),
        ([], JSON, b"[]\n"),
    ],
)
async def test_values_become_bodies(
    result: Any, content_type: str, body: bytes
) -> None:
    answer = await answer_to(lambda: result)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Content-Length"] == str(len(body))
    assert answer.body == body


async def test_json_is_indented_in_debug_mode() -> None:
    app = Quart(__name__)
    app.debug = True

    @app.get("/")
    async def view() -> dict[str, int]:
        return {"a": 1}

    assert (await Driver(app).get("/")).body == b'{\n  "a": 1\n}\n'


async def test_generators_are_streamed_without_a_length() -> None:
    def sync_items() -> Any:
        yield "one"
        yield b"two"

    async def async_items() -> Any:
        yield "one"
        yield b"two"

    for items in (sync_items, async_items):
        answer = await answer_to(lambda items=items: items())
        assert answer.body == b"onetwo"
        assert answer.headers["Content-Type"] == HTML
        assert "Content-Length" not in answer.headers
        assert [message["type"] for message in answer.messages] == [
            "http.response.start",
            "http.response.body",
            "http.response.body",
            "http.response.body",
        ]


async def test_responses_pass_unchanged() -> None:
    answer = await answer_to(lambda: Response("ours", 201, {"X-A": "1"}))
    assert (answer.status, answer.text, answer.headers["X-A"]) == (201, "ours", "1")
    answer = await answer_to(lambda: WerkzeugResponse("theirs", 202))
    assert (answer.status, answer.text) == (202, "theirs")


async def test_a_returned_http_exception_is_its_page() -> None:
    answer = await answer_to(lambda: NotFound())
    assert answer.status == 404
    assert answer.headers["Content-Type"] == HTML
    assert "Not Found" in answer.text


@pytest.mark.parametrize(
    ("given", "status"),
    [(201, 201), ("201", 201), (HTTPStatus.CREATED, 201), (None, 200)],
)
async def test_a_tuple_may_set_the_status(given: Any, status: int) -> None:
    answer = await answer_to(lambda: ("x", given))
    assert (answer.status, answer.text) == (status, "x")


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "1"}, [("X-A", "1")], Headers({"X-A": "1"})],
    ids=["dict", "pairs", "Headers"],
)
async def test_a_tuple_may_set_headers(headers: Any) -> None:
    answer = await answer_to(lambda: ("x", headers))
    assert (answer.status, answer.headers["X-A"]) == (200, "1")
    answer = await answer_to(lambda: ("x", 202, headers))
    assert (answer.status, answer.headers["X-A"]) == (202, "1")


async def test_headers_of_a_tuple_replace_those_of_the_response() -> None:
    answer = await answer_to(
        lambda: (Response("x", headers={"X-A": "old"}), 202, {"X-A": "new"})
    )
    assert answer.status == 202
    assert answer.headers.getlist("X-A") == ["new"]


async def test_repeated_pairs_keep_the_last_and_a_list_value_keeps_all() -> None:
    answer = await answer_to(lambda: ("x", [("X-A", "1"), ("X-A", "2")]))
    assert answer.headers.getlist("X-A") == ["2"]
    answer = await answer_to(lambda: ("x", {"X-A": ["1", "2"]}))
    assert answer.headers.getlist("X-A") == ["1", "2"]


@dataclasses.dataclass
class Point:
    """A dataclass is no response."""

    x: int


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (1, "int"),
        (1.5, "float"),
        (True, "bool"),
        ({1, 2}, "set"),
        (Point(1), "Point"),
        (UserDict(a=1), "UserDict"),
        (range(3), "range"),
        (("only",), "tuple of 1"),
        (("a", 1, {}, 4), "tuple of 4"),
        ((), "tuple of 0"),
    ],
)
async def test_other_values_are_refused_with_their_type(result: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        await answer_to(lambda: result)


@pytest.mark.parametrize("result", [None, (None, 204), (None, 200, {"X-A": "1"})])
async def test_none_is_refused_with_the_name_of_the_view(result: Any) -> None:
    with pytest.raises(TypeError, match=r"view"):
        await answer_to(lambda: result)


async def test_a_status_with_a_reason_is_refused_in_a_tuple() -> None:
    with pytest.raises(ValueError, match="201 Made"):
        await answer_to(lambda: ("x", "201 Made"))


async def test_a_forgotten_await_is_explained() -> None:
    async def render() -> str:
        return "page"

    with pytest.raises(TypeError, match=r"await"):
        await answer_to(render)


async def test_make_response_packs_what_it_is_given() -> None:
    app = Quart(__name__)
    async with app.app_context():
        assert await (await make_response()).get_data() == b""
        response = await make_response("x", 202, {"X-A": "1"})
        assert response.status_code == 202
        assert response.headers["X-A"] == "1"
        response = await app.make_response(rv="flask's name")
        assert await response.get_data(as_text=True) == "flask's name"


@pytest.mark.parametrize("status", [204, 304])
async def test_statuses_without_a_body_send_none(status: int) -> None:
    answer = await answer_to(lambda: ("ignored", status))
    assert answer.status == status
    assert answer.body == b""


async def test_head_is_answered_without_a_body_but_with_its_length() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        return "12345"

    answer = await Driver(app)("HEAD", "/")
    assert answer.body == b""
    assert answer.headers["Content-Length"] == "5"


async def test_a_teapot_keeps_its_description() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        raise ImATeapot("short and stout")

    answer = await Driver(app).get("/")
    assert answer.status == 418
    assert "short and stout" in answer.text
