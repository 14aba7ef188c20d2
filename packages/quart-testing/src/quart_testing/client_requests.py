"""How a client makes a single request: its scope, its body, its cookies."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Authorization, Headers

from .connections import TestHTTPConnection, TestWebsocketConnection
from .cookie_access import CookieAccess
from .cookies import cookie_header, store_cookies
from .pace import current_pace
from .preserved import pop_preserved
from .redirects import RequestArguments
from .responses import ClientResponse
from .utils import (
    based_on,
    make_client_scope,
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    mounted,
    sentinel,
)

if TYPE_CHECKING:
    from quart_core import Quart, Response
    from quart_core.datastructures import FileStorage

__all__ = ("RequestMaker",)

_MULTIPART = "multipart/form-data"


class RequestMaker(CookieAccess):
    """A client as far as single requests are concerned."""

    app: Quart
    check_leaks: bool
    http_connection_class: type[TestHTTPConnection]
    #: What the application's startup has put into the state of the server.
    lifespan_state: dict[str, Any] | None = None
    preserve_context: bool
    push_promises: list[tuple[str, Headers]]
    response_wrapper: type[Any] | None
    timeout: float
    websocket_connection_class: type[TestWebsocketConnection]

    async def _make_request(
        self,
        path: str,
        method: str,
        headers: dict[str, str] | Headers | None,
        data: Any,
        form: Mapping[str, Any] | None,
        files: Mapping[str, FileStorage] | None,
        query_string: Mapping[str, Any] | str | bytes | None,
        json: Any,
        scheme: str,
        root_path: str,
        http_version: str,
        scope_base: Mapping[str, Any] | None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> Response:
        """Make one request; extensions override this, with these parameters."""
        scope, body = self._scope_and_body(
            RequestArguments(
                path,
                method,
                Headers() if headers is None else Headers(headers),
                data,
                form,
                files,
                query_string,
                json,
                scheme,
                root_path,
                http_version,
                scope_base,
                auth,
                subdomain,
            )
        )
        await pop_preserved(self.app, current_pace.get().timeout or self.timeout)
        connection = self._http_connection(scope)
        async with connection:
            response = await self._exchange(connection, body)
        if not isinstance(connection, TestHTTPConnection):
            # It does not tell of the headers when they come.
            self._store_cookies(scope, response.headers)
        self.push_promises.extend(connection.push_promises)
        if isinstance(response, ClientResponse):
            response._app, response._scope = self.app, scope
            response._request_body = body
        return response

    async def _exchange(self, connection: TestHTTPConnection, body: bytes) -> Response:
        """Send a body and receive the response, at the pace the test asks for."""
        if not isinstance(connection, TestHTTPConnection):
            # A class of another event loop's, which has the public methods only.
            return await _exchange_plainly(connection, body)
        pace = current_pace.get()
        leaves = pace.disconnect_after_sending is not None
        connection.send_chunks(pace.chunks(body), leave_afterwards=leaves)
        if pace.disconnect_after is not None:
            await connection.head()
            await connection.receive_some(pace.disconnect_after, pace.read_delay)
            await connection.disconnect()
            connection.forget_unread()
        elif pace.read_delay:
            await connection.receive_some(sys.maxsize, pace.read_delay)
        return await connection.as_response()

    def request(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | Headers | None = None,
        query_string: Mapping[str, Any] | str | bytes | None = None,
        scheme: str = "http",
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: Mapping[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
        timeout: float | None = None,
        send_window: int | None = None,
        receive_window: int | None = None,
    ) -> TestHTTPConnection:
        """Return a request that is sent and received in steps.

        ::

            async with client.request("/stream") as connection:
                await connection.send_complete()
                assert await connection.receive() == b"first"
                await connection.disconnect()

        Args:
            path: As for `open`, like all that is not named here.
            method: The method.
            headers: Headers.
            query_string: A mapping, or the query as it is.
            scheme: ``http`` or ``https``.
            root_path: What the application is mounted under.
            http_version: ``1.0``, ``1.1``, ``2`` or ``3``.
            scope_base: Entries for the ASGI scope.
            auth: A name and a password, or an `Authorization`.
            subdomain: Put in front of the host.
            timeout: Seconds that each step waits for the application.
            send_window: Bytes that the application may leave unread before `send`
                waits.
            receive_window: Bytes that the test may leave unread before the
                application's sending waits; 0 for one message.
        """
        scope, _ = self._scope_and_body(
            RequestArguments(
                path,
                method,
                Headers() if headers is None else Headers(headers),
                None,
                None,
                None,
                query_string,
                sentinel,
                scheme,
                root_path,
                http_version,
                scope_base,
                auth,
                subdomain,
            )
        )
        connection = self._http_connection(scope)
        _configure(connection, timeout, send_window, receive_window)
        return connection

    def websocket(
        self,
        path: str,
        *,
        headers: dict[str, str] | Headers | None = None,
        query_string: Mapping[str, Any] | str | bytes | None = None,
        scheme: str = "ws",
        subprotocols: list[str] | None = None,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: Mapping[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
        timeout: float | None = None,
        send_window: int | None = None,
        receive_window: int | None = None,
    ) -> TestWebsocketConnection:
        """Return the client's end of a websocket.

        ::

            async with client.websocket("/echo") as connection:
                await connection.send("hello")
                assert await connection.receive() == "hello"

        Args:
            path: As for `open`, like all that is not named here.
            headers: Headers.
            query_string: A mapping, or the query as it is.
            scheme: ``ws`` or ``wss``.
            subprotocols: What the client offers.
            root_path: What the application is mounted under.
            http_version: ``1.1``, ``2`` or ``3``.
            scope_base: Entries for the ASGI scope.
            auth: A name and a password, or an `Authorization`.
            subdomain: Put in front of the host.
            timeout: Seconds that each step waits for the application.
            send_window: As for `request`.
            receive_window: As for `request`.
        """
        all_headers, path, query = make_test_headers_path_and_query_string(
            self.app, path, headers, query_string, auth, subdomain
        )
        if subprotocols:
            all_headers.setdefault("Sec-WebSocket-Protocol", ", ".join(subprotocols))
        self._add_cookies(all_headers, path)
        if not root_path:
            root_path, path = mounted(self.app, path)
        scope: Any = make_client_scope(
            "websocket",
            path,
            "GET",
            all_headers,
            query,
            scheme,
            root_path,
            http_version,
            scope_base=self._with_state(scope_base),
        )
        scope.setdefault("subprotocols", list(subprotocols or ()))
        connection = self.websocket_connection_class(self.app, scope)
        self._prepare(connection, scope)
        _configure(connection, timeout, send_window, receive_window)
        return connection

    # Scopes

    def _based_on(self, base_url: str, arguments: RequestArguments) -> RequestArguments:
        """Return arguments whose path is below a URL (API of Flask)."""
        scheme, host, root_path, path = based_on(base_url, arguments.path)
        headers = Headers(arguments.headers)
        headers.setdefault("host", host)
        return replace(
            arguments, path=path, root_path=root_path, headers=headers, scheme=scheme
        )

    # Any: an ASGI scope.
    def _scope_and_body(self, arguments: RequestArguments) -> tuple[Any, bytes]:
        """Return the scope of a request, with the client's cookies, and its body."""
        headers, path, query = make_test_headers_path_and_query_string(
            self.app,
            arguments.path,
            arguments.headers,
            arguments.query_string,
            arguments.auth,
            arguments.subdomain,
        )
        data, form, files = arguments.data, arguments.form, arguments.files
        if isinstance(data, Mapping) and _asks_for_multipart(headers):
            data, form, files = None, data, {}
        body, body_headers = make_test_body_with_headers(
            data=data, form=form, files=files, json=arguments.json, app=self.app
        )
        _describe_body(headers, body, body_headers)
        root_path = arguments.root_path
        if not root_path:
            root_path, path = mounted(self.app, path)
        self._add_cookies(headers, path)
        scope = make_client_scope(
            "http",
            path,
            arguments.method,
            headers,
            query,
            _scheme_of(arguments),
            root_path,
            arguments.http_version,
            scope_base=self._with_state(arguments.scope_base),
            _preserve_context=self.preserve_context,
        )
        return scope, body

    def _with_state(self, scope_base: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Give each scope a copy of the state, as servers do (ASGI, lifespan)."""
        base = dict(scope_base or {})
        if self.lifespan_state is not None:
            base.setdefault("state", dict(self.lifespan_state))
        return base

    # Connections

    def _http_connection(self, scope: Any) -> TestHTTPConnection:
        connection = self.http_connection_class(
            self.app, scope, _preserve_context=self.preserve_context
        )
        self._prepare(connection, scope)
        return connection

    def _prepare(
        self, connection: TestHTTPConnection | TestWebsocketConnection, scope: Any
    ) -> None:
        connection.check_leaks = self.check_leaks
        connection.response_class = self.response_wrapper
        connection.headers_received = lambda headers: self._store_cookies(
            scope, headers
        )
        pace = current_pace.get()
        _configure(connection, pace.timeout or self.timeout, None, pace.receive_window)

    # Cookies

    def _add_cookies(self, headers: Headers, path: str) -> None:
        if self.cookie_jar is None:
            return
        value = cookie_header(self.cookie_jar, headers["host"], path)
        if value:
            given = headers.getlist("Cookie")
            headers["Cookie"] = "; ".join([*given, value])

    def _store_cookies(self, scope: Any, headers: Headers) -> None:
        jar: CookieJar | None = self.cookie_jar
        cookies = headers.getlist("Set-Cookie")
        if jar is None or not cookies:
            return
        sent = dict(scope["headers"])
        host = sent.get(b"host", b"").decode("latin-1")
        store_cookies(jar, cookies, host, scope["path"])


def _configure(
    connection: TestHTTPConnection | TestWebsocketConnection,
    timeout: float | None,
    send_window: int | None,
    receive_window: int | None,
) -> None:
    if timeout is not None:
        connection.wait_seconds = timeout
    if send_window is not None:
        connection.send_window = send_window
    if receive_window is not None:
        connection.receive_window = receive_window


def _describe_body(headers: Headers, body: bytes, body_headers: Headers) -> None:
    """Add what a client says of its body, where the test does not say it itself."""
    if _asks_for_multipart(headers) and "Content-Type" in body_headers:
        # The test says what, and only what makes the body knows the boundary.
        headers.remove("Content-Type")
    for name, value in body_headers:
        headers.setdefault(name, value)
    if body and "Transfer-Encoding" not in headers:
        headers.setdefault("Content-Length", str(len(body)))


def _asks_for_multipart(headers: Headers) -> bool:
    given: str = headers.get("Content-Type", "")
    return given.startswith(_MULTIPART) and "boundary" not in given


async def _exchange_plainly(connection: Any, body: bytes) -> Response:
    await connection.send(body)
    await connection.send_complete()
    response: Response = await connection.as_response()
    return response


def _scheme_of(arguments: RequestArguments) -> str:
    scheme, separator, _ = arguments.path.partition("://")
    return scheme if separator and scheme in {"http", "https"} else arguments.scheme
