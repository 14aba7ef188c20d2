"""Response: construction, body access, headers, closing.

The rows of the table "Response" are grouped under headings of the same words.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quart_contexts.globals import _cv_app
from quart_core.headers import encode_headers
from quart_core.wrappers.response import (
    DataBody,
    FileBody,
    IOBody,
    IterableBody,
    Response,
    ResponseBody,
)
from werkzeug.datastructures import Headers
from werkzeug.sansio.response import Response as SansIOResponse

HTML = "text/html; charset=utf-8"


async def stream(*items: str | bytes) -> AsyncIterator[str | bytes]:
    for item in items:
        yield item


@contextmanager
def app_context(**config: Any) -> Iterator[None]:
    """Enter the context of an app that has nothing but a configuration."""
    token = _cv_app.set(SimpleNamespace(app=SimpleNamespace(config=config)))  # type: ignore[arg-type]
    try:
        yield
    finally:
        _cv_app.reset(token)


class Closing(IterableBody):
    """A body that counts how often it is closed."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(["x"])
        self.times_closed = 0
        self.error = error

    async def aclose(self) -> None:
        self.times_closed += 1
        if self.error is not None:
            raise self.error


# Response: construction


@pytest.mark.parametrize(
    "value", ["abc", b"abc", bytearray(b"abc"), memoryview(b"abc")]
)
async def test_text_and_bytes_set_content_length(value: Any) -> None:
    response = Response(value)
    assert list(response.headers) == [("Content-Type", HTML), ("Content-Length", "3")]
    assert isinstance(response.response, DataBody)
    assert await response.get_data() == b"abc"


async def test_none_is_empty() -> None:
    response = Response()
    assert response.headers["Content-Length"] == "0"
    assert await response.get_data() == b""


async def test_text_is_sent_as_utf_8() -> None:
    response = Response("ä")
    assert response.headers["Content-Length"] == "2"
    assert await response.get_data() == "ä".encode()


@pytest.mark.parametrize("value", [["a", b"b"], ("a", "b"), iter("ab"), stream("ab")])
async def test_iterables_are_streamed_without_content_length(value: Any) -> None:
    response = Response(value)
    assert isinstance(response.response, IterableBody)
    assert list(response.headers) == [("Content-Type", HTML)]
    assert await response.get_data() == b"ab"


@pytest.mark.parametrize("value", [5, object(), 1.5])
def test_other_values_are_refused_with_their_type(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        Response(value)


async def test_a_body_is_taken_as_it_is() -> None:
    body = DataBody(b"x")
    response = Response(body)
    assert response.response is body
    assert "Content-Length" not in response.headers


def test_flasks_direct_passthrough_is_accepted() -> None:
    assert Response("x", direct_passthrough=True).direct_passthrough is True
    assert Response("x").direct_passthrough is False


def test_the_classes_of_bodies_can_be_replaced() -> None:
    class OwnData(DataBody):
        pass

    class OwnIterable(IterableBody):
        pass

    class OwnResponse(Response):
        data_body_class = OwnData
        iterable_body_class = OwnIterable

    assert isinstance(OwnResponse("x").response, OwnData)
    assert isinstance(OwnResponse(["x"]).response, OwnIterable)
    assert Response.file_body_class is FileBody
    assert Response.io_body_class is IOBody


def test_content_length_can_be_left_to_the_caller() -> None:
    class OwnResponse(Response):
        automatically_set_content_length = False

    response = OwnResponse("x")
    response.set_data("xyz")
    assert "Content-Length" not in response.headers


def test_defaults_of_a_subclass_count() -> None:
    class Teapot(Response):
        default_status = 418
        default_mimetype = "text/plain"

    class Typeless(Response):
        default_mimetype = None  # type: ignore[assignment]

    assert Teapot("x").status == "418 I'M A TEAPOT"
    assert Teapot("x").content_type == "text/plain; charset=utf-8"
    assert list(Typeless("x").headers) == [("Content-Length", "1")]


def test_headers_that_were_given_are_used_and_not_copied() -> None:
    headers = Headers({"X-A": "b"})
    response = Response("x", headers=headers)
    assert response.headers is headers
    assert headers["Content-Length"] == "1"


def test_a_content_length_that_was_given_is_corrected() -> None:
    response = Response("abc", headers={"content-length": "99"})
    assert response.headers.getlist("Content-Length") == ["3"]


def test_a_content_type_that_was_given_as_a_header_stays() -> None:
    response = Response("abc", headers={"content-type": "a/b"})
    assert response.headers.getlist("Content-Type") == ["a/b"]


header_names = st.sampled_from(["X-A", "content-type", "Content-Length", "Vary"])
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9)
statuses = st.one_of(
    st.none(),
    st.integers(100, 999),
    st.sampled_from([True, "200", "201 Made", "Fine", HTTPStatus.NOT_FOUND]),
)


