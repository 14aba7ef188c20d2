"""The Quart application, requests, responses, sessions and ASGI, without extras."""

__version__ = "1.0.0"
