"""Redirects, and where they may lead."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from quart_contexts.globals import _cv_app, _cv_request
from werkzeug.urls import iri_to_uri
from werkzeug.utils import redirect as _werkzeug_redirect

from .globals import current_app
from .wrappers.response import Response as _Response

if TYPE_CHECKING:
    from .typing import ResponseTypes

__all__ = ["redirect", "safe_redirect"]

# Browsers drop tabs and line breaks in URLs and take a backslash for a slash, so that
# what follows can become a host. The space ends a URL.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_MISREAD = re.compile(r"[\x00-\x20\x7f\\]")

# scheme://host[:port], and nothing that could hide another host: no user, no escapes.
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?)"
    r"(?=[/?#]|\Z)",
    re.IGNORECASE,
)


# Any: Flask takes a response class of werkzeug's or of its own.
def redirect(location: str, code: int = 302, Response: Any = None) -> ResponseTypes:  # noqa: N803
    """Make a response that sends the client to another URL.

    The URL is written as ASCII (RFC 3987, 3.1). Within an app ``app.redirect`` makes
    it, which an app may override. For a URL from the client use ``safe_redirect``.

    Args:
        location: The URL, absolute or relative to the current one.
        code: 301, 302, 303, 307 or 308.
        Response: The class of the response, the app's if None.

    Raises:
        ValueError: The URL contains control characters.
    """
    if _CONTROLS.search(location):
        raise ValueError(
            f"Cannot redirect to {location!r}: a URL cannot contain control characters."
            f" Quote what goes into it, with url_for() or urllib.parse.quote()."
        )
    location = iri_to_uri(location)
    if Response is None and _cv_app.get(None) is not None:
        response: ResponseTypes = current_app.redirect(location, code)
        return response
    response_class: Any = _Response if Response is None else Response
    return _werkzeug_redirect(location, code, response_class)


def safe_redirect(
    target: str | None,
    *,
    allow: Collection[str] = (),
    fallback: str = "/",
    code: int = 302,
) -> ResponseTypes:
    """Redirect to a URL that the client gave, if it stays on this site.

    For the ``next=`` of a login page. A target leads back here if it is a path (it
    begins with one slash) or has the host of the current request.

    Args:
        target: The URL from the client.
        allow: Further hosts, as ``www.example.com`` or ``example.com:8443``.
        fallback: Where to go where the target leads elsewhere, is empty or is not a URL
            that all browsers read alike.
        code: As for ``redirect``.
    """
    safe = target is not None and _stays(target, allow)
    return redirect(target if target is not None and safe else fallback, code)


def _stays(target: str, allow: Collection[str]) -> bool:
    if _MISREAD.search(target):
        return False
    if target.startswith("/"):
        return not target.startswith("//")
    origin = _ORIGIN.match(target)
    if origin is None:
        return False
    scheme, host = origin["scheme"].lower(), origin["host"].lower()
    if host in {allowed.lower() for allowed in allow}:
        return True
    context = _cv_request.get(None)
    if context is None:
        return False
    here = context.request
    # To HTTPS is no loss, from HTTPS to HTTP is.
    return host == here.host.lower() and scheme in {"https", here.scheme}
