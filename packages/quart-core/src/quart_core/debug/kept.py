"""An exception as it is kept: as text, as a page, and with the request to repeat it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from .development import Development
from .frames import Failure, describe
from .masking import MASK, Masker, secrets_of
from .page import error_page
from .request_data import RequestData, request_data
from .terminal import failure_text

__all__ = ("KeptError", "keep_error")

MAX_BODY_BYTES: Final = 64 * 1024
"""Longer bodies of requests are not kept."""


@dataclass(frozen=True, slots=True)
class KeptError:
    """An exception of a request, with its secrets masked.

    Attributes:
        summary: Its class and message, in one line.
        place: Where in the user's code it was raised: ``app.py:11 in boom``.
        text: As the terminal shows it.
        page: The debug page, for the nonce.
        nonce: What allows the page's own style and script.
        request: The request.
        body: Its body, None if it was not kept, since it is long or of a kind in
            which secrets are not found.
    """

    summary: str
    place: str
    text: str
    page: str
    nonce: str
    request: RequestData
    body: str | None


# Any: an application, and a scope with whatever its server puts there.
def keep_error(
    app: Any,
    scope: Mapping[str, Any],
    error: BaseException,
    *,
    development: Development | None = None,
    body: bytes | None = None,
) -> KeptError:
    """Describe an exception of a request for later.

    Args:
        app: The application.
        scope: The ASGI scope of the request.
        error: The exception.
        development: What the page offers.
        body: The body of the request, if it is known.
    """
    masker = Masker(secrets_of(app, scope))
    chain = describe(error, masker, variables=True)
    nonce = secrets.token_urlsafe(16)
    request = request_data(scope, masker)
    return KeptError(
        summary=_summary(chain[0]),
        place=_place(chain[0]),
        text=failure_text(chain),
        page=error_page(chain, request, nonce, development),
        nonce=nonce,
        request=request,
        body=None if body is None else _masked_body(body, request, masker),
    )


def _summary(failure: Failure) -> str:
    message = failure.message.split("\n", 1)[0]
    return f"{failure.kind}: {message}" if message else failure.kind


def _place(failure: Failure) -> str:
    if not failure.own_frames:
        return ""
    frame = failure.own_frames[-1]
    place = f"{frame.file}:{frame.line}"
    return f"{place} in {frame.function}" if frame.function else place


def _masked_body(body: bytes, request: RequestData, masker: Masker) -> str | None:
    """Return a body without its secrets, None if they cannot be found in it."""
    if len(body) > MAX_BODY_BYTES:
        return None
    kind = next((v for n, v in request.headers if n.lower() == "content-type"), "")
    kind = kind.partition(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if kind == "application/json" or kind.endswith("+json"):
            return json.dumps(_masked_json("", json.loads(text), masker))
    except (ValueError, RecursionError):
        return None
    if kind == "application/x-www-form-urlencoded":
        pairs = parse_qsl(text, keep_blank_values=True)
        return urlencode(
            [
                (name, MASK if masker.is_secret(name, value) else masker.values(value))
                for name, value in pairs
            ],
            safe="*",
        )
    return masker.message(text) if kind.startswith("text/") or not kind else None


# Any: JSON.
def _masked_json(name: str, value: Any, masker: Masker) -> Any:
    if isinstance(value, dict):
        return {key: _masked_json(key, item, masker) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked_json(name, item, masker) for item in value]
    if masker.is_secret(name, value):
        return MASK
    return masker.values(value) if isinstance(value, str) else value
