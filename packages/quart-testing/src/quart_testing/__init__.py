"""Test client, test app and pytest plugin for Quart."""

__version__ = "1.0.0"
