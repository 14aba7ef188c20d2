"""Test clients, see :mod:`quart_testing`."""

from quart_testing import (
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    QuartCliRunner,
    QuartClient,
    sentinel,
    TestApp,
    WebsocketResponseError,
)

__all__ = (
    "QuartCliRunner",
    "QuartClient",
    "TestApp",
    "WebsocketResponseError",
    "make_test_body_with_headers",
    "make_test_headers_path_and_query_string",
    "make_test_scope",
    "no_op_push",
    "sentinel",
)
