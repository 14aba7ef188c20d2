"""Flask's API, async all the way: HTTP/1.1, HTTP/2, WebSockets, server included.

Every name comes from one of the packages this one is composed of. Names of core are
here at once; those of the other packages are imported when they are first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
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
from quart_core.app import Quart
from quart_core.blueprints import Blueprint
from quart_core.config import Config
from quart_core.event_stream import EventStreamResponse
from quart_core.globals import (
    app_ctx,
    current_app,
    g,
    request,
    request_ctx,
    session,
    websocket,
    websocket_ctx,
)
from quart_core.helpers import (
    abort,
    flash,
    get_flashed_messages,
    get_template_attribute,
    make_push_promise,
    make_response,
    redirect,
    send_file,
    send_from_directory,
    stream_with_context,
    url_for,
)
from quart_core.json import jsonify
from quart_core.server_sent_events import ServerSentEvent
from quart_core.signals import (
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    before_render_template,
    got_request_exception,
    got_websocket_exception,
    message_flashed,
    request_finished,
    request_started,
    request_tearing_down,
    signals_available,
    template_rendered,
    websocket_finished,
    websocket_started,
    websocket_tearing_down,
)
from quart_core.typing import ResponseReturnValue
from quart_core.wrappers import Request, Response

if TYPE_CHECKING:
    from quart_templating.templating import (
        render_template,
        render_template_string,
        stream_template,
        stream_template_string,
    )
    from quart_ws.blocking import BlockingWebsocket
    from quart_ws.disconnects import WebsocketDisconnectedError
    from quart_ws.rooms import Room
    from quart_ws.websocket import Websocket

    from . import app as app
    from . import asgi as asgi
    from . import blueprints as blueprints
    from . import cli as cli
    from . import config as config
    from . import ctx as ctx
    from . import datastructures as datastructures
    from . import debug as debug
    from . import formparser as formparser
    from . import globals as globals  # noqa: A004 - the module of this name
    from . import helpers as helpers
    from . import json as json
    from . import logging as logging
    from . import routing as routing
    from . import scaffold as scaffold
    from . import sessions as sessions
    from . import signals as signals
    from . import templating as templating
    from . import testing as testing
    from . import typing as typing
    from . import utils as utils
    from . import views as views
    from . import websockets as websockets
    from . import wrappers as wrappers

# Name -> the module of another package that has it.
_LAZY = {
    "BlockingWebsocket": "quart_ws.blocking",
    "Room": "quart_ws.rooms",
    "Websocket": "quart_ws.websocket",
    "WebsocketDisconnectedError": "quart_ws.disconnects",
    "render_template": "quart_templating.templating",
    "render_template_string": "quart_templating.templating",
    "stream_template": "quart_templating.templating",
    "stream_template_string": "quart_templating.templating",
}

# What "import quart" is enough for: quart.json.dumps(), quart.sessions, ...
_SUBMODULES = frozenset(
    {
        "app",
        "asgi",
        "blueprints",
        "cli",
        "config",
        "ctx",
        "datastructures",
        "debug",
        "formparser",
        "globals",
        "helpers",
        "json",
        "logging",
        "routing",
        "scaffold",
        "sessions",
        "signals",
        "templating",
        "testing",
        "typing",
        "utils",
        "views",
        "websockets",
        "wrappers",
    }
)

__all__ = (
    "BlockingWebsocket",
    "Blueprint",
    "Config",
    "EventStreamResponse",
    "Markup",
    "Quart",
    "Request",
    "Response",
    "ResponseReturnValue",
    "Room",
    "ServerSentEvent",
    "Websocket",
    "WebsocketDisconnectedError",
    "abort",
    "after_this_request",
    "after_this_websocket",
    "app_ctx",
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "copy_current_app_context",
    "copy_current_request_context",
    "copy_current_websocket_context",
    "current_app",
    "escape",
    "flash",
    "g",
    "get_flashed_messages",
    "get_template_attribute",
    "got_request_exception",
    "got_websocket_exception",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
    "jsonify",
    "make_push_promise",
    "make_response",
    "message_flashed",
    "redirect",
    "render_template",
    "render_template_string",
    "request",
    "request_ctx",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "send_file",
    "send_from_directory",
    "session",
    "signals_available",
    "stream_template",
    "stream_template_string",
    "stream_with_context",
    "template_rendered",
    "url_for",
    "websocket",
    "websocket_ctx",
    "websocket_finished",
    "websocket_started",
    "websocket_tearing_down",
)

__version__ = "1.0.0"


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    # Not by globals(): that name is the submodule quart.globals here.
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*vars(sys.modules[__name__]), *_LAZY, *_SUBMODULES})
