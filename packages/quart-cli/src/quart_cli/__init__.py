"""The quart command line."""

__version__ = "1.0.0"