@given(
    st.one_of(st.text(), st.binary()),
    statuses,
    st.one_of(
        st.none(), st.dictionaries(header_names, header_values), st.just(Headers())
    ),
    st.sampled_from([None, "text/plain", "application/json", "a/b; c=d"]),
    st.sampled_from([None, "text/css", "a/b; c=d"]),
)
def test_construction_is_what_werkzeug_makes_of_it(
    body: str | bytes,
    status: Any,
    headers: Any,
    mimetype: str | None,
    content_type: str | None,
) -> None:
    class Reference(SansIOResponse):
        default_mimetype = "text/html"

    expected = Reference(status, headers, mimetype, content_type)
    data = body.encode() if isinstance(body, str) else body
    expected.headers["Content-Length"] = str(len(data))
    made = Response(body, status, headers, mimetype, content_type)
    assert (made.status, made.status_code) == (expected.status, expected.status_code)
    assert list(made.headers) == list(expected.headers)


@pytest.mark.parametrize(
    "arguments",
    [
        {"mimetype": "text/x\r\nX: y"},
        {"content_type": "text/x\r\nX: y"},
        {"headers": {"X": "a\r\nb"}},
        {"headers": [("X", "a\nb")]},
    ],
)
def test_h1_15_line_ends_are_refused_when_they_are_set(
    arguments: dict[str, Any],
) -> None:
    with pytest.raises(ValueError, match="newline"):
        Response("x", **arguments)


@given(st.text(), st.text())
def test_f_48_no_text_of_the_app_begins_another_line(name: str, value: str) -> None:
    response = Response("x")
    try:
        response.headers[name] = value
        response.location = value
        response.set_cookie("k", value, path=value)
        response.mimetype_params["charset"] = value
        encoded = encode_headers(response.headers)
    except (ValueError, UnicodeError):
        return
    for encoded_name, encoded_value in encoded:
        assert not set(b"\r\n\0") & set(encoded_name + encoded_value)


# Response: get_data(as_text), data, json, get_json(force, silent)


async def test_data_is_awaited_as_bytes_and_get_data_also_as_text() -> None:
    response = Response("ä")
    assert await response.data == "ä".encode()
    assert await response.get_data(as_text=True) == "ä"


async def test_streamed_data_stays_readable() -> None:
    response = Response(stream("a", b"b"))
    assert await response.get_data() == b"ab"
    assert await response.get_data() == b"ab"
    assert response.headers["Content-Length"] == "2"


async def test_streamed_data_is_not_read_where_that_is_switched_off() -> None:
    response = Response(stream("a"))
    response.implicit_sequence_conversion = False
    with pytest.raises(RuntimeError, match="make_sequence"):
        await response.get_data()
    await response.make_sequence()
    assert await response.get_data() == b"a"


async def test_get_json_needs_the_type_or_force() -> None:
    assert await Response("[1]", mimetype="application/json").get_json() == [1]
    assert await Response("[1]", mimetype="application/x+json").get_json() == [1]
    assert await Response("[1]").get_json() is None
    assert await Response("[1]").get_json(force=True) == [1]
    assert await Response("[1]", mimetype="application/json").json == [1]


