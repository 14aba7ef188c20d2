"""The context variables and the proxies that read them.

API of ``quart.globals`` (Quart 0.22) and ``flask.globals``. The three variables
exist because extensions read them; one context object usually sits in two of
them, see :mod:`quart_contexts.ctx`.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .proxies import attribute_proxy, session_proxy

if TYPE_CHECKING:
    from .ctx import AppContext, RequestContext, WebsocketContext

__all__ = (
    "app_ctx",
    "current_app",
    "g",
    "request",
    "request_ctx",
    "session",
    "websocket",
    "websocket_ctx",
)

_NO_APP = """Working outside of application context.

This needs the current application. Enter its context first:
'async with app.app_context():'."""
_NO_REQUEST = """Working outside of request context.

This needs an active HTTP request. In a test, use
'async with app.test_request_context("/"):'; in a task started by a view, wrap
the function in copy_current_request_context."""
_NO_WEBSOCKET = """Working outside of websocket context.

This needs an active websocket. In a task started by a websocket handler, wrap
the function in copy_current_websocket_context."""
_NO_SESSION = """Working outside of request context.

The session belongs to an active HTTP request or websocket."""

_cv_app: ContextVar[AppContext] = ContextVar("quart.app_ctx")
_cv_request: ContextVar[RequestContext] = ContextVar("quart.request_ctx")
_cv_websocket: ContextVar[WebsocketContext] = ContextVar("quart.websocket_ctx")


def _current_session() -> Any:
    """Return the session of the request or websocket being handled."""
    ctx = _cv_request.get(None) or _cv_websocket.get(None)
    if ctx is None:
        raise RuntimeError(_NO_SESSION)
    return ctx.session


# What stands behind the proxies is defined by packages above this one, hence Any;
# quart_core.globals declares the same names with their types.
app_ctx: Any = attribute_proxy(_cv_app, None, _NO_APP)
current_app: Any = attribute_proxy(_cv_app, "app", _NO_APP)
g: Any = attribute_proxy(_cv_app, "g", _NO_APP)
request_ctx: Any = attribute_proxy(_cv_request, None, _NO_REQUEST)
request: Any = attribute_proxy(_cv_request, "request", _NO_REQUEST)
websocket_ctx: Any = attribute_proxy(_cv_websocket, None, _NO_WEBSOCKET)
websocket: Any = attribute_proxy(_cv_websocket, "websocket", _NO_WEBSOCKET)
session: Any = session_proxy(_current_session)
