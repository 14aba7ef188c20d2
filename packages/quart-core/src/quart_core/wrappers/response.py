"""The response: status, headers and a body (API of Quart and Flask)."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from types import EllipsisType
from typing import Any, Final, Self, TypeAlias, TypeVar, cast
from urllib.parse import urljoin

from quart_contexts.globals import _cv_app
from werkzeug.datastructures import Headers
from werkzeug.http import generate_etag
from werkzeug.sansio.request import Request as SansIORequest
from werkzeug.sansio.response import Response as SansIOResponse
from werkzeug.utils import get_content_type

from ..conditional import NOT_MODIFIED, evaluate
from ..cookies import make_cookie
from ..headers import encode_headers
from ..threads import is_coroutine_callable, run_sync
from .body_access import BodyAccess
from .file_body import FileBody, IOBody
from .range_response import apply_range
from .response_body import (
    DataBody,
    IterableBody,
    ResponseBody,
    _raise_if_invalid_range,
    encode_chunk,
)
from .response_stream import ResponseStream

__all__ = (
    "DataBody",
    "FileBody",
    "IOBody",
    "IterableBody",
    "Response",
    "ResponseBody",
    "_raise_if_invalid_range",
)

BodyValue: TypeAlias = (
    ResponseBody
    | str
    | bytes
    | bytearray
    | memoryview
    | Iterable[str | bytes]
    | AsyncIterable[str | bytes]
)
HeadersValue: TypeAlias = Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]]
CloseCallback = TypeVar("CloseCallback", bound=Callable[[], object])

# RFC 9110, 15.4.5: a 304 carries what identifies the content, not what describes it.
_NOT_IN_304: Final = (
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Range",
)


class Response(BodyAccess):
    """What a view answers with.

    Args:
        response: Text, bytes, an iterable or an asynchronous iterable of these, a
            `ResponseBody`, or None for an empty body.
        status: A code, or a code with a reason; `default_status` if None.
        headers: A mapping or pairs.
        mimetype: The content type without its parameters, `default_mimetype` if None.
        content_type: The whole content type, instead of `mimetype`.
        direct_passthrough: Only kept, for code that was written for Flask.
        timeout: See the attribute.

    Attributes:
        response: The body.
        timeout: Seconds that sending the response may take; None means for ever, the
            ellipsis means ``app.config["RESPONSE_TIMEOUT"]``.
    """

    autocorrect_location_header = False
    """Whether a relative Location is made absolute before sending."""

    default_mimetype = "text/html"

    file_body_class: type[FileBody] = FileBody
    io_body_class: type[IOBody] = IOBody
    iterable_body_class: type[IterableBody] = IterableBody

    timeout: float | EllipsisType | None = ...
    direct_passthrough = False

    _close_callbacks: tuple[Callable[[], object], ...] = ()
    _push_promises: set[str] | None = None

    # Defaults on the class, as construction is on the way of every request.
    _status = "200 OK"
    _status_code = 200
    _mimetype: str | None = None
    _headers: Headers | None = None
    _body: ResponseBody | None = None
    #: The body as it was given, where it was given as text or bytes.
    _data: bytes | None = None
    #: Whether a subclass leaves to this class what is sent.
    _sent_as_made = True

    def __init__(
        self,
        response: BodyValue | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: HeadersValue | None = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
        *,
        timeout: float | EllipsisType | None = ...,
    ) -> None:
        kind = type(response)
        if headers is None and content_type is None and type(status) in _PLAIN_STATUS:
            # What werkzeug's own __init__ comes to, without its look-ups; the headers
            # are made when they are first read, and most never are.
            code = self.default_status if status is None else status
            if code != 200:
                self._status, self._status_code = _plain_status(code)
            if mimetype is not None:
                # Refuses what is none.
                _content_type_header(mimetype)
                self._mimetype = mimetype
            if kind is str:
                self._data = response.encode()  # type: ignore[union-attr]
            elif kind is bytes:
                self._data = cast("bytes", response)
            else:
                self._set_first_body(response)
        else:
            super().__init__(status, headers, mimetype, content_type)
            self._set_first_body(response)
        if direct_passthrough:
            self.direct_passthrough = True
        if timeout is not ...:
            self.timeout = timeout

    def _set_first_data(self, data: bytes) -> None:
        self.response = self.data_body_class(data)
        if self.automatically_set_content_length:
            self.headers.set("Content-Length", str(len(data)))

    def _set_first_body(self, response: BodyValue | None) -> None:
        if isinstance(response, ResponseBody):
            self.response = response
        elif response is None:
            self._set_first_data(b"")
        elif isinstance(response, (str, bytes, bytearray, memoryview)):
            self._set_first_data(encode_chunk(response))
        else:
            body = self.iterable_body_class(response)
            self.response = body  # pyright: ignore[reportIncompatibleVariableOverride]

    # What is made when it is first read. A response that nobody touched is sent
    # without either.

    @property
    def headers(self) -> Headers:
        """The headers."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers()
            mimetype = self._mimetype_as_made()
            if mimetype is not None:
                headers._list.append(_content_type_header(mimetype))
            if self._data is not None and self.automatically_set_content_length:
                headers._list.append(("Content-Length", str(len(self._data))))
        return headers

    @headers.setter
    def headers(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, value: Headers
    ) -> None:
        self._headers = value

    @property
    def response(self) -> ResponseBody:
        """The body."""
        body = self._body
        if body is None:
            body = self._body = self.data_body_class(self._data or b"")
        return body

    @response.setter
    def response(self, value: ResponseBody) -> None:
        self._body = value

    def _mimetype_as_made(self) -> str | None:
        mimetype = self._mimetype
        return self.default_mimetype if mimetype is None else mimetype

    def _untouched_data(self) -> bytes | None:
        """Give the body of a response that is as it was made, else None."""
        if self._headers is None and self._body is None and self._sent_as_made:
            return self._data
        return None

    def _headers_as_made(self, length: int) -> list[tuple[bytes, bytes]]:
        """Give the headers of an untouched response, as ASGI takes them."""
        mimetype = self._mimetype_as_made()
        headers = []
        if mimetype is not None:
            headers.append(_encoded_content_type(mimetype))
        if self.automatically_set_content_length:
            headers.append((b"content-length", b"%d" % length))
        return headers

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._sent_as_made = all(
            getattr(cls, name) is own for name, own in _WHAT_IS_SENT.items()
        )

    @property
    def stream(self) -> ResponseStream:
        """A file object; what is written to it is appended to the body."""
        return ResponseStream(self)

    # The end.

    def call_on_close(self, func: CloseCallback) -> CloseCallback:
        """Have a function called when the response was sent, or could not be.

        It may be a coroutine function; other functions are called in a thread. Can be
        used as a decorator.
        """
        self._close_callbacks = (*self._close_callbacks, func)
        # What is closed is no longer as it was made.
        self._body = self.response
        return func

    async def close(self) -> None:
        """Close the body and run the functions of `call_on_close`, once."""
        await self._close_body()

    @property
    def _must_close(self) -> bool:
        """Whether `_close_body` has anything to do; spares most responses the call."""
        return (
            type(self.response) is not DataBody
            or bool(self._close_callbacks)
            or bool(self._discarded_bodies)
        )

    async def _close_body(self) -> None:
        """Release all that the response holds, whether its body was sent or not.

        Everything is closed, whatever fails on the way.
        """
        bodies = (*self._discarded_bodies, self.response)
        callbacks, self._close_callbacks = self._close_callbacks, ()
        self._discarded_bodies = ()
        steps: list[Callable[[], Awaitable[object]]] = [body.aclose for body in bodies]
        steps += [_awaitable(func) for func in callbacks]
        errors = []
        for step in steps:
            try:
                await step()
            except BaseException as error:  # noqa: BLE001 - raised below
                errors.append(error)
        _raise_together(errors)

    # Conditional answers.

    async def freeze(self) -> None:
        """Make the response complete: body in memory, Content-Length and ETag."""
        await self.make_sequence()
        self.headers["Content-Length"] = str(len(await self._joined()))
        await self.add_etag()

    async def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Set an ETag made from the body.

        Args:
            overwrite: Also if there is one.
            weak: Make it a weak one (RFC 9110, 8.8.1).
        """
        if overwrite or "etag" not in self.headers:
            self.set_etag(generate_etag(await self.get_data()), weak)

    async def make_conditional(
        self,
        request: SansIORequest,
        accept_ranges: bool | str = False,
        complete_length: int | None = None,
    ) -> Self:
        """Answer with 304, 412 or 206 where the request asks for it (RFC 9110, 13, 14).

        Only successful answers to GET and HEAD change, ranges are for GET alone.

        Args:
            request: Whose preconditions and Range are looked at.
            accept_ranges: Whether Range is respected; ``"bytes"`` means True and
                ``"none"`` False.
            complete_length: The length of a body that does not know it. Where it is
                given, Range is respected in any case, as in Quart, and units other
                than bytes are refused.

        Raises:
            RequestedRangeNotSatisfiable: Nothing of what was asked for is there, or
                too many parts were asked for.
        """
        # RFC 9110, 13.2.1: not where the answer would be no success anyway.
        if request.method not in {"GET", "HEAD"} or not 200 <= self.status_code < 300:
            return self
        status = evaluate(request.headers, self.headers)
        if status is not None:
            self._become(status)
        elif request.method != "GET":
            pass
        elif accept_ranges in {True, "bytes"}:
            await apply_range(self, request.headers, complete_length)
        elif complete_length is not None:
            await apply_range(
                self, request.headers, complete_length, refuse_other_units=True
            )
        return self

    def _become(self, status: int) -> None:
        self.status_code = status
        if status == NOT_MODIFIED:
            self.set_data(b"")
            for name in _NOT_IN_304:
                self.headers.remove(name)

    # Headers.

    def set_cookie(
        self,
        key: str,
        value: str = "",
        max_age: timedelta | int | None = None,
        expires: str | datetime | float | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
    ) -> None:
        """Add a Set-Cookie header; see werkzeug's method for the attributes.

        Raises:
            ValueError: The key or an attribute holds characters that would end it.
        """
        cookie = make_cookie(
            key,
            value,
            max_age,
            expires,
            path,
            domain,
            secure,
            httponly,
            samesite,
            partitioned,
            max_size=self.max_cookie_size,
        )
        self.headers.add("Set-Cookie", cookie)

    @property
    def max_cookie_size(self) -> int:  # type: ignore[override]
        """The size over which a cookie is warned about: the app's MAX_COOKIE_SIZE."""
        context = _cv_app.get(None)
        if context is not None:
            # The context knows its application as a protocol only.
            size: int = context.app.config["MAX_COOKIE_SIZE"]  # type: ignore[attr-defined]
            return size
        return SansIOResponse.max_cookie_size

    def _correct_location(self, base_url: str) -> None:
        """Make Location absolute, if `autocorrect_location_header` asks for it."""
        location = self.headers.get("Location")
        if self.autocorrect_location_header and location is not None:
            self.headers["Location"] = urljoin(base_url, location)

    @property
    def push_promises(self) -> set[str]:
        """Paths that the server is to push along; API of Quart before 0.8."""
        if self._push_promises is None:
            self._push_promises = set()
            self._body = self.response
        return self._push_promises


