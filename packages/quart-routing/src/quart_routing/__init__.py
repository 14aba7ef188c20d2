"""URL rules, converters and a compiled lookup for Quart."""

__version__ = "1.0.0"
