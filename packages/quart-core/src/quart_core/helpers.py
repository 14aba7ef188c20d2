"""Functions that views use, on the current app, request and session.

API of ``quart.helpers`` and ``flask.helpers``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from quart_contexts.globals import _cv_app, _cv_request, _cv_websocket
from werkzeug.exceptions import abort as _werkzeug_abort
from werkzeug.utils import cached_property

from .files import DEFAULT_MIMETYPE, send_file, send_from_directory
from .globals import current_app, request, request_ctx, session
from .import_roots import find_package, get_root_path
from .redirects import redirect, safe_redirect
from .shutdown_watch import timeout_at_shutdown
from .signals import message_flashed, send_signal
from .streaming import stream_with_context

if TYPE_CHECKING:
    from .typing import ResponseTypes

__all__ = [
    "DEFAULT_MIMETYPE",
    "abort",
    "find_package",
    "flash",
    "get_debug_flag",
    "get_flashed_messages",
    "get_load_dotenv",
    "get_root_path",
    "get_template_attribute",
    "locked_cached_property",
    "make_push_promise",
    "make_response",
    "redirect",
    "safe_redirect",
    "send_file",
    "send_from_directory",
    "stream_with_context",
    "timeout_at_shutdown",
    "url_for",
]

ValueT = TypeVar("ValueT")

_SAYS_NO = frozenset({"0", "false", "no"})


def get_debug_flag() -> bool:
    """Say whether ``QUART_DEBUG`` asks for debug mode.

    It does with any value but an empty one, ``0``, ``false`` and ``no``.
    """
    value = os.environ.get("QUART_DEBUG", "")
    return bool(value) and value.lower() not in _SAYS_NO


def get_load_dotenv(default: bool = True) -> bool:
    """Say whether files of environment variables are to be loaded.

    Args:
        default: The answer where ``QUART_SKIP_DOTENV`` is not set.
    """
    value = os.environ.get("QUART_SKIP_DOTENV", "")
    return value.lower() in _SAYS_NO if value else default


# Any: what a werkzeug exception takes, and an app's aborter.
def abort(code: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """End the request with an HTTP error.

    Args:
        code: The status, or a response to send.
        *args: Passed on to the exception: description, response.
        **kwargs: Likewise.

    Raises:
        werkzeug.exceptions.HTTPException: Always.
        LookupError: There is no exception for the status.
    """
    if _cv_app.get(None) is not None:
        current_app.aborter(code, *args, **kwargs)
    _werkzeug_abort(code, *args, **kwargs)


# Any: whatever a view may return, in one piece or several.
async def make_response(*args: Any) -> ResponseTypes:
    """Make the response that a view's return value stands for.

    ``make_response(body)``, ``make_response(body, 404, headers)``; without arguments an
    empty response.

    Raises:
        TypeError: It is nothing that a view may return.
    """
    if not args:
        return current_app.response_class("")
    return await current_app.make_response(args[0] if len(args) == 1 else args)


# Any: the values of a URL rule.
def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _external: bool | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    **values: Any,
) -> str:
    """Build the URL of an endpoint.

    Args:
        endpoint: Its name; a leading dot stands for the current blueprint.
        _anchor: The part after ``#``.
        _external: With scheme and host, as it always is outside of a request.
        _method: The method whose rule is meant, where an endpoint has several rules.
        _scheme: The scheme of an external URL.
        **values: The values of the rule. Others go into the query string.

    Raises:
        werkzeug.routing.BuildError: There is no such endpoint, or a value is missing.
        RuntimeError: Outside of a request, and ``SERVER_NAME`` is not set.
    """
    return current_app.url_for(
        endpoint,
        _anchor=_anchor,
        _external=_external,
        _method=_method,
        _scheme=_scheme,
        **values,
    )


async def flash(message: str, category: str = "message") -> None:
    """Keep a message in the session, for the next page to show.

    Args:
        message: The message.
        category: Its kind: ``message``, ``error``, ``info``, ``warning``, or any.

    Raises:
        RuntimeError: The app has no secret key.
    """
    # Written anew, for a change inside of the list would not be noticed.
    session["_flashes"] = [*session.get("_flashes", ()), (category, message)]
    context = _cv_app.get(None)
    app = None if context is None else context.app
    await send_signal(message_flashed, app, message=message, category=category)


def get_flashed_messages(
    with_categories: bool = False, category_filter: Iterable[str] = ()
) -> list[str] | list[tuple[str, str]]:
    """Take the flashed messages out of the session.

    Within one request they stay available to further calls.

    Args:
        with_categories: Give pairs of category and message.
        category_filter: Give only messages of these categories.
    """
    context = _cv_request.get(None) or _cv_websocket.get(None) or request_ctx
    flashes = context.flashes
    if flashes is None:
        # Looked for first: popping what is not there would count as a change.
        found = session.pop("_flashes") if "_flashes" in session else ()
        flashes = context.flashes = [(category, text) for category, text in found]
    if isinstance(category_filter, str):
        category_filter = (category_filter,)
    wanted = set(category_filter)
    chosen = [item for item in flashes if not wanted or item[0] in wanted]
    return chosen if with_categories else [message for _, message in chosen]


async def make_push_promise(path: str) -> None:
    """Tell the server to push another response along, where it can (HTTP/2).

    Args:
        path: The path of the pushed resource.
    """
    await request.send_push_promise(path)


# Any: a macro or a variable of the template.
def get_template_attribute(template_name: str, attribute: str) -> Any:
    """Give a macro or variable of a template, to be called from Python.

    The template is compiled without ``async``, so that its macros are plain functions;
    they cannot await.

    Args:
        template_name: The template.
        attribute: The macro's or variable's name.

    Raises:
        MissingPackageError: quart-templating is not installed.
        AttributeError: The template has no such macro or variable.
    """
    environment: Any = current_app.jinja_env.overlay(enable_async=False)
    return getattr(environment.get_template(template_name).module, attribute)


class locked_cached_property(cached_property[ValueT]):  # noqa: N801
    """A property that is worked out once, also if several threads ask at first."""

    def __init__(
        self,
        fget: Callable[[Any], ValueT],
        name: str | None = None,
        doc: str | None = None,
    ) -> None:
        super().__init__(fget, name=name, doc=doc)
        self._lock = RLock()

    # Any: instances and classes of any kind, the property itself for the latter.
    def __get__(self, obj: Any, type: Any = None) -> Any:
        if obj is None:
            return self
        with self._lock:
            return super().__get__(obj, type)

    def __set__(self, obj: Any, value: ValueT) -> None:
        with self._lock:
            super().__set__(obj, value)

    def __delete__(self, obj: Any) -> None:
        with self._lock:
            super().__delete__(obj)
