"""Application, request and websocket contexts and their proxies for Quart."""

from __future__ import annotations

from .ctx import (
    AppContext,
    RequestContext,
    WebsocketContext,
    after_this_request,
    after_this_websocket,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    has_app_context,
    has_request_context,
    has_websocket_context,
)
from .globals import (
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
    "AppContext",
    "RequestContext",
    "WebsocketContext",
    "after_this_request",
    "after_this_websocket",
    "app_ctx",
    "copy_current_app_context",
    "copy_current_request_context",
    "copy_current_websocket_context",
    "current_app",
    "g",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
    "request",
    "request_ctx",
    "session",
    "websocket",
    "websocket_ctx",
)

__version__ = "1.0.0"
