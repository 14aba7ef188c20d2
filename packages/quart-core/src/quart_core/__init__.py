"""The Quart application, requests, responses, sessions and ASGI, without extras.

Names are those of ``quart``; what an optional package implements is missing here.
"""

from __future__ import annotations

from quart_contexts.ctx import (
    after_this_request,
    after_this_websocket,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    has_app_context,
    has_request_context,
    has_websocket_context,
)

from .app import Quart
from .blueprints import Blueprint
from .config import Config
from .event_stream import EventStreamResponse
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
from .helpers import (
    abort,
    flash,
    get_flashed_messages,
    make_push_promise,
    make_response,
    redirect,
    send_file,
    send_from_directory,
    stream_with_context,
    url_for,
)
from .json import jsonify
from .missing import MissingPackageError
from .server_sent_events import ServerSentEvent
from .wrappers import ClientDisconnectedError, Request, Response

__all__ = (
    "Blueprint",
    "ClientDisconnectedError",
    "Config",
    "EventStreamResponse",
    "MissingPackageError",
    "Quart",
    "Request",
    "Response",
    "ServerSentEvent",
    "abort",
    "after_this_request",
    "after_this_websocket",
    "app_ctx",
    "copy_current_app_context",
    "copy_current_request_context",
    "copy_current_websocket_context",
    "current_app",
    "flash",
    "g",
    "get_flashed_messages",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
    "jsonify",
    "make_push_promise",
    "make_response",
    "redirect",
    "request",
    "request_ctx",
    "send_file",
    "send_from_directory",
    "session",
    "stream_with_context",
    "url_for",
    "websocket",
    "websocket_ctx",
)

__version__ = "1.0.0"