#: What a subclass may replace so that it is sent otherwise.
_WHAT_IS_SENT: Final = {
    name: getattr(Response, name)
    for name in ("headers", "response", "status_code", "_must_close", "_close_body")
}

_PLAIN_STATUS: Final = frozenset({int, type(None)})


# Any bool or enumeration goes the long way: 1 == True would share a place here.
@lru_cache(maxsize=256)
def _plain_status(code: int) -> tuple[str, int]:
    made = SansIOResponse(code)
    return made.status, made.status_code


@lru_cache(maxsize=256)
def _content_type_header(mimetype: str) -> tuple[str, str]:
    # Through Headers for its checks.
    (header,) = Headers([("Content-Type", get_content_type(mimetype, "utf-8"))])
    return header


@lru_cache(maxsize=256)
def _encoded_content_type(mimetype: str) -> tuple[bytes, bytes]:
    (header,) = encode_headers(Headers([_content_type_header(mimetype)]))
    return header


# Any: whether the result is awaitable is found out here.
def _awaitable(func: Callable[[], Any]) -> Callable[[], Awaitable[object]]:
    return func if is_coroutine_callable(func) else run_sync(func)


def _raise_together(errors: list[BaseException]) -> None:
    if not errors:
        return
    if len(errors) == 1:
        raise errors[0]
    together = BaseExceptionGroup("Several things failed while closing", errors)
    for error in errors:
        if isinstance(error, asyncio.CancelledError):
            # A cancellation must stay one, or the task would go on.
            raise error from together
    raise together
