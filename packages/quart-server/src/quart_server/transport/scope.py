"""ASGI scopes of HTTP requests and WebSockets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from quart_server.asgi import Scope
    from quart_server.context import WorkerContext
    from quart_server.protocols.request import RequestHead

    from .connection import Connection
    from .websocket_carrier import WebsocketCarrier

__all__ = ["http_scope", "websocket_scope"]


def http_scope(connection: Connection, head: RequestHead) -> Scope:
    """Return the scope of one request. Nothing in it is shared with another one."""
    context = connection.context
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": head.http_version,
        "method": head.method,
        "scheme": connection.scheme,
        "path": head.path,
        "raw_path": head.raw_path,
        "query_string": head.query_string,
        "root_path": context.root_path,
        "headers": head.headers,
        "client": connection.client,
        "server": connection.server,
        "extensions": context.extensions.copy(),
    }
    if context.root_path:
        _add_root_path(scope, context.root_path)
    if context.proxies is not None:
        context.proxies.apply(scope)
    if context.lifespan_state is not None:
        scope["state"] = context.lifespan_state.copy()
    return scope


def websocket_scope(
    context: WorkerContext,
    carrier: WebsocketCarrier,
    head: RequestHead,
    subprotocols: list[str],
) -> Scope:
    """Return the scope of one WebSocket, whatever carries it."""
    scope: Scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": head.http_version,
        "scheme": "wss" if carrier.scheme == "https" else "ws",
        "path": head.path,
        "raw_path": head.raw_path,
        "query_string": head.query_string,
        "root_path": context.root_path,
        "headers": head.headers,
        "client": carrier.client,
        "server": carrier.server,
        "subprotocols": subprotocols,
        "extensions": {
            "websocket.http.response": {},
            "quart.shutdown": {"event": context.shutdown},
        },
    }
    if context.root_path:
        _add_root_path(scope, context.root_path)
    if context.proxies is not None:
        context.proxies.apply(scope)
    if context.lifespan_state is not None:
        scope["state"] = context.lifespan_state.copy()
    return scope


def _add_root_path(scope: Scope, root_path: str) -> None:
    """Let the path contain the prefix the app is mounted at, as ASGI has it.

    Some proxies pass it on and some take it away.
    """
    path: str = scope["path"]
    if path == root_path or path.startswith(f"{root_path}/"):
        return
    scope["path"] = root_path + path
    scope["raw_path"] = quote(root_path).encode("ascii") + scope["raw_path"]
