"""Application, request and websocket contexts and their proxies for Quart."""

__version__ = "1.0.0"
