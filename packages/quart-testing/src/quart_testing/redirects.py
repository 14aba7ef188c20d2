"""Following redirects inside the application, which is all there is to follow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from werkzeug.datastructures import Headers

from .cookies import without_port
from .utils import sentinel

__all__ = ("MAX_REDIRECTS", "RedirectError", "RequestArguments", "follow")

#: How many redirects are followed; browsers give up at 20 as well.
MAX_REDIRECTS: Final = 20

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD: Final = frozenset({307, 308})
_ABOUT_BODY: Final = ("Content-Type", "Content-Length", "Content-Encoding")


class RedirectError(RuntimeError):
    """A redirect is not followed: there were too many, or it leads elsewhere."""


@dataclass(frozen=True, slots=True)
class RequestArguments:
    """The arguments of a request, as the client's ``_make_request`` takes them.

    Any stands for values of the test's: JSON, fields, files, queries.
    """

    path: str
    method: str
    headers: Headers
    data: Any
    form: Any
    files: Any
    query_string: Any
    json: Any
    scheme: str
    root_path: str
    http_version: str
    scope_base: Any
    auth: Any
    subdomain: str | None


def is_redirect(status: int) -> bool:
    """Say whether a response of this status is a redirect that can be followed."""
    return status in _REDIRECTS


# Any: a ClientResponse, or of another class that the application uses.
def follow(
    arguments: RequestArguments,
    response: Any,
    url: str,
    root_path: str,
    *,
    below: bool | None,
) -> RequestArguments:
    """Return the arguments of the request that a redirect asks for.

    Args:
        arguments: Those of the request before.
        response: The redirect.
        url: The whole URL of the request before.
        root_path: The path that the application is mounted under.
        below: Whether subdomains are followed; None follows to every host, in the same
            application.

    Raises:
        RedirectError: It leads to another host.
    """
    target = urlsplit(urljoin(url, response.headers["Location"]))
    before = urlsplit(url)
    _check_host(before, target, below=below)
    headers = Headers(arguments.headers)
    headers["host"] = target.netloc.rpartition("@")[2]
    keeps_method = response.status_code in _KEEP_METHOD
    if without_port(before.netloc) != without_port(target.netloc):
        # What proves who one is to one host is not for another.
        headers.remove("Authorization")
        arguments = replace(arguments, auth=None)
    if not keeps_method:
        for name in _ABOUT_BODY:
            headers.remove(name)
        arguments = _without_body(arguments)
    return replace(
        arguments,
        path=target.path or "/",
        headers=headers,
        query_string=target.query.encode() or None,
        scheme=target.scheme,
        root_path=root_path,
        subdomain=None,
    )


def _without_body(arguments: RequestArguments) -> RequestArguments:
    """Make it a GET, unless it was a HEAD (RFC 9110, 15.4)."""
    method = "HEAD" if arguments.method.upper() == "HEAD" else "GET"
    return replace(
        arguments, method=method, data=None, form=None, files=None, json=sentinel
    )


def _check_host(
    before: SplitResult, target: SplitResult, *, below: bool | None
) -> None:
    if target.scheme not in {"http", "https"}:
        raise RedirectError(
            f"The redirect to {target.geturl()!r} is not followed: it is no HTTP URL"
        )
    here, there = without_port(before.netloc), without_port(target.netloc)
    if below is None or here == there:
        return
    if there.endswith(f".{here}"):
        if below:
            return
        raise RedirectError(
            f"The redirect from {here} to its subdomain {there} is not followed: make "
            "the client with allow_subdomain_redirects=True"
        )
    raise RedirectError(
        f"The redirect from {here} to {there} is not followed: it leaves the "
        "application. Look at response.location instead"
    )
