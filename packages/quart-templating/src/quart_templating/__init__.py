"""Jinja templates for Quart: rendering, streaming, fragments."""

__version__ = "1.0.0"
