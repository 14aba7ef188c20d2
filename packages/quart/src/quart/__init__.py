"""Flask's API, async all the way: HTTP/1.1, HTTP/2, WebSockets, streaming, server included."""

__version__ = "1.0.0"
