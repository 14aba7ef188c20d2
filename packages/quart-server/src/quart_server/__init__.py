"""An ASGI server: HTTP/1.1, HTTP/2, WebSocket, TLS, workers."""

__version__ = "1.0.0"
