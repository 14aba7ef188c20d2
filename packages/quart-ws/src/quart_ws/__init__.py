"""WebSockets for Quart."""

__version__ = "1.0.0"
