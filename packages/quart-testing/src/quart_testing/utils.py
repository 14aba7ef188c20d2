"""Scopes, headers and bodies for tests (API of ``quart.testing.utils``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast, overload
from urllib.parse import quote, unquote, urlsplit

from quart_core import json as quart_json
from quart_core.headers import encode_headers
from quart_core.wrappers.scope_headers import ScopeHeaders
from quart_core.wrappers.scope_path import OUTSIDE, request_path
from werkzeug.datastructures import Authorization, FileStorage, Headers
from werkzeug.exceptions import NotFound

from . import bodies

if TYPE_CHECKING:
    from quart_core import Quart, Request
    from quart_core.typing import HTTPScope, Scope, WebsocketScope

__all__ = (
    "make_test_body_with_headers",
    "make_test_headers_path_and_query_string",
    "make_test_request",
    "make_test_scope",
    "no_op_push",
    "sentinel",
)

#: Stands for an argument that was not given, where None is a value.
sentinel: Final[Any] = object()

DEFAULT_HOST: Final = "localhost"
USER_AGENT: Final = "Quart"
#: What scopes of Quart's function say, and what those of the clients here do.
QUART_SPEC_VERSION: Final = "2.1"
SPEC_VERSION: Final = "2.4"
_PUSHING_VERSIONS: Final = frozenset({"2", "3"})


async def no_op_push(path: str, headers: Headers) -> None:
    """Accept a push promise and do nothing with it."""


def make_test_headers_path_and_query_string(
    app: Quart,
    path: str,
    headers: dict[str, str] | Headers | None = None,
    query_string: Mapping[str, Any] | str | bytes | None = None,
    auth: Authorization | tuple[str, str] | None = None,
    subdomain: str | None = None,
) -> tuple[Headers, str, bytes]:
    """Return the headers, the decoded path and the query string of a request.

    Args:
        app: Whose SERVER_NAME is the host.
        path: The path, with or without a query; or a whole URL, for its host.
        headers: Headers of the test; they win over those that are set here.
        query_string: A mapping, or the query as it is.
        auth: A name and a password, or an `Authorization`.
        subdomain: Put in front of the host.

    Raises:
        ValueError: There is a query in the path and as an argument.
        UnicodeEncodeError: The query in the path is not encoded.
    """
    all_headers = Headers() if headers is None else Headers(headers)
    host, path, query = _split(path)
    if query is not None and query_string is not None:
        raise ValueError(
            f"The path has a query, {query!r}, and query_string={query_string!r} was "
            "passed as well: use one of them"
        )
    if auth is not None:
        if isinstance(auth, tuple):
            name, password = auth
            auth = Authorization("basic", {"username": name, "password": password})
        all_headers.setdefault("Authorization", auth.to_header())
    all_headers.setdefault("User-Agent", USER_AGENT)
    if host is None:
        host = app.config["SERVER_NAME"] or DEFAULT_HOST
        if subdomain is not None:
            host = f"{subdomain}.{host}"
    all_headers.setdefault("host", host)
    if query is not None:
        return all_headers, unquote(path), _as_ascii(query)
    return all_headers, unquote(path), _encode_query(query_string)


def _as_ascii(query: str) -> bytes:
    try:
        return query.encode("ascii")
    except UnicodeEncodeError as error:
        error.reason += (
            ": percent-encode the query in the path, or pass it as query_string= for "
            "that to be done"
        )
        raise


def _split(path: str) -> tuple[str | None, str, str | None]:
    """Return host, path and query, as far as they are there."""
    host: str | None = None
    if path.startswith(("http://", "https://", "ws://", "wss://")):
        parts = urlsplit(path)
        host = parts.netloc.rpartition("@")[2]
        path = parts.path or "/"
        return host, path, parts.query or None
    path, mark, query = path.partition("?")
    return host, path, query if mark else None


def _encode_query(query: Mapping[str, Any] | str | bytes | None) -> bytes:
    if query is None:
        return b""
    if isinstance(query, bytes):
        return query
    if isinstance(query, str):
        return quote(query, safe="%!#$&'()*+,/:;=?@[]~").encode()
    return bodies.encode_query(query)


def make_test_body_with_headers(
    *,
    data: Any = None,
    form: Mapping[str, Any] | None = None,
    files: Mapping[str, FileStorage] | None = None,
    json: Any = sentinel,
    app: Quart | None = None,
) -> tuple[bytes, Headers]:
    """Return a body and the headers that describe it.

    Args:
        data: Text, bytes, an open file, or a mapping of fields and files, which may
            be tuples of a file, its name and its type (as in Flask's client).
        form: Fields.
        files: Files, sent together with the fields of `form`.
        json: Any value that JSON can hold; `sentinel` for none.
        app: Whose JSON provider is used.

    Raises:
        ValueError: Several of them were passed that cannot stand together.
        TypeError: The data is of no known type.
    """
    if (json is not sentinel) + (form is not None) + (data is not None) > 1:
        raise ValueError("Pass one of json=, form= and data=: a request has one body")
    if (json is not sentinel) + (files is not None) + (data is not None) > 1:
        raise ValueError(
            "Pass one of json=, files= and data=: a request has one body, and only "
            "form= goes together with files="
        )
    headers = Headers()
    if json is not sentinel:
        dumps = quart_json.dumps if app is None else app.json.dumps
        headers["Content-Type"] = "application/json"
        return dumps(json).encode(), headers
    if isinstance(data, Mapping):
        form, files = (data, {}) if bodies.has_files(data) else (data, None)
    elif data is not None:
        return bodies.read_data(data), headers
    if files is not None:
        parts = [*bodies.parts_of(files), *bodies.parts_of(form or {})]
        headers["Content-Type"] = f"multipart/form-data; boundary={bodies.BOUNDARY}"
        return bodies.encode_multipart(parts), headers
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return bodies.encode_form(form), headers
    return b"", headers


@overload
def make_test_scope(
    type_: Literal["http"],
    path: str,
    method: str,
    headers: Headers,
    query_string: bytes,
    scheme: str,
    root_path: str,
    http_version: str,
    scope_base: Mapping[str, Any] | None,
    *,
    _preserve_context: bool = ...,
) -> HTTPScope: ...


@overload
def make_test_scope(
    type_: Literal["websocket"],
    path: str,
    method: str,
    headers: Headers,
    query_string: bytes,
    scheme: str,
    root_path: str,
    http_version: str,
    scope_base: Mapping[str, Any] | None,
    *,
    _preserve_context: bool = ...,
) -> WebsocketScope: ...


def make_test_scope(
    type_: str,
    path: str,
    method: str,
    headers: Headers,
    query_string: bytes,
    scheme: str,
    root_path: str,
    http_version: str,
    scope_base: Mapping[str, Any] | None,
    *,
    _preserve_context: bool = False,
) -> Scope:
    """Return the ASGI scope of a request or websocket.

    Args:
        type_: ``http`` or ``websocket``.
        path: The decoded path, with the `root_path` in front.
        method: The method.
        headers: The headers.
        query_string: The query, encoded.
        scheme: ``http``, ``https``, ``ws`` or ``wss``.
        root_path: The path that the application is mounted under.
        http_version: Such as ``1.1`` or ``2``.
        scope_base: Entries that are added, or replace those that are made here.
        _preserve_context: Keep the context of the request after its end.
    """
    scope: dict[str, Any] = {
        "type": type_,
        "http_version": http_version,
        "asgi": {"spec_version": QUART_SPEC_VERSION},
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": quote(path).encode("ascii"),
        "query_string": query_string,
        "root_path": root_path,
        "headers": encode_headers(headers),
        "extensions": _extensions(type_, http_version),
    }
    if type_ == "http":
        scope["_quart._preserve_context"] = _preserve_context
    if scope_base is not None:
        scope.update(scope_base)
    return cast("Scope", scope)


# Any: a scope, whose entries are of many types; and the arguments above.
def make_client_scope(*args: Any, scope_base: Any, **kwargs: Any) -> Any:
    """Return the scope of a test client's request: exceptions reach the test.

    Takes what `make_test_scope` does.
    """
    make: Any = make_test_scope
    scope = make(*args, None, **kwargs)
    scope["asgi"] = {"version": "3.0", "spec_version": SPEC_VERSION}
    scope["extensions"]["quart.raise_exceptions"] = {}
    scope.update(scope_base or {})
    return scope


def _extensions(type_: str, http_version: str) -> dict[str, dict[str, Any]]:
    extensions: dict[str, dict[str, Any]] = {}
    if type_ == "websocket":
        extensions["websocket.http.response"] = {}
    elif http_version in _PUSHING_VERSIONS:
        extensions["http.response.push"] = {}
    return extensions


# Any: see the functions above; JSON holds any value.
def make_test_request(
    app: Quart,
    path: str,
    base_url: str | None = None,
    *,
    method: str = "GET",
    headers: dict[str, str] | Headers | None = None,
    query_string: Mapping[str, Any] | str | bytes | None = None,
    scheme: str = "http",
    send_push_promise: Callable[[str, Headers], Awaitable[None]] = no_op_push,
    data: Any = None,
    form: Mapping[str, Any] | None = None,
    files: Mapping[str, FileStorage] | None = None,
    json: Any = sentinel,
    root_path: str = "",
    http_version: str = "1.1",
    scope_base: Mapping[str, Any] | None = None,
    auth: Authorization | tuple[str, str] | None = None,
    subdomain: str | None = None,
) -> Request:
    """Return a request as the application's connection would make it, with its body.

    The parameters are those of the test client's ``open``.
    """
    if base_url is not None:
        scheme, host, root_path, path = based_on(base_url, path)
        headers = Headers(headers)
        headers.setdefault("host", host)
    all_headers, path, query = make_test_headers_path_and_query_string(
        app, path, headers, query_string, auth, subdomain
    )
    body, body_headers = make_test_body_with_headers(
        data=data, form=form, files=files, json=json, app=app
    )
    for name, value in body_headers:
        all_headers.setdefault(name, value)
    if not root_path:
        root_path, path = mounted(app, path)
    scope = make_client_scope(
        "http",
        path,
        method,
        all_headers,
        query,
        scheme,
        root_path,
        http_version,
        scope_base=scope_base,
    )
    return request_of(app, scope, body, send_push_promise)


def based_on(base_url: str, path: str) -> tuple[str, str, str, str]:
    """Return scheme, host, root path and path of a request below a URL."""
    parts = urlsplit(base_url)
    root_path = parts.path.rstrip("/")
    path = f"{root_path}/{path.removeprefix('/')}"
    return parts.scheme, parts.netloc, root_path, path


def mounted(app: Quart, path: str) -> tuple[str, str]:
    """Return the root path that APPLICATION_ROOT stands for, and the path below it."""
    configured: str = app.config.get("APPLICATION_ROOT") or ""
    root = configured.rstrip("/")
    return (root, f"{root}/{path.removeprefix('/')}") if root else ("", path)


def request_of(
    app: Quart,
    scope: HTTPScope,
    body: bytes,
    send_push_promise: Callable[[str, Headers], Awaitable[None]] = no_op_push,
) -> Request:
    """Return the request of a scope, with all of its body."""
    path = request_path(scope)
    request: Request = app.request_class(
        scope["method"],
        scope.get("scheme", "http"),
        OUTSIDE if path is None else path,
        scope.get("query_string", b""),
        ScopeHeaders(scope, app.config["SERVER_NAME"]),
        scope.get("root_path", ""),
        scope["http_version"],
        scope,
        max_content_length=app.config["MAX_CONTENT_LENGTH"],
        body_timeout=app.config["BODY_TIMEOUT"],
        send_push_promise=send_push_promise,
    )
    if path is None:
        request.routing_exception = NotFound()
    request.body.set_result(body)
    return request
