"""An HTTP request (API of Quart and, where it is awaited, of Flask)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, Self, TypeVar, overload

from werkzeug.datastructures import (
    CombinedMultiDict,
    Headers,
    MultiDict,
    iter_multi_items,
)
from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
)

from .. import json
from ..datastructures import FileStorage, close_file
from ..formparser import FormDataParser
from .base import BaseRequestWebsocket, Later, current_quart
from .body import Body
from .body_timeout import Suspended, within_body_timeout
from .scope_headers import ScopeHeaders

if TYPE_CHECKING:
    from ..typing import ASGIReceiveCallable, HTTPScope

__all__ = ("Body", "Request")

Result = TypeVar("Result")

#: What a pushed request repeats of the headers of its request.
SERVER_PUSH_HEADERS_TO_COPY: Final = {
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "user-agent",
}

#: The limits of forms outside of an app.
DEFAULT_MAX_FORM_MEMORY_SIZE: Final = 500_000
DEFAULT_MAX_FORM_PARTS: Final = 1_000

_BYTE_ORDER_MARK: Final = "\ufeff"


class Request(BaseRequestWebsocket):
    """An HTTP request.

    Everything that comes with the body is awaited: `data`, `form`, `files`, `json`,
    `values`, the `get_` methods and `body` itself. The body is read when it is first
    asked for, and as far as that needs.

    Args:
        method: The method, in any case.
        scheme: `http` or `https`.
        path: The decoded path below the `root_path`.
        query_string: What follows the question mark, undecoded.
        headers: The headers, with the client's address as `Remote-Addr`.
        root_path: The path that the application is mounted under.
        http_version: Such as `1.1` or `2`.
        scope: The ASGI scope.
        max_content_length: Bytes allowed in the body; None means `MAX_CONTENT_LENGTH`
            of the current app.
        body_timeout: Seconds for reading the body, as data, form, files or JSON; None
            for no limit. Iterating over the body is not limited.
        send_push_promise: Sends a push promise, given a path and headers.
    """

    #: Makes the body; given the declared and the allowed length.
    body_class: type[Body] = Body
    #: Parses forms, see `make_form_data_parser`.
    form_data_parser_class: type[FormDataParser] = FormDataParser
    #: Keeps two tasks from parsing the form at once.
    lock_class: Callable[[], AbstractAsyncContextManager[Any]] = asyncio.Lock

    # Any: what made it, see `_of_scope`.
    _connection: Any = None
    _max_content_length: int | EllipsisType | None
    # Defaults on the class, as construction is on the way of every request. The
    # ellipsis stands for what the app is configured to.
    _max_form_memory_size: int | EllipsisType | None = ...
    _max_form_parts: int | EllipsisType | None = ...
    _receive: ASGIReceiveCallable | None = None
    _send_links: Callable[[list[str]], Awaitable[None]] | None
    _body: Body | None = None
    _form: MultiDict[str, str] | None = None
    _files: MultiDict[str, FileStorage] | None = None
    _form_failure: Callable[[], Exception] | None = None
    # By silent; Any: JSON gives any value.
    _cached_json: tuple[Any, Any] = (..., ...)

    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        root_path: str,
        http_version: str,
        scope: HTTPScope,
        *,
        max_content_length: int | None = None,
        body_timeout: float | None = None,
        send_push_promise: Callable[[str, Headers], Awaitable[None]],
    ) -> None:
        super().__init__(
            method,
            scheme,
            path,
            query_string,
            headers,
            root_path,
            http_version,
            scope,
        )
        # The ellipsis stands for what the app is configured to.
        self._max_content_length = (
            ... if max_content_length is None else max_content_length
        )
        self.body_timeout = body_timeout
        self._send_push_promise = send_push_promise

    if not TYPE_CHECKING:
        # For those made of a scope alone. Types and words are those of `__init__`.
        headers = Later(
            lambda self: ScopeHeaders(
                self.scope, self._connection.app.config["SERVER_NAME"]
            )
        )
        body_timeout = Later(lambda self: self._connection.app.config["BODY_TIMEOUT"])
        _max_content_length = Later(
            lambda self: self._connection.app.config["MAX_CONTENT_LENGTH"]
        )
        _send_push_promise = Later(lambda self: self._connection._send_push_promise)
        # None for those that no connection has made.
        _send_links = Later(
            lambda self: getattr(self._connection, "_send_early_hints", None)
        )

    @classmethod
    def _of_scope(cls, scope: Any, path: str, connection: Any, receive: Any) -> Self:
        """Make a request without its `__init__`: all but this is made when read.

        Args:
            scope: The ASGI scope.
            path: The path below the scope's `root_path`, with one leading slash.
            connection: What knows the application and can push.
            receive: Where the body is read from.
        """
        request = cls.__new__(cls)
        request.scope = scope
        request.method = scope["method"].upper()
        request.path = path
        request._connection = connection
        request._receive = receive
        return request

    # Limits

    @property
    def max_content_length(self) -> int | None:
        """Bytes allowed in the body, None for any number; else 413.

        `MAX_CONTENT_LENGTH` of the current app unless set for this request. Counts all
        bytes, whether the body is awaited, parsed or iterated over.
        """
        if self._max_content_length is ...:
            return _configured("MAX_CONTENT_LENGTH", None)
        return self._max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value
        if self._body is not None:
            self._body._set_max_content_length(value)

    @property
    def max_form_memory_size(self) -> int | None:
        """Bytes allowed in all form fields that are no files, None for any number.

        `MAX_FORM_MEMORY_SIZE` of the current app unless set for this request.
        """
        if self._max_form_memory_size is ...:
            return _configured("MAX_FORM_MEMORY_SIZE", DEFAULT_MAX_FORM_MEMORY_SIZE)
        return self._max_form_memory_size

    @max_form_memory_size.setter
    def max_form_memory_size(self, value: int | None) -> None:
        self._max_form_memory_size = value

    @property
    def max_form_parts(self) -> int | None:
        """Fields and files allowed in a form, None for any number.

        `MAX_FORM_PARTS` of the current app unless set for this request.
        """
        if self._max_form_parts is ...:
            return _configured("MAX_FORM_PARTS", DEFAULT_MAX_FORM_PARTS)
        return self._max_form_parts

    @max_form_parts.setter
    def max_form_parts(self, value: int | None) -> None:
        self._max_form_parts = value

    # Headers

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that a reconnecting `EventSource` has received.

        None for one that has received none. The header holds UTF-8, and no browser
        sends an empty one (HTML standard, 9.2.3).
        """
        value = self.headers.get("Last-Event-ID")
        if not value:
            return None
        return value.encode("latin-1", "replace").decode("utf-8", "replace")

    # The body

    @property
    def body(self) -> Body:
        """The body: `await` all of it, or iterate over it with `async for`."""
        body = self._body
        if body is None:
            body = self.body_class(self.content_length, self.max_content_length)
            if self._receive is not None:
                body.set_source(self._receive)
            self._body = body
        return body

    @body.setter
    def body(self, value: Body) -> None:
        self._body = value

    def _arrived_body(self) -> Body | None:
        """Make the body of what has arrived, if that is all and the server gives it.

        Our own server does, on the object that its `receive` is bound to; see
        docs/design.md, "The lane".
        """
        receive = self._receive
        take = getattr(getattr(receive, "__self__", None), "take_whole_body", None)
        if take is None or receive is None or type(self).body is not Request.body:
            return None
        data = take()
        if data is None:
            return None
        body = self._body = self.body_class(len(data), self.max_content_length)
        body.set_source(receive)
        body.set_result(data)
        return body

    def set_receive(self, receive: ASGIReceiveCallable) -> None:
        """Read the body from the ASGI callable `receive`, when it is first needed."""
        self._receive = receive
        if self._body is not None:
            self._body.set_source(receive)

    @property
    async def stream(self) -> NoReturn:
        """Not there: a synchronous stream cannot wait for data.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "A request has no stream in Quart: use 'async for chunk in request.body', "
            "or 'await request.get_data()' for all of it"
        )

    @property
    async def data(self) -> bytes:
        """All of the body, empty if it was parsed as a form."""
        return await self.get_data(as_text=False, parse_form_data=True)

    @overload
    async def get_data(
        self,
        cache: bool = ...,
        as_text: Literal[False] = ...,
        parse_form_data: bool = ...,
    ) -> bytes: ...

    @overload
    async def get_data(
        self, cache: bool, as_text: Literal[True], parse_form_data: bool = ...
    ) -> str: ...

    @overload
    async def get_data(
        self,
        cache: bool = ...,
        *,
        as_text: Literal[True],
        parse_form_data: bool = ...,
    ) -> str: ...

    @overload
    async def get_data(
        self, cache: bool = ..., as_text: bool = ..., parse_form_data: bool = ...
    ) -> str | bytes: ...

    async def get_data(
        self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False
    ) -> str | bytes:
        """Return all of the body.

        Args:
            cache: Keep it, so that it can be read again.
            as_text: Decode it as UTF-8.
            parse_form_data: Parse a form first. Multipart data is consumed by that.

        Raises:
            ClientDisconnectedError: The client left before the end.
            RequestEntityTooLarge: There is more than `max_content_length`.
            RequestTimeout: It took longer than `body_timeout`.
            UnicodeDecodeError: Text was asked for and it is no UTF-8.
        """
        if parse_form_data:
            await self._load_form_data()
        body = self._body or self._arrived_body() or self.body
        if body._ended and type(body) is Body:
            data = body.read_arrived()
        elif self.body_timeout is None:
            data = await body.read()
        else:
            data = await within_body_timeout(self.body_timeout, body.read())
        if not cache:
            body.clear()
        return data.decode() if as_text else data

    # Any: what coroutines exchange with their event loop.
    async def _in_time(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        if self.body_timeout is None:
            return await coroutine
        return await within_body_timeout(self.body_timeout, coroutine)

    # Forms

    @property
    async def values(self) -> CombinedMultiDict[str, str]:
        """The parameters of the URL and, unless the method is GET, of the form."""
        sources = [_as_multi_dict(self.args)]
        if self.method != "GET":
            sources.append(_as_multi_dict(await self.form))
        return CombinedMultiDict(sources)

    @property
    async def form(self) -> MultiDict[str, str]:
        """The fields of the form that are no files, empty if there is no form.

        Raises:
            RequestEntityTooLarge: A limit of forms or of the body is exceeded.
            RequestTimeout: It took longer than `body_timeout`.
        """
        await self._load_form_data()
        if self._form is None:
            return self.parameter_storage_class()
        return self._form

    @property
    async def files(self) -> MultiDict[str, FileStorage]:
        """The uploaded files by field name; they are closed after the request.

        Raises:
            RequestEntityTooLarge: A limit of forms or of the body is exceeded.
            RequestTimeout: It took longer than `body_timeout`.
        """
        await self._load_form_data()
        if self._files is None:
            return self.parameter_storage_class()
        return self._files

    def make_form_data_parser(self) -> FormDataParser:
        """Return the parser for the form, with this request's limits."""
        return self.form_data_parser_class(
            max_content_length=self.max_content_length,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
        )

    @cached_property
    def _parsing_lock(self) -> AbstractAsyncContextManager[Any]:
        return self.lock_class()

    async def _load_form_data(self) -> None:
        """Parse the form, once."""
        if self._form is not None:
            return
        if "_parsing_lock" not in self.__dict__:
            # No other task can ask before this one waits for the first time, and a
            # form that has arrived is parsed without that.
            parsing = self._parse_form()
            try:
                yielded = parsing.send(None)
            except StopIteration:
                return
            async with self._parsing_lock:
                await Suspended(parsing, yielded)
            return
        async with self._parsing_lock:
            if self._form is None:
                await self._parse_form()

    async def _parse_form(self) -> None:
        if self._form_failure is not None:
            raise self._form_failure()
        parser = self.make_form_data_parser()
        body = self._body or self._arrived_body() or self.body
        parsing = parser.parse(
            body, self.mimetype, self.content_length, self.mimetype_params
        )
        # Whatever ends the parsing has consumed a part of the body, and parsing the
        # rest of it would give a wrong form: asked again the answer is the same.
        self._form_failure = RequestTimeout
        try:
            self._form, self._files = await self._in_time(parsing)
        except RequestEntityTooLarge:
            self._form_failure = RequestEntityTooLarge
            raise
        self._form_failure = None

    async def close(self) -> None:
        """Close the uploaded files. Called when the request is torn down."""
        if self._files:
            for _, file in iter_multi_items(self._files):
                await close_file(file)

    # JSON

    @property
    async def json(self) -> Any:
        """The body as JSON, see `get_json`."""
        return await self.get_json()

    async def get_json(
        self, force: bool = False, silent: bool = False, cache: bool = True
    ) -> Any:
        """Return the value that the body holds as JSON.

        None if the content type is not one of JSON; a body of another type is not read
        as JSON unless forced, since any web page can send that anywhere.

        Args:
            force: Do not look at the content type.
            silent: Return None for a body that is no JSON.
            cache: Return the same value when called again.

        Raises:
            BadRequest: The body is no JSON, by `on_json_loading_failed`.
            RequestEntityTooLarge: There is more than `max_content_length`.
            RequestTimeout: It took longer than `body_timeout`.
        """
        if cache and self._cached_json[silent] is not ...:
            return self._cached_json[silent]
        if not (force or self.is_json):
            return None
        data = await self.get_data(cache=cache)
        try:
            value = self._load_json(data)
        # Depth is not counted by every JSON library: RecursionError.
        except (ValueError, RecursionError) as error:
            value = None if silent else self.on_json_loading_failed(error)
            if cache:
                loud, quiet = self._cached_json
                self._cached_json = (loud, value) if silent else (value, quiet)
        else:
            if cache:
                self._cached_json = (value, value)
        return value

    # Any: JSON gives any value.
    def _load_json(self, data: bytes) -> Any:
        # JSON between systems is UTF-8 (RFC 8259, 8.1); a mark may be ignored. Text is
        # handed on since loads() would also take UTF-16 and UTF-32.
        text = data.decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
        module = self.json_module
        if module is json and (app := current_quart()) is not None:
            module = app.json
        loads = getattr(module, "loads_strict", None) or module.loads
        return loads(text)

    # Any: what an override returns becomes the value.
    def on_json_loading_failed(
        self, error: Exception | None = None, *, e: Exception | None = None
    ) -> Any:
        """Decide on a body that is no JSON; what this returns is taken for its value.

        Args:
            error: What was wrong, None for a content type that is not one of JSON.
            e: Flask's name for it.

        Raises:
            BadRequest: Always, with the cause in its text if the app is in debug mode.
            UnsupportedMediaType: Instead, if there is no error.
        """
        error = error or e
        if error is None:
            raise UnsupportedMediaType(
                f"JSON was expected, not {self.mimetype or 'a body of no type'}: send "
                "it with the Content-Type 'application/json'"
            )
        app = current_quart()
        if app is not None and app.debug:
            raise BadRequest(f"Failed to decode JSON object: {error}") from error
        raise BadRequest from error

    # Server push

    async def send_push_promise(self, path: str) -> None:
        """Have the server push what is at a path, if it and the client can.

        The pushed request has this one's headers that content negotiation uses.

        Args:
            path: The path, with the root path of the application.
        """
        headers = Headers()
        for name in sorted(SERVER_PUSH_HEADERS_TO_COPY):
            for value in self.headers.getlist(name):
                headers.add(name, value)
        await self._send_push_promise(path, headers)

    async def send_early_hints(self, *links: str) -> None:
        """Tell the client what the response will need, while it is being made.

        Sends a response 103 ahead of the real one (RFC 8297), if the server can; call
        it before the view returns.

        ::

            await request.send_early_hints("</style.css>; rel=preload; as=style")

        Args:
            links: Values of the header Link (RFC 8288).
        """
        if links and self._send_links is not None:
            await self._send_links(list(links))


def _as_multi_dict(values: Mapping[str, str]) -> MultiDict[str, str]:
    """Allow a `parameter_storage_class` that is any dict."""
    return values if isinstance(values, MultiDict) else MultiDict(values)


def _configured(key: str, outside: int | None) -> int | None:
    """Return a limit as the current app has it, `outside` if there is no app."""
    app = current_quart()
    if app is None:
        return outside
    value: int | None = app.config[key]
    return value