async def test_get_json_is_silent_when_it_is_asked_to_be() -> None:
    response = Response("{", mimetype="application/json")
    assert await response.get_json(silent=True) is None
    with pytest.raises(ValueError, match="Expecting"):
        await response.get_json()


# Response: set_data, data =


@pytest.mark.parametrize("value", ["xyz", b"xyz"])
async def test_set_data_updates_content_length(value: str | bytes) -> None:
    response = Response("a")
    response.set_data(value)
    assert response.headers["Content-Length"] == "3"
    response.data = b"x"  # type: ignore[assignment]
    assert response.headers["Content-Length"] == "1"
    assert await response.get_data() == b"x"


async def test_a_replaced_stream_is_closed_with_the_response() -> None:
    body = Closing()
    response = Response(body)
    response.set_data("x")
    assert response._must_close
    await response._close_body()
    assert body.times_closed == 1


# Response: timeout


def test_timeout_is_the_apps_unless_it_is_set() -> None:
    assert Response("x").timeout is ...
    assert Response("x", timeout=None).timeout is None
    response = Response("x", timeout=3)
    assert response.timeout == 3
    response.timeout = None
    assert response.timeout is None


# Response: add_etag, freeze, make_sequence, iter_encode


async def test_add_etag_makes_one_from_the_body() -> None:
    response = Response("abc")
    await response.add_etag()
    digest = hashlib.sha1(b"abc").hexdigest()
    assert response.headers["ETag"] == f'"{digest}"'
    response.set_data("abcd")
    await response.add_etag()
    assert response.get_etag() == (digest, False)
    await response.add_etag(overwrite=True, weak=True)
    assert response.get_etag() == (hashlib.sha1(b"abcd").hexdigest(), True)


async def test_freeze_makes_the_response_complete() -> None:
    response = Response(stream("a", "b"))
    await response.freeze()
    assert isinstance(response.response, DataBody)
    assert response.headers["Content-Length"] == "2"
    assert "ETag" in response.headers


async def test_make_sequence_reads_a_stream_into_memory() -> None:
    response = Response(stream("a", "b"))
    assert (response.is_sequence, response.is_streamed) == (False, True)
    await response.make_sequence()
    assert (response.is_sequence, response.is_streamed) == (True, False)


@pytest.mark.parametrize("name", ["iter_encode", "iter_encoded"])
async def test_iter_encode_gives_bytes(name: str) -> None:
    response = Response(stream("ä", b"b"))
    assert [item async for item in getattr(response, name)()] == ["ä".encode(), b"b"]


async def test_a_stream_that_fails_is_closed_and_its_error_passed_on() -> None:
    closed = []

    async def broken() -> AsyncIterator[str]:
        try:
            yield "a"
            raise LookupError
        finally:
            closed.append(1)

    response = Response(broken())
    with pytest.raises(LookupError):
        await response.get_data()
    await response._close_body()
    assert closed == [1]


# Response: names that Flask has


def test_the_length_is_known_of_what_is_in_memory() -> None:
    assert Response("abc").calculate_content_length() == 3
    assert Response(["ä", b"b"]).calculate_content_length() == 3
    assert Response(stream("a")).calculate_content_length() is None
    assert Response(["a"]).is_sequence


def test_the_length_is_known_of_files(tmp_path: Any) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    response = Response(FileBody(path))
    assert response.calculate_content_length() == 3
    assert (response.is_sequence, response.is_streamed) == (False, False)


async def test_the_stream_appends() -> None:
    response = Response("a")
    assert response.stream.write("ä") == 2
    response.stream.writelines([b"c", "d"])
    assert await response.get_data(as_text=True) == "aäcd"
    assert response.headers["Content-Length"] == "5"
    assert (response.stream.mode, response.stream.encoding) == ("wb+", "utf-8")
    assert not response.stream.isatty()


def test_a_closed_stream_takes_nothing() -> None:
    opened = Response("a").stream
    opened.close()
    for use in (lambda: opened.write("b"), opened.flush, opened.isatty):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_a_streamed_response_cannot_be_written_to() -> None:
    with pytest.raises(RuntimeError, match="make_sequence"):
        Response(stream("a")).stream.write("b")


