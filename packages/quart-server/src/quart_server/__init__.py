"""An ASGI server: HTTP/1.1, HTTP/2, WebSocket, TLS, workers."""

from .config import Config, ConfigError
from .server import run, serve

__all__ = ["Config", "ConfigError", "run", "serve"]

__version__ = "1.0.0"
