"""JSON as the application's provider writes it, see :mod:`quart_core.json`."""

from quart_core.json import dump, dumps, jsonify, load, loads

__all__ = ("dump", "dumps", "jsonify", "load", "loads")
