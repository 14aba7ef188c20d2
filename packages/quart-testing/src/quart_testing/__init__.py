"""Test client, test app and pytest plugin for Quart.

The names are imported when they are first used: this package is loaded in every run of
pytest where it is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .app import LifespanError, TestApp
    from .client import QuartClient
    from .connections import (
        HTTPDisconnectError,
        TestHTTPConnection,
        TestWebsocketConnection,
        WebsocketDisconnectError,
        WebsocketResponseError,
    )
    from .cookies import Cookie
    from .leaks import LeakError
    from .live_server import LiveServer
    from .redirects import RedirectError
    from .responses import ClientResponse
    from .runner import QuartCliRunner as QuartCliRunner
    from .server_sent_events import EventStreamParser, ServerSentEvent
    from .sync import SyncClient
    from .utils import (
        make_test_body_with_headers,
        make_test_headers_path_and_query_string,
        make_test_scope,
        no_op_push,
        sentinel,
    )
    from .waits import StillWaitingError

# QuartCliRunner is here as well. It needs click, so a star import leaves it out.
__all__ = (
    "ClientResponse",
    "Cookie",
    "EventStreamParser",
    "HTTPDisconnectError",
    "LeakError",
    "LifespanError",
    "LiveServer",
    "QuartClient",
    "RedirectError",
    "ServerSentEvent",
    "StillWaitingError",
    "SyncClient",
    "TestApp",
    "TestHTTPConnection",
    "TestWebsocketConnection",
    "WebsocketDisconnectError",
    "WebsocketResponseError",
    "make_test_body_with_headers",
    "make_test_headers_path_and_query_string",
    "make_test_scope",
    "no_op_push",
    "sentinel",
)

__version__ = "1.0.0"

_HOMES: Final = {
    "ClientResponse": "responses",
    "Cookie": "cookies",
    "EventStreamParser": "server_sent_events",
    "HTTPDisconnectError": "connections",
    "LeakError": "leaks",
    "LifespanError": "app",
    "LiveServer": "live_server",
    "QuartClient": "client",
    "QuartCliRunner": "runner",
    "RedirectError": "redirects",
    "ServerSentEvent": "server_sent_events",
    "StillWaitingError": "waits",
    "SyncClient": "sync",
    "TestApp": "app",
    "TestHTTPConnection": "connections",
    "TestWebsocketConnection": "connections",
    "WebsocketDisconnectError": "connections",
    "WebsocketResponseError": "connections",
    "make_test_body_with_headers": "utils",
    "make_test_headers_path_and_query_string": "utils",
    "make_test_scope": "utils",
    "no_op_push": "utils",
    "sentinel": "utils",
}


# Any: classes and functions.
def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}", name=name
        )
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