def test_location_is_made_absolute_only_where_that_is_asked_for() -> None:
    response = Response(headers={"Location": "/next"})
    response._correct_location("https://example.com/now/")
    assert response.location == "/next"
    response.autocorrect_location_header = True
    response._correct_location("https://example.com/now/")
    assert response.location == "https://example.com/next"


def test_early_quarts_push_promises_are_a_set_of_paths() -> None:
    response = Response("x")
    response.push_promises.add("/style.css")
    response.push_promises.update(["/style.css", "/a.js"])
    assert response.push_promises == {"/style.css", "/a.js"}
    assert Response("x").push_promises == set()


# Response: cookies


def test_cookies_are_those_of_werkzeug_partitioned_included() -> None:
    response = Response("x")
    response.set_cookie("a", "b", partitioned=True, samesite="None")
    assert response.headers.getlist("Set-Cookie") == [
        "a=b; Secure; Path=/; SameSite=None; Partitioned"
    ]
    response.delete_cookie("a")
    assert response.headers.getlist("Set-Cookie")[1] == (
        "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"
    )


def test_st_19_attributes_cannot_be_injected() -> None:
    response = Response("x")
    with pytest.raises(ValueError, match="domain"):
        response.set_cookie("a", domain="example.com; Path=/")
    assert "Set-Cookie" not in response.headers


def test_the_size_over_which_a_cookie_is_warned_about_is_the_apps() -> None:
    response = Response("x")
    assert response.max_cookie_size == 4093
    with app_context(MAX_COOKIE_SIZE=10):
        assert response.max_cookie_size == 10
        with pytest.warns(UserWarning, match="too large"):
            response.set_cookie("name", "x" * 20)


def test_a_cookie_key_beyond_ascii_is_sent_as_utf_8() -> None:
    response = Response("x")
    response.set_cookie("ключ", "1")
    assert encode_headers(response.headers)[-1] == (
        b"set-cookie",
        "ключ=1; Path=/".encode(),
    )


# Response: closing


def test_a_plain_response_has_nothing_to_close() -> None:
    assert not Response("x")._must_close
    assert Response(stream("x"))._must_close


async def test_the_body_is_closed_although_it_was_never_sent() -> None:
    body = Closing()
    await Response(body)._close_body()
    assert body.times_closed == 1


async def test_functions_of_call_on_close_run_once() -> None:
    calls: list[Any] = []
    response = Response("x")

    @response.call_on_close
    async def first() -> None:
        calls.append("first")

    @response.call_on_close
    def second() -> None:
        calls.append(threading.get_ident())

    assert response._must_close
    await response.close()
    await response._close_body()
    assert calls[0] == "first"
    assert calls[1] != threading.get_ident()
    assert len(calls) == 2


async def test_everything_is_closed_whatever_fails() -> None:
    calls = []
    response = Response(Closing(LookupError("body")))
    response.call_on_close(lambda: calls.append(1))
    with pytest.raises(LookupError, match="body"):
        await response._close_body()
    assert calls == [1]


async def test_several_failures_are_raised_together() -> None:
    def fail() -> None:
        raise KeyError("callback")

    response = Response(Closing(LookupError("body")))
    response.call_on_close(fail)
    with pytest.raises(ExceptionGroup) as caught:
        await response._close_body()
    assert [type(error) for error in caught.value.exceptions] == [LookupError, KeyError]


async def test_st_20_a_cancellation_stays_one_when_other_things_fail_too() -> None:
    def fail() -> None:
        raise KeyError("callback")

    response = Response(Closing(asyncio.CancelledError()))
    response.call_on_close(fail)
    with pytest.raises(asyncio.CancelledError):
        await response._close_body()


async def test_a_body_of_somebody_else_can_be_sent() -> None:
    class OwnBody(ResponseBody):
        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_exc_info: object) -> None: ...

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"own"

    response = Response(OwnBody())
    assert await response.get_data() == b"own"
    await response._close_body()
