"""The response for an unhandled exception, in the form its client reads."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from quart_contexts.globals import _cv_app
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import InternalServerError
from werkzeug.http import parse_accept_header

from ..wrappers import Response
from .audience import is_for_developers
from .development import development_of
from .frames import Failure, Frame, describe
from .masking import Masker, secrets_of
from .page import error_page
from .request_data import RequestData, request_data
from .terminal import failure_text

__all__ = ("PAGE_HEADERS", "current_response", "error_response", "page_policy")

PAGE_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Vary", "Accept"),
)
"""Of every form of the response: kept by nobody, in no frame."""

_NO_SOURCE_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"

# The first is what a client gets that takes anything, such as curl.
_FORMS: Final = ("text/plain", "text/html", "application/json")


def current_response(error: BaseException) -> Response:
    """Return the response for an exception of the current request.

    Args:
        error: The exception.
    """
    ctx = _cv_app.get(None)
    # Any: contexts know neither the application's nor the request's class.
    request: Any = None if ctx is None else ctx._request or ctx._websocket
    if ctx is None or request is None:
        return _plain_page()
    return error_response(ctx.app, request.scope, error)


# Any: an application, and a scope with whatever its server puts there.
def error_response(
    app: Any, scope: Mapping[str, Any], error: BaseException
) -> Response:
    """Return the response to a request whose exception nobody handled.

    Args:
        app: The application.
        scope: The ASGI scope of the request.
        error: The exception.
    """
    if not is_for_developers(app, scope):
        return _plain_page()
    masker = Masker(secrets_of(app, scope))
    request = request_data(scope, masker)
    form = _preferred_form(scope)
    chain = describe(error, masker, variables=form == "text/html")
    policy = _NO_SOURCE_POLICY
    if form == "text/html":
        nonce = secrets.token_urlsafe(16)
        development = development_of(scope)
        text = error_page(chain, request, nonce, development)
        policy = page_policy(nonce)
        if development is not None and development.connects:
            policy += "; connect-src 'self'"
    elif form == "application/json":
        text = json.dumps(_as_data(chain, request), indent=2) + "\n"
    else:
        text = f"{request.method} {request.url}\n\n{failure_text(chain)}\n"
    response = Response(text, 500, mimetype=form)
    response.headers.extend(PAGE_HEADERS)
    response.headers["Content-Security-Policy"] = policy
    return response


def page_policy(nonce: str) -> str:
    """Return the Content-Security-Policy of the page: what has the nonce, no more.

    Args:
        nonce: Of the page's own style and script.
    """
    return (
        f"{_NO_SOURCE_POLICY}; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _plain_page() -> Response:
    error = InternalServerError()
    response = Response(error.get_body(), 500, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response


def _preferred_form(scope: Mapping[str, Any]) -> str:
    header = ", ".join(
        value.decode("latin-1")
        for name, value in scope.get("headers", ())
        if name.lower() == b"accept"
    )
    accepted = parse_accept_header(header, MIMEAccept)
    if not accepted:
        return _FORMS[0]
    return accepted.best_match(_FORMS, default=_FORMS[0])


# Any: JSON.
def _as_data(chain: tuple[Failure, ...], request: RequestData) -> dict[str, Any]:
    return {
        "error": _failure_data(chain),
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": [list(pair) for pair in request.headers],
            "curl": request.curl,
        },
    }


def _failure_data(chain: tuple[Failure, ...]) -> dict[str, Any]:
    failure, *rest = chain
    data: dict[str, Any] = {
        "type": failure.kind,
        "message": failure.message,
        "notes": list(failure.notes),
        "frames": [_frame_data(frame) for frame in failure.own_frames],
        "hidden_frames": len(failure.frames) - len(failure.own_frames),
    }
    if failure.members:
        data["exceptions"] = [_failure_data(member) for member in failure.members]
    if rest:
        data[rest[0].relation] = _failure_data(tuple(rest))
    return data


def _frame_data(frame: Frame) -> dict[str, Any]:
    source = next((line.text.strip() for line in frame.lines if line.failed), "")
    return {
        "file": frame.file,
        "line": frame.line,
        "function": frame.function,
        "source": source,
    }
