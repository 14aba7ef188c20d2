"""An ASGI server: HTTP/1.1, HTTP/2, WebSocket, TLS, workers."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import Config, ConfigError
    from .runner import run
    from .server import serve

__all__ = ["Config", "ConfigError", "run", "serve"]

__version__ = "1.0.0"

# Loaded on first use: a supervisor needs neither an event loop nor the protocols.
_HOMES = {
    "Config": "config",
    "ConfigError": "config",
    "run": "runner",
    "serve": "server",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
