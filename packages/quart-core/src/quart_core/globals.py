"""The proxies of :mod:`quart_contexts.globals`, with the types core gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from quart_contexts.ctx import (
        AppContext,
        RequestContext,
        WebsocketContext,
        _AppCtxGlobals,
    )

    from .app import Quart
    from .sessions import SessionMixin
    from .wrappers import Request

    app_ctx: AppContext
    current_app: Quart
    g: _AppCtxGlobals
    request: Request
    request_ctx: RequestContext
    session: SessionMixin
    # quart-ws says what it is.
    websocket: Any
    websocket_ctx: WebsocketContext
else:
    from quart_contexts.globals import (
        app_ctx,
        current_app,
        g,
        request,
        request_ctx,
        session,
        websocket,
        websocket_ctx,
    )

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
