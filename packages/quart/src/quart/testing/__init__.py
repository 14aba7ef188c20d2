"""Test clients, see :mod:`quart_testing`."""

from quart_testing import (
    QuartClient,
    QuartCliRunner,
    TestApp,
    WebsocketResponseError,
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
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
