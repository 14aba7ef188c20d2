"""The test client (API of ``quart.testing.client``, and of Flask's client)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from werkzeug.datastructures import Authorization, Headers

from .client_requests import RequestMaker
from .connections import TestHTTPConnection, TestWebsocketConnection
from .pace import Pace, current_pace
from .preserved import pop_preserved
from .redirects import (
    MAX_REDIRECTS,
    RedirectError,
    RequestArguments,
    follow,
    is_redirect,
)
from .responses import ClientResponse
from .session_transaction import open_session, save_session
from .sync import SyncClient
from .utils import sentinel
from .waits import DEFAULT_WAIT_SECONDS, within

if TYPE_CHECKING:
    from quart_core import Quart
    from quart_core.datastructures import FileStorage
    from quart_core.sessions import SessionMixin

__all__ = ("QuartClient",)


class CookiesDisabledError(RuntimeError, TypeError):
    """A client without cookies has no sessions: an error of Quart's and Flask's."""


class QuartClient(RequestMaker):
    """Makes requests to an application without a server between them.

    Everything is awaited. `async with client` keeps the context of the last request,
    so that `request`, `session` and `g` can be looked at.

    Args:
        app: The application.
        use_cookies: Whether cookies are kept and sent.
        response_wrapper: The class of responses, instead of the application's.
        allow_subdomain_redirects: Whether redirects to other hosts are followed: None
            to any, in the same application, False to none, True to subdomains.
        timeout: Seconds that each step waits for the application.
        check_leaks: Whether each request raises `LeakError` where it leaves tasks,
            contexts, open files or temporary files behind.
        application: Flask's name for `app`.

    Attributes:
        push_promises: Paths and headers that the last request pushed.
    """

    http_connection_class = TestHTTPConnection
    websocket_connection_class = TestWebsocketConnection

    def __init__(
        self,
        app: Quart | None = None,
        use_cookies: bool = True,
        response_wrapper: type[Any] | None = None,
        allow_subdomain_redirects: bool | None = None,
        *,
        timeout: float = DEFAULT_WAIT_SECONDS,
        check_leaks: bool = False,
        application: Quart | None = None,
    ) -> None:
        given = application if app is None else app
        if given is None:
            raise TypeError("QuartClient() needs the application: pass it first")
        self.app = given
        self.cookie_jar: CookieJar | None = CookieJar() if use_cookies else None
        self.response_wrapper = response_wrapper
        self.allow_subdomain_redirects = allow_subdomain_redirects
        self.timeout = timeout
        self.check_leaks = check_leaks
        self.preserve_context = False
        self.push_promises: list[tuple[str, Headers]] = []

    @property
    def application(self) -> Quart:
        """The application; Flask's name for it."""
        return self.app

    async def open(
        self,
        path: str = "/",
        base_url: str | None = None,
        *,
        method: str = "GET",
        headers: dict[str, str] | Headers | None = None,
        data: Any = None,
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, FileStorage] | None = None,
        query_string: Mapping[str, Any] | str | bytes | None = None,
        json: Any = sentinel,
        scheme: str = "http",
        follow_redirects: bool = False,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: Mapping[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
        url_scheme: str | None = None,
        content_type: str | None = None,
        buffered: bool = True,  # noqa: ARG002 - all responses are; Flask's parameter
        timeout: float | None = None,
        chunk_size: int | None = None,
        disconnect_after: int | None = None,
        disconnect_after_sending: int | None = None,
        read_delay: float = 0,
        receive_window: int | None = None,
    ) -> ClientResponse:
        """Make a request and receive its response.

        Args:
            path: The path, with or without a query, or a whole URL.
            base_url: Scheme, host and root path in one, as ``https://example.com/x``.
            method: The method.
            headers: Headers; they win over those that follow from the rest.
            data: The body, as text, bytes or an open file; or a mapping of fields and
                files, which may be tuples (file, name, type).
            form: Fields of a form.
            files: Files by field name, sent together with `form`.
            query_string: A mapping, or the query as it is.
            json: Any value that JSON can hold.
            scheme: ``http`` or ``https``.
            follow_redirects: Make the requests that redirects ask for; see the
                response's `history`.
            root_path: What the application is mounted under, and the path begins with.
                APPLICATION_ROOT is put in front of the path where this is empty.
            http_version: ``1.0``, ``1.1``, ``2`` or ``3``.
            scope_base: Entries for the ASGI scope.
            auth: A name and a password, or an `Authorization`.
            subdomain: Put in front of the host.
            url_scheme: Flask's name for `scheme`.
            content_type: The type of the body.
            buffered: Accepted for Flask's sake; responses are always complete.
            timeout: Seconds that each step waits for the application.
            chunk_size: Send the body in parts of this size.
            disconnect_after: Leave after so many bytes of the response, whose
                `is_complete` is False then.
            disconnect_after_sending: Leave after so many bytes of the request.
            read_delay: Seconds before each reading, as of a slow client.
            receive_window: Bytes unread before the application's sending waits.

        Raises:
            HTTPDisconnectError: There was no response.
            RedirectError: Redirects went in circles, or to another host.
            StillWaitingError: The application did not answer in time.
            ValueError: Arguments contradict each other.
            Exception: What the application failed with, where exceptions propagate
                (TESTING, DEBUG, PROPAGATE_EXCEPTIONS).
        """
        pace = Pace(
            chunk_size,
            disconnect_after,
            disconnect_after_sending,
            read_delay,
            receive_window,
            timeout,
        )
        all_headers = Headers() if headers is None else Headers(headers)
        if content_type is not None:
            all_headers["Content-Type"] = content_type
        arguments = RequestArguments(
            path,
            method,
            all_headers,
            data,
            form,
            files,
            query_string,
            json,
            url_scheme or scheme,
            root_path,
            http_version,
            scope_base,
            auth,
            subdomain,
        )
        if base_url is not None:
            arguments = self._based_on(base_url, arguments)
        token = current_pace.set(pace)
        try:
            return await self._open(arguments, follow_redirects=follow_redirects)
        finally:
            current_pace.reset(token)

    async def _open(
        self, arguments: RequestArguments, *, follow_redirects: bool
    ) -> ClientResponse:
        self.push_promises = []
        history: list[ClientResponse] = []
        while True:
            response = await self._make(arguments)
            if isinstance(response, ClientResponse):
                response.history = tuple(history)
            if not (follow_redirects and self._redirects(response)):
                return response
            if len(history) == MAX_REDIRECTS:
                raise RedirectError(
                    f"{arguments.path} is the end of {MAX_REDIRECTS} redirects and "
                    "redirects once more: they go in circles"
                )
            history.append(response)
            arguments = follow(
                arguments,
                response,
                response.request.url,
                response.request.root_path,
                below=self.allow_subdomain_redirects,
            )

    async def _make(self, arguments: RequestArguments) -> ClientResponse:
        # By position, all of them: extensions override the method with these.
        values = tuple(getattr(arguments, name) for name in arguments.__slots__)
        return cast("ClientResponse", await self._make_request(*values))

    @staticmethod
    def _redirects(response: ClientResponse) -> bool:
        return is_redirect(response.status_code) and "Location" in response.headers

    # Arguments are those of open(), hence Any.

    async def delete(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make a DELETE request; see `open`."""
        return await self.open(*args, method="DELETE", **kwargs)

    async def get(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make a GET request; see `open`."""
        return await self.open(*args, method="GET", **kwargs)

    async def head(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make a HEAD request; see `open`."""
        return await self.open(*args, method="HEAD", **kwargs)

    async def options(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make an OPTIONS request; see `open`."""
        return await self.open(*args, method="OPTIONS", **kwargs)

    async def patch(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make a PATCH request; see `open`."""
        return await self.open(*args, method="PATCH", **kwargs)

    async def post(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make a POST request; see `open`."""
        return await self.open(*args, method="POST", **kwargs)

    async def put(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make a PUT request; see `open`."""
        return await self.open(*args, method="PUT", **kwargs)

    async def trace(self, *args: Any, **kwargs: Any) -> ClientResponse:
        """Make a TRACE request; see `open`."""
        return await self.open(*args, method="TRACE", **kwargs)

    @asynccontextmanager
    async def session_transaction(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: dict[str, str] | Headers | None = None,
        query_string: Mapping[str, Any] | str | bytes | None = None,
        scheme: str = "http",
        data: Any = None,
        form: Mapping[str, Any] | None = None,
        json: Any = sentinel,
        root_path: str = "",
        http_version: str = "1.1",
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> AsyncGenerator[SessionMixin, None]:
        """Open the session of the client's cookies, to read and to change.

        ::

            async with client.session_transaction() as session:
                session["user_id"] = 1
            response = await client.get("/profile")

        Raises:
            RuntimeError: The client has no cookies, or the application no secret key.
            StillWaitingError: The session interface did not answer in time.
        """
        if self.cookie_jar is None:
            raise CookiesDisabledError(
                "Cookies are disabled. Session transactions only make sense with them: "
                "make the client with test_client(use_cookies=True)"
            )
        scope, body = self._scope_and_body(
            RequestArguments(
                path,
                method,
                Headers() if headers is None else Headers(headers),
                data,
                form,
                None,
                query_string,
                json,
                scheme,
                root_path,
                http_version,
                None,
                auth,
                subdomain,
            )
        )
        opening = open_session(self.app, scope, body)
        context, session = await within(
            self.timeout, opening, "The session was not opened"
        )
        yield session
        saving = save_session(self.app, context, session)
        response = await within(self.timeout, saving, "The session was not saved")
        self._store_cookies(scope, response.headers)

    def sync(self) -> SyncClient:
        """Return a client for tests that are no coroutines, with the same cookies."""
        return SyncClient(self)

    async def __aenter__(self) -> Self:
        if self.preserve_context:
            raise RuntimeError(
                "Cannot nest client invocations: enter a client once, or make another"
            )
        self.preserve_context = True
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.preserve_context = False
        await pop_preserved(self.app, self.timeout)
