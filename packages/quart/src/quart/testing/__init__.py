"""Test clients, see :mod:`quart_testing`."""

from quart_testing import (
    ClientResponse,
    EventStreamParser,
    LeakError,
    LiveServer,
    QuartClient,
    QuartCliRunner,
    RedirectError,
    ServerSentEvent,
    StillWaitingError,
    SyncClient,
    TestApp,
    WebsocketResponseError,
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
)

from quart._submodules import lazy_submodules

__all__ = (
    "ClientResponse",
    "EventStreamParser",
    "LeakError",
    "LiveServer",
    "QuartCliRunner",
    "QuartClient",
    "RedirectError",
    "ServerSentEvent",
    "StillWaitingError",
    "SyncClient",
    "TestApp",
    "WebsocketResponseError",
    "make_test_body_with_headers",
    "make_test_headers_path_and_query_string",
    "make_test_scope",
    "no_op_push",
    "sentinel",
)

__getattr__ = lazy_submodules(__name__, "app", "client", "connections", "utils")
